/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every theft of a handover's people: so many keys of the vendor, the trustees
 * and the stewards, of whom two decide each time. The thief also writes the log,
 * which takes whatever it is given; only the witnesses' clocks are honest. Does
 * a device find proof that it may follow, and a root that it could?
 */
#include <stdio.h>

#include "tests/support/scene.h"
#include "tests/unit/unit.h"

enum { DECIDE = 2, SILENCE_DAYS = 200, OBJECTION_PERIOD_DAYS = 31 };

struct theft {
	size_t vendor, trustees, stewards; /* keys that were stolen */
	bool silent;                       /* the vendor has been for 200 days, and stays so */
};

/* The stolen ones of these people and the thief's own key. */
struct hands {
	struct signer *by[DECIDE + 1];
	size_t n;
};

static struct hands hands_of(struct signer *const *people, size_t stolen, struct signer *own)
{
	struct hands h = {.n = stolen + 1};

	assert_true(stolen <= DECIDE);
	memcpy(h.by, people, stolen * sizeof(h.by[0]));
	h.by[stolen] = own;
	return h;
}

static void sign(struct envelope *doc, const struct hands *h)
{
	for (size_t i = 0; i < h->n; i++)
		assert_int_equal(signer_sign_envelope(h->by[i], doc, NULL), 0);
}

/* The offered root is now this one with the signatures of these hands. */
static void offer(struct scene *s, const struct tuf_root *root, const struct hands *a,
		  const struct hands *b)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct tuf_root *signed_one = NULL;
	struct error err = {0};

	assert_int_equal(envelope_new(json_deep_copy(envelope_signed(root->doc)), &doc, &err), 0);
	sign(doc, a);
	if (b)
		sign(doc, b);
	const struct buf *bytes = envelope_bytes(doc);
	assert_int_equal(tuf_root_parse(bytes->data, bytes->len, "root", &signed_one, &err), 0);
	tuf_root_free(s->bridge);
	s->bridge = signed_one;
}

/* A device at the vendor's root: would it follow? */
static bool follows(struct scene *s)
{
	const struct buf *bytes = envelope_bytes(s->bridge->doc);
	CLEANUP(tuf_root_freep) struct tuf_root *next = NULL;
	struct error err = {0};

	scene_log_bridge(s);
	scene_judge(s);
	return s->r == 0 && s->e.released == ANSWER_YES &&
	       tuf_root_step(s->root, bytes->data, bytes->len, "2.root.json", &next, &err) == 0;
}

static const char *declare_the_end(struct scene *s, const struct hands *vendor)
{
	return plog_say(s->p, "eol", s->root,
			json_pack("{s:s, s:{s:s, s:s}, s:b}", "date", "2030-01-31T00:00:00Z",
				  "final", "root", envelope_id(s->root->doc), "bridge",
				  scene_bridge_id(s), "release", 1),
			vendor->by, vendor->n);
}

static void approve(struct scene *s, const struct hands *trustees, const char *key, const char *id)
{
	for (size_t i = 0; i < trustees->n; i++)
		(void)plog_say(s->p, "approval", NULL, scene_about(s, key, id), &trustees->by[i],
			       1);
}

/* The vendor's root is logged, and nothing more. */
static struct scene open_without_deposit(void)
{
	struct scene s = {.p = plog_new(3)};

	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	s.next = plog_stewards_root(s.p);
	plog_add(s.p, s.root->doc);
	return s;
}

/* To a bridge of the thief's own making, which names nobody else; the vendor sealed one, or none.
 */
static bool own_bridge(const struct theft *t, bool escrowed)
{
	CLEANUP(scene_clear)
	struct scene s = escrowed ? scene_open(3, "release/standard") : open_without_deposit();
	const struct hands vendor = hands_of(s.p->vendor, t->vendor, s.p->stranger);
	const struct root_spec spec = {.version = 2,
				       .threshold = 1,
				       .keys = &s.p->stranger,
				       .nkeys = 1,
				       .publisher = "thief",
				       .kind = "stewards"};
	CLEANUP(tuf_root_freep) struct tuf_root *root = plog_root(s.p, &spec);
	json_t *body;

	offer(&s, root, &vendor, NULL);
	if (t->silent)
		scene_pass_days(&s, SILENCE_DAYS);
	body = plog_deposit_body(s.p, s.root, scene_bridge_id(&s),
				 policy_shipped_json("release/standard"));
	(void)snprintf(s.deposit, sizeof(s.deposit), "%s",
		       plog_say(s.p, "deposit", s.root, body, vendor.by, vendor.n));
	(void)declare_the_end(&s, &vendor);
	return follows(&s);
}

/* To the bridge that the vendor signed and sealed, by whatever evidence can be had or forged. */
static bool sealed_bridge(const struct theft *t)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");
	bool opened = t->trustees == DECIDE; /* the vendor's signatures come out of the deposit */
	const struct hands vendor = hands_of(s.p->vendor, t->vendor, s.p->stranger);
	const struct hands sealed =
		hands_of(s.p->vendor, opened ? DECIDE : t->vendor, s.p->stranger);
	struct hands stewards = hands_of(s.p->steward, t->stewards, s.p->stranger);
	const struct hands trustees = hands_of(s.p->trustee, t->trustees, s.p->stranger);
	const char *eol, *notice;

	stewards.n--; /* the thief's own key has signed already */
	offer(&s, s.bridge, &sealed, &stewards);
	if (t->silent)
		scene_pass_days(&s, SILENCE_DAYS);
	notice = plog_say(s.p, "notice", NULL,
			  json_pack("{s:s, s:s, s:s, s:[]}", "deposit", s.deposit, "bridge",
				    scene_bridge_id(&s), "ground", "silence", "evidence"),
			  &trustees.by[0], 1);
	if (t->silent)
		scene_pass_days(&s, OBJECTION_PERIOD_DAYS);
	approve(&s, &trustees, "notice", notice);
	eol = declare_the_end(&s, &vendor);
	approve(&s, &trustees, "eol", eol);
	return follows(&s);
}

static void the_stolen_decide_where_they_are_a_threshold_and_nowhere_else(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * 3 * 3 * 2; i++) {
		const struct theft t = {i % 3, i / 3 % 3, i / 9 % 3, i / 27 % 2};
		/* A threshold of the vendor's keys is the vendor. */
		bool vendor = t.vendor == DECIDE;
		/* Trustees can open when they like, and are believed when the vendor is silent. */
		bool released = vendor || (t.trustees == DECIDE && t.silent);
		/* And without stewards nobody can use what they opened. */
		bool sealed = released && t.stewards == DECIDE;

		/* A deposit that the vendor made before fixes the bridge. */
		if (own_bridge(&t, false) == vendor && !own_bridge(&t, true) &&
		    sealed_bridge(&t) == sealed)
			continue;
		print_error("stolen: %zu of the vendor, %zu trustees, %zu stewards%s\n", t.vendor,
			    t.trustees, t.stewards, t.silent ? ", in silence" : "");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stolen_decide_where_they_are_a_threshold_and_nowhere_else),
	};

	return cmocka_run_group_tests_name("handover_thefts", tests, NULL, NULL);
}
