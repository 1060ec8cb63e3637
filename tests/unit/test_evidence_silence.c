/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor that says nothing any more: the period, the notice, objections, promises. */
#include "policies/evidence.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

/* What the decision rests on can be found: each document by its id, and in the log. */
static void assert_located(const struct scene *s)
{
	const struct fact_value at = facts_get(s->e.facts, fact_find("notice.at"));
	const struct fact_value who = facts_get(s->e.facts, fact_find("approvals"));
	const struct leaf *notice = leaf_chain_find(&s->e.chain, at.source);

	assert_non_null(notice);
	assert_int_equal(at.index, notice->index);
	assert_int_equal(json_array_size(who.from), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *one = json_array_get(who.from, i);
		const char *id = json_string_value(json_object_get(one, "source"));
		const struct leaf *leaf = leaf_chain_find(&s->e.chain, id);

		assert_non_null(leaf);
		assert_string_equal(leaf->kind, "approval");
		assert_int_equal(json_integer_value(json_object_get(one, "index")), leaf->index);
	}
}

static void silence_needs_its_period(void **state)
{
	char notice[SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene early = scene_silent(29, notice);
	CLEANUP(scene_clear) struct scene late = scene_silent(31, notice);

	(void)state;
	scene_judge_deposit(&early);
	assert_answer(&early, ANSWER_NO);
	const json_t *silent = json_array_get(json_object_get(early.e.why, "of"), 2);
	assert_non_null(json_object_get(silent, "not_before"));
	assert_null(json_object_get(silent, "when")); /* somebody has to approve then */
	scene_judge_deposit(&late);
	assert_answer(&late, ANSWER_YES);
	assert_true(late.e.when.known);
	assert_located(&late);
	scene_log_bridge(&late);
	scene_judge(&late);
	assert_answer(&late, ANSWER_YES);
}

/* The period has passed, but everybody approved before its end. */
static void the_completing_approval_comes_after_the_period(void **state)
{
	char notice[SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene s = scene_silent(5, notice);

	(void)state;
	scene_pass_days(&s, 60);
	(void)scene_vote(&s, "refusal", 2, "notice", notice); /* something new in the log */
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	(void)scene_vote(&s, "approval", 2, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void silence_without_witnesses_is_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
	assert_false(s.e.when.known);
}

/* The ground has to hold already when the notice is given. */
static void a_notice_given_too_early_never_becomes_right(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 170);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 60);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void a_sign_of_life_ends_a_notice_of_silence(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 10);
	scene_publish(&s);
	scene_pass_days(&s, 30);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void heartbeats_count_until_support_ends(void **state)
{
	(void)state;
	/* Support ends on day 31; a heartbeat before it, or one after it. */
	for (int64_t day = 20; day <= 40; day += 20) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, day);
		scene_heartbeat(&s);
		scene_pass_days(&s, 190 - day);
		const char *notice = scene_notice(&s, 0, "silence");
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, day == 20 ? ANSWER_NO : ANSWER_YES);
	}
}

static void an_objection_stops_its_notice_and_those_of_a_year(void **state)
{
	char notice[SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	memcpy(notice, scene_notice(&s, 0, "silence"), sizeof(notice));
	(void)scene_objection(&s, notice);
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	for (int i = 0; i < 2; i++) { /* day 231: too soon; day 631: a year and more later */
		memcpy(notice, scene_notice(&s, 1, "silence"), sizeof(notice));
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, i == 0 ? ANSWER_NO : ANSWER_YES);
		scene_pass_days(&s, 369);
	}
}

