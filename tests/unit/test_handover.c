/* SPDX-License-Identifier: Apache-2.0 */
/* The change of publisher, and each way in which it is refused. */
#include "lib/base/utc.h"
#include "lib/tuf/repo.h"
#include "tests/support/town.h"
#include "tests/support/town_expect.h"
#include "tests/unit/unit.h"

/* A town whose product has a sealed deposit. */
struct stage {
	struct town *t;
	struct paper root, bridge;
	char deposit[SHA256_HEX_SIZE], bridge_id[SHA256_HEX_SIZE];
};

static int sealed(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->t = town_new(true);
	town_settle(s->t, &s->root);
	s->bridge = town_bridge(s->t, 2);
	paper_id(&s->bridge, s->bridge_id);
	town_seal(s->t, &s->root, &s->bridge, s->deposit);
	*state = s;
	return 0;
}

static int done(void **state)
{
	struct stage *s = *state;

	paper_clear(&s->root);
	paper_clear(&s->bridge);
	town_free(s->t);
	free(s);
	return 0;
}

static void refuse1(struct town *t, struct paper p, int code, const char *text)
{
	assert_refused(t, &p, 1, code, text);
}

/* The bridge with the stewards' signatures, the root after it, first targets. */
static void handover(struct stage *s, struct paper out[3])
{
	out[0] = paper_copy(&s->bridge);
	paper_sign(&out[0], s->t->steward, TOWN_THRESHOLD);
	out[1] = town_root(s->t, 3, "stewards");
	out[2] = town_targets(s->t, 1, "stewards");
}

static const char *state_of(struct town *t, const char *list)
{
	static char text[32];
	json_t *index = town_json(t, "p/" TOWN_PRODUCT "/index.json");
	json_t *at = list ? json_array_get(json_object_get(index, list), 0) : index;

	(void)snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(at, "state")));
	json_decref(index);
	return text;
}

