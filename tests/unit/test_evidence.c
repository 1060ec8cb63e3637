/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/evidence.h"

#include <stdio.h>

#include "lib/base/utc.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

/* --- declared ---------------------------------------------------------------------- */

static void the_vendors_own_release_needs_nobody_else(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	assert_string_equal(s.e.by, "deposit");
	assert_int_equal(json_array_size(s.e.used), 2);
	assert_true(scene_used(&s, s.deposit) && scene_used(&s, eol));
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void a_final_end_needs_as_many_trustees_as_the_deposit_says(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, false);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	const char *a = scene_vote(&s, "approval", 0, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	const char *b = scene_vote(&s, "approval", 2, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
	assert_true(scene_used(&s, eol) && scene_used(&s, a) && scene_used(&s, b));
	assert_int_equal(json_array_size(s.e.used), 4);
}

static void one_trustee_is_one_vote(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void two_trustees_may_sign_one_approval(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, false);
	(void)plog_say(s.p, "approval", NULL, scene_about(&s, "eol", eol), s.p->trustee, 2);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void a_refusal_revokes_until_the_deposit_is_released(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	char digest[SHA256_HEX_SIZE];

	(void)state;
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	(void)scene_vote(&s, "refusal", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	(void)scene_vote(&s, "approval", 2, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
	memcpy(digest, s.e.digest, sizeof(digest));
	(void)scene_vote(&s, "refusal", 1, "eol", eol); /* too late: the shares may be out */
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
	assert_string_equal(s.e.digest, digest);
}

/* The log takes a document in once more; `first`: the proof beside it is still that of before. */
static void log_again(struct scene *s, const struct envelope *doc, bool first)
{
	if (!first)
		plog_remove(s->p, "proofs/", envelope_id(doc), ".tlog-proof");
	plog_add(s->p, doc);
}

static void what_is_logged_again_is_nobodys_last_word(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
		CLEANUP(envelope_freep) struct envelope *approval = NULL;
		const char *eol = scene_eol(&s, false);
		const char *id = scene_vote(&s, "approval", 1, "eol", eol);
		const struct buf *file = plog_file(s.p, "statements/", id, ".json");

		assert_int_equal(envelope_parse(file->data, file->len, id, &approval, NULL), 0);
		(void)scene_vote(&s, "refusal", 1, "eol", eol);
		log_again(&s, approval, first);
		(void)scene_vote(&s, "approval", 0, "eol", eol);
		scene_judge_deposit(&s);
		if (first)
			assert_answer(&s, ANSWER_NO);
		else
			assert_untrusted(&s, "leads to another root");
	}
}

static void an_update_that_is_logged_again_is_no_sign_of_life(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
	CLEANUP(envelope_freep)
	struct envelope *update =
		plog_statement(s.p, "targets", NULL, json_object(), s.p->vendor, 1);

	(void)state;
	plog_add(s.p, update);
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 31);
	log_again(&s, update, true);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void an_approval_counts_only_after_what_it_approves(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	CLEANUP(envelope_freep)
	struct envelope *eol = plog_statement(
		s.p, "eol", s.root,
		json_pack("{s:s, s:{s:s, s:s}}", "date", "2030-01-31T00:00:00Z", "final", "root",
			  envelope_id(s.root->doc), "bridge", scene_bridge_id(&s)),
		s.p->vendor, 2);

	(void)state;
	(void)scene_vote(&s, "approval", 0, "eol", envelope_id(eol));
	(void)scene_vote(&s, "approval", 1, "eol", envelope_id(eol));
	plog_add(s.p, eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void approvals_for_something_else_do_not_count(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	struct signer *const *t = s.p->trustee;
	char other[SHA256_HEX_SIZE];

	(void)state;
	const char *eol = scene_eol(&s, false);
	sha256_hex("other", 5, other);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	/* another deposit, another bridge, another end, a stranger, a steward */
	(void)plog_say(s.p, "approval", NULL,
		       json_pack("{s:s, s:s, s:s}", "deposit", other, "bridge", scene_bridge_id(&s),
				 "eol", eol),
		       &t[1], 1);
	(void)plog_say(
		s.p, "approval", NULL,
		json_pack("{s:s, s:s, s:s}", "deposit", s.deposit, "bridge", other, "eol", eol),
		&t[1], 1);
	(void)scene_vote(&s, "approval", 1, "eol", other);
	(void)plog_say(s.p, "approval", NULL, scene_about(&s, "eol", eol), &s.p->stranger, 1);
	(void)plog_say(s.p, "approval", NULL, scene_about(&s, "eol", eol), s.p->steward, 3);
	(void)plog_say(s.p, "approval", NULL, scene_about(&s, "eol", eol), NULL, 0);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void an_end_that_is_not_final_for_this_step_does_not_count(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	const char *id = envelope_id(s.root->doc);
	char other[SHA256_HEX_SIZE];

	(void)state;
	sha256_hex("other", 5, other);
	/* another bridge; no `final`; one vendor's signature; the stewards' */
	(void)plog_say(s.p, "eol", s.root,
		       json_pack("{s:s, s:{s:s, s:s}, s:b}", "date", "2030-01-31T00:00:00Z",
				 "final", "root", id, "bridge", other, "release", 1),
		       s.p->vendor, 2);
	(void)plog_say(s.p, "eol", s.root, json_pack("{s:s}", "date", "2030-01-31T00:00:00Z"),
		       s.p->vendor, 2);
	for (size_t i = 0; i < 2; i++)
		(void)plog_say(s.p, "eol", s.root,
			       json_pack("{s:s, s:{s:s, s:s}, s:b}", "date", "2030-01-31T00:00:00Z",
					 "final", "root", id, "bridge", scene_bridge_id(&s),
					 "release", 1),
			       i == 0 ? s.p->vendor : s.p->steward, i == 0 ? 1 : 3);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
}

static void approvals_of_an_end_that_is_not_final_do_not_count(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *soon =
		plog_say(s.p, "eol", s.root, json_pack("{s:s}", "date", "2030-01-31T00:00:00Z"),
			 s.p->vendor, 2);
	(void)scene_vote(&s, "approval", 0, "eol", soon);
	(void)scene_vote(&s, "approval", 1, "eol", soon);
	const char *eol = scene_eol(&s, false);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	const char *last = scene_vote(&s, "approval", 1, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
	plog_remove(s.p, "proofs/", last, ".tlog-proof"); /* nor one without its proof */
	scene_heartbeat(&s);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_NO);
}

static void a_refreshed_deposit_takes_the_place_of_the_first(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	char first[SHA256_HEX_SIZE];

	(void)state;
	memcpy(first, s.deposit, sizeof(first));
	scene_deposit(&s, "release/declared");
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	assert_string_not_equal(first, s.deposit);
	assert_true(scene_used(&s, s.deposit) && !scene_used(&s, first));
}

static void refreshes_after_the_release_do_not_bury_it(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	char first[SHA256_HEX_SIZE];

	(void)state;
	memcpy(first, s.deposit, sizeof(first));
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	for (int i = 0; i < 40; i++)
		scene_deposit(&s, "release/declared");
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	assert_true(scene_used(&s, first) && !scene_used(&s, s.deposit));
}

/* What a log takes in of strangers, about deposits that there are, and that there are not. */
static void made_up_approvals_do_not_bury_a_release(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	char first[SHA256_HEX_SIZE], other[SHA256_HEX_SIZE];

	(void)state;
	memcpy(first, s.deposit, sizeof(first));
	const char *eol = scene_eol(&s, false);
	for (int i = 0; i < 40; i++) { /* of no deposit */
		sha256_hex(&i, sizeof(i), s.deposit);
		(void)plog_say(s.p, "approval", NULL, scene_about(&s, "eol", eol), &s.p->stranger,
			       1);
	}
	for (int i = 0; i < 40; i++) { /* of one that nobody approved */
		scene_deposit(&s, "release/declared");
		(void)plog_say(s.p, "approval", NULL, scene_about(&s, "eol", eol), &s.p->stranger,
			       1);
	}
	memcpy(other, s.deposit, sizeof(other));
	memcpy(s.deposit, first, sizeof(first));
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	assert_true(scene_used(&s, first) && !scene_used(&s, other));
}

/* --- contradictions ------------------------------------------------------------------ */

static void evidence_of_another_step_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	struct evidence_query q = {.product = PLOG_PRODUCT, .from = s.root, .to = s.next};

	(void)state;
	(void)scene_eol(&s, true);
	scene_gather(&s, &q);
	assert_untrusted(&s, "does not follow root 1");

	/* A deposit that was made for the step before this one. */
	scene_log_bridge(&s);
	plog_add(s.p, s.next->doc);
	q.from = s.bridge;
	scene_gather(&s, &q);
	assert_answer(&s, ANSWER_UNKNOWN);
	json_t *body = plog_deposit_body(s.p, s.root, envelope_id(s.next->doc),
					 policy_shipped_json("release/declared"));
	(void)plog_say(s.p, "deposit", s.root, body, s.p->vendor, 2);
	scene_gather(&s, &q);
	assert_answer(&s, ANSWER_UNKNOWN); /* logged after the root it would carry */
}

static void a_deposit_that_follows_another_root_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = {.p = plog_new(0)};

	(void)state;
	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	s.p->now += DAY_S;
	s.next = plog_vendor_root(s.p); /* another root 1, of the same keys */
	plog_add(s.p, s.root->doc);
	json_t *body = plog_deposit_body(s.p, s.next, scene_bridge_id(&s),
					 policy_shipped_json("release/declared"));
	(void)plog_say(s.p, "deposit", s.next, body, s.p->vendor, 2);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "is not made under root 1");
}

static void a_deposit_for_another_bridge_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	tuf_root_free(s.bridge);
	s.p->now += DAY_S;
	s.bridge = plog_bridge(s.p);
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "its bridge is another root");
}

static void a_deposit_below_the_vendors_threshold_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = {.p = plog_new(0)};

	(void)state;
	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	plog_add(s.p, s.root->doc);
	json_t *body = plog_deposit_body(s.p, s.root, scene_bridge_id(&s),
					 policy_shipped_json("release/declared"));
	(void)plog_say(s.p, "deposit", s.root, body, s.p->vendor, 1);
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "1 of 2 signatures of the current root");
}

