/* SPDX-License-Identifier: Apache-2.0 */
#include "client/roots.h"

#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/tuf/chain.h"

enum { AHEAD_MAX = 64, AHEAD_BYTES_MAX = 1024 * 1024 };
/* Streamed, never kept; a longer one has to be taken from single files in the end. */
#define CHAIN_BYTES_MAX ((uint64_t)16 << 20)

/* A chain file as it arrives. */
struct reading {
	struct roots *r;
	struct tuf_chain *chain;
	size_t bytes; /* of roots kept */
};

void roots_init(struct roots *r, const struct source *from, size_t max)
{
	*r = (struct roots){.from = from, .max = max < TUF_ROOT_MAX ? max : TUF_ROOT_MAX};
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

/* Enough for now is an end of the transfer like any other: what came before it is kept. */
static int keep(void *ctx, const struct tuf_root *root, struct error *err)
{
	struct reading *in = ctx;
	struct roots *r = in->r;
	const struct buf *bytes = envelope_bytes(root->doc);
	int e;

	if (r->n == AHEAD_MAX || in->bytes > AHEAD_BYTES_MAX)
		return error_set(err, E_FULL, "enough");
	r->ahead[r->n] = (struct buf){0};
	e = buf_add(&r->ahead[r->n], bytes->data, bytes->len, err);
	if (e < 0)
		return e;
	in->bytes += bytes->len;
	r->n++;
	return 0;
}

static int take(void *ctx, const void *data, size_t len, struct error *err)
{
	const struct reading *in = ctx;

	return tuf_chain_feed(in->chain, data, len, err);
}

/* A mirror without the file, or with a bad one, costs one attempt. */
static int read_ahead(struct roots *r, const struct tuf_root *root, struct error *err)
{
	CLEANUP(tuf_chain_freep) struct tuf_chain *chain = NULL;
	struct reading in = {.r = r};
	const struct http_sink sink = {take, &in};
	struct error ignored = {0};
	int e;

	drop(r);
	r->first = root->version + 1;
	if (!r->ahead)
		r->ahead = calloc(AHEAD_MAX, sizeof(*r->ahead));
	if (!r->ahead)
		return error_nomem(err);
	e = tuf_chain_new(root, keep, &in, &chain, err);
	if (e < 0)
		return e;
	in.chain = chain;
	tuf_chain_limit(chain, r->max);
	e = source_stream(r->from, "metadata/root-chain.jsonl", 0, CHAIN_BYTES_MAX, &sink,
			  &ignored);
	return e == E_NOMEM ? error_nomem(err) : 0;
}

int roots_after(struct roots *r, const struct tuf_root *root, struct buf *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int64_t version = root->version + 1;
	int e;

	if (version >= r->first && version - r->first < (int64_t)r->n) {
		const struct buf *known = &r->ahead[version - r->first];

		return buf_add(out, known->data, known->len, err);
	}
	e = buf_printf(&path, err, "metadata/%" PRId64 ".root.json", version);
	if (e == 0)
		e = source_get(r->from, path.data, r->max, out, err);
	return e == 0 ? read_ahead(r, root, err) : e;
}
