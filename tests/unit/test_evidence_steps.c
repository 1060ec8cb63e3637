/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of publisher and of keys after the first: successions and rotations. */
#include "lib/base/utc.h"
#include "policies/evidence.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

static void a_succession_needs_fourteen_witnessed_days(void **state)
{
	(void)state;
	for (int64_t days = 13; days <= 15; days += 2) {
		CLEANUP(scene_clear) struct scene s;

		scene_succession(&s, 3);
		scene_say_succession(&s, true);
		scene_pass_days(&s, days);
		scene_log_bridge(&s);
		scene_judge(&s);
		assert_answer(&s, days == 13 ? ANSWER_NO : ANSWER_YES);
		assert_string_equal(s.e.by, "succession");
		assert_int_equal(json_array_size(s.e.used), 1);
	}
}

static void a_succession_without_witnesses_is_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s;

	(void)state;
	scene_succession(&s, 0);
	scene_say_succession(&s, true);
	scene_pass_days(&s, 100);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
	assert_string_equal(s.e.by, "succession");
}

static void a_succession_is_signed_by_both_sides(void **state)
{
	CLEANUP(scene_clear) struct scene s;

	(void)state;
	scene_succession(&s, 3);
	scene_say_succession(&s, false);
	scene_pass_days(&s, 15);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "0 of 2 signatures of the root it leads to");
}

/* Else a vendor's stolen keys could sell the product without any deposit. */
static void a_vendor_has_no_succession(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");
	struct signer *by[] = {s.p->vendor[0], s.p->vendor[1], s.p->steward[0], s.p->steward[1]};

	(void)state;
	tuf_root_free(s.bridge);
	s.p->now += DAY_S;
	s.bridge = plog_bridge(s.p); /* not the one in the deposit */
	(void)plog_say(s.p, "succession", NULL,
		       json_pack("{s:s, s:s}", "from", envelope_id(s.root->doc), "to",
				 scene_bridge_id(&s)),
		       by, 4);
	scene_pass_days(&s, 15);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "changes hands by a deposit");
}

static void a_rotation_needs_thirty_witnessed_days(void **state)
{
	(void)state;
	for (int64_t days = 29; days <= 31; days += 2) {
		CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");

		(void)scene_say_rotation(&s, 2);
		scene_pass_days(&s, days);
		scene_log_bridge(&s);
		scene_judge(&s);
		assert_answer(&s, days == 29 ? ANSWER_NO : ANSWER_YES);
		assert_string_equal(s.e.by, "rotation");
	}
}

static void a_rotation_can_be_objected_to(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");

	(void)state;
	const char *id = scene_say_rotation(&s, 2);
	(void)scene_objection(&s, id);
	scene_pass_days(&s, 31);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
}

static void a_rotation_is_signed_by_the_anchor(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "acme");
	struct evidence_query q = {.product = PLOG_PRODUCT, .from = s.root, .to = s.bridge};

	(void)state;
	(void)scene_say_rotation(&s, 1);
	scene_pass_days(&s, 31);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "1 of 2 signatures of the anchor");

	/* Signed by the keys of the root it leaves, while the anchor is one of other keys. */
	s.next = plog_stewards_root(s.p);
	(void)scene_say_rotation(&s, 2);
	scene_pass_days(&s, 31);
	scene_heartbeat(&s);
	q.anchor = s.next;
	scene_gather(&s, &q);
	assert_untrusted(&s, "0 of 2 signatures of the anchor");
	q.anchor = s.root;
	scene_gather(&s, &q);
	assert_answer(&s, ANSWER_YES);

	/* An older root of the same keys: the statement still names the root that it leaves. */
	const struct root_spec older = {.version = 3,
					.threshold = 2,
					.keys = s.p->vendor,
					.nkeys = 3,
					.publisher = "acme",
					.kind = "vendor",
					.signers = {s.p->vendor}};
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = plog_root(s.p, &older);
	q.anchor = anchor;
	scene_gather(&s, &q);
	assert_answer(&s, ANSWER_YES);
}

static void a_rotation_keeps_the_publisher(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_rotation(3, "somebody-else");

	(void)state;
	(void)scene_say_rotation(&s, 2);
	scene_pass_days(&s, 31);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "rotation: the publisher is another");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_succession_needs_fourteen_witnessed_days),
		cmocka_unit_test(a_succession_without_witnesses_is_unknown),
		cmocka_unit_test(a_succession_is_signed_by_both_sides),
		cmocka_unit_test(a_vendor_has_no_succession),
		cmocka_unit_test(a_rotation_needs_thirty_witnessed_days),
		cmocka_unit_test(a_rotation_can_be_objected_to),
		cmocka_unit_test(a_rotation_is_signed_by_the_anchor),
		cmocka_unit_test(a_rotation_keeps_the_publisher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