static void another_product_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	const struct evidence_query q = {.product = "acme.x2", .from = s.root, .to = s.bridge};

	(void)state;
	scene_gather(&s, &q);
	assert_untrusted(&s, "is of product \"acme.x1\", not \"acme.x2\"");

	/* An end of life of another product in this product's chain. */
	json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:b}", "product", "acme.x2", "date",
				 "2030-01-31T00:00:00Z", "final", "root", envelope_id(s.root->doc),
				 "bridge", scene_bridge_id(&s), "release", 1);
	(void)plog_say(s.p, "eol", s.root, body, s.p->vendor, 2);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "is of product \"acme.x2\"");
}

static void only_the_first_root_of_a_version_counts(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	CLEANUP(tuf_root_freep) struct tuf_root *other = NULL;
	const struct root_spec renewed = {.version = 2,
					  .threshold = 2,
					  .keys = s.p->vendor,
					  .nkeys = 3,
					  .publisher = "acme",
					  .kind = "vendor",
					  .signers = {s.p->vendor, NULL}};

	(void)state;
	(void)scene_eol(&s, true);
	other = plog_root(s.p, &renewed);
	plog_add(s.p, other->doc);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "root 2: is not the first of its version in the log");
	scene_judge_deposit(&s);
	assert_error(s.r, E_DENIED, &s.err, "is void since root 2");
}

