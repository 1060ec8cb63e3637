/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every period of the evidence, at its last second, under witnesses whose clocks differ; and
 * proofs that somebody made anew in a later tree.
 */
#include "lib/base/utc.h"
#include "policies/evidence.h"
#include "policies/release.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

/*
 * Three witnesses, of whom two must cosign. One at most is wrong, by as much as it likes: the
 * time of a proof lies between the two others'.
 */
static const struct clocks {
	int64_t open[PLOG_PEOPLE], end[PLOG_PEOPLE]; /* when a period opens, and when it ends */
	int64_t lost; /* seconds by which the period must be longer for it */
} clocks[] = {
	{{0, 0, 0}, {0, 0, 0}, 0},
	{{-999999999, 0, 0}, {0, 0, 999999999}, 0}, /* a liar who makes time long gains nothing */
	{{0, 0, 999999999}, {-999999999, 0, 0}, 0}, /* one who makes it short loses nothing */
	{{-60, 0, 30}, {0, -60, 30}, 0},
	{{0, 20, 20}, {0, 0, -5}, 20}, /* the second lowest, and the second highest */
};

static void set_clocks(struct product_log *p, const int64_t skew[PLOG_PEOPLE])
{
	memcpy(p->skew, skew, sizeof(p->skew));
}

static void pass(struct scene *s, int64_t seconds)
{
	s->p->now += seconds;
}

/* One case at each clock: 200 days of silence, a notice, and `seconds` later two approvals. */
static void judge_period(const struct clocks *c, int64_t seconds, enum answer want)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	scene_pass_days(&s, 200);
	set_clocks(s.p, c->open);
	const char *notice = scene_notice(&s, 0, "silence");
	pass(&s, seconds);
	set_clocks(s.p, c->end);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, want);
}

static void the_objection_period_ends_to_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		judge_period(&clocks[i], 30 * DAY_S + clocks[i].lost - 1, ANSWER_NO);
		judge_period(&clocks[i], 30 * DAY_S + clocks[i].lost, ANSWER_YES);
	}
}

/* From the date that it bears, which in none of these is later than when it is logged. */
static void a_notice_lapses_to_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		judge_period(&clocks[i], NOTICE_DAYS * DAY_S, ANSWER_YES);
		judge_period(&clocks[i], NOTICE_DAYS * DAY_S + 1, ANSWER_NO);
	}
}

/* The ground has to hold at the notice: 180 days after the last sign of life, to the second. */
static void silence_is_counted_to_the_second(void **state)
{
	(void)state;
	for (int early = 0; early < 2; early++) {
		for (int update = 0; update < 2; update++) {
			CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

			scene_pass_days(&s, 20);
			if (update)
				scene_publish(&s);
			else
				scene_heartbeat(&s);
			pass(&s, 180 * DAY_S - early);
			const char *notice = scene_notice(&s, 0, "insolvency");
			scene_pass_days(&s, 31);
			(void)scene_vote(&s, "approval", 0, "notice", notice);
			(void)scene_vote(&s, "approval", 1, "notice", notice);
			scene_judge_deposit(&s);
			assert_answer(&s, early ? ANSWER_NO : ANSWER_YES);
		}
	}
}

/* Heartbeats alone do not keep a product: without an update for 1095 days it is free, in 90. */
static void years_without_an_update_are_counted_to_the_second(void **state)
{
	static const struct {
		int64_t silence, period;
		enum answer want;
	} cases[] = {
		{1095 * DAY_S, 90 * DAY_S, ANSWER_YES},
		{1095 * DAY_S - 1, 90 * DAY_S, ANSWER_NO},
		{1095 * DAY_S, 90 * DAY_S - 1, ANSWER_NO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		(void)plog_say(s.p, "product", s.root,
			       json_pack("{s:s, s:s}", "name", "X1", "support_until",
					 "2032-01-31T00:00:00Z"),
			       s.p->vendor, 2);
		s.p->skew[0] = 0;
		scene_publish(&s);
		pass(&s, 700 * DAY_S);
		scene_heartbeat(&s); /* before support ends: so it counts */
		pass(&s, cases[i].silence - 700 * DAY_S);
		const char *notice = scene_notice(&s, 0, "silence");
		(void)scene_objection(&s, notice); /* this path knows none */
		pass(&s, cases[i].period);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, cases[i].want);
	}
}

static void support_ends_after_its_last_second(void **state)
{
	/* The deposit promises support until 2030-02-01, 31 days after the log began. */
	static const char quick[] =
		"{\"all\": [{\"notice\": {\"ground\": [\"support-ended\"]}}, {\"fact\": "
		"\"support.ended\"}, {\"approvals\": {\"at_least\": \"threshold\"}}]}";

	(void)state;
	for (int64_t after = 0; after < 2; after++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, quick);

		s.p->skew[0] = 0;
		pass(&s, 31 * DAY_S + after);
		const char *notice = scene_notice(&s, 0, "support-ended");
		scene_pass_days(&s, 9); /* what comes later makes the ground no better */
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, after ? ANSWER_YES : ANSWER_NO);
	}
}

