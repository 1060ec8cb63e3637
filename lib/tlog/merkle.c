/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/merkle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"

enum {
	LEVELS = 8, /* of tiles, in a tree of less than 2^63 leaves */
	PREFIX_LEAF = 0,
	PREFIX_NODE = 1,
	NODE_LEN = 1 + 2 * SHA256_LEN,
	GROUP = 1000,   /* tile numbers are written in groups of three digits */
	GROUPS_MAX = 7, /* which UINT64_MAX has */
};

/* --- hashes ---------------------------------------------------------------- */

static void node_bytes(const struct hash *left, const struct hash *right,
		       unsigned char out[NODE_LEN])
{
	out[0] = PREFIX_NODE;
	memcpy(out + 1, left->b, SHA256_LEN);
	memcpy(out + 1 + SHA256_LEN, right->b, SHA256_LEN);
}

void merkle_leaf(const void *data, size_t len, struct hash *out)
{
	const unsigned char prefix = PREFIX_LEAF;

	sha256_pair(&prefix, 1, data, len, out->b);
}

void merkle_node(const struct hash *left, const struct hash *right, struct hash *out)
{
	unsigned char both[NODE_LEN];

	node_bytes(left, right, both);
	sha256(both, sizeof(both), out->b);
}

/* The same by a hash that is set up already: twice as fast, for whoever needs many. */
static void node(struct digest *d, const struct hash *left, const struct hash *right,
		 struct hash *out)
{
	unsigned char both[NODE_LEN];

	node_bytes(left, right, both);
	digest_add(d, both, sizeof(both));
	digest_finish(d, out->b);
}

void merkle_empty(struct hash *out)
{
	sha256(NULL, 0, out->b);
}

static bool same(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, SHA256_LEN) == 0;
}

/* The root over `n` hashes, a power of 2 of at most TILE_WIDTH; they are overwritten. */
static void fold(struct digest *d, struct hash *hashes, size_t n, struct hash *out)
{
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			node(d, &hashes[2 * i], &hashes[2 * i + 1], &hashes[i]);
	*out = hashes[0];
}

/* --- checking -------------------------------------------------------------- */

