/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/monitor/tiles.h"

#include <stdio.h>

#include "tests/support/logbox.h"
#include "tests/unit/unit.h"

/* Past a tile, and past the first tile of the level above. */
enum { SIZE = 600, FORK = 300 };

static const uint64_t sizes[] = {0, 1, 2, 7, 255, 256, 257, 299, 300, 301, 511, 512, 599, 600};

/* A log as a vantage point serves it. */
struct view {
	struct logbox log;
	uint64_t size;   /* of the tree whose tiles are there, and no others */
	int spoil, lose; /* level of the tiles that are changed, or gone; -1: none */
	size_t cut;      /* bytes that every tile lacks */
	unsigned reads;
};

static int read_view(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	struct view *v = ctx;
	const struct merkle_store s = tiles_store(v->log.tiles);

	assert_true(max >= TILE_WIDTH * sizeof(struct hash));
	v->reads++;
	for (unsigned level = 0; level < 3; level++) {
		uint64_t at_level = v->size >> (TILE_HEIGHT * level);

		for (uint64_t n = 0; n * TILE_WIDTH < at_level; n++) {
			uint64_t left = at_level - n * TILE_WIDTH;
			unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
			char name[TILE_PATH_SIZE];
			struct hash h[TILE_WIDTH];

			tile_path((int)level, n, width, name);
			if (strcmp(path, "log/") <= 0 || strcmp(path + 4, name) != 0 ||
			    v->lose == (int)level)
				continue;
			assert_int_equal(s.read(s.ctx, level, n, width, h, err), 0);
			if (v->spoil == (int)level)
				for (unsigned i = 0; i < width; i++)
					h[i].b[0] ^= 1;
			return buf_add(out, h, width * sizeof(*h) - v->cut, err);
		}
	}
	return error_set(err, E_NOTFOUND, "%s: not there", path);
}

static struct view view_of(uint64_t size, uint64_t fork)
{
	struct view v = {.size = size, .spoil = -1, .lose = -1};

	logbox_open(&v.log, "log.example", 7);
	logbox_grow(&v.log, size, fork);
	return v;
}

static struct claim claim_of(const struct view *v, uint64_t size)
{
	const struct merkle_store s = tiles_store(v->log.tiles);
	struct claim c = {.size = size};

	assert_int_equal(merkle_root(&s, size, &c.root, NULL), 0);
	return c;
}

static enum relation relate(struct view *v, struct claim small, struct claim large,
			    struct rift *rift)
{
	const struct vantage at = {.url = "view", .ctx = v, .read = read_view};
	CLEANUP(freep) struct monitor_tiles *tiles = NULL;
	enum relation found = UNKNOWN;
	struct error why = {0};

	assert_int_equal(tiles_open(&at, large.size, &tiles, NULL), 0);
	assert_int_equal(tiles_relate(tiles, &small, &large, &found, rift, &why), 0);
	return found;
}

static void every_earlier_tree_is_the_beginning_of_a_later_one(void **state)
{
	struct view all = view_of(SIZE, UINT64_MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t k = i; k < ARRAY_LEN(sizes); k++) {
			all.size = sizes[k];
			assert_int_equal(relate(&all, claim_of(&all, sizes[i]),
						claim_of(&all, sizes[k]), NULL),
					 GROWN);
		}
	logbox_close(&all.log);
}

/* Only the tiles of the larger tree are there, as they are in it. */
static void tiles_of_a_smaller_tree_are_not_asked_for(void **state)
{
	struct view v = view_of(SIZE, UINT64_MAX);

	(void)state;
	assert_int_equal(relate(&v, claim_of(&v, 299), claim_of(&v, SIZE), NULL), GROWN);
	assert_true(v.reads <= 6);
	logbox_close(&v.log);
}