/* Against a later notice an objection stands for 365 days. */
static void an_objection_protects_for_a_year_to_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		for (int64_t early = 0; early < 2; early++) {
			CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

			scene_pass_days(&s, 200);
			set_clocks(s.p, clocks[i].open);
			(void)scene_objection(&s, scene_notice(&s, 0, "silence"));
			pass(&s, OBJECTION_DAYS * DAY_S + clocks[i].lost - early);
			set_clocks(s.p, clocks[i].end);
			const char *notice = scene_notice(&s, 1, "silence");
			set_clocks(s.p, clocks[0].end);
			scene_pass_days(&s, 35);
			(void)scene_vote(&s, "approval", 0, "notice", notice);
			(void)scene_vote(&s, "approval", 1, "notice", notice);
			scene_judge_deposit(&s);
			assert_answer(&s, early ? ANSWER_NO : ANSWER_YES);
		}
	}
}

/* The time of a step is over when its root is logged, or later. */
static void judge_step(const struct clocks *c, bool rotation, int64_t seconds, enum answer want)
{
	CLEANUP(scene_clear) struct scene s = {.p = NULL};

	if (rotation)
		s = scene_rotation(3, "acme");
	else
		scene_succession(&s, 3);
	set_clocks(s.p, c->open);
	if (rotation)
		(void)scene_say_rotation(&s, 2);
	else
		scene_say_succession(&s, true);
	pass(&s, seconds);
	set_clocks(s.p, c->end);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, want);
	assert_string_equal(s.e.by, rotation ? "rotation" : "succession");
}

static void successions_and_rotations_wait_to_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		for (int rotation = 0; rotation < 2; rotation++) {
			int64_t wait = (rotation ? 30 : 14) * DAY_S + clocks[i].lost;

			judge_step(&clocks[i], rotation, wait - 1, ANSWER_NO);
			judge_step(&clocks[i], rotation, wait, ANSWER_YES);
		}
	}
}

/* A root that a hostile registry logs at once is no further than its statement. */
static void a_root_that_was_logged_too_early_waits(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");

	(void)state;
	s.p->skew[0] = 0;
	const char *id = scene_say_rotation(&s, 2);
	scene_log_bridge(&s);
	pass(&s, 30 * DAY_S - 1);
	scene_publish(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
	pass(&s, 1);
	scene_publish(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	(void)scene_objection(&s, id); /* against what was never in force by its time */
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
}

static void an_objection_after_the_rotation_is_too_late(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");

	(void)state;
	const char *id = scene_say_rotation(&s, 2);
	scene_pass_days(&s, 31);
	scene_log_bridge(&s);
	(void)scene_objection(&s, id);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
}

/* A registry asks before it logs the root, with the newest checkpoint that it has. */
static void a_registry_judges_a_root_ahead_of_its_leaf(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");
	struct evidence_query q = {
		.product = PLOG_PRODUCT, .from = s.root, .to = s.bridge, .ahead = true};
	CLEANUP(buf_clear) struct buf checkpoint = {0};

	(void)state;
	s.p->skew[0] = 0;
	s.p->own = true;
	(void)scene_say_rotation(&s, 2);
	scene_gather(&s, &q);
	assert_answer(&s, ANSWER_NO);
	for (int64_t early = 1; early >= 0; early--) {
		s.p->now = PLOG_START + 30 * DAY_S - early;
		plog_checkpoint(s.p, &checkpoint);
		q.checkpoint = &checkpoint;
		scene_gather(&s, &q);
		assert_answer(&s, early ? ANSWER_NO : ANSWER_YES);
		buf_clear(&checkpoint);
	}
	q.checkpoint = NULL;
	scene_gather(&s, &q);
	assert_answer(&s, ANSWER_NO);
}

/* --- proofs made anew ---------------------------------------------------------------- */

/*
 * All approve at once, the vendor objects, a month later somebody proves the approvals in the
 * tree as it is then: that tree has the objection.
 */
static void an_approval_that_is_proved_anew_brings_all_that_was_logged_by_then(void **state)
{
	static const struct {
		bool first, second, notice; /* proved anew */
	} cases[] = {{false, true, false},
		     {true, true, false},
		     {true, false, false},
		     {true, true, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, "silence");
		const char *first = scene_vote(&s, "approval", 0, "notice", notice);
		const char *second = scene_vote(&s, "approval", 1, "notice", notice);
		plog_prove_again(s.p, first); /* as if they had come in one batch */
		(void)scene_objection(&s, notice);
		scene_pass_days(&s, 31);
		(void)scene_eol(&s, false); /* something new in the log */
		if (cases[i].first)
			plog_prove_again(s.p, first);
		if (cases[i].second)
			plog_prove_again(s.p, second);
		if (cases[i].notice)
			plog_prove_again(s.p, notice);
		scene_judge_deposit(&s);
		assert_answer(&s, ANSWER_NO);
	}
}

/* Nor does a chain that claims other places in the log help: only proofs say where a leaf is. */
static void places_in_the_chain_are_nobodys_word(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	const char *second = scene_vote(&s, "approval", 1, "notice", notice);
	(void)scene_objection(&s, notice);
	s.p->leaves[s.p->nleaves - 1].index += 1000000;
	scene_pass_days(&s, 31);
	plog_prove_again(s.p, second);
	plog_write_leaves(s.p);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

/* The chain of a device that is short of memory: without the update between two others. */
static int thin_leaves(void *ctx, struct leaf_chain *out, struct error *err)
{
	const struct product_log *p = ctx;
	struct leaf_chain c = {.leaves = calloc(p->nleaves, sizeof(*p->leaves))};

	(void)err;
	assert_non_null(c.leaves);
	for (size_t i = 0; i < p->nleaves; i++)
		if (i == 0 || i + 1 == p->nleaves || strcmp(p->leaves[i].kind, "targets") != 0 ||
		    strcmp(p->leaves[i - 1].kind, "targets") != 0 ||
		    strcmp(p->leaves[i + 1].kind, "targets") != 0)
			c.leaves[c.n++] = p->leaves[i];
	*out = c;
	return 0;
}

/* Three updates; the approval is shown in a tree that has the second, which the chain leaves out.
 */
static void updates_that_are_left_out_may_be_in_the_tree(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		struct evidence_source source = plog_source(s.p);
		const struct evidence_query q = {
			.product = PLOG_PRODUCT, .from = s.root, .deposit = s.deposit};

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, "order");
		scene_pass_days(&s, again ? 1 : 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		const char *second = scene_vote(&s, "approval", 1, "notice", notice);
		scene_pass_days(&s, 1);
		scene_publish(&s);
		scene_pass_days(&s, 182);
		scene_publish(&s);
		if (again)
			plog_prove_again(s.p, second);
		scene_pass_days(&s, 1);
		scene_publish(&s);
		source.leaves = thin_leaves;
		s.r = evidence_gather(&source, &q, &s.e, &s.err);
		assert_answer(&s, again ? ANSWER_NO : ANSWER_YES);
		assert_int_equal(s.e.chain.n, s.p->nleaves - 1);
	}
}

/* Whoever refuses in the meantime is not among them, whenever they are said to have approved. */
static void refusals_count_up_to_the_time_that_is_shown(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	const char *second = scene_vote(&s, "approval", 1, "notice", notice);
	(void)scene_vote(&s, "refusal", 0, "notice", notice);
	scene_pass_days(&s, 31);
	scene_publish(&s);
	plog_prove_again(s.p, second);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

/* A heartbeat from before the end of support does not become one from after it. */
static void a_heartbeat_that_is_proved_anew_still_counts(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 30); /* support ends on day 31 */
		scene_heartbeat(&s);
		const char *beat = s.p->leaves[s.p->nleaves - 1].id;
		scene_pass_days(&s, 175);
		const char *notice = scene_notice(&s, 0, "silence");
		if (again)
			plog_prove_again(s.p, beat);
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, ANSWER_NO);
	}
}

