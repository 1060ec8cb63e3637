/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs against a tree that we made: what the input changes in a true proof, or makes
 * up from nothing, is accepted only if it is the true one.
 *
 * covers: lib/tlog/merkle.c
 */
#include <assert.h>
#include <string.h>

#include "lib/base/error.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"

#include "lib/tlog/merkle.h"

enum { LEAVES = 600, LEVELS = 2 }; /* three tiles, and one above them */

struct forest {
	struct hash level[LEVELS][LEAVES];
	struct hash roots[LEAVES + 1]; /* by size */
	bool known[LEAVES + 1], grown;
};

static int read_tile(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *err)
{
	const struct forest *f = ctx;

	if (level >= LEVELS || n * TILE_WIDTH + width > LEAVES)
		return error_set(err, E_NOTFOUND, "no such tile");
	memcpy(out, &f->level[level][n * TILE_WIDTH], width * sizeof(*out));
	return 0;
}

static int write_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
		      const struct hash *hashes, struct error *err)
{
	struct forest *f = ctx;

	(void)err;
	assert(level < LEVELS && n * TILE_WIDTH + width <= LEAVES);
	memcpy(&f->level[level][n * TILE_WIDTH], hashes, width * sizeof(*hashes));
	return 0;
}

static struct merkle_store grow(struct forest *f)
{
	struct merkle_store store = {.ctx = f, .read = read_tile, .write = write_tile};
	struct hash leaves[LEAVES];
	struct error err;

	if (f->grown)
		return store;
	for (uint64_t i = 0; i < LEAVES; i++)
		merkle_leaf(&i, sizeof(i), &leaves[i]);
	if (merkle_append(&store, 0, leaves, LEAVES, &err) < 0)
		abort();
	f->grown = true;
	return store;
}

static const struct hash *root_of(struct forest *f, const struct merkle_store *store, uint64_t size)
{
	struct error err;

	if (!f->known[size] && merkle_root(store, size, &f->roots[size], &err) < 0)
		abort();
	f->known[size] = true;
	return &f->roots[size];
}

/* Cut, lengthen, swap, flip or replace hashes, as the rest of the input says. */
static void spoil(struct merkle_proof *p, struct feed *in)
{
	while (in->at < in->end) {
		uint8_t how = feed_byte(in), at = feed_byte(in);
		size_t i = p->n ? at % p->n : 0;

		switch (how % 5) {
		case 0: p->n -= p->n > 0; break;
		case 1:
			if (p->n < MERKLE_PROOF_MAX)
				p->hash[p->n++] = p->hash[i];
			break;
		case 2:
			p->hash[i].b[feed_byte(in) % sizeof(p->hash[i].b)] ^= (uint8_t)(how | 1);
			break;
		case 3: {
			struct hash other = p->hash[i];

			p->hash[i] = p->hash[0];
			p->hash[0] = other;
			break;
		}
		default: memset(&p->hash[i], at, sizeof(p->hash[i]));
		}
	}
}

static bool same(const struct merkle_proof *a, const struct merkle_proof *b)
{
	return a->n == b->n && memcmp(a->hash, b->hash, a->n * sizeof(a->hash[0])) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct forest f; /* grown once, for all inputs */
	const struct merkle_store store = grow(&f);
	struct feed in = {data, data + size};
	struct merkle_proof truth = {.n = 0}, told;
	uint64_t n = ((uint64_t)feed_byte(&in) << 8 | feed_byte(&in)) % LEAVES + 1;
	uint64_t at = ((uint64_t)feed_byte(&in) << 8 | feed_byte(&in)) % n;
	/* What the prover says of size and place may be wrong, too. */
	uint64_t said_n = n + feed_byte(&in) % 3, said_at = at + feed_byte(&in) % 3;
	bool inclusion = feed_byte(&in) & 1, honest;
	struct hash leaf;
	struct error err;
	int r;

	merkle_leaf(&at, sizeof(at), &leaf);
	r = inclusion ? merkle_prove_inclusion(&store, at, n, &truth, &err)
		      : merkle_prove_consistency(&store, at, n, &truth, &err);
	if (r < 0)
		abort();
	told = truth;
	spoil(&told, &in);
	honest = same(&told, &truth) && said_n == n && said_at == at;
	r = inclusion ? merkle_check_inclusion(&leaf, said_at, said_n, &told,
					       root_of(&f, &store, n), &err)
		      : merkle_check_consistency(said_at, root_of(&f, &store, at), said_n,
						 root_of(&f, &store, n), &told, &err);
	if (honest && r < 0)
		abort();
	/* Sizes are signed with their roots; a wrong one only must do no harm. */
	if (!honest && r == 0 && said_n == n && (inclusion || said_at == at))
		abort();
	return 0;
}