static void an_objection_to_a_later_notice_leaves_the_first(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *first = scene_notice(&s, 0, "silence");
	(void)scene_objection(&s, scene_notice(&s, 1, "silence"));
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", first);
	(void)scene_vote(&s, "approval", 1, "notice", first);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void objections_hold_against_notices_given_in_a_row(void **state)
{
	char notices[3][SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	for (size_t i = 0; i < ARRAY_LEN(notices); i++)
		memcpy(notices[i], scene_notice(&s, 0, "silence"), sizeof(notices[i]));
	for (size_t i = 0; i < ARRAY_LEN(notices); i++) /* of which two count */
		(void)scene_objection(&s, notices[i]);
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notices[2]);
	(void)scene_vote(&s, "approval", 1, "notice", notices[2]);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void a_notice_without_its_proof_is_none(void **state)
{
	char notice[SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene s = scene_silent(31, notice);

	(void)state;
	plog_remove(s.p, "proofs/", notice, ".tlog-proof");
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);

	CLEANUP(scene_clear)
	struct scene simple = scene_open(
		0, "{\"all\": [{\"notice\": {\"ground\": [\"order\"]}}, {\"not\": {\"fact\": "
		   "\"objection\"}}, {\"approvals\": {\"at_least\": \"threshold\"}}]}");
	memcpy(notice, scene_notice(&simple, 0, "order"), sizeof(notice));
	(void)scene_vote(&simple, "approval", 0, "notice", notice);
	(void)scene_vote(&simple, "approval", 1, "notice", notice);
	scene_judge_deposit(&simple);
	assert_answer(&simple, ANSWER_YES);
	plog_remove(simple.p, "proofs/", notice, ".tlog-proof");
	scene_judge_deposit(&simple);
	assert_int_equal(simple.r, 0);
	assert_int_not_equal(simple.e.released, ANSWER_YES);
}

static void an_objection_after_the_release_is_too_late(void **state)
{
	char notice[SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene s = scene_silent(31, notice);

	(void)state;
	(void)scene_objection(&s, notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void a_third_objection_without_an_update_does_not_count(void **state)
{
	(void)state;
	for (int update = 0; update < 2; update++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		char notice[SHA256_HEX_SIZE];

		for (int i = 0; i < 3; i++) {
			if (i == 2 && update)
				scene_publish(&s);
			scene_pass_days(&s, 400);
			memcpy(notice, scene_notice(&s, 0, "silence"), sizeof(notice));
			(void)scene_objection(&s, notice);
		}
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, update ? ANSWER_NO : ANSWER_YES);
	}
}

static void a_notice_lapses_after_a_year(void **state)
{
	char notice[SHA256_HEX_SIZE];
	CLEANUP(scene_clear) struct scene in_time = scene_silent(364, notice);
	CLEANUP(scene_clear) struct scene late = scene_silent(366, notice);

	(void)state;
	scene_judge_deposit(&in_time);
	assert_answer(&in_time, ANSWER_YES);
	scene_judge_deposit(&late);
	assert_answer(&late, ANSWER_NO);
}

static void a_withheld_objection_may_stand(void **state)
{
	CLEANUP(scene_clear)
	struct scene s =
		scene_open(3, "{\"all\": [{\"not\": {\"fact\": \"objection\"}}, {\"approvals\": "
			      "{\"at_least\": 2}}]}");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	const char *objection = scene_objection(&s, notice);
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	plog_remove(s.p, "statements/", objection, ".json");
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

/* A promise of ten more years is a promise of two. */
static void later_promises_extend_support_by_two_years_at_most(void **state)
{
	(void)state;
	for (int64_t days = 700; days <= 800; days += 100) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		(void)plog_say(s.p, "product", s.root,
			       json_pack("{s:s, s:s}", "name", "X1", "support_until",
					 "2040-01-01T00:00:00Z"),
			       s.p->vendor, 2);
		scene_pass_days(&s, days); /* promised: day 31 + 730 */
		const char *notice = scene_notice(&s, 0, "silence");
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, days == 700 ? ANSWER_NO : ANSWER_YES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_needs_its_period),
		cmocka_unit_test(the_completing_approval_comes_after_the_period),
		cmocka_unit_test(silence_without_witnesses_is_unknown),
		cmocka_unit_test(a_notice_given_too_early_never_becomes_right),
		cmocka_unit_test(a_sign_of_life_ends_a_notice_of_silence),
		cmocka_unit_test(heartbeats_count_until_support_ends),
		cmocka_unit_test(an_objection_stops_its_notice_and_those_of_a_year),
		cmocka_unit_test(an_objection_to_a_later_notice_leaves_the_first),
		cmocka_unit_test(objections_hold_against_notices_given_in_a_row),
		cmocka_unit_test(a_notice_without_its_proof_is_none),
		cmocka_unit_test(an_objection_after_the_release_is_too_late),
		cmocka_unit_test(a_third_objection_without_an_update_does_not_count),
		cmocka_unit_test(a_notice_lapses_after_a_year),
		cmocka_unit_test(a_withheld_objection_may_stand),
		cmocka_unit_test(later_promises_extend_support_by_two_years_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