int merkle_check_inclusion(const struct hash *leaf, uint64_t index, uint64_t size,
			   const struct merkle_proof *p, const struct hash *root, struct error *err)
{
	uint64_t fn = index, sn = size - 1;
	struct hash r = *leaf;

	if (index >= size)
		return error_set(err, E_UNTRUSTED,
				 "inclusion proof: no leaf %" PRIu64 " in %" PRIu64, index, size);
	for (size_t i = 0; i < p->n; i++) {
		if (sn == 0)
			return error_set(err, E_UNTRUSTED, "inclusion proof: too long");
		if (fn & 1 || fn == sn) {
			merkle_node(&p->hash[i], &r, &r);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&r, &p->hash[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn)
		return error_set(err, E_UNTRUSTED, "inclusion proof: too short");
	if (!same(&r, root))
		return error_set(err, E_UNTRUSTED, "inclusion proof: leads to another root");
	return 0;
}

/* From an old tree that is neither empty nor of the same size. */
static int check_growth(uint64_t old_size, const struct hash *old_root, uint64_t size,
			const struct hash *root, const struct merkle_proof *p, struct error *err)
{
	uint64_t fn = old_size - 1, sn = size - 1;
	struct hash fr = *old_root, sr = *old_root;
	size_t i = 0;

	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	if (fn) { /* else the old tree is a whole subtree of the new, and its root starts it */
		if (!p->n)
			return error_set(err, E_UNTRUSTED, "consistency proof: too short");
		fr = sr = p->hash[i++];
	}
	for (; i < p->n; i++) {
		if (sn == 0)
			return error_set(err, E_UNTRUSTED, "consistency proof: too long");
		if (fn & 1 || fn == sn) {
			merkle_node(&p->hash[i], &fr, &fr);
			merkle_node(&p->hash[i], &sr, &sr);
			while (!(fn & 1) && fn) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(&sr, &p->hash[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn)
		return error_set(err, E_UNTRUSTED, "consistency proof: too short");
	if (!same(&fr, old_root) || !same(&sr, root))
		return error_set(err, E_UNTRUSTED, "consistency proof: leads to another root");
	return 0;
}

int merkle_check_consistency(uint64_t old_size, const struct hash *old_root, uint64_t size,
			     const struct hash *root, const struct merkle_proof *p,
			     struct error *err)
{
	struct hash empty;

	if (old_size > size)
		return error_set(err, E_UNTRUSTED,
				 "consistency proof: the tree went from %" PRIu64 " to %" PRIu64,
				 old_size, size);
	if (old_size && old_size < size)
		return check_growth(old_size, old_root, size, root, p, err);
	if (p->n)
		return error_set(err, E_UNTRUSTED, "consistency proof: too long");
	merkle_empty(&empty);
	if (old_size == 0 && !same(old_root, &empty))
		return error_set(err, E_UNTRUSTED, "consistency proof: wrong root of size 0");
	if (old_size == size && !same(old_root, root))
		return error_set(err, E_UNTRUSTED, "consistency proof: two roots of size %" PRIu64,
				 size);
	return 0;
}

/* --- reading --------------------------------------------------------------- */

/* A tree of `size`, and the one tile that was read last: proofs go up tile by tile. */
struct reader {
	const struct merkle_store *store;
	uint64_t size;
	struct digest *digest;
	bool loaded;
	unsigned level;
	uint64_t n;
	struct hash tile[TILE_WIDTH];
};

static void reader_clear(struct reader *r)
{
	digest_free(r->digest);
}

static int reader_init(struct reader *r, const struct merkle_store *s, uint64_t size,
		       struct error *err)
{
	r->store = s;
	r->size = size;
	if (size > INT64_MAX)
		return error_set(err, E_INVALID, "tree: want at most 2^63 - 1 leaves");
	return digest_new(&r->digest, err);
}

/* How many hashes tile `n` of a level has. */
static unsigned tile_width(uint64_t size, unsigned level, uint64_t n)
{
	uint64_t at_level = size >> (TILE_HEIGHT * level);
	uint64_t left = at_level - n * TILE_WIDTH;

	return left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
}

static int load(struct reader *r, unsigned level, uint64_t n, struct error *err)
{
	int e;

	if (r->loaded && r->level == level && r->n == n)
		return 0;
	r->loaded = false;
	e = r->store->read(r->store->ctx, level, n, tile_width(r->size, level, n), r->tile, err);
	if (e < 0)
		return e;
	r->loaded = true;
	r->level = level;
	r->n = n;
	return 0;
}

/* The root of the whole subtree `i` of height `h`: leaves i * 2^h up to the next. */
static int whole(struct reader *r, unsigned h, uint64_t i, struct hash *out, struct error *err)
{
	unsigned level = h / TILE_HEIGHT, row = h % TILE_HEIGHT;
	uint64_t first = i << row; /* at the tile's own level */
	struct hash part[TILE_WIDTH / 2];
	size_t n = (size_t)1 << row;
	int e = load(r, level, first / TILE_WIDTH, err);

	if (e < 0)
		return e;
	memcpy(part, &r->tile[first % TILE_WIDTH], n * sizeof(*part));
	fold(r->digest, part, n, out);
	return 0;
}

/* The root over the leaves from `first`, a multiple of the next power of 2, to the end. */
static int right_edge(struct reader *r, uint64_t first, struct hash *out, struct error *err)
{
	uint64_t n = r->size - first, end = r->size;
	bool some = false;

	for (unsigned h = 0; n >> h; h++) {
		struct hash left;

		if (!(n >> h & 1))
			continue;
		end -= UINT64_C(1) << h;

		int e = whole(r, h, end >> h, &left, err);
		if (e < 0)
			return e;
		if (some)
			node(r->digest, &left, out, out);
		else
			*out = left;
		some = true;
	}
	return 0;
}

/* Append the root of subtree `i` of height `h`, whole or cut by the end of the tree. */
static int sibling(struct reader *r, unsigned h, uint64_t i, struct merkle_proof *out,
		   struct error *err)
{
	struct hash *at = &out->hash[out->n];
	int e;

	assert(out->n < MERKLE_PROOF_MAX);
	if ((i + 1) << h <= r->size)
		e = whole(r, h, i, at, err);
	else
		e = right_edge(r, i << h, at, err);
	out->n += e == 0;
	return e;
}

/* Append the siblings on the way up from node `fn` at height `h`; `sn` is the last one there. */
static int climb(struct reader *r, unsigned h, uint64_t fn, struct merkle_proof *out,
		 struct error *err)
{
	uint64_t sn = (r->size - 1) >> h;
	int e = 0;

	for (; sn && e == 0; h++, fn >>= 1, sn >>= 1) {
		if (fn & 1)
			e = sibling(r, h, fn - 1, out, err);
		else if (fn < sn)
			e = sibling(r, h, fn + 1, out, err);
	}
	return e;
}

int merkle_root(const struct merkle_store *s, uint64_t size, struct hash *out, struct error *err)
{
	CLEANUP(reader_clear) struct reader r = {0};
	struct hash root;
	int e = reader_init(&r, s, size, err);

	if (e < 0)
		return e;
	merkle_empty(&root);
	e = right_edge(&r, 0, &root, err);
	if (e == 0)
		*out = root;
	return e;
}

/* Where a proof starts: node `fn` at height `h`, the first of its hashes if `itself`. */
struct start {
	uint64_t fn;
	unsigned h;
	bool itself;
};

/* `from` NULL: there is nothing to prove. */
static int prove(const struct merkle_store *s, uint64_t size, const struct start *from,
		 struct merkle_proof *out, struct error *err)
{
	CLEANUP(reader_clear) struct reader r = {0};
	struct merkle_proof p = {.n = 0};
	int e = reader_init(&r, s, size, err);

	if (e == 0 && from && from->itself)
		e = sibling(&r, from->h, from->fn, &p, err);
	if (e == 0 && from)
		e = climb(&r, from->h, from->fn, &p, err);
	if (e == 0)
		*out = p;
	return e;
}

int merkle_prove_inclusion(const struct merkle_store *s, uint64_t index, uint64_t size,
			   struct merkle_proof *out, struct error *err)
{
	const struct start leaf = {.fn = index};

	if (index >= size)
		return error_set(err, E_INVALID, "no leaf %" PRIu64 " in %" PRIu64, index, size);
	return prove(s, size, &leaf, out, err);
}

int merkle_prove_consistency(const struct merkle_store *s, uint64_t old_size, uint64_t size,
			     struct merkle_proof *out, struct error *err)
{
	struct start last = {.h = 0};

	if (old_size > size)
		return error_set(err, E_INVALID, "no tree of %" PRIu64 " in %" PRIu64, old_size,
				 size);
	if (old_size == 0 || old_size == size)
		return prove(s, size, NULL, out, err);
	/* The largest whole subtree that the old tree ends with: what it has alone needs no hash.
	 */
	for (last.fn = old_size - 1; last.fn & 1; last.fn >>= 1)
		last.h++;
	last.itself = last.fn > 0;
	return prove(s, size, &last, out, err);
}

/* --- growing --------------------------------------------------------------- */

/* The last tile of a level. */
struct edge {
	bool loaded;
	uint64_t n;
	unsigned width;
	struct hash hashes[TILE_WIDTH];
};

struct appender {
	const struct merkle_store *store;
	uint64_t size; /* before */
	struct digest *digest;
	struct edge edges[LEVELS];
};

static void appender_free(struct appender *a)
{
	if (!a)
		return;
	digest_free(a->digest);
	free(a);
}
DEFINE_CLEANUP(struct appender *, appender_free)

static int load_edge(struct appender *a, unsigned level, struct error *err)
{
	uint64_t at_level = a->size >> (TILE_HEIGHT * level);
	struct edge *e = &a->edges[level];
	int r = 0;

	if (e->loaded)
		return 0;
	e->n = at_level / TILE_WIDTH;
	e->width = (unsigned)(at_level % TILE_WIDTH);
	if (e->width)
		r = a->store->read(a->store->ctx, level, e->n, e->width, e->hashes, err);
	e->loaded = r == 0;
	return r;
}

/* A tile that this fills is written, and its root goes one level up. */
static int push(struct appender *a, struct hash h, struct error *err)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		struct edge *e = &a->edges[level];
		int r = load_edge(a, level, err);

		if (r < 0)
			return r;
		e->hashes[e->width++] = h;
		if (e->width < TILE_WIDTH)
			return 0;
		r = a->store->write(a->store->ctx, level, e->n, e->width, e->hashes, err);
		if (r < 0)
			return r;
		fold(a->digest, e->hashes, TILE_WIDTH, &h);
		e->n++;
		e->width = 0;
	}
	return 0;
}

int merkle_append(const struct merkle_store *s, uint64_t size, const struct hash *leaves, size_t n,
		  struct error *err)
{
	CLEANUP(appender_freep) struct appender *a = NULL;
	int r;

	if (size > INT64_MAX || n > INT64_MAX - size)
		return error_set(err, E_INVALID, "tree: want at most 2^63 - 1 leaves");
	a = calloc(1, sizeof(*a));
	if (!a)
		return error_nomem(err);
	a->store = s;
	a->size = size;
	r = digest_new(&a->digest, err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = push(a, leaves[i], err);
	for (unsigned level = 0; level < LEVELS && r == 0; level++) {
		const struct edge *e = &a->edges[level];

		if (e->loaded && e->width)
			r = s->write(s->ctx, level, e->n, e->width, e->hashes, err);
	}
	return r;
}

/* --- a right edge alone ------------------------------------------------------ */

void merkle_edge_of_proof(const struct hash *leaf, uint64_t index, uint64_t size,
			  const struct merkle_proof *p, struct merkle_edge *out)
{
	struct merkle_edge e = {.size = index};
	uint64_t fn = index, sn = size - 1;
	unsigned h = 0;

	/* What stands left of the leaf's way up; the rest will be different. */
	for (size_t i = 0; i < p->n; i++, fn >>= 1, sn >>= 1, h++) {
		if (!(fn & 1) && fn != sn)
			continue;
		for (; fn && !(fn & 1); fn >>= 1, sn >>= 1)
			h++;
		e.part[h] = p->hash[i];
	}
	merkle_edge_add(&e, leaf);
	*out = e;
}

void merkle_edge_add(struct merkle_edge *e, const struct hash *leaf)
{
	struct hash sum = *leaf;
	unsigned h = 0;

	for (; e->size >> h & 1; h++)
		merkle_node(&e->part[h], &sum, &sum);
	e->part[h] = sum;
	e->size++;
}

void merkle_edge_root(const struct merkle_edge *e, struct hash *out)
{
	struct hash sum;
	bool some = false;

	merkle_empty(&sum);
	for (unsigned h = 0; e->size >> h; h++) {
		if (!(e->size >> h & 1))
			continue;
		if (some)
			merkle_node(&e->part[h], &sum, &sum);
		else
			sum = e->part[h];
		some = true;
	}
	*out = sum;
}

/* --- names ----------------------------------------------------------------- */

void tile_path(int level, uint64_t n, unsigned width, char out[TILE_PATH_SIZE])
{
	unsigned groups[GROUPS_MAX];
	size_t count = 0, len;

	do {
		groups[count++] = (unsigned)(n % GROUP);
		n /= GROUP;
	} while (n);
	if (level < 0)
		len = (size_t)snprintf(out, TILE_PATH_SIZE, "tile/entries");
	else
		len = (size_t)snprintf(out, TILE_PATH_SIZE, "tile/%d", level);
	while (count--)
		len += (size_t)snprintf(out + len, TILE_PATH_SIZE - len, "/%s%03u",
					count ? "x" : "", groups[count]);
	if (width < TILE_WIDTH)
		(void)snprintf(out + len, TILE_PATH_SIZE - len, ".p/%u", width);
}
