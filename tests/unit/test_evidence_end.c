/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a tree ends that a time is taken from. Anybody makes a proof anew in a later tree, and a
 * mirror cuts a chain where it likes: nothing that was logged by then may be left out of it.
 */
#include "lib/base/utc.h"
#include "policies/evidence.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

#define LATER "what the log took in after it"
#define BEYOND "that was made before the next root was logged"

static void assert_unknown(const struct scene *s, const char *needs)
{
	CLEANUP(freep) char *why = NULL;

	assert_answer(s, ANSWER_UNKNOWN);
	why = json_dumps(s->e.why, 0);
	assert_non_null(why);
	if (!strstr(why, needs))
		fail_msg("want \"%s\" in %s", needs, why);
}

static void cut(struct scene *s, size_t leaves)
{
	s->p->hidden = leaves;
	plog_write_leaves(s->p);
}

static const char *last_id(const struct scene *s)
{
	return s->p->leaves[s->p->nleaves - 1].id;
}

/* --- behind the next root ------------------------------------------------------------- */

/*
 * The registry logs notice, approvals and bridge at once; the vendor objects, and the log takes
 * that in; a month later the approval is proved anew.
 */
static void an_approval_that_is_shown_beyond_the_next_root_ends_no_period(void **state)
{
	(void)state;
	for (int refusal = 0; refusal < 2; refusal++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, "silence");
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		const char *second = scene_vote(&s, "approval", 1, "notice", notice);
		scene_log_bridge(&s);
		if (refusal)
			(void)scene_vote(&s, "refusal", 0, "notice", notice);
		else
			(void)scene_objection(&s, notice);
		scene_pass_days(&s, 31);
		scene_publish(&s);
		scene_judge(&s);
		assert_answer(&s, ANSWER_NO);
		plog_prove_again(s.p, second);
		scene_judge(&s);
		assert_unknown(&s, BEYOND);
		scene_judge_deposit(&s);
		assert_unknown(&s, BEYOND);
		s.p->own = true; /* nor for the registry itself */
		scene_judge(&s);
		assert_unknown(&s, BEYOND);
	}
}

/* What takes no time is known all the same: all that counts was logged before that root. */
static void a_declared_end_needs_no_time(void **state)
{
	(void)state;
	for (int refused = 0; refused < 2; refused++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		const char *eol = scene_eol(&s, false);

		(void)scene_vote(&s, "approval", 0, "eol", eol);
		const char *second = scene_vote(&s, "approval", 1, "eol", eol);
		if (refused)
			(void)scene_vote(&s, "refusal", 0, "eol", eol);
		scene_log_bridge(&s);
		plog_prove_again(s.p, second);
		scene_judge(&s);
		assert_answer(&s, refused ? ANSWER_NO : ANSWER_YES);
	}
}

/* As a registry does it that waits: whatever is logged after the bridge changes nothing. */
static void a_handover_in_its_time_is_followed_whenever_it_is_read(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
	char digest[SHA256_HEX_SIZE];

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	plog_add_other(s.p);
	scene_log_bridge(&s);
	s.p->no_entries = true; /* the bridge says where the approval's tree ends */
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	memcpy(digest, s.e.digest, sizeof(digest));
	(void)scene_objection(&s, notice);
	scene_pass_days(&s, 400);
	plog_add(s.p, s.next->doc);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	assert_string_equal(s.e.digest, digest);
	/* Proved anew by somebody, the bridge itself still says it. */
	plog_prove_again(s.p, scene_bridge_id(&s));
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
}

/* --- a chain that was cut short --------------------------------------------------------- */

/* What a trustee is shown who is to hand over a share. */
static void an_objection_that_is_cut_off_is_found_in_the_entries_or_waited_for(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	const char *second = scene_vote(&s, "approval", 1, "notice", notice);
	(void)scene_objection(&s, notice);
	scene_pass_days(&s, 31);
	plog_add_other(s.p);
	plog_prove_again(s.p, second);
	cut(&s, 1);
	scene_judge_deposit(&s);
	assert_unknown(&s, LATER);
	s.p->no_entries = true;
	scene_judge_deposit(&s);
	assert_unknown(&s, LATER);
	cut(&s, 0);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void a_sign_of_life_that_is_cut_off_is_not_silence(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	const char *second = scene_vote(&s, "approval", 1, "notice", notice);
	scene_publish(&s);
	scene_pass_days(&s, 31);
	plog_add_other(s.p);
	plog_prove_again(s.p, second);
	cut(&s, 1);
	scene_judge_deposit(&s);
	assert_unknown(&s, LATER);
}

/* Honest use in a busy log: the last approval is followed by others' entries alone. */
static void the_entries_of_a_log_show_that_nothing_was_left_out(void **state)
{
	(void)state;
	/* None; some; a bundle's end; more than a bundle. */
	for (size_t others = 0; others <= 300; others += others < 3 ? 1 : 99) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, "silence");
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		const char *second = scene_vote(&s, "approval", 1, "notice", notice);
		for (size_t i = 0; i < others; i++)
			plog_add_other(s.p);
		plog_prove_again(s.p, second);
		scene_judge_deposit(&s);
		assert_answer(&s, ANSWER_YES);
		s.p->no_entries = true;
		scene_judge_deposit(&s);
		if (others)
			assert_unknown(&s, LATER);
		else
			assert_answer(&s, ANSWER_YES);
		scene_pass_days(&s, 1);
		scene_heartbeat(&s); /* later leaves show it, too */
		scene_judge_deposit(&s);
		assert_answer(&s, ANSWER_YES);
	}
}

