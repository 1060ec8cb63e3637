/* SPDX-License-Identifier: Apache-2.0 */
#include "client/roots.h"

#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "lib/tuf/role.h"

enum {
	AHEAD_MAX = 64,
	AHEAD_BYTES_MAX = 1024 * 1024,
	LINE_BYTES_MAX = BASE64_LEN(TUF_ROOT_MAX) + 128,
};
#define CHAIN_BYTES_MAX ((uint64_t)1 << 30) /* streamed, never kept */

void roots_init(struct roots *r, const struct source *from)
{
	*r = (struct roots){.from = from};
}

static void drop(struct roots *r)
{
	for (size_t i = 0; i < r->n; i++)
		buf_clear(&r->ahead[i]);
	r->n = 0;
}

void roots_clear(struct roots *r)
{
	drop(r);
	free(r->ahead);
	*r = (struct roots){0};
}

/* Lines as they arrive. */
struct reader {
	struct roots *r;
	struct buf line;
	size_t bytes; /* of roots kept */
	bool full;    /* enough for now: the transfer was ended on purpose */
};

static void unref(json_t **j)
{
	json_decref(*j);
}

static int take_line(struct reader *in, struct error *err)
{
	struct {
		int64_t version;
		const char *root;
	} f;
	static const struct field fields[] = {
		{.key = "version",
		 .kind = FIELD_INT,
		 .offset = offsetof(__typeof__(f), version),
		 .min = 1,
		 .max = INT32_MAX},
		{.key = "root",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(__typeof__(f), root),
		 .min = 1,
		 .max = BASE64_LEN((int64_t)TUF_ROOT_MAX)},
	};
	CLEANUP(unref) json_t *j = NULL;
	struct roots *r = in->r;
	int e = strict_parse(in->line.data, in->line.len, "root-chain.jsonl", &j, err);

	if (e == 0)
		e = strict_read(j, "root-chain.jsonl", fields, ARRAY_LEN(fields), STRICT_OPEN, &f,
				err);
	if (e != 0 || f.version < r->first)
		return e;
	if (f.version != r->first + (int64_t)r->n)
		return error_set(err, E_INVALID,
				 "root-chain.jsonl: want version %" PRId64 ", got %" PRId64,
				 r->first + (int64_t)r->n, f.version);
	r->ahead[r->n] = (struct buf){0};
	e = base64_decode(f.root, strlen(f.root), &r->ahead[r->n], err);
	if (e < 0) {
		buf_clear(&r->ahead[r->n]);
		return e;
	}
	in->bytes += r->ahead[r->n++].len;
	in->full = r->n == AHEAD_MAX || in->bytes > AHEAD_BYTES_MAX;
	return in->full ? error_set(err, E_FULL, "enough") : 0;
}

static int take(void *ctx, const void *data, size_t len, struct error *err)
{
	struct reader *in = ctx;
	const char *p = data;

	while (len) {
		const char *end = memchr(p, '\n', len);
		size_t n = end ? (size_t)(end - p) : len;
		int r;

		if (in->line.len + n > LINE_BYTES_MAX)
			return error_set(err, E_INVALID, "root-chain.jsonl: line of over %d bytes",
					 LINE_BYTES_MAX);
		r = buf_add(&in->line, p, n, err);
		if (r == 0 && end && in->line.len) {
			r = take_line(in, err);
			in->line.len = 0;
		}
		if (r < 0)
			return r;
		p += end ? n + 1 : n;
		len -= end ? n + 1 : n;
	}
	return 0;
}

static int allot(struct roots *r, struct error *err)
{
	if (!r->ahead)
		r->ahead = calloc(AHEAD_MAX, sizeof(*r->ahead));
	return r->ahead ? 0 : error_nomem(err);
}

/* Read ahead from `version` on. A mirror without the file, or with a bad one, costs one attempt. */
static int read_ahead(struct roots *r, int64_t version, struct error *err)
{
	struct reader in = {.r = r};
	const struct http_sink sink = {take, &in};
	struct error ignored = {0};
	int e = allot(r, err);

	if (e < 0)
		return e;
	drop(r);
	r->first = version;
	e = source_stream(r->from, "metadata/root-chain.jsonl", 0, CHAIN_BYTES_MAX, &sink,
			  &ignored);
	buf_clear(&in.line);
	if (e == E_NOMEM)
		return error_nomem(err);
	if (e < 0 && !in.full)
		drop(r);
	return 0;
}

int roots_get(struct roots *r, int64_t version, struct buf *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	size_t i = (size_t)(version - r->first);
	int e;

	if (r->n && version >= r->first && i < r->n)
		return buf_add(out, r->ahead[i].data, r->ahead[i].len, err);
	e = buf_printf(&path, err, "metadata/%" PRId64 ".root.json", version);
	if (e == 0)
		e = source_get(r->from, path.data, TUF_ROOT_MAX, out, err);
	return e == 0 ? read_ahead(r, version + 1, err) : e;
}