static void another_history_is_told_from_damage(void **state)
{
	struct view one = view_of(SIZE, UINT64_MAX), two = view_of(SIZE, FORK);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct claim small = claim_of(&one, sizes[i]), large = claim_of(&two, SIZE);
		struct claim real = claim_of(&two, sizes[i]);
		enum relation want = sizes[i] <= FORK ? GROWN : FORKED;
		struct rift rift = {.proof.n = 0};

		assert_int_equal(relate(&two, small, large, &rift), want);
		if (want != FORKED)
			continue;
		/* What is kept convinces others. */
		assert_memory_equal(&rift.root, &real.root, sizeof(rift.root));
		assert_int_equal(merkle_check_consistency(small.size, &rift.root, large.size,
							  &large.root, &rift.proof, NULL),
				 0);
		assert_memory_not_equal(&rift.root, &small.root, sizeof(rift.root));
	}
	logbox_close(&one.log);
	logbox_close(&two.log);
}

static void bad_tiles_are_damage_and_missing_ones_are_unknown(void **state)
{
	struct view v = view_of(SIZE, UINT64_MAX);
	struct claim small = claim_of(&v, 257), large = claim_of(&v, SIZE);

	(void)state;
	v.spoil = 0;
	assert_int_equal(relate(&v, small, large, NULL), DAMAGED);
	v.spoil = 1;
	assert_int_equal(relate(&v, small, large, NULL), DAMAGED);
	v.spoil = -1;
	v.cut = 1;
	assert_int_equal(relate(&v, small, large, NULL), DAMAGED);
	v.cut = sizeof(struct hash);
	assert_int_equal(relate(&v, small, large, NULL), DAMAGED);
	v.cut = 0;
	v.lose = 0;
	assert_int_equal(relate(&v, small, large, NULL), UNKNOWN);
	v.lose = -1;
	assert_int_equal(relate(&v, small, large, NULL), GROWN);
	logbox_close(&v.log);
}

static void two_roots_of_one_size_need_no_tiles(void **state)
{
	struct view v = view_of(3, UINT64_MAX);
	struct claim a = claim_of(&v, 3), b = a;

	(void)state;
	b.root.b[31] ^= 1;
	assert_int_equal(relate(&v, a, b, NULL), FORKED);
	assert_int_equal(relate(&v, a, a, NULL), GROWN);
	assert_int_equal(v.reads, 0);
	logbox_close(&v.log);
}

/* --- bundles -------------------------------------------------------------------------- */

static void a_bundle_is_its_entries_and_nothing_else(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		unsigned width;
		const char *complaint; /* NULL: it is one */
	} cases[] = {
		{"\0\3abc\0\0", 7, 2, NULL},
		{"\0\3abc\0\0", 7, 1, NULL},
		{"\0\3abc\0\0", 7, 3, "want 3 entries, got 2"},
		{"\0\3abc\0", 6, 1, "entry 1 is cut off"},
		{"\0\3ab", 4, 1, "entry 0 is cut off"},
		{"\0", 1, 1, "entry 0 is cut off"},
		{"", 0, 1, "want 1 entries, got 0"},
	};
	struct log_entry e[TILE_WIDTH];
	char many[2 * (TILE_WIDTH + 1)] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err = {0};
		int r = entries_split(cases[i].data, cases[i].len, cases[i].width, e, &err);

		if (cases[i].complaint)
			assert_error(r, E_INVALID, &err, cases[i].complaint);
		else
			assert_int_equal(r, 0);
	}
	assert_int_equal(entries_split("\0\3abc\0\0", 7, 2, e, NULL), 0);
	assert_memory_equal(e[0].data, "abc", 3);
	assert_int_equal(e[1].len, 0);
	assert_int_equal(entries_split(many, 2 * (size_t)TILE_WIDTH, TILE_WIDTH, e, NULL), 0);
	assert_int_equal(entries_split(many, sizeof(many), TILE_WIDTH, e, NULL), E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_earlier_tree_is_the_beginning_of_a_later_one),
		cmocka_unit_test(tiles_of_a_smaller_tree_are_not_asked_for),
		cmocka_unit_test(another_history_is_told_from_damage),
		cmocka_unit_test(bad_tiles_are_damage_and_missing_ones_are_unknown),
		cmocka_unit_test(two_roots_of_one_size_need_no_tiles),
		cmocka_unit_test(a_bundle_is_its_entries_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
