/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/rest.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/tlog/entries.h"

/* One reading: how far the tree is rebuilt, and which of its leaves the chain has. */
struct rest {
	struct ledger *h;
	const char *origin;
	uint64_t size;
	struct merkle_edge edge;
	size_t next; /* leaf of the chain */
	bool behind; /* the tree has a leaf that the chain has not */
};

static bool is_update(const struct leaf *l)
{
	return strcmp(l->kind, "targets") == 0;
}

/* An entry that is a leaf of the product: the next of the chain, or an update that is left out. */
static int take_leaf(struct rest *r, const struct leaf *l, struct error *err)
{
	const struct leaf_chain *c = r->h->chain;

	while (r->next < c->n && c->leaves[r->next].seq < l->seq)
		r->next++;
	if (r->next == c->n) {
		r->behind = true;
		return 0;
	}
	const struct leaf *same = &c->leaves[r->next];
	if (same->seq > l->seq) {
		r->behind = r->behind || !is_update(l) || !is_update(same);
		return 0;
	}
	if (memcmp(same->hash.b, l->hash.b, sizeof(l->hash.b)) != 0)
		return error_set(err, E_UNTRUSTED,
				 "leaves.jsonl: the log has another leaf %" PRId64, l->seq);
	r->next++;
	return 0;
}

static int take_entry(struct rest *r, const struct log_entry *e, struct error *err)
{
	struct hash hash;
	struct leaf l;
	struct error none;

	merkle_leaf(e->data, e->len, &hash);
	merkle_edge_add(&r->edge, &hash);
	/* Whatever is no leaf at all is nothing of this product. */
	if (leaf_parse(e->data, e->len, &l, &none) < 0 ||
	    strcmp(l.product, r->h->query->product) != 0)
		return 0;
	return take_leaf(r, &l, err);
}

/* The bundle from entry n * 256 on; it may have grown since. 1: it could not be had. */
static int read_bundle(const struct rest *r, uint64_t n, unsigned width, struct buf *out,
		       struct error *err)
{
	const struct evidence_source *s = r->h->source;
	const unsigned widths[] = {width, TILE_WIDTH};

	for (size_t i = 0; i < (width == TILE_WIDTH ? 1 : ARRAY_LEN(widths)); i++) {
		char path[TILE_PATH_SIZE];
		int e;

		tile_path(-1, n, widths[i], path);
		e = s->log(s->ctx, r->origin, path, ENTRIES_BYTES_MAX, out, err);
		if (e != E_NOTFOUND)
			return e;
	}
	return 1;
}

/* From where the tree is rebuilt to the end of that bundle. 1: it could not be had. */
static int take_bundle(struct rest *r, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	uint64_t n = r->edge.size / TILE_WIDTH, left = r->size - n * TILE_WIDTH;
	unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
	struct log_entry entry[TILE_WIDTH];
	int e = read_bundle(r, n, width, &bytes, err);

	if (e == 0) {
		e = entries_split(bytes.data, bytes.len, width, entry, err);
		if (e < 0)
			return error_prefix(err, e, "log/tile/entries: bundle %" PRIu64, n);
	}
	for (unsigned i = (unsigned)(r->edge.size % TILE_WIDTH); e == 0 && i < width; i++)
		e = take_entry(r, &entry[i], err);
	return e;
}

static int take_all(struct rest *r, const struct hash *root, bool *had, struct error *err)
{
	struct hash sum;
	int e = 0;

	while (e == 0 && r->edge.size < r->size)
		e = take_bundle(r, err);
	*had = e == 0;
	if (e != 0)
		return e < 0 ? e : 0;
	merkle_edge_root(&r->edge, &sum);
	if (memcmp(sum.b, root->b, sizeof(sum.b)) != 0)
		return error_set(err, E_UNTRUSTED,
				 "log/tile/entries: are not those of the tree of %" PRIu64
				 " leaves of log \"%.80s\"",
				 r->size, r->origin);
	return 0;
}

int rest_read(struct ledger *h, const struct leaf *leaf, const struct shown *shown, size_t *end,
	      bool *whole, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct rest rest = {.h = h, .next = (size_t)(leaf - h->chain->leaves) + 1};
	struct tlog_proof proof;
	struct shown again;
	bool had = false;

	*whole = false;
	if (!h->source->log || shown->size - shown->index > REST_MAX)
		return 0;
	int r = ledger_read_proof(h, leaf, &bytes, &again, err);
	if (r == 0 && (!again.good || again.tree != shown->tree || again.index != shown->index ||
		       again.size != shown->size))
		r = error_set(err, E_UNTRUSTED, "proofs/%s.tlog-proof: is another one each time",
			      leaf->id);
	if (r == 0)
		r = tlog_proof_parse(bytes.data, bytes.len, &proof, err);
	if (r != 0)
		return r;
	rest.origin = proof.checkpoint.origin;
	rest.size = shown->size;
	merkle_edge_of_proof(&leaf->hash, proof.index, shown->size, &proof.siblings, &rest.edge);
	r = take_all(&rest, &proof.checkpoint.root, &had, err);
	if (r == 0 && had && !rest.behind) {
		*whole = true;
		*end = rest.next;
	}
	return r;
}
