/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/chain.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

/* A client at root 1, and the file of all roots that the repository has. */
struct world {
	struct tuf_sim *sim;
	struct tuf_root *one;
	struct buf file;
	int64_t reached; /* what each() saw last */
	int64_t stop_at; /* each() refuses this version; 0: none */
};

static int on_root(void *ctx, const struct tuf_root *root, struct error *err)
{
	struct world *w = ctx;

	if (root->version == w->stop_at)
		return error_set(err, E_DENIED, "not this one");
	assert_int_equal(root->version, w->reached + 1);
	w->reached = root->version;
	return 0;
}

static void add_line(struct world *w, int64_t version)
{
	struct error err = {0};
	char name[32];
	const struct buf *b;

	(void)snprintf(name, sizeof(name), "%" PRId64 ".root.json", version);
	b = &sim_remote(w->sim, name)->bytes;
	assert_int_equal(tuf_chain_line(version, b->data, b->len, &w->file, &err), 0);
}

static void world_make(struct world *w, int64_t roots)
{
	const struct buf *b;
	struct error err = {0};

	*w = (struct world){.sim = sim_new(), .reached = 1};
	for (int64_t v = 2; v <= roots; v++) {
		sim_rotate(w->sim, "timestamp");
		sim_bump(w->sim, "root");
	}
	for (int64_t v = 1; v <= roots; v++)
		add_line(w, v);
	b = &sim_remote(w->sim, "1.root.json")->bytes;
	assert_int_equal(tuf_root_parse(b->data, b->len, "1", &w->one, &err), 0);
}

static void world_clear(struct world *w)
{
	tuf_root_free(w->one);
	buf_clear(&w->file);
	sim_free(w->sim);
}

/* Walk the file in pieces of `step` bytes. */
static int walk(struct world *w, size_t step, struct error *err)
{
	CLEANUP(tuf_chain_freep) struct tuf_chain *c = NULL;
	int r = tuf_chain_new(w->one, on_root, w, &c, err);

	for (size_t at = 0; r == 0 && at < w->file.len; at += step) {
		size_t left = w->file.len - at;

		r = tuf_chain_feed(c, w->file.data + at, left < step ? left : step, err);
	}
	if (r == 0)
		r = tuf_chain_end(c, err);
	if (r == 0)
		assert_int_equal(tuf_chain_root(c)->version, w->reached);
	return r;
}

static void every_root_is_verified_and_handed_out_in_order(void **state)
{
	static const size_t steps[] = {1, 7, 1000, SIZE_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		CLEANUP(world_clear) struct world w;
		struct error err = {0};

		world_make(&w, 5);
		assert_int_equal(walk(&w, steps[i] == SIZE_MAX ? w.file.len : steps[i], &err), 0);
		assert_int_equal(w.reached, 5);
	}
}

static void roots_up_to_the_trusted_one_are_skipped(void **state)
{
	CLEANUP(world_clear) struct world w;
	struct error err = {0};
	const struct buf *b;

	(void)state;
	world_make(&w, 4);
	tuf_root_free(w.one);
	w.one = NULL;
	b = &sim_remote(w.sim, "3.root.json")->bytes;
	assert_int_equal(tuf_root_parse(b->data, b->len, "3", &w.one, &err), 0);
	w.reached = 3;
	assert_int_equal(walk(&w, 100, &err), 0);
	assert_int_equal(w.reached, 4);
}

static void chain_may_begin_at_the_next_root(void **state)
{
	CLEANUP(world_clear) struct world w;
	struct error err = {0};

	(void)state;
	world_make(&w, 3);
	w.file.len = 0;
	add_line(&w, 2);
	add_line(&w, 3);
	assert_int_equal(walk(&w, 100, &err), 0);
	assert_int_equal(w.reached, 3);
}

static void nothing_new_is_fine(void **state)
{
	CLEANUP(world_clear) struct world w;
	struct error err = {0};

	(void)state;
	world_make(&w, 1);
	assert_int_equal(walk(&w, 100, &err), 0);
	w.file.len = 0;
	assert_int_equal(walk(&w, 100, &err), 0);
	assert_int_equal(w.reached, 1);
}

