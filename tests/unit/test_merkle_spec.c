/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree, its proofs and its tiles against the definitions of RFC 9162 §2.1 and C2SP
 * tlog-tiles, which are written down here once more, word by word and slowly, on libcrypto's
 * SHA-256: nothing of lib/ is used to find out what is right.
 */
#include <openssl/sha.h>
#include <stdio.h>

#include "lib/tlog/merkle.h"
#include "tests/support/tiles.h"
#include "tests/unit/unit.h"

enum { HEIGHTS = 18, HASH = SHA256_DIGEST_LENGTH };

#define SIZE ((size_t)70001)

static const uint64_t sizes[] = {0, 1, 2, 7, 255, 256, 257, 65536, 70000};

struct fixture {
	/* Of whole subtrees, by height: MTH over 2^h leaves from i * 2^h on. */
	unsigned char (*whole[HEIGHTS])[HASH];
	struct tiles *tiles;
};

/* Leaf i is the decimal number i. */
static size_t data_of(uint64_t i, char out[24])
{
	return (size_t)snprintf(out, 24, "%u", (unsigned)i);
}

/* --- RFC 9162 §2.1 ----------------------------------------------------------- */

/* HASH(0x00 || d[i]) */
static void hash_leaf(uint64_t i, unsigned char out[HASH])
{
	unsigned char text[25] = {0x00};

	(void)SHA256(text, 1 + data_of(i, (char *)text + 1), out);
}

/* HASH(0x01 || a || b) */
static void hash_pair(const unsigned char *a, const unsigned char *b, unsigned char out[HASH])
{
	unsigned char both[1 + 2 * HASH] = {0x01};

	memcpy(both + 1, a, HASH);
	memcpy(both + 1 + HASH, b, HASH);
	(void)SHA256(both, sizeof(both), out);
}

/* The largest power of two smaller than n (n > 1). */
static uint64_t split(uint64_t n)
{
	uint64_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

/* MTH(D[from : from + n]), n > 0; whole subtrees are looked up. */
static void mth(const struct fixture *f, uint64_t from, uint64_t n, unsigned char out[HASH])
{
	unsigned char left[HASH], right[HASH];
	unsigned h = 0;

	while (UINT64_C(1) << h < n)
		h++;
	if (UINT64_C(1) << h == n) {
		memcpy(out, f->whole[h][from >> h], HASH);
		return;
	}
	mth(f, from, split(n), left);
	mth(f, from + split(n), n - split(n), right);
	hash_pair(left, right, out);
}

struct list {
	unsigned char hash[64][HASH];
	size_t n;
};

/* PATH(m, D[from : from + n]) */
static void path(const struct fixture *f, uint64_t m, uint64_t from, uint64_t n, struct list *out)
{
	uint64_t k;

	if (n == 1)
		return;
	k = split(n);
	if (m < k) {
		path(f, m, from, k, out);
		mth(f, from + k, n - k, out->hash[out->n++]);
	} else {
		path(f, m - k, from + k, n - k, out);
		mth(f, from, k, out->hash[out->n++]);
	}
}

/* A piece of the tree, of which SUBPROOF speaks. */
struct piece {
	uint64_t from, n;
};

/* SUBPROOF(m, D[from : from + n], b) */
static void subproof(const struct fixture *f, uint64_t m, struct piece d, bool b, struct list *out)
{
	uint64_t k;

	if (m == d.n) {
		if (!b)
			mth(f, d.from, d.n, out->hash[out->n++]);
		return;
	}
	k = split(d.n);
	if (m <= k) {
		subproof(f, m, (struct piece){d.from, k}, b, out);
		mth(f, d.from + k, d.n - k, out->hash[out->n++]);
	} else {
		subproof(f, m - k, (struct piece){d.from + k, d.n - k}, false, out);
		mth(f, d.from, k, out->hash[out->n++]);
	}
}

static void root_of(const struct fixture *f, uint64_t n, unsigned char out[HASH])
{
	if (n == 0)
		(void)SHA256((const unsigned char *)"", 0, out);
	else
		mth(f, 0, n, out);
}

/* --- both sides ----------------------------------------------------------------- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct merkle_store s;

	assert_non_null(f);
	for (unsigned h = 0; h < HEIGHTS; h++) {
		f->whole[h] = calloc((SIZE >> h) + 1, HASH);
		assert_non_null(f->whole[h]);
		for (uint64_t i = 0; i < SIZE >> h; i++)
			if (h == 0)
				hash_leaf(i, f->whole[0][i]);
			else
				hash_pair(f->whole[h - 1][2 * i], f->whole[h - 1][2 * i + 1],
					  f->whole[h][i]);
	}
	f->tiles = tiles_new();
	s = tiles_store(f->tiles);
	for (uint64_t i = 0; i < SIZE; i++) {
		struct hash leaf;
		char text[24];

		merkle_leaf(text, data_of(i, text), &leaf);
		assert_memory_equal(leaf.b, f->whole[0][i], HASH);
		assert_int_equal(merkle_append(&s, i, &leaf, 1, NULL), 0);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned h = 0; h < HEIGHTS; h++)
		free(f->whole[h]);
	free(f->tiles);
	free(f);
	return 0;
}

static void assert_same(const struct merkle_proof *p, const struct list *want)
{
	assert_int_equal(p->n, want->n);
	for (size_t i = 0; i < p->n; i++)
		assert_memory_equal(p->hash[i].b, want->hash[i], HASH);
}

static struct hash as_hash(const struct fixture *f, uint64_t size)
{
	struct hash h;

	root_of(f, size, h.b);
	return h;
}

static void roots_are_mth(void **state)
{
	const struct fixture *f = *state;
	const struct merkle_store s = tiles_store(f->tiles);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (uint64_t n = sizes[i] ? sizes[i] - 1 : 0; n <= sizes[i] + 1; n++) {
			struct hash want = as_hash(f, n), root;

			assert_int_equal(merkle_root(&s, n, &root, NULL), 0);
			assert_memory_equal(root.b, want.b, HASH);
		}
}

static void check_path(const struct fixture *f, uint64_t index, uint64_t size)
{
	const struct merkle_store s = tiles_store(f->tiles);
	struct hash root = as_hash(f, size), leaf;
	struct list want = {.n = 0};
	struct merkle_proof p;

	path(f, index, 0, size, &want);
	assert_int_equal(merkle_prove_inclusion(&s, index, size, &p, NULL), 0);
	assert_same(&p, &want);
	memcpy(leaf.b, f->whole[0][index], HASH);
	assert_int_equal(merkle_check_inclusion(&leaf, index, size, &p, &root, NULL), 0);
}

/* Every leaf of the small trees; of the large ones those at all of the sizes, and their neighbours.
 */
static void inclusion_proofs_are_path(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t n = sizes[i];

		for (uint64_t m = 0; m < n && n <= 257; m++)
			check_path(f, m, n);
		for (size_t k = 0; k < ARRAY_LEN(sizes); k++)
			for (uint64_t m = sizes[k] > 1 ? sizes[k] - 2 : 0; m <= sizes[k] + 1; m++)
				if (m < n)
					check_path(f, m, n);
	}
}

