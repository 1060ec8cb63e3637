/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shows that a vendor lives: what it signed itself, or had others sign. A leaf is nobody's
 * word, however many there are; and what cannot be looked at may have been one.
 */
#include <stdio.h>

#include "lib/base/utc.h"
#include "lib/tuf/repo.h"
#include "policies/ledger.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

#define METADATA "metadata/"

/* --- how it is told ------------------------------------------------------------------- */

static void say_silence(struct scene *s)
{
	const char *notice;

	scene_pass_days(s, 170);
	notice = scene_notice(s, 0, "silence");
	scene_pass_days(s, 31);
	(void)scene_vote(s, "approval", 0, "notice", notice);
	(void)scene_vote(s, "approval", 1, "notice", notice);
}

/* Silence since the first root is enough, since the half of it is not. */
static struct scene halfway(void)
{
	struct scene s = scene_open(3, "release/standard");

	scene_pass_days(&s, 100);
	return s;
}

static struct envelope *targets_by(struct scene *s, struct signer *by, json_t *body_take)
{
	return plog_statement(s->p, "targets", NULL, body_take, &by, 1);
}

static void publish_by(struct scene *s, struct signer *by, const char *product)
{
	CLEANUP(envelope_freep)
	struct envelope *doc = targets_by(s, by, json_pack("{s:s}", "product", product));

	plog_add(s->p, doc);
}

/* Targets of `by` that give the role to `whom`. */
static json_t *delegating(const char *role, const struct signer *whom)
{
	json_t *body = json_object();
	json_t *paths = json_pack("[s]", "*");
	const struct key *k = signer_key(whom);

	assert_int_equal(repo_delegate(body, role, paths, 1, NULL), 0);
	assert_int_equal(repo_delegate_key(body, role, key_id(k), key_object(k), NULL), 0);
	json_decref(paths);
	return body;
}

static void publish_role(struct scene *s, const char *role, struct signer *by, json_t *body_take)
{
	CLEANUP(envelope_freep) struct envelope *doc = targets_by(s, by, body_take);

	plog_add_role(s->p, doc, role);
}

static void name_of(const struct leaf *l, char out[200])
{
	(void)snprintf(out, 200, "%lld.%s", (long long)l->version, l->role);
}

/* --- updates ---------------------------------------------------------------------------- */

static void an_update_counts_if_the_vendor_signed_it(void **state)
{
	(void)state;
	for (int vendor = 0; vendor < 2; vendor++) {
		CLEANUP(scene_clear) struct scene s = halfway();

		publish_by(&s, vendor ? s.p->vendor[0] : s.p->stranger, PLOG_PRODUCT);
		say_silence(&s);
		scene_judge_deposit(&s);
		assert_answer(&s, vendor ? ANSWER_NO : ANSWER_YES);
	}
}

