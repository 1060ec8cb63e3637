/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/chain.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"

enum {
	ROOT_TEXT_MAX = BASE64_LEN(TUF_ROOT_MAX),
	LINE_MORE = 128, /* the version, member names and white space */
	NAME_SIZE = 64,
};

struct tuf_chain {
	const struct tuf_root *from;
	struct tuf_root *root; /* NULL: no step was made yet */
	tuf_chain_fn each;
	void *ctx;
	size_t line_max;
	struct buf line; /* bytes of the line that has not ended */
	int64_t last;    /* version of the previous line; 0: there was none */
	int steps;
	int failed; /* the code of the first failure */
};

struct link {
	int64_t version;
	const char *root;
};
static const struct field link_fields[] = {
	{.key = "version",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct link, version),
	 .min = 1,
	 .max = (INT64_C(1) << 53) - 1},
	{.key = "root",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct link, root),
	 .min = 1,
	 .max = ROOT_TEXT_MAX},
};

int tuf_chain_new(const struct tuf_root *from, tuf_chain_fn each, void *ctx, struct tuf_chain **out,
		  struct error *err)
{
	struct tuf_chain *c = calloc(1, sizeof(*c));

	if (!c)
		return error_nomem(err);
	c->from = from;
	c->each = each;
	c->ctx = ctx;
	c->line_max = ROOT_TEXT_MAX + LINE_MORE;
	*out = c;
	return 0;
}

void tuf_chain_limit(struct tuf_chain *c, size_t max)
{
	if (max < TUF_ROOT_MAX)
		c->line_max = BASE64_LEN(max) + LINE_MORE;
}

void tuf_chain_free(struct tuf_chain *c)
{
	if (!c)
		return;
	buf_clear(&c->line);
	tuf_root_free(c->root);
	free(c);
}

const struct tuf_root *tuf_chain_root(const struct tuf_chain *c)
{
	return c->root ? c->root : c->from;
}

static int step(struct tuf_chain *c, const struct link *link, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *next = NULL;
	char name[NAME_SIZE];
	int r;

	if (c->steps == TUF_ROOTS_MAX)
		return error_set(err, E_INVALID, "root-chain.jsonl: more than %d steps",
				 TUF_ROOTS_MAX);
	(void)snprintf(name, sizeof(name), "%" PRId64 ".root.json", link->version);
	r = base64_decode(link->root, strlen(link->root), &bytes, err);
	if (r < 0)
		return error_prefix(err, r, "root-chain.jsonl: version %" PRId64, link->version);
	r = tuf_root_step(tuf_chain_root(c), bytes.data, bytes.len, name, &next, err);
	if (r == 0)
		r = c->each(c->ctx, next, err);
	if (r < 0)
		return r;
	tuf_root_free(c->root);
	c->root = steal(next);
	c->steps++;
	return 0;
}

static int take_line(struct tuf_chain *c, struct error *err)
{
	CLEANUP(json_decrefp) json_t *object = NULL;
	struct link link = {0};
	int r = strict_parse(c->line.data, c->line.len, NULL, &object, err);

	if (r == 0)
		r = strict_read(object, "", link_fields, ARRAY_LEN(link_fields), STRICT_OPEN, &link,
				err);
	if (r != 0)
		return error_prefix(err, r, "root-chain.jsonl: after version %" PRId64, c->last);
	if (c->last && link.version != c->last + 1)
		return error_set(err, E_INVALID,
				 "root-chain.jsonl: version %" PRId64 " follows %" PRId64,
				 link.version, c->last);
	c->last = link.version;
	return link.version <= tuf_chain_root(c)->version ? 0 : step(c, &link, err);
}

/* Up to and with the next line feed. */
static int take(struct tuf_chain *c, const char *data, size_t len, size_t *used, struct error *err)
{
	const char *end = memchr(data, '\n', len);
	size_t n = end ? (size_t)(end - data) : len;
	int r;

	if (c->line.len + n > c->line_max)
		return error_set(err, E_INVALID, "root-chain.jsonl: a line of more than %zu bytes",
				 c->line_max);
	r = buf_add(&c->line, data, n, err);
	if (r < 0)
		return r;
	*used = end ? n + 1 : n;
	if (!end)
		return 0;
	r = take_line(c, err);
	c->line.len = 0;
	return r;
}

int tuf_chain_feed(void *chain, const void *data, size_t len, struct error *err)
{
	struct tuf_chain *c = chain;
	const char *p = data;

	if (c->failed)
		return error_set(err, c->failed, "root-chain.jsonl: failed before");
	while (len) {
		size_t used = 0;
		int r = take(c, p, len, &used, err);

		if (r < 0) {
			c->failed = r;
			return r;
		}
		p += used;
		len -= used;
	}
	return 0;
}

int tuf_chain_end(struct tuf_chain *c, struct error *err)
{
	if (c->failed)
		return error_set(err, c->failed, "root-chain.jsonl: failed before");
	if (c->line.len)
		return error_set(err, E_INVALID, "root-chain.jsonl: ends within a line");
	return 0;
}

int tuf_chain_line(int64_t version, const void *root, size_t len, struct buf *out,
		   struct error *err)
{
	size_t start = out->len;
	int r = buf_printf(out, err, "{\"version\": %" PRId64 ", \"root\": \"", version);

	if (r == 0)
		r = base64_encode(root, len, out, err);
	if (r == 0)
		r = buf_puts(out, "\"}\n", err);
	if (r < 0 && out->data) {
		out->len = start;
		out->data[start] = '\0';
	}
	return r;
}