/* --- what ends a notice ---------------------------------------------------------------- */

/* Not even when the vendor falls silent once more before the notice lapses. */
static void activity_ends_a_notice_of_silence_for_good(void **state)
{
	static const char *const grounds[] = {"silence", "order"};

	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(grounds); g++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, grounds[g]);
		scene_pass_days(&s, 5);
		scene_publish(&s);
		scene_pass_days(&s, 181);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, g == 0 ? ANSWER_NO : ANSWER_YES);
	}
}

/* Approvals name what they approve: those of a notice do not complete the vendor's own end. */
static void approvals_of_a_notice_are_none_of_an_end(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	(void)scene_objection(&s, notice);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	(void)scene_vote(&s, "approval", 2, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void a_final_end_cannot_be_objected_away(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	const char *eol = scene_eol(&s, false);
	(void)scene_objection(&s, eol);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_objection_period_ends_to_the_second),
		cmocka_unit_test(a_notice_lapses_to_the_second),
		cmocka_unit_test(silence_is_counted_to_the_second),
		cmocka_unit_test(years_without_an_update_are_counted_to_the_second),
		cmocka_unit_test(support_ends_after_its_last_second),
		cmocka_unit_test(an_objection_protects_for_a_year_to_the_second),
		cmocka_unit_test(successions_and_rotations_wait_to_the_second),
		cmocka_unit_test(a_root_that_was_logged_too_early_waits),
		cmocka_unit_test(an_objection_after_the_rotation_is_too_late),
		cmocka_unit_test(a_registry_judges_a_root_ahead_of_its_leaf),
		cmocka_unit_test(
			an_approval_that_is_proved_anew_brings_all_that_was_logged_by_then),
		cmocka_unit_test(places_in_the_chain_are_nobodys_word),
		cmocka_unit_test(updates_that_are_left_out_may_be_in_the_tree),
		cmocka_unit_test(refusals_count_up_to_the_time_that_is_shown),
		cmocka_unit_test(a_heartbeat_that_is_proved_anew_still_counts),
		cmocka_unit_test(activity_ends_a_notice_of_silence_for_good),
		cmocka_unit_test(approvals_of_a_notice_are_none_of_an_end),
		cmocka_unit_test(a_final_end_cannot_be_objected_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