static void another_root_in_the_log_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	tuf_root_free(s.root);
	s.p->now += DAY_S;
	s.root = plog_vendor_root(s.p);
	scene_judge(&s);
	assert_untrusted(&s, "the first root 1 in the log is another");
}

static void a_chain_with_a_hole_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	struct buf *leaves = plog_file(s.p, "", "leaves.jsonl", "");
	char *second = strchr(leaves->data, '\n') + 1, *third = strchr(second, '\n') + 1;
	memmove(second, third, strlen(third) + 1);
	leaves->len = strlen(leaves->data);
	scene_judge(&s);
	assert_int_equal(s.r, E_UNTRUSTED);
}

/* Change one letter in the middle of a file. */
static void spoil(struct buf *b, const char *at)
{
	char *c = strstr(b->data, at);

	assert_non_null(c);
	c += strlen(at);
	*c = *c == 'A' ? 'B' : 'A';
}

static void a_forged_proof_is_untrusted(void **state)
{
	static const char *const where[] = {"index 3\n", PLOG_ORIGIN "\n4\n", " " PLOG_ORIGIN " "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

		(void)scene_eol(&s, true);
		scene_log_bridge(&s);
		spoil(plog_file(s.p, "proofs/", scene_bridge_id(&s), ".tlog-proof"), where[i]);
		scene_judge(&s);
		assert_true(s.r == E_UNTRUSTED || s.r == E_INVALID);
		assert_non_null(strstr(s.err.text, "proofs/"));
	}
}