static void released_bridge_hands_the_product_over_in_one_array(void **state)
{
	struct stage *s = *state;
	CLEANUP(freep) char *held = NULL;
	CLEANUP(freep) char *chain = NULL;
	struct paper papers[3];
	struct error err = {0};

	assert_string_equal(state_of(s->t, NULL), "supported");
	assert_string_equal(state_of(s->t, "deposits"), "sealed");
	town_end(s->t, &s->root, &s->bridge, s->deposit);
	assert_string_equal(state_of(s->t, NULL), "ended");
	handover(s, papers);
	if (town_post(s->t, papers, 3, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(state_of(s->t, NULL), "kept");
	assert_string_equal(state_of(s->t, "deposits"), "open");
	held = town_read(s->t, "p/" TOWN_PRODUCT "/metadata/held/1/timestamp.json");
	assert_non_null(held);
	chain = town_read(s->t, "p/" TOWN_PRODUCT "/metadata/root-chain.jsonl");
	assert_non_null(strstr(chain, "\"version\": 3"));
	assert_sound(s->t);
	/* Targets of the same version: the vendor's is still to be had, and the index says where.
	 */
	json_t *index = town_json(s->t, "p/" TOWN_PRODUCT "/index.json"), *doc;
	size_t i, found = 0;
	json_array_foreach(json_object_get(index, "documents"), i, doc)
	{
		const char *path = json_string_value(json_object_get(doc, "path"));

		found += strcmp(path, "metadata/held/1/1.targets.json") == 0 ||
			 strcmp(path, "metadata/1.targets.json") == 0;
	}
	assert_int_equal(found, 2);
	json_decref(index);
}

static void refresh_after_the_release_takes_nothing_back(void **state)
{
	struct stage *s = *state;
	struct paper papers[3], again = town_deposit(s->t, 2, &s->root, &s->bridge);
	struct error err = {0};

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	json_object_set_new(again.body, "refresh_by", json_string("2039-01-01T00:00:00Z"));
	town_expect(s->t, again, "published");
	handover(s, papers);
	if (town_post(s->t, papers, 3, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(state_of(s->t, NULL), "kept");
	assert_sound(s->t);
}

static void timestamps_under_the_old_root_go_on_being_renewed(void **state)
{
	struct stage *s = *state;
	static const char path[] = "p/" TOWN_PRODUCT "/metadata/held/1/timestamp.json";
	struct paper papers[3];
	struct error err = {0};
	json_int_t before, after;
	json_t *file;

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	handover(s, papers);
	assert_int_equal(town_post(s->t, papers, 3, NULL, &err), 0);
	file = town_json(s->t, path);
	before = json_integer_value(json_object_get(json_object_get(file, "signed"), "version"));
	json_decref(file);
	assert_int_equal(registry_tick(s->t->r, s->t->now + DAY_S, &err), 0);
	file = town_json(s->t, path);
	after = json_integer_value(json_object_get(json_object_get(file, "signed"), "version"));
	json_decref(file);
	assert_int_equal(after, before + 1);
	assert_sound(s->t);
}

static void bridge_is_refused_before_the_release(void **state)
{
	struct stage *s = *state;
	struct paper papers[3];

	handover(s, papers);
	assert_refused(s->t, papers, 3, E_DENIED, "which is not released");
	assert_sound(s->t);
}

static void bridge_needs_the_root_after_it_and_first_targets(void **state)
{
	struct stage *s = *state;
	struct paper papers[3];

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	handover(s, papers);
	paper_clear(&papers[2]);
	assert_refused(s->t, papers, 2, E_DENIED,
		       "root 3: changes the publisher: its first targets belong in the same array");
	handover(s, papers);
	paper_clear(&papers[1]);
	papers[1] = papers[2];
	/* under the bridge's own targets role, so that only the missing root is wrong */
	assert_refused(
		s->t, papers, 2, E_DENIED,
		"root 2: is a bridge: the root after it and its first targets belong in the same "
		"array");
}

static void lone_bridge_waits_for_signatures_and_never_becomes_a_root(void **state)
{
	struct stage *s = *state;
	struct paper alone, papers[3];
	CLEANUP(freep) char *file = NULL;
	struct error err = {0};

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	for (size_t i = 0; i < TOWN_THRESHOLD; i++) {
		alone = paper_copy(&s->bridge);
		paper_sign(&alone, &s->t->steward[i], 1);
		town_expect(s->t, alone, "proposal");
	}
	file = town_read(s->t, "p/" TOWN_PRODUCT "/metadata/2.root.json");
	assert_null(file);
	/* The array may leave out the signatures that were collected. */
	handover(s, papers);
	papers[0].nby = TOWN_THRESHOLD; /* the vendor's */
	if (town_post(s->t, papers, 3, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(state_of(s->t, NULL), "kept");
	assert_sound(s->t);
}

static void online_keys_of_the_vendor_are_refused_after_it(void **state)
{
	struct stage *s = *state;
	struct paper papers[3];
	json_t *keys = NULL;
	struct error err = {0};

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	handover(s, papers);
	assert_int_equal(registry_online_keys(s->t->r, TOWN_PRODUCT, "acme", &keys, &err), 0);
	const char *id = json_string_value(json_object_get(keys, "timestamp"));
	assert_int_equal(repo_root_add_key(papers[1].body, TUF_SNAPSHOT, id,
					   json_object_get(json_object_get(keys, "keys"), id),
					   &err),
			 0);
	assert_refused(s->t, papers, 3, E_INVALID,
		       "root 3: signed.roles.snapshot: lists an online key of root 1");
	json_decref(keys);
}

static void other_changes_of_publisher_are_refused(void **state)
{
	struct stage *s = *state;
	struct paper papers[3];

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	handover(s, papers);
	json_object_set_new(papers[0].body, "x-other", json_true());
	assert_refused(s->t, papers, 3, E_DENIED,
		       "only the bridge of an accepted, released deposit may");
}

static void after_a_final_end_the_vendor_cannot_rotate_away(void **state)
{
	struct stage *s = *state;
	char text[64];

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	(void)snprintf(text, sizeof(text), "the next root can only be its bridge %.12s",
		       s->bridge_id);
	refuse1(s->t, town_root(s->t, 2, "vendor"), E_DENIED, text);
}

static void final_end_is_not_taken_back_by_a_later_one(void **state)
{
	struct stage *s = *state;
	struct paper eol;
	char text[64], root[SHA256_HEX_SIZE];

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	eol = town_statement(s->t, "eol", 2, &s->root);
	json_object_set_new(eol.body, "date", json_string("2027-01-01T00:00:00Z"));
	(void)snprintf(text, sizeof(text), "eol 2: signed.final: want bridge %.12s", s->bridge_id);
	refuse1(s->t, paper_copy(&eol), E_DENIED, text);
	paper_id(&s->root, root);
	json_object_set_new(eol.body, "final",
			    json_pack("{s:s, s:s}", "root", root, "bridge", s->bridge_id));
	json_object_set_new(eol.body, "release", json_true());
	town_expect(s->t, eol, "published");
	(void)snprintf(text, sizeof(text), "the next root can only be its bridge %.12s",
		       s->bridge_id);
	refuse1(s->t, town_root(s->t, 2, "vendor"), E_DENIED, text);
}

static void rotation_of_the_vendor_voids_the_deposit(void **state)
{
	struct stage *s = *state;
	struct paper notice = town_statement(s->t, "notice", 1, NULL);

	town_expect(s->t, town_root(s->t, 2, "vendor"), "published");
	assert_string_equal(state_of(s->t, "deposits"), "void");
	json_object_set_new(notice.body, "deposit", json_string(s->deposit));
	json_object_set_new(notice.body, "bridge", json_string(s->bridge_id));
	json_object_set_new(notice.body, "ground", json_string("silence"));
	json_object_set_new(notice.body, "evidence", json_array());
	paper_sign(&notice, &s->t->trustee[0], 1);
	refuse1(s->t, notice, E_DENIED, "is void: the product has moved to root 2");
	assert_sound(s->t);
}

static void second_deposit_on_one_root_may_change_its_payload_only(void **state)
{
	struct stage *s = *state;
	struct paper other = town_bridge(s->t, 2), p;

	p = town_deposit(s->t, 2, &s->root, &other);
	refuse1(s->t, p, E_DENIED, "deposit 2: signed.bridge: differs from deposit");
	p = town_deposit(s->t, 2, &s->root, &s->bridge);
	json_object_set_new(json_object_get(p.body, "release_policy"), "title",
			    json_string("another"));
	refuse1(s->t, p, E_DENIED, "deposit 2: signed.release_policy: differs from deposit");
	p = town_deposit(s->t, 2, &s->root, &s->bridge);
	json_object_set_new(p.body, "refresh_by", json_string("2039-01-01T00:00:00Z"));
	town_expect(s->t, p, "published");
	paper_clear(&other);
}

static void deposit_follows_the_current_root(void **state)
{
	struct stage *s = *state;
	struct paper p = town_deposit(s->t, 2, &s->root, &s->bridge);

	json_object_set_new(json_object_get(p.body, "follows_root"), "version", json_integer(2));
	json_object_set_new(json_object_get(p.body, "root"), "version", json_integer(2));
	refuse1(s->t, p, E_DENIED, "deposit 2: signed.root: want the current root 1");
}

static void trustees_speak_for_their_own_deposit(void **state)
{
	struct stage *s = *state;
	char nobody[SHA256_HEX_SIZE];
	struct paper p;

	memset(nobody, 'a', SHA256_HEX);
	nobody[SHA256_HEX] = '\0';
	p = town_approval(s->t, 0, 1, nobody, s->bridge_id, nobody);
	refuse1(s->t, p, E_NOTFOUND, "approval 1: signed.deposit: no deposit aaaaaaaaaaaa");
	p = town_approval(s->t, 0, 1, s->deposit, nobody, nobody);
	refuse1(s->t, p, E_INVALID, "approval 1: signed.bridge: want");
	p = town_approval(s->t, 0, 1, s->deposit, s->bridge_id, nobody);
	refuse1(s->t, p, E_NOTFOUND, "approval 1: names no notice or eol");
	p = town_approval(s->t, 0, 1, s->deposit, s->bridge_id, s->deposit);
	refuse1(s->t, p, E_NOTFOUND, "approval 1: names no notice or eol");
	p = town_approval(s->t, 0, 1, s->deposit, s->bridge_id, nobody);
	p.by[0] = s->t->steward[0];
	refuse1(s->t, p, E_UNTRUSTED, "approval 1: 0 of 1 signatures of the deposit's trustees");
}

static void final_end_names_a_bridge_that_is_here(void **state)
{
	struct stage *s = *state;
	struct paper eol = town_statement(s->t, "eol", 1, &s->root);
	char root[SHA256_HEX_SIZE];

	paper_id(&s->root, root);
	json_object_set_new(eol.body, "date", json_string("2026-01-01T00:00:00Z"));
	json_object_set_new(eol.body, "final",
			    json_pack("{s:s, s:s}", "root", root, "bridge", s->deposit));
	refuse1(s->t, eol, E_DENIED, "eol 1: signed.final.bridge: no accepted deposit has bridge");
}

static void trustees_versions_count_for_each_of_them(void **state)
{
	struct stage *s = *state;
	struct paper eol = town_statement(s->t, "eol", 1, &s->root), p;
	char eol_id[SHA256_HEX_SIZE], root[SHA256_HEX_SIZE];

	paper_id(&s->root, root);
	json_object_set_new(eol.body, "date", json_string("2026-01-01T00:00:00Z"));
	json_object_set_new(eol.body, "final",
			    json_pack("{s:s, s:s}", "root", root, "bridge", s->bridge_id));
	paper_id(&eol, eol_id);
	town_expect(s->t, eol, "published");
	p = town_approval(s->t, 0, 5, s->deposit, s->bridge_id, eol_id);
	town_expect(s->t, p, "published");
	p = town_approval(s->t, 1, 1, s->deposit, s->bridge_id, eol_id);
	town_expect(s->t, p, "published");
	p = town_approval(s->t, 0, 4, s->deposit, s->bridge_id, eol_id);
	refuse1(s->t, p, E_DENIED, "approval 4: signed.version: want more than 5, got 4");
}

static void same_words_by_another_trustee_are_not_swallowed(void **state)
{
	struct stage *s = *state;
	struct paper eol = town_statement(s->t, "eol", 1, &s->root), p, same;
	char eol_id[SHA256_HEX_SIZE], root[SHA256_HEX_SIZE];

	paper_id(&s->root, root);
	json_object_set_new(eol.body, "date", json_string("2026-01-01T00:00:00Z"));
	json_object_set_new(eol.body, "final",
			    json_pack("{s:s, s:s}", "root", root, "bridge", s->bridge_id));
	paper_id(&eol, eol_id);
	town_expect(s->t, eol, "published");
	p = town_approval(s->t, 0, 1, s->deposit, s->bridge_id, eol_id);
	same = paper_copy(&p);
	same.by[0] = s->t->trustee[1];
	town_expect(s->t, paper_copy(&p), "published");
	town_expect(s->t, p, "published");
	refuse1(s->t, same, E_EXISTS,
		"approval 1: the same words are published with another's signature");
}

static void release_is_signed_by_the_registry_once(void **state)
{
	struct stage *s = *state;
	struct error err = {0};
	json_t *fields;

	town_end(s->t, &s->root, &s->bridge, s->deposit);
	for (int i = 0; i < 2; i++) {
		fields = json_pack("{s:s, s:[], s:[], s:[], s:{}}", "deposit", s->deposit, "items",
				   "shares", "approvals", "refs");
		if (i == 0)
			assert_int_equal(registry_release(s->t->r, TOWN_PRODUCT, fields, &err), 0);
		else
			assert_error(registry_release(s->t->r, TOWN_PRODUCT, fields, &err),
				     E_EXISTS, &err, "has its release");
	}
	assert_string_equal(state_of(s->t, NULL), "released");
	assert_string_equal(state_of(s->t, "deposits"), "open");
	assert_sound(s->t);
}

#define SEALED(test) cmocka_unit_test_setup_teardown(test, sealed, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEALED(released_bridge_hands_the_product_over_in_one_array),
		SEALED(refresh_after_the_release_takes_nothing_back),
		SEALED(timestamps_under_the_old_root_go_on_being_renewed),
		SEALED(bridge_is_refused_before_the_release),
		SEALED(bridge_needs_the_root_after_it_and_first_targets),
		SEALED(lone_bridge_waits_for_signatures_and_never_becomes_a_root),
		SEALED(online_keys_of_the_vendor_are_refused_after_it),
		SEALED(other_changes_of_publisher_are_refused),
		SEALED(after_a_final_end_the_vendor_cannot_rotate_away),
		SEALED(final_end_is_not_taken_back_by_a_later_one),
		SEALED(rotation_of_the_vendor_voids_the_deposit),
		SEALED(second_deposit_on_one_root_may_change_its_payload_only),
		SEALED(deposit_follows_the_current_root),
		SEALED(trustees_speak_for_their_own_deposit),
		SEALED(final_end_names_a_bridge_that_is_here),
		SEALED(trustees_versions_count_for_each_of_them),
		SEALED(same_words_by_another_trustee_are_not_swallowed),
		SEALED(release_is_signed_by_the_registry_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
