/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A witness, asked by a log that grows two trees with one beginning, and by people who are not
 * the log: what it cosigns is one tree, and it says why to all else.
 *
 * covers: lib/tlog/witness.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/sign/ed25519.h"
#include "lib/tlog/witness.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"
#include "tests/fuzz/toy.h"
#include "tests/support/tiles.h"

enum { LEAVES = 40, ALIKE = 13, TREES = 2, KEYS = 2, STEPS_MAX = 12 };
#define ORIGIN "log.example/a"

static struct world {
	struct tiles *tiles[TREES];
	struct hash roots[TREES][LEAVES + 1]; /* by size */
	struct note_key keys[KEYS], stranger; /* of the log; of nobody */
	unsigned char seeds[KEYS + 1][ED25519_LEN];
} world;

static void grow(unsigned tree)
{
	struct hash leaves[LEAVES];
	struct merkle_edge edge = {.size = 0};
	struct merkle_store store;

	world.tiles[tree] = tiles_new();
	if (!world.tiles[tree])
		abort();
	store = tiles_store(world.tiles[tree]);
	merkle_empty(&world.roots[tree][0]);
	for (unsigned i = 0; i < LEAVES; i++) {
		const unsigned leaf[] = {i, i < ALIKE ? 0 : tree};

		merkle_leaf(leaf, sizeof(leaf), &leaves[i]);
		merkle_edge_add(&edge, &leaves[i]);
		merkle_edge_root(&edge, &world.roots[tree][i + 1]);
	}
	if (merkle_append(&store, 0, leaves, LEAVES, NULL) < 0)
		abort();
}

static void begin(void)
{
	for (unsigned i = 0; i < KEYS; i++)
		toy_note_key(i, ORIGIN, NOTE_ED25519, world.seeds[i], &world.keys[i]);
	toy_note_key(KEYS, "stranger.example", NOTE_ED25519, world.seeds[KEYS], &world.stranger);
	for (unsigned tree = 0; tree < TREES; tree++)
		grow(tree);
}

/* What is asked, and whether it is in order. */
struct asked {
	unsigned tree;
	uint64_t old, size;
	struct merkle_proof proof;
	bool is_signed;
	struct note_key known[KEYS]; /* to the witness */
	size_t n;
};

static void prove(unsigned tree, uint64_t old, uint64_t size, struct merkle_proof *out)
{
	const struct merkle_store store = tiles_store(world.tiles[tree]);

	out->n = 0;
	if (old <= size && merkle_prove_consistency(&store, old, size, out, NULL) < 0)
		abort();
}

static void spoil(struct merkle_proof *p, uint8_t how)
{
	switch (how % 4) {
	case 1: p->n -= p->n > 0; break;
	case 2: memset(&p->hash[p->n++], how, sizeof(p->hash[0])); break;
	case 3: p->hash[p->n ? how / 4 % p->n : 0].b[how / 8] ^= 1; break;
	default: break;
	}
}

/* Each key of the log signs, or signs something else, or does not, and is known or is not. */
static void sign(struct asked *a, struct feed *in, const struct buf *text, struct buf *note)
{
	struct buf other = {.data = (char[]){"other\n"}, .len = 6};
	bool right = false, wrong = false;
	uint8_t who = feed_byte(in);
	int r = buf_add(note, text->data, text->len, NULL);

	r |= buf_puts(note, "\n", NULL);
	r |= note_sign_line(&world.stranger, world.seeds[KEYS], text, 0, note, NULL);
	/* Mostly by a key that is known. */
	for (unsigned i = 0; i < KEYS; i++, who >>= 3) {
		bool known = !(who & 1) == !i, signs = !(who & 2) == !i, lies = who & 4;

		if (known)
			a->known[a->n++] = world.keys[i];
		if (signs)
			r |= note_sign_line(&world.keys[i], world.seeds[i], lies ? &other : text, 0,
					    note, NULL);
		right |= known && signs && !lies;
		wrong |= known && signs && lies;
	}
	if (r < 0)
		abort();
	a->is_signed = right && !wrong;
}

static uint64_t number(struct feed *in)
{
	uint64_t high = feed_byte(in);

	return high << 8 | feed_byte(in);
}

static void ask(struct feed *in, const struct witness_head *last, struct asked *a, struct buf *out)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	uint8_t how = feed_byte(in);

	*a = (struct asked){.tree = how & 1, .size = number(in) % (LEAVES + 1), .old = last->size};
	if (how & 2)
		a->old = number(in) % (LEAVES + 2);
	prove(how & 4 ? !a->tree : a->tree, a->old, a->size, &a->proof);
	if (how & 8)
		spoil(&a->proof, feed_byte(in));
	if (checkpoint_format(ORIGIN, a->size, &world.roots[a->tree][a->size], &text, NULL) < 0)
		abort();
	sign(a, in, &text, &note);
	if (witness_request_format(a->old, &a->proof, note.data, note.len, out, NULL) < 0)
		abort();
}

/* The one proof that there is, of a tree that what was cosigned last is the beginning of. */
static bool proven(const struct asked *a, const struct witness_head *last)
{
	const struct hash *then = &world.roots[a->tree][last->size];
	struct merkle_proof truth;

	prove(a->tree, a->old, a->size, &truth);
	return (last->size == 0 || memcmp(then, &last->root, sizeof(*then)) == 0) &&
	       truth.n == a->proof.n &&
	       memcmp(truth.hash, a->proof.hash, truth.n * sizeof(truth.hash[0])) == 0;
}

static int expected(const struct asked *a, const struct witness_head *last)
{
	if (!a->n)
		return WITNESS_UNKNOWN;
	if (!a->is_signed)
		return WITNESS_UNSIGNED;
	if (a->old > a->size)
		return WITNESS_MALFORMED;
	if (a->old != last->size)
		return WITNESS_CONFLICT;
	return proven(a, last) ? WITNESS_COSIGN : WITNESS_UNPROVEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed in = {data, data + size};
	struct witness_head last = {.size = 0};

	if (!world.tiles[0])
		begin();
	for (unsigned step = 0; step < STEPS_MAX && in.at < in.end; step++) {
		CLEANUP(buf_clear) struct buf body = {0};
		struct witness_request q;
		struct asked a;
		int verdict;

		ask(&in, &last, &a, &body);
		assert(witness_request_parse(body.data, body.len, &q, NULL) == 0);
		verdict = witness_judge(&q, a.known, a.n, &last, NULL);
		assert(verdict == expected(&a, &last));
		if (verdict == WITNESS_COSIGN)
			last = (struct witness_head){q.checkpoint.size, q.checkpoint.root};
	}
	return 0;
}