static void a_proof_of_another_leaf_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, true);
	scene_log_bridge(&s);
	struct buf *mine = plog_file(s.p, "proofs/", eol, ".tlog-proof");
	const struct buf *its = plog_file(s.p, "proofs/", s.deposit, ".tlog-proof");
	buf_clear(mine);
	assert_int_equal(buf_add(mine, its->data, its->len, NULL), 0);
	scene_judge(&s);
	assert_untrusted(&s, "proofs/");
}

static void a_proof_by_a_log_that_the_root_does_not_name_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = {.p = plog_new(0)};
	CLEANUP(json_decrefp) json_t *x = plog_x_bequest(s.p, "acme", "vendor");
	const struct root_spec spec = {.version = 1,
				       .threshold = 2,
				       .keys = s.p->vendor,
				       .nkeys = 3,
				       .signers = {s.p->vendor, NULL},
				       .x_bequest = x};

	(void)state;
	assert_int_equal(json_object_set_new(x, "logs", json_array()), 0);
	s.root = plog_root(s.p, &spec);
	s.bridge = plog_bridge(s.p);
	plog_add(s.p, s.root->doc);
	scene_deposit(&s, "release/declared");
	scene_judge_deposit(&s);
	assert_untrusted(&s, "is none that root 1 names");
}

static void a_changed_statement_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, true);
	scene_log_bridge(&s);
	spoil(plog_file(s.p, "statements/", eol, ".json"), "2030-01-3");
	scene_judge(&s);
	assert_untrusted(&s, "was changed since it was logged");

	/* Cut short: not readable, and not as it was logged. */
	plog_file(s.p, "statements/", eol, ".json")->len /= 2;
	scene_judge(&s);
	assert_untrusted(&s, "was changed since it was logged");

	/* Another true statement under its name. */
	struct buf *file = plog_file(s.p, "statements/", eol, ".json");
	const struct buf *deposit = plog_file(s.p, "statements/", s.deposit, ".json");
	buf_clear(file);
	assert_int_equal(buf_add(file, deposit->data, deposit->len, NULL), 0);
	scene_judge(&s);
	assert_untrusted(&s, "was changed since it was logged");
}