static void an_update_of_another_product_is_none(void **state)
{
	CLEANUP(scene_clear) struct scene s = halfway();

	(void)state;
	publish_by(&s, s.p->vendor[0], "acme.x2");
	say_silence(&s);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

static void an_update_that_is_withheld_may_be_one(void **state)
{
	CLEANUP(scene_clear) struct scene s = halfway();
	char name[200];

	(void)state;
	publish_by(&s, s.p->stranger, PLOG_PRODUCT);
	name_of(&s.p->leaves[s.p->nleaves - 1], name);
	say_silence(&s);
	plog_remove(s.p, METADATA, name, ".json");
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

/* After the handover the stewards' targets may have its name; then it is held for root N. */
static void an_update_is_found_where_it_is_held(void **state)
{
	(void)state;
	for (int held = 0; held < 2; held++) {
		CLEANUP(scene_clear) struct scene s = halfway();
		char name[200];

		publish_by(&s, s.p->vendor[0], PLOG_PRODUCT);
		name_of(&s.p->leaves[s.p->nleaves - 1], name);
		say_silence(&s);
		struct buf *file = plog_file(s.p, METADATA, name, ".json");
		if (held)
			plog_put(s.p, METADATA "held/1/", name, ".json", file);
		file->data[0] ^= 1;
		scene_judge_deposit(&s);
		assert_answer(&s, held ? ANSWER_NO : ANSWER_UNKNOWN);
	}
}

/* Of updates in a row a device keeps the first and the last: if that is nobody's, who knows. */
static int first_and_last(void *ctx, struct leaf_chain *out, struct error *err)
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

static void what_was_left_out_before_a_strangers_update_may_be_one(void **state)
{
	(void)state;
	for (int thin = 0; thin < 2; thin++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		struct evidence_source source = plog_source(s.p);
		const struct evidence_query q = {
			.product = PLOG_PRODUCT, .from = s.root, .deposit = s.deposit};

		publish_by(&s, s.p->vendor[0], PLOG_PRODUCT);
		scene_pass_days(&s, 100);
		publish_by(&s, s.p->vendor[0], PLOG_PRODUCT);
		publish_by(&s, s.p->stranger, PLOG_PRODUCT);
		say_silence(&s);
		source.leaves = thin ? first_and_last : NULL;
		s.r = evidence_gather(&source, &q, &s.e, &s.err);
		assert_answer(&s, thin ? ANSWER_UNKNOWN : ANSWER_NO);
	}
}

/* Who may object anew after an update may not after a stranger's. */
static void a_strangers_update_renews_no_objections(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
	char notice[SHA256_HEX_SIZE];

	(void)state;
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			publish_by(&s, s.p->stranger, PLOG_PRODUCT);
		scene_pass_days(&s, 400);
		memcpy(notice, scene_notice(&s, 0, "silence"), sizeof(notice));
		(void)scene_objection(&s, notice);
	}
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
}

/* --- delegated roles ------------------------------------------------------------------------ */

static void a_delegated_role_counts_by_the_keys_that_it_was_given(void **state)
{
	static const struct {
		const char *what;
		bool vendors, given; /* who delegates, and whose key signs */
		enum answer want;
	} cases[] = {
		{"by its key", true, true, ANSWER_NO},
		{"by another key", true, false, ANSWER_YES},
		{"delegated by a stranger", false, true, ANSWER_YES},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		struct signer *keeper = s.p->steward[2];
		struct signer *vendor = cases[i].vendors ? s.p->vendor[0] : s.p->stranger;

		publish_role(&s, "targets", vendor, delegating("beta", keeper));
		scene_pass_days(&s, 100);
		publish_role(&s, "beta", cases[i].given ? keeper : s.p->stranger, json_object());
		say_silence(&s);
		scene_judge_deposit(&s);
		if (s.r != 0 || s.e.released != cases[i].want)
			fail_msg("%s: %s", cases[i].what, s.r ? s.err.text : "wrong");
	}
}

static void a_role_may_be_delegated_by_a_delegated_one(void **state)
{
	(void)state;
	for (int withheld = 0; withheld < 2; withheld++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		struct signer *above = s.p->steward[2], *below = s.p->steward[1];
		char name[200];

		publish_role(&s, "targets", s.p->vendor[0], delegating("beta", above));
		publish_role(&s, "beta", above, delegating("nightly", below));
		name_of(&s.p->leaves[s.p->nleaves - 1], name);
		scene_pass_days(&s, 100);
		publish_role(&s, "nightly", below, json_object());
		say_silence(&s);
		if (withheld)
			plog_remove(s.p, METADATA, name, ".json");
		scene_judge_deposit(&s);
		assert_answer(&s, withheld ? ANSWER_UNKNOWN : ANSWER_NO);
	}
}

/* --- so many that nobody reads them all --------------------------------------------------- */

enum { MANY = LEDGER_HEARTBEATS + 4 };

/* A log full of heartbeats that nobody signed, put before or after the leaf `at`. */
struct flood {
	struct product_log *p;
	size_t at;
};

static int flooded_leaves(void *ctx, struct leaf_chain *out, struct error *err)
{
	const struct flood *f = ctx;
	size_t n = f->p->nleaves;
	struct leaf *leaves = calloc(n + MANY, sizeof(*leaves));

	(void)err;
	assert_non_null(leaves);
	memcpy(leaves, f->p->leaves, f->at * sizeof(*leaves));
	for (size_t i = 0; i < MANY; i++) {
		struct leaf *l = &leaves[f->at + i];

		*l = f->p->leaves[f->at - 1];
		(void)snprintf(l->kind, sizeof(l->kind), "heartbeat");
		(void)snprintf(l->role, sizeof(l->role), "%s", "");
		sha256_hex(&i, sizeof(i), l->id);
		sha256_hex("junk", 4, l->sha256);
	}
	memcpy(&leaves[f->at + MANY], &f->p->leaves[f->at], (n - f->at) * sizeof(*leaves));
	*out = (struct leaf_chain){.leaves = leaves, .n = n + MANY};
	return 0;
}

static int flooded_read(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct flood *f = ctx;
	const struct evidence_source real = plog_source(f->p);
	int r = real.read(real.ctx, path, max, out, err);

	return r == E_NOTFOUND && strncmp(path, "statements/", strlen("statements/")) == 0
		       ? buf_puts(out, "junk", err)
		       : r;
}

static void made_up_heartbeats_hide_none_that_is_true(void **state)
{
	(void)state;
	for (int after = 0; after < 2; after++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
		const struct evidence_query q = {
			.product = PLOG_PRODUCT, .from = s.root, .deposit = s.deposit};
		struct flood f = {.p = s.p};
		const struct evidence_source source = {
			.ctx = &f, .read = flooded_read, .leaves = flooded_leaves};

		scene_pass_days(&s, 30); /* support ends on day 31 */
		f.at = s.p->nleaves + (size_t)after;
		scene_heartbeat(&s);
		scene_pass_days(&s, 5);
		say_silence(&s);
		s.r = evidence_gather(&source, &q, &s.e, &s.err);
		assert_answer(&s, ANSWER_NO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_counts_if_the_vendor_signed_it),
		cmocka_unit_test(an_update_of_another_product_is_none),
		cmocka_unit_test(an_update_that_is_withheld_may_be_one),
		cmocka_unit_test(an_update_is_found_where_it_is_held),
		cmocka_unit_test(what_was_left_out_before_a_strangers_update_may_be_one),
		cmocka_unit_test(a_strangers_update_renews_no_objections),
		cmocka_unit_test(a_delegated_role_counts_by_the_keys_that_it_was_given),
		cmocka_unit_test(a_role_may_be_delegated_by_a_delegated_one),
		cmocka_unit_test(made_up_heartbeats_hide_none_that_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
