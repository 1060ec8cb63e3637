/* SPDX-License-Identifier: Apache-2.0 */
/* The first word counts: a paper as it was when it was logged, and the first deposit on a root. */
#include "policies/evidence.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

/* --- a paper as it was logged ----------------------------------------------------------- */

/* Somebody signs what is logged already; its id stays the same. */
static void sign_later(struct scene *s, const char *id, struct signer *by)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct buf *file = plog_file(s->p, "statements/", id, ".json");
	struct error err = {0};

	assert_int_equal(envelope_parse(file->data, file->len, id, &doc, &err), 0);
	assert_int_equal(signer_sign_envelope(by, doc, &err), 0);
	assert_string_equal(envelope_id(doc), id);
	buf_cut(file, 0);
	assert_int_equal(buf_add(file, envelope_bytes(doc)->data, envelope_bytes(doc)->len, &err),
			 0);
}

/* One approved in time, the vendor objected, another signs the paper of the first. */
static void a_signature_that_is_added_later_is_no_vote(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 200);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 31);
	const char *approval = scene_vote(&s, "approval", 0, "notice", notice);
	scene_pass_days(&s, 4);
	(void)scene_objection(&s, notice);
	scene_pass_days(&s, 5);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
	sign_later(&s, approval, s.p->trustee[1]);
	scene_judge(&s);
	assert_untrusted(&s, "was changed since it was logged");
}

static void an_end_that_was_logged_with_too_few_signatures_stays_so(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol =
		plog_say(s.p, "eol", s.root,
			 json_pack("{s:s, s:{s:s, s:s}, s:b}", "date", "2030-01-31T00:00:00Z",
				   "final", "root", envelope_id(s.root->doc), "bridge",
				   scene_bridge_id(&s), "release", 1),
			 s.p->vendor, 1);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
	sign_later(&s, eol, s.p->vendor[1]);
	scene_judge(&s);
	assert_untrusted(&s, "was changed since it was logged");
}

/* --- the first deposit -------------------------------------------------------------------- */

/* What needs two of the deposit's trustees, whatever the vendor says. */
#define CAREFUL "{\"approvals\": {\"at_least\": \"threshold\"}}"

static void a_later_deposit_for_another_bridge_opens_nothing(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, CAREFUL);
	char first[SHA256_HEX_SIZE];

	(void)state;
	memcpy(first, scene_bridge_id(&s), sizeof(first));
	tuf_root_free(s.bridge);
	scene_pass_days(&s, 1);
	s.bridge = plog_bridge(s.p);
	assert_string_not_equal(first, scene_bridge_id(&s));
	scene_deposit(&s, "release/declared");
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "signed.bridge: differs from deposit");
}

static void a_later_deposit_cannot_ease_the_policy(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, CAREFUL);
	char first[SHA256_HEX_SIZE];

	(void)state;
	memcpy(first, s.deposit, sizeof(first));
	scene_deposit(&s, "release/declared");
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
	assert_string_equal(envelope_id(s.e.deposit_doc), first);
	/* A trustee who is asked to open that one is told, too. */
	scene_judge_deposit(&s);
	assert_untrusted(&s, "signed.release_policy: differs from deposit");
}

static void a_later_deposit_cannot_bring_other_trustees(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, CAREFUL);
	json_t *policy = json_pack("{s:s, s:i, s:o}", "policy", "own", "version", 1, "allow",
				   json_loads(CAREFUL, 0, NULL));

	(void)state;
	for (size_t i = 0; i < PLOG_PEOPLE; i++) { /* the thief's own */
		struct signer *kept = s.p->trustee[i];

		s.p->trustee[i] = s.p->steward[i];
		s.p->steward[i] = kept;
	}
	json_t *body = plog_deposit_body(s.p, s.root, scene_bridge_id(&s), policy);
	const char *id = plog_say(s.p, "deposit", s.root, body, s.p->vendor, 2);

	memcpy(s.deposit, id, sizeof(s.deposit));
	const char *eol = scene_eol(&s, false);
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	(void)scene_vote(&s, "approval", 1, "eol", eol);
	scene_judge_deposit(&s);
	assert_untrusted(&s, "signed.trustees.keys: differs from deposit");
}

static void a_deposit_by_too_few_is_not_the_first(void **state)
{
	CLEANUP(scene_clear) struct scene s = {.p = plog_new(0)};

	(void)state;
	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	s.next = plog_stewards_root(s.p);
	plog_add(s.p, s.root->doc);
	json_t *body = plog_deposit_body(s.p, s.root, envelope_id(s.root->doc),
					 policy_shipped_json("release/standard"));
	(void)plog_say(s.p, "deposit", s.root, body, s.p->vendor, 1);
	scene_deposit(&s, "release/declared");
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
}

static void a_withheld_first_deposit_may_have_said_otherwise(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, CAREFUL);
	char first[SHA256_HEX_SIZE];

	(void)state;
	memcpy(first, s.deposit, sizeof(first));
	scene_deposit(&s, "release/declared");
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	plog_remove(s.p, "statements/", first, ".json");
	scene_judge(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

/* Asks for a deposit are counted. */
struct counted {
	struct product_log *p;
	const char *deposit;
	unsigned reads;
};

static int counted_read(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	struct counted *c = ctx;
	const struct evidence_source real = plog_source(c->p);

	c->reads += strstr(path, c->deposit) && strncmp(path, "statements/", 11) == 0;
	return real.read(real.ctx, path, max, out, err);
}

/* It is the first and the wanted one at once. A deposit may be large, and a device slow. */
static void the_only_deposit_is_read_once(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	struct counted c = {.p = s.p, .deposit = s.deposit};
	const struct evidence_source source = {.ctx = &c, .read = counted_read};
	const struct evidence_query q = {.product = PLOG_PRODUCT, .from = s.root, .to = s.bridge};

	(void)state;
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	s.r = evidence_gather(&source, &q, &s.e, &s.err);
	assert_answer(&s, ANSWER_YES);
	assert_string_equal(envelope_id(s.e.deposit_doc), s.deposit);
	assert_int_equal(c.reads, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_that_is_added_later_is_no_vote),
		cmocka_unit_test(an_end_that_was_logged_with_too_few_signatures_stays_so),
		cmocka_unit_test(a_later_deposit_for_another_bridge_opens_nothing),
		cmocka_unit_test(a_later_deposit_cannot_ease_the_policy),
		cmocka_unit_test(a_later_deposit_cannot_bring_other_trustees),
		cmocka_unit_test(a_deposit_by_too_few_is_not_the_first),
		cmocka_unit_test(a_withheld_first_deposit_may_have_said_otherwise),
		cmocka_unit_test(the_only_deposit_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