static void check_growth(const struct fixture *f, uint64_t m, uint64_t n)
{
	const struct merkle_store s = tiles_store(f->tiles);
	struct hash old = as_hash(f, m), root = as_hash(f, n);
	struct list want = {.n = 0};
	struct merkle_proof p;

	if (m)
		subproof(f, m, (struct piece){0, n}, true, &want);
	assert_int_equal(merkle_prove_consistency(&s, m, n, &p, NULL), 0);
	assert_same(&p, &want);
	assert_int_equal(merkle_check_consistency(m, &old, n, &root, &p, NULL), 0);
}

/* Between each two of the sizes, and from each to the next leaf. */
static void consistency_proofs_are_subproof(void **state)
{
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (size_t k = 0; k <= i; k++)
			check_growth(f, sizes[k], sizes[i]);
		check_growth(f, sizes[i], sizes[i] + 1);
		if (sizes[i])
			check_growth(f, sizes[i] - 1, sizes[i]);
	}
	for (uint64_t n = 1; n <= 257; n++)
		check_growth(f, n - 1, n);
}

/* --- C2SP tlog-tiles -------------------------------------------------------------- */

/* "The partial tile at level l has floor(size / 256^l) mod 256 hashes", and there are no empty
 * ones. */
static void tiles_are_as_wide_as_the_tree(void **state)
{
	const struct fixture *f = *state;
	const struct merkle_store s = tiles_store(f->tiles);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t hashes = sizes[i];

		for (unsigned level = 0; hashes; level++, hashes /= 256)
			for (uint64_t n = 0; n * 256 < hashes; n++) {
				unsigned width =
					hashes - n * 256 < 256 ? (unsigned)(hashes % 256) : 256;
				struct hash tile[TILE_WIDTH];

				assert_int_equal(s.read(s.ctx, level, n, width, tile, NULL), 0);
				for (unsigned k = 0; k < width; k++)
					assert_memory_equal(tile[k].b,
							    f->whole[8 * level][n * 256 + k], HASH);
			}
	}
}

/* The example of the specification: 70 000 leaves. */
static void seventy_thousand_have_the_tiles_of_the_example(void **state)
{
	static const struct {
		unsigned level, width;
		uint64_t n;
		const char *path;
	} last[] = {{0, 112, 273, "tile/0/273.p/112"},
		    {1, 17, 1, "tile/1/001.p/17"},
		    {2, 1, 0, "tile/2/000.p/1"}};
	const uint64_t size = 70000;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(last); i++) {
		uint64_t hashes = size >> (8 * last[i].level);
		char name[TILE_PATH_SIZE];

		assert_int_equal(hashes / 256, last[i].n);
		assert_int_equal(hashes % 256, last[i].width);
		tile_path((int)last[i].level, hashes / 256, (unsigned)(hashes % 256), name);
		assert_string_equal(name, last[i].path);
	}
	assert_int_equal(size >> 24, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_mth),
		cmocka_unit_test(inclusion_proofs_are_path),
		cmocka_unit_test(consistency_proofs_are_subproof),
		cmocka_unit_test(tiles_are_as_wide_as_the_tree),
		cmocka_unit_test(seventy_thousand_have_the_tiles_of_the_example),
	};

	return cmocka_run_group_tests_name("merkle_spec", tests, setup, teardown);
}