/* A mirror that strips signatures from an objection must not make it vanish. */
static void stripped_signatures_are_noticed(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(2, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	const char *objection = scene_objection(&s, notice);
	struct buf *file = plog_file(s.p, "statements/", objection, ".json");
	CLEANUP(json_decrefp) json_t *doc = json_loads(file->data, 0, NULL);
	assert_int_equal(json_array_clear(json_object_get(doc, "signatures")), 0);
	char *bare = json_dumps(doc, JSON_COMPACT);
	buf_clear(file);
	assert_int_equal(buf_puts(file, bare, NULL), 0);
	free(bare);
	scene_judge_deposit(&s);
	assert_untrusted(&s, "was changed");
}

static void junk_that_the_log_took_in_is_ignored(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	(void)plog_say(s.p, "objection", s.root, json_pack("{s:s}", "notice", s.deposit), NULL, 0);
	(void)plog_say(s.p, "eol", s.root, json_pack("{s:s}", "date", "never"), s.p->vendor, 2);
	(void)plog_say(s.p, "approval", NULL, json_object(), &s.p->trustee[0], 1);
	(void)plog_say(s.p, "heartbeat", s.bridge, json_object(), s.p->steward, 2);
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	assert_int_equal(json_array_size(s.e.used), 2);
}

/* --- what is missing ------------------------------------------------------------------- */

static void assert_lacks(struct scene *s, const char *part)
{
	assert_answer(s, ANSWER_UNKNOWN);
	const char *needs = json_string_value(json_object_get(s->e.why, "needs"));
	assert_non_null(needs);
	assert_non_null(strstr(needs, part));
	assert_int_equal(json_array_size(s->e.used), 0);
}

static void what_is_missing_is_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s = {.p = plog_new(0)};

	(void)state;
	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	scene_judge(&s);
	assert_lacks(&s, "leaf chain");
	plog_add(s.p, s.bridge->doc); /* a chain without the current root */
	scene_judge(&s);
	assert_lacks(&s, "current root in the log");
	plog_free(s.p);
	s.p = plog_new(0);
	tuf_root_free(s.root);
	tuf_root_free(s.bridge);
	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	plog_add(s.p, s.root->doc);
	scene_judge(&s);
	assert_lacks(&s, "something logged after the current root");
	scene_heartbeat(&s);
	scene_judge(&s);
	assert_lacks(&s, "the offered root in the log");
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_lacks(&s, "a logged deposit, succession or rotation");
}

static void a_missing_proof_or_file_is_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, true);
	scene_log_bridge(&s);
	plog_remove(s.p, "proofs/", eol, ".tlog-proof");
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO); /* the end of life is no evidence without its proof */
	plog_remove(s.p, "statements/", eol, ".json");
	scene_judge(&s);
	assert_answer(&s, ANSWER_UNKNOWN); /* what was withheld may be anything */
	plog_remove(s.p, "statements/", s.deposit, ".json");
	scene_judge(&s);
	assert_lacks(&s, "a logged deposit that was not served");
	plog_remove(s.p, "proofs/", scene_bridge_id(&s), ".tlog-proof");
	scene_judge(&s);
	assert_lacks(&s, "a log proof of the offered root");
}