static void entries_of_another_tree_are_refused(void **state)
{
	(void)state;
	for (int shorter = 0; shorter < 2; shorter++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, "silence");
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		const char *second = scene_vote(&s, "approval", 1, "notice", notice);
		(void)scene_objection(&s, notice);
		plog_prove_again(s.p, second);
		cut(&s, 1);
		s.p->size -= (size_t)shorter;
		s.p->entries[s.p->size - 1].data[0] ^= 1;
		scene_judge_deposit(&s);
		s.p->size += (size_t)shorter;
		if (shorter)
			assert_error(s.r, E_INVALID, &s.err, "log/tile/entries: bundle 0");
		else
			assert_error(s.r, E_UNTRUSTED, &s.err, "are not those of the tree");
	}
}

/* --- notices that are made young ----------------------------------------------------------- */

static const char *post_dated(struct scene *s, int64_t days)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:[]}", "deposit", s->deposit, "bridge",
				 scene_bridge_id(s), "ground", "silence", "evidence");
	char at[UTC_SIZE];

	utc_format(s->p->now + days * DAY_S, at);
	assert_int_equal(json_object_set_new(body, "issued", json_string(at)), 0);
	return plog_say(s->p, "notice", NULL, body, &s->p->trustee[0], 1);
}

/* Approved in time by one, after it lapsed by the other. */
static void a_notice_that_is_proved_anew_lapses_as_it_did(void **state)
{
	(void)state;
	for (int lapsed = 0; lapsed < 2; lapsed++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = scene_notice(&s, 0, "silence");
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		scene_pass_days(&s, 69);
		plog_prove_again(s.p, notice);
		scene_pass_days(&s, lapsed ? 300 : 200);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, lapsed ? ANSWER_NO : ANSWER_YES);
	}
}

/* The ground has to hold when it is given, not when somebody shows it. */
static void a_notice_that_is_proved_anew_has_no_other_ground(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 100);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 100);
	plog_prove_again(s.p, notice);
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

/* Given while an objection protects, it does not count after that either. */
static void a_notice_that_is_proved_anew_stays_objected_to(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	(void)scene_objection(&s, scene_notice(&s, 0, "silence"));
	scene_pass_days(&s, 364);
	const char *notice = scene_notice(&s, 1, "silence");
	scene_pass_days(&s, 2);
	plog_prove_again(s.p, notice);
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

/* With a date to come it is one from that day on: what was approved before is not approved. */
static void a_post_dated_notice_has_no_early_approvals(void **state)
{
	(void)state;
	for (int early = 0; early < 2; early++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

		scene_pass_days(&s, 200);
		const char *notice = post_dated(&s, 39 + early);
		scene_pass_days(&s, 31);
		(void)scene_vote(&s, "approval", 0, "notice", notice);
		scene_pass_days(&s, 269);
		plog_prove_again(s.p, notice);
		scene_pass_days(&s, 60);
		(void)scene_vote(&s, "approval", 1, "notice", notice);
		scene_judge_deposit(&s);
		assert_answer(&s, early ? ANSWER_NO : ANSWER_YES);
	}
}

/* --- rotations ---------------------------------------------------------------------------- */

/* Logged together with its root; then the objection is cut off, and the root proved anew. */
static void a_rotation_is_not_over_while_its_chain_may_be_cut_short(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");

	(void)state;
	const char *id = scene_say_rotation(&s, 2);
	scene_log_bridge(&s);
	(void)scene_objection(&s, id);
	scene_pass_days(&s, 31);
	plog_add_other(s.p);
	plog_prove_again(s.p, scene_bridge_id(&s));
	cut(&s, 1);
	for (int entries = 0; entries < 2; entries++) {
		s.p->no_entries = !entries;
		scene_judge(&s);
		assert_unknown(&s, LATER);
	}
	cut(&s, 0);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
}

static void a_rotation_in_its_time_is_followed(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");

	(void)state;
	(void)scene_say_rotation(&s, 2);
	scene_pass_days(&s, 31);
	scene_log_bridge(&s);
	plog_add_other(s.p);
	plog_prove_again(s.p, scene_bridge_id(&s));
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	s.p->no_entries = true;
	scene_judge(&s);
	assert_unknown(&s, LATER);
	scene_publish(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
}

/* Nobody objects to a succession: time is all that it takes. */
static void a_succession_needs_no_more_than_its_time(void **state)
{
	CLEANUP(scene_clear) struct scene s = {.p = NULL};

	(void)state;
	scene_succession(&s, 3);
	scene_say_succession(&s, true);
	scene_pass_days(&s, 15);
	scene_log_bridge(&s);
	plog_add_other(s.p);
	plog_prove_again(s.p, last_id(&s));
	s.p->no_entries = true;
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_approval_that_is_shown_beyond_the_next_root_ends_no_period),
		cmocka_unit_test(a_declared_end_needs_no_time),
		cmocka_unit_test(a_handover_in_its_time_is_followed_whenever_it_is_read),
		cmocka_unit_test(
			an_objection_that_is_cut_off_is_found_in_the_entries_or_waited_for),
		cmocka_unit_test(a_sign_of_life_that_is_cut_off_is_not_silence),
		cmocka_unit_test(the_entries_of_a_log_show_that_nothing_was_left_out),
		cmocka_unit_test(entries_of_another_tree_are_refused),
		cmocka_unit_test(a_notice_that_is_proved_anew_lapses_as_it_did),
		cmocka_unit_test(a_notice_that_is_proved_anew_has_no_other_ground),
		cmocka_unit_test(a_notice_that_is_proved_anew_stays_objected_to),
		cmocka_unit_test(a_post_dated_notice_has_no_early_approvals),
		cmocka_unit_test(a_rotation_is_not_over_while_its_chain_may_be_cut_short),
		cmocka_unit_test(a_rotation_in_its_time_is_followed),
		cmocka_unit_test(a_succession_needs_no_more_than_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
