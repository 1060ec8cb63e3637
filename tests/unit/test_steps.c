/* SPDX-License-Identifier: Apache-2.0 */
/* At the registry: rotations, successions, and what ends them; and who says too much. */
#include "lib/base/utc.h"
#include "policies/ledger.h"
#include "tests/support/town.h"
#include "tests/unit/unit.h"

struct stage {
	struct town *t;
	struct paper root; /* the current one */
};

#define YEAR_2050 INT64_C(2524608000)

static int settle(void **state, size_t witnesses)
{
	struct stage *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->t = town_new(true);
	s->t->witnesses = witnesses;
	town_settle(s->t, &s->root);
	*state = s;
	return 0;
}

static int settled(void **state)
{
	return settle(state, TOWN_PEOPLE);
}

static int without_witnesses(void **state)
{
	return settle(state, 0);
}

/* One of them says something else of the newest checkpoint. */
static void witness_lies(struct stage *s, size_t who, int64_t at)
{
	CLEANUP(buf_clear) struct buf path = {0};

	assert_int_equal(buf_printf(&path, NULL, "%s/public/log/checkpoint", s->t->dir), 0);
	witness_cosign_file(&s->t->witness[who], at, path.data);
}

/* The stewards have the product: root 3. */
static int handed_over(void **state)
{
	struct paper bridge, papers[3];
	char deposit[SHA256_HEX_SIZE];
	struct error err = {0};
	struct stage *s;

	if (without_witnesses(state) < 0)
		return -1;
	s = *state;
	bridge = town_bridge(s->t, 2);
	town_seal(s->t, &s->root, &bridge, deposit);
	town_end(s->t, &s->root, &bridge, deposit);
	papers[0] = bridge;
	paper_sign(&papers[0], s->t->steward, TOWN_THRESHOLD);
	s->t->witnesses = TOWN_PEOPLE;
	papers[1] = town_root(s->t, 3, "stewards");
	papers[2] = town_targets(s->t, 1, "stewards");
	paper_clear(&s->root);
	s->root = paper_copy(&papers[1]);
	if (town_post(s->t, papers, 3, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int done(void **state)
{
	struct stage *s = *state;

	paper_clear(&s->root);
	town_free(s->t);
	free(s);
	return 0;
}

static void refuse(struct town *t, struct paper p, int code, const char *text)
{
	struct error err = {0};
	int r = town_post1(t, p, &err);

	if (r != code || !strstr(err.text, text))
		fail_msg("want %s \"%s\", got %s \"%s\"", error_name(code), text, error_name(r),
			 err.text);
}

static void accept(struct town *t, struct paper p)
{
	town_expect(t, p, "published");
}

/* The statement that a step to `to` needs, unsigned. */
static struct paper step_statement(struct stage *s, const char *type, const struct paper *to)
{
	struct paper p = town_statement(s->t, type, 1, NULL);
	char from_id[SHA256_HEX_SIZE], to_id[SHA256_HEX_SIZE];

	paper_id(&s->root, from_id);
	paper_id(to, to_id);
	json_object_set_new(p.body, "from", json_string(from_id));
	json_object_set_new(p.body, "to", json_string(to_id));
	return p;
}

/* --- rotation ----------------------------------------------------------------------- */

/* The vendor's root 2 by other keys, signed by both sides; *id is its rotation's, logged. */
static struct paper rotated(struct stage *s, char id[SHA256_HEX_SIZE])
{
	struct paper next = town_root_of(s->t, 2, "vendor", "acme", s->t->trustee), said;

	paper_sign(&next, s->t->vendor, TOWN_THRESHOLD);
	paper_sign(&next, s->t->trustee, TOWN_THRESHOLD);
	said = step_statement(s, "rotation", &next);
	paper_sign(&said, s->t->vendor, TOWN_THRESHOLD);
	paper_id(&said, id);
	refuse(s->t, paper_copy(&next), E_DENIED, "root 2: changes the publisher");
	accept(s->t, said);
	return next;
}

/* By the witnesses: neither this machine's clock nor one of theirs has a say. */
static void a_vendor_re_keys_itself_after_thirty_days(void **state)
{
	struct stage *s = *state;
	char id[SHA256_HEX_SIZE];
	const char *const ids[] = {id};
	struct paper next = rotated(s, id);

	refuse(s->t, paper_copy(&next), E_DENIED, "root 2: changes the publisher");
	town_cosign(s->t, YEAR_2050, ids, 1);
	witness_lies(s, 0, YEAR_2050 + 40 * DAY_S);
	refuse(s->t, paper_copy(&next), E_NOTYET,
	       "root 2: its rotation has to be in the log for 30 witnessed days");
	town_cosign(s->t, YEAR_2050 + 30 * DAY_S - 1, NULL, 0);
	witness_lies(s, 2, YEAR_2050 + 40 * DAY_S);
	refuse(s->t, paper_copy(&next), E_NOTYET,
	       "root 2: its rotation has to be in the log for 30 witnessed days");
	town_cosign(s->t, YEAR_2050 + 30 * DAY_S, NULL, 0);
	accept(s->t, next);
}

/* Without witnesses there is no such time, and no device follows: but other TUF clients do. */
static void without_witnesses_the_registrys_own_days_count(void **state)
{
	struct stage *s = *state;
	char id[SHA256_HEX_SIZE];
	struct paper next = rotated(s, id);

	refuse(s->t, next, E_NOTYET, "root 2: its rotation has to be in the log for 30 days");
}

static void an_objection_ends_a_rotation(void **state)
{
	struct stage *s = *state;
	char id[SHA256_HEX_SIZE], other[SHA256_HEX_SIZE];
	const char *const ids[] = {id, other};
	struct paper next = rotated(s, id);
	struct paper objection = town_statement(s->t, "objection", 1, &s->root);

	json_object_set_new(objection.body, "notice", json_string(id));
	paper_id(&objection, other);
	accept(s->t, objection);
	town_cosign(s->t, YEAR_2050, ids, 2);
	town_cosign(s->t, YEAR_2050 + 40 * DAY_S, NULL, 0);
	refuse(s->t, next, E_DENIED, "root 2: its rotation was objected to");
}

static void a_rotation_names_nobody_else(void **state)
{
	struct stage *s = *state;
	struct paper next = town_root_of(s->t, 2, "vendor", "acme.sold", s->t->trustee), said;
	char id[SHA256_HEX_SIZE];
	const char *const ids[] = {id};

	paper_sign(&next, s->t->vendor, TOWN_THRESHOLD);
	paper_sign(&next, s->t->trustee, TOWN_THRESHOLD);
	said = step_statement(s, "rotation", &next);
	paper_sign(&said, s->t->vendor, TOWN_THRESHOLD);
	paper_id(&said, id);
	accept(s->t, said);
	town_cosign(s->t, YEAR_2050, ids, 1);
	refuse(s->t, next, E_DENIED, "root 2: rotation: the publisher is another");
}

/* --- succession ---------------------------------------------------------------------- */

/*
 * Root 4 of the heirs, to whom a succession leads that both sides signed, logged YEAR_2050.
 */
static struct paper passed_on(struct stage *s, const char *kind, struct signer *const *heirs)
{
	char id[SHA256_HEX_SIZE];
	const char *const ids[] = {id};
	struct paper next = town_root_of(s->t, 4, kind, "heirs", heirs), said, offer;

	offer = paper_copy(&next);
	paper_sign(&offer, s->t->steward, 1);
	town_expect(s->t, offer, "proposal");
	said = step_statement(s, "succession", &next);
	paper_sign(&said, s->t->steward, TOWN_THRESHOLD);
	town_expect(s->t, paper_copy(&said), "proposal"); /* the heirs have to want it, too */
	paper_sign(&said, heirs, TOWN_THRESHOLD);
	paper_id(&said, id);
	accept(s->t, said);
	town_cosign(s->t, YEAR_2050, ids, 1);
	paper_sign(&next, s->t->steward, TOWN_THRESHOLD);
	paper_sign(&next, heirs, TOWN_THRESHOLD);
	return next;
}

static void stewards_pass_a_product_on_after_fourteen_days(void **state)
{
	struct stage *s = *state;
	struct paper next = passed_on(s, "stewards", s->t->trustee);

	town_cosign(s->t, YEAR_2050 + 14 * DAY_S - 1, NULL, 0);
	refuse(s->t, paper_copy(&next), E_NOTYET,
	       "root 4: its succession has to be in the log for 14 witnessed days");
	town_cosign(s->t, YEAR_2050 + 14 * DAY_S, NULL, 0);
	struct paper papers[] = {next, town_targets(s->t, 2, "stewards")};
	struct error err = {0};
	if (town_post(s->t, papers, 2, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_product_returns_to_a_vendor_of_new_keys(void **state)
{
	struct stage *s = *state;
	struct paper next = passed_on(s, "vendor", s->t->trustee);
	struct paper papers[2];
	struct error err = {0};

	town_cosign(s->t, YEAR_2050 + 14 * DAY_S, NULL, 0);
	papers[0] = next;
	papers[1] = town_targets(s->t, 2, "vendor");
	if (town_post(s->t, papers, 2, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_product_does_not_return_to_keys_of_before(void **state)
{
	struct stage *s = *state;
	struct paper next = passed_on(s, "vendor", s->t->vendor);

	town_cosign(s->t, YEAR_2050 + 14 * DAY_S, NULL, 0);
	refuse(s->t, next, E_DENIED,
	       "root 4: succession: a vendor returns with new keys, and root 1 has one of these");
}

/* --- words ------------------------------------------------------------------------------ */

static void nobody_says_more_than_counts(void **state)
{
	struct stage *s = *state;
	struct paper p;
	int64_t v;

	for (v = 2; v < 2 + LEDGER_VENDOR_WORDS; v++) {
		p = town_statement(s->t, "eol", v, &s->root);
		json_object_set_new(p.body, "date", json_string("2031-01-01T00:00:00Z"));
		accept(s->t, p);
	}
	p = town_statement(s->t, "eol", v, &s->root);
	json_object_set_new(p.body, "date", json_string("2031-01-01T00:00:00Z"));
	refuse(s->t, paper_copy(&p), E_DENIED, "256 such statements are in the log");
	paper_clear(&p);
	p = town_root(s->t, 2, "vendor");
	accept(s->t, paper_copy(&p)); /* the next root begins anew */
	struct paper eol = town_statement(s->t, "eol", v, &p);
	json_object_set_new(eol.body, "date", json_string("2031-01-01T00:00:00Z"));
	accept(s->t, eol);
	paper_clear(&p);
}

#define SETTLED(test) cmocka_unit_test_setup_teardown(test, settled, done)
#define HANDED_OVER(test) cmocka_unit_test_setup_teardown(test, handed_over, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SETTLED(a_vendor_re_keys_itself_after_thirty_days),
		cmocka_unit_test_setup_teardown(without_witnesses_the_registrys_own_days_count,
						without_witnesses, done),
		SETTLED(an_objection_ends_a_rotation),
		SETTLED(a_rotation_names_nobody_else),
		HANDED_OVER(stewards_pass_a_product_on_after_fourteen_days),
		HANDED_OVER(a_product_returns_to_a_vendor_of_new_keys),
		HANDED_OVER(a_product_does_not_return_to_keys_of_before),
		SETTLED(nobody_says_more_than_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