static void gaps_repeats_and_skipped_versions_are_refused(void **state)
{
	static const struct {
		int64_t versions[4];
		int code;
		const char *complaint;
		int64_t reached;
	} bad[] = {
		{{1, 3}, E_INVALID, "version 3 follows 1", 1},
		{{3, 4}, E_UNTRUSTED, "3.root.json: version 3, want 2", 1},
		{{1, 2, 2}, E_INVALID, "version 2 follows 2", 2},
		{{2, 1}, E_INVALID, "version 1 follows 2", 2},
		{{1, 2, 4}, E_INVALID, "version 4 follows 2", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(world_clear) struct world w;
		struct error err = {0};

		world_make(&w, 4);
		w.file.len = 0;
		for (size_t k = 0; k < 4 && bad[i].versions[k]; k++)
			add_line(&w, bad[i].versions[k]);
		assert_error(walk(&w, w.file.len, &err), bad[i].code, &err, bad[i].complaint);
		assert_int_equal(w.reached, bad[i].reached);
	}
}

/* A line that says version 2 and carries root 3. */
static void version_of_a_line_must_be_that_of_its_root(void **state)
{
	CLEANUP(world_clear) struct world w;
	struct error err = {0};
	const struct buf *b;

	(void)state;
	world_make(&w, 3);
	w.file.len = 0;
	b = &sim_remote(w.sim, "3.root.json")->bytes;
	assert_int_equal(tuf_chain_line(2, b->data, b->len, &w.file, &err), 0);
	assert_error(walk(&w, 100, &err), E_UNTRUSTED, &err, "2.root.json: version 3, want 2");
	assert_int_equal(w.reached, 1);
}

static void malformed_lines_are_refused(void **state)
{
	static const struct {
		const char *line, *complaint;
	} bad[] = {
		{"\n", "after version 0"},
		{"{}\n", "version: missing"},
		{"[]\n", "want an object"},
		{"{\"version\": 2}\n", "root: missing"},
		{"{\"version\": 0, \"root\": \"AA==\"}\n", "version: want 1 to"},
		{"{\"version\": 2, \"root\": \"\"}\n", "root: want 1 to"},
		{"{\"version\": 2, \"root\": \"!\"}\n", "version 2"},
		{"{\"version\": 2, \"root\": \"AA==\"}\n", "2.root.json"},
		{"{\"version\": 2, \"root\": \"AA==\"", "ends within a line"},
		{"{\"version\": 2} {\"version\": 3}\n", "after version 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(world_clear) struct world w;
		struct error err = {0};

		world_make(&w, 1);
		w.file.len = 0;
		assert_int_equal(buf_puts(&w.file, bad[i].line, &err), 0);
		assert_error(walk(&w, 100, &err), E_INVALID, &err, bad[i].complaint);
	}
}

static void endless_line_is_cut(void **state)
{
	CLEANUP(world_clear) struct world w;
	CLEANUP(tuf_chain_freep) struct tuf_chain *c = NULL;
	struct error err = {0};
	char piece[4096];
	size_t fed = 0;
	int r = 0;

	(void)state;
	world_make(&w, 1);
	memset(piece, 'A', sizeof(piece));
	assert_int_equal(tuf_chain_new(w.one, on_root, &w, &c, &err), 0);
	while (r == 0 && fed < (1 << 21)) {
		r = tuf_chain_feed(c, piece, sizeof(piece), &err);
		fed += sizeof(piece);
	}
	assert_error(r, E_INVALID, &err, "a line of more than");
	assert_true(fed < 720 * 1024);
	assert_error(tuf_chain_feed(c, "\n", 1, &err), E_INVALID, &err, "failed before");
	assert_error(tuf_chain_end(c, &err), E_INVALID, &err, "failed before");
}

static void no_longer_line_is_taken_than_a_root_within_the_limit_has(void **state)
{
	enum { LIMIT = 3072, LONGEST = 4096 + 128 }; /* base64, and what is around it */

	(void)state;
	for (size_t len = LONGEST; len <= LONGEST + 1; len++) {
		CLEANUP(world_clear) struct world w;
		CLEANUP(tuf_chain_freep) struct tuf_chain *c = NULL;
		CLEANUP(freep) char *line = malloc(len);
		struct error err = {0};

		world_make(&w, 2);
		assert_non_null(line);
		memset(line, ' ', len);
		assert_int_equal(tuf_chain_new(w.one, on_root, &w, &c, &err), 0);
		tuf_chain_limit(c, LIMIT);
		if (len == LONGEST)
			assert_int_equal(tuf_chain_feed(c, line, len, &err), 0);
		else
			assert_error(tuf_chain_feed(c, line, len, &err), E_INVALID, &err,
				     "a line of more than 4224 bytes");
	}
}

static void refusal_of_a_step_ends_the_walk_before_it_counts(void **state)
{
	CLEANUP(world_clear) struct world w;
	CLEANUP(tuf_chain_freep) struct tuf_chain *c = NULL;
	struct error err = {0};

	(void)state;
	world_make(&w, 5);
	w.stop_at = 3;
	assert_int_equal(tuf_chain_new(w.one, on_root, &w, &c, &err), 0);
	assert_error(tuf_chain_feed(c, w.file.data, w.file.len, &err), E_DENIED, &err,
		     "not this one");
	assert_int_equal(tuf_chain_root(c)->version, 2);
}

static void wrongly_signed_root_ends_the_walk_and_keeps_what_was_reached(void **state)
{
	CLEANUP(world_clear) struct world w;
	struct error err = {0};

	(void)state;
	world_make(&w, 3);
	sim_drop_signer(sim_role(w.sim, "root"), 0);
	sim_add_key(w.sim, "root", "ed25519");
	sim_bump(w.sim, "root"); /* 4, signed by a key that 3 does not know */
	add_line(&w, 4);
	assert_error(walk(&w, 100, &err), E_UNTRUSTED, &err, "4.root.json: 0 of 1 signatures");
	assert_int_equal(w.reached, 3);
}

static void chain_has_a_limit_of_steps(void **state)
{
	CLEANUP(world_clear) struct world w;
	struct error err = {0};

	(void)state;
	world_make(&w, 1);
	for (int64_t v = 2; v <= TUF_ROOTS_MAX + 1; v++) {
		sim_bump(w.sim, "root");
		add_line(&w, v);
	}
	assert_int_equal(walk(&w, 65536, &err), 0);
	assert_int_equal(w.reached, TUF_ROOTS_MAX + 1);
	sim_bump(w.sim, "root");
	add_line(&w, TUF_ROOTS_MAX + 2);
	w.reached = 1;
	assert_error(walk(&w, 65536, &err), E_INVALID, &err, "more than 1024 steps");
	assert_int_equal(w.reached, TUF_ROOTS_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_root_is_verified_and_handed_out_in_order),
		cmocka_unit_test(roots_up_to_the_trusted_one_are_skipped),
		cmocka_unit_test(chain_may_begin_at_the_next_root),
		cmocka_unit_test(nothing_new_is_fine),
		cmocka_unit_test(gaps_repeats_and_skipped_versions_are_refused),
		cmocka_unit_test(version_of_a_line_must_be_that_of_its_root),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(endless_line_is_cut),
		cmocka_unit_test(no_longer_line_is_taken_than_a_root_within_the_limit_has),
		cmocka_unit_test(refusal_of_a_step_ends_the_walk_before_it_counts),
		cmocka_unit_test(wrongly_signed_root_ends_the_walk_and_keeps_what_was_reached),
		cmocka_unit_test(chain_has_a_limit_of_steps),
	};

	return cmocka_run_group_tests_name("tuf_chain", tests, NULL, NULL);
}