static void a_withheld_refusal_leaves_approvals_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	const char *refusal = scene_vote(&s, "refusal", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	plog_remove(s.p, "statements/", refusal, ".json");
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

static void too_few_cosignatures_are_not_enough_yet(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");

	(void)state;
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	struct buf *proof = plog_file(s.p, "proofs/", scene_bridge_id(&s), ".tlog-proof");
	char *witness = strstr(proof->data, "\u2014 witness-1");
	assert_non_null(witness);
	*witness = '\0'; /* the last two of three lines */
	proof->len = strlen(proof->data);
	scene_judge(&s);
	assert_lacks(&s, "a log proof of the offered root under the logs and witnesses");
}

static void an_offered_root_that_is_not_logged_has_no_evidence(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	(void)scene_eol(&s, true);
	scene_judge(&s);
	assert_lacks(&s, "the offered root in the log");
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

/* --- what consent is to --------------------------------------------------------------------- */

static void the_digest_is_over_what_was_used(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	CLEANUP(buf_clear) struct buf text = {0};
	char want[SHA256_HEX_SIZE];

	(void)state;
	const char *eol = scene_eol(&s, true);
	scene_judge_deposit(&s);
	assert_int_equal(buf_printf(&text, NULL, "%s\n%s\n", s.deposit, eol), 0);
	sha256_hex(text.data, text.len, want);
	assert_string_equal(s.e.digest, want);
	memcpy(want, s.e.digest, sizeof(want));
	scene_heartbeat(&s);
	scene_judge_deposit(&s);
	assert_string_equal(s.e.digest, want);
}

/* Whatever runs out while a deposit is judged that is not released, the answer is no yes. */
static void lack_of_memory_releases_nothing(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	bool fired = true;

	(void)state;
	(void)scene_vote(&s, "approval", 0, "eol", scene_eol(&s, false));
	(void)scene_vote(&s, "objection", 0, "eol", s.deposit); /* nothing that counts */
	scene_log_bridge(&s);
	json_set_alloc_funcs(oom_malloc, free);
	for (long n = 0; fired; n += 11) {
		oom_after(n);
		scene_judge(&s);
		fired = oom_fired();
		if (s.r == 0 && s.e.released == ANSWER_YES)
			fail_msg("released when allocation %ld failed", n);
	}
	json_set_alloc_funcs(malloc, free);
	assert_answer(&s, ANSWER_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vendors_own_release_needs_nobody_else),
		cmocka_unit_test(a_final_end_needs_as_many_trustees_as_the_deposit_says),
		cmocka_unit_test(one_trustee_is_one_vote),
		cmocka_unit_test(two_trustees_may_sign_one_approval),
		cmocka_unit_test(a_refusal_revokes_until_the_deposit_is_released),
		cmocka_unit_test(what_is_logged_again_is_nobodys_last_word),
		cmocka_unit_test(an_update_that_is_logged_again_is_no_sign_of_life),
		cmocka_unit_test(an_approval_counts_only_after_what_it_approves),
		cmocka_unit_test(approvals_for_something_else_do_not_count),
		cmocka_unit_test(an_end_that_is_not_final_for_this_step_does_not_count),
		cmocka_unit_test(approvals_of_an_end_that_is_not_final_do_not_count),
		cmocka_unit_test(refreshes_after_the_release_do_not_bury_it),
		cmocka_unit_test(made_up_approvals_do_not_bury_a_release),
		cmocka_unit_test(a_refreshed_deposit_takes_the_place_of_the_first),
		cmocka_unit_test(evidence_of_another_step_is_untrusted),
		cmocka_unit_test(a_deposit_that_follows_another_root_is_untrusted),
		cmocka_unit_test(a_deposit_for_another_bridge_is_untrusted),
		cmocka_unit_test(a_deposit_below_the_vendors_threshold_is_untrusted),
		cmocka_unit_test(another_product_is_untrusted),
		cmocka_unit_test(only_the_first_root_of_a_version_counts),
		cmocka_unit_test(another_root_in_the_log_is_untrusted),
		cmocka_unit_test(a_chain_with_a_hole_is_untrusted),
		cmocka_unit_test(a_forged_proof_is_untrusted),
		cmocka_unit_test(a_proof_of_another_leaf_is_untrusted),
		cmocka_unit_test(a_proof_by_a_log_that_the_root_does_not_name_is_untrusted),
		cmocka_unit_test(a_changed_statement_is_untrusted),
		cmocka_unit_test(stripped_signatures_are_noticed),
		cmocka_unit_test(junk_that_the_log_took_in_is_ignored),
		cmocka_unit_test(what_is_missing_is_unknown),
		cmocka_unit_test(a_missing_proof_or_file_is_unknown),
		cmocka_unit_test(a_withheld_refusal_leaves_approvals_unknown),
		cmocka_unit_test(too_few_cosignatures_are_not_enough_yet),
		cmocka_unit_test(an_offered_root_that_is_not_logged_has_no_evidence),
		cmocka_unit_test(the_digest_is_over_what_was_used),
		cmocka_unit_test(lack_of_memory_releases_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
