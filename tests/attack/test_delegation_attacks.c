/* SPDX-License-Identifier: Apache-2.0 */
/* What a delegated role tries that its delegator, or a sibling, did not give it; one test each. */
#include <stdio.h>

#include "lib/tuf/client.h"
#include "tests/support/tuf_expect.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

static void set(json_t *object, const char *key, json_t *value_take)
{
	assert_int_equal(json_object_set_new(object, key, value_take), 0);
}

/* targets -> line (a/...) -> inner, all of them published. */
static struct tuf_sim *delegating(const char *inner_patterns)
{
	struct tuf_sim *s = sim_new();

	(void)sim_delegate(s, "targets", "line", "a/*", false);
	(void)sim_delegate(s, "line", "inner", inner_patterns, false);
	sim_target(s, "line", "a/x", "by line");
	sim_target(s, "inner", "a/y", "by inner");
	sim_target(s, "inner", "b/y", "by inner, for itself");
	sim_publish(s, "line");
	sim_publish(s, "inner");
	sim_release(s, "targets");
	return s;
}

static void delegated_role_cannot_give_what_it_was_not_given(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = delegating("*/*");

	(void)state;
	assert_finds(s, "a/y", "inner");
	assert_misses(s, "b/y", E_NOTFOUND, "b/y: no such target");
}

static void delegated_role_cannot_list_beyond_its_paths(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = delegating("a/y");

	(void)state;
	sim_target(s, "inner", "a/z", "outside");
	sim_bump(s, "inner");
	sim_release(s, "snapshot");
	assert_finds(s, "a/y", "inner");
	assert_misses(s, "a/z", E_NOTFOUND, "a/z: no such target");
}

static void delegated_role_that_snapshot_omits_is_not_fetched(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "line", "a/*", false);
	sim_target(s, "line", "a/x", "by line");
	sim_publish(s, "line");
	(void)json_object_del(json_object_get(sim_role(s, "snapshot")->body, "meta"), "line.json");
	sim_release(s, "targets");
	assert_misses(s, "a/x", E_UNTRUSTED, "snapshot.json: does not list line.json");
	assert_null(strstr(sim_requests(s), "line.json"));
}

/* CVE-2026-6967: the checks of top-level roles are those of delegated ones. */
static void delegated_role_must_be_the_listed_version(void **state)
{
	(void)state;
	for (int hashes = 0; hashes < 2; hashes++) {
		CLEANUP(sim_freep) struct tuf_sim *s = delegating("*/*");

		s->listing_hashes = hashes;
		sim_bump(s, "line");
		sim_release(s, "snapshot");
		sim_put_copy(s, "2.line.json", "1.line.json");
		assert_misses(s, "a/x", E_UNTRUSTED, "2.line.json: ");
		assert_int_equal(sim_trusts(s, "line"), 0);
	}
}

static void expired_delegated_role_is_refused(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = delegating("*/*");

	(void)state;
	sim_set_expiry(sim_role(s, "line"), s->now);
	sim_bump(s, "line");
	sim_release(s, "snapshot");
	assert_misses(s, "a/x", E_UNTRUSTED, "line.json: expired");
	assert_int_equal(sim_trusts(s, "line"), 0);
}

static void delegated_role_by_another_roles_key_is_refused(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = delegating("*/*");
	struct sim_role *line = sim_role(s, "line");
	struct signer *own = line->signers[0];

	(void)state;
	line->signers[0] = sim_role(s, "inner")->signers[0];
	sim_bump(s, "line");
	line->signers[0] = own;
	sim_release(s, "snapshot");
	assert_misses(s, "a/x", E_UNTRUSTED, "2.line.json: 0 of 1 signatures");
}

/* CVE-2026-6966: the threshold of a delegation counts keys, too. */
static void delegated_threshold_counts_keys(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	struct sim_role *line = sim_delegate(s, "targets", "line", "a/*", false);
	json_t *all = json_object_get(sim_role(s, "targets")->body, "delegations");
	json_t *entry = json_array_get(json_object_get(all, "roles"), 0);
	json_t *doc, *signatures, *twin;

	(void)state;
	s->listing_hashes = false;
	set(entry, "threshold", json_integer(2));
	set(json_object_get(all, "keys"), "twin",
	    json_incref(key_object(signer_key(line->signers[0]))));
	assert_int_equal(
		json_array_append_new(json_object_get(entry, "keyids"), json_string("twin")), 0);
	sim_publish(s, "line");
	sim_release(s, "targets");
	doc = sim_take(s, "1.line.json");
	signatures = json_object_get(doc, "signatures");
	twin = json_copy(json_array_get(signatures, 0));
	set(twin, "keyid", json_string("twin"));
	assert_int_equal(json_array_append_new(signatures, twin), 0);
	sim_replace(s, "1.line.json", doc);
	assert_misses(s, "a/x", E_UNTRUSTED, "1.line.json: 1 of 2 signatures");
}

/*
 * One role, delegated to by A and by B with different keys. That A vouched for
 * the file, earlier in the same session, is nothing to B.
 */
static void role_that_was_verified_for_one_delegator_is_verified_for_the_next(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_target target;
	struct error err = {0};
	json_t *roles, *entry, *all;
	const struct key *key;

	(void)state;
	(void)sim_delegate(s, "targets", "A", "a/*", false);
	(void)sim_delegate(s, "targets", "B", "b/*", false);
	(void)sim_delegate(s, "A", "both", "*/*", false);
	sim_target(s, "both", "a/x", "by A's word");
	sim_target(s, "both", "b/x", "by B's word");
	/* B delegates to the same name, with its own key instead. */
	all = json_deep_copy(json_object_get(sim_role(s, "A")->body, "delegations"));
	set(sim_role(s, "B")->body, "delegations", all);
	key = signer_key(sim_role(s, "B")->signers[0]);
	roles = json_object_get(all, "roles");
	entry = json_array_get(roles, 0);
	set(json_object_get(all, "keys"), key_id(key), json_incref(key_object(key)));
	set(entry, "keyids", json_pack("[s]", key_id(key)));
	sim_publish(s, "both");
	sim_publish(s, "A");
	sim_publish(s, "B");
	sim_release(s, "targets");

	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_find(t, "a/x", &target, &err), 0);
	assert_string_equal(target.role, "both");
	assert_error(tuf_find(t, "b/x", &target, &err), E_UNTRUSTED, &err, "0 of 1 signatures");
	/* Nor from the store, in the next session. */
	assert_misses(s, "b/x", E_UNTRUSTED, "0 of 1 signatures");
	assert_finds(s, "a/x", "both");
}

/* An error in one role ends the search: the next might be an attacker's. */
static void failing_role_does_not_pass_the_search_on(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "first", "*", false);
	(void)sim_delegate(s, "targets", "second", "*", false);
	sim_target(s, "second", "x", "an old, vulnerable version");
	sim_publish(s, "first");
	sim_publish(s, "second");
	sim_release(s, "targets");
	sim_forget(&s->remote, "1.first.json");
	assert_misses(s, "x", E_NET, "1.first.json: the repository does not have it");
	assert_null(strstr(sim_requests(s), "second"));
	sim_put(&s->remote, "1.first.json", "{}", 2);
	assert_misses(s, "x", E_UNTRUSTED, "1.first.json: 2 bytes long");
}

static void delegated_role_cannot_take_a_top_level_name(void **state)
{
	static const char *const names[] = {"root", "timestamp", "snapshot", "targets"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		json_t *body = sim_role(s, "targets")->body;

		set(body, "delegations",
		    json_pack("{s:{}, s:[{s:s, s:[], s:i, s:[s]}]}", "keys", "roles", "name",
			      names[i], "keyids", "threshold", 1, "paths", "*"));
		sim_release(s, "targets");
		assert_refuses(s, E_INVALID, "is a top-level role");
		assert_trusts(s, 1, 2, 2, 0);
	}
}

static void delegated_role_cannot_leave_the_store(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "../../etc/passwd", "*", false);
	sim_target(s, "../../etc/passwd", "x", "content");
	sim_publish(s, "../../etc/passwd");
	sim_release(s, "targets");
	assert_finds(s, "x", "../../etc/passwd");
	for (size_t i = 0; i < s->local.n; i++)
		assert_null(strchr(s->local.list[i].name, '/'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delegated_role_cannot_give_what_it_was_not_given),
		cmocka_unit_test(delegated_role_cannot_list_beyond_its_paths),
		cmocka_unit_test(delegated_role_that_snapshot_omits_is_not_fetched),
		cmocka_unit_test(delegated_role_must_be_the_listed_version),
		cmocka_unit_test(expired_delegated_role_is_refused),
		cmocka_unit_test(delegated_role_by_another_roles_key_is_refused),
		cmocka_unit_test(delegated_threshold_counts_keys),
		cmocka_unit_test(role_that_was_verified_for_one_delegator_is_verified_for_the_next),
		cmocka_unit_test(failing_role_does_not_pass_the_search_on),
		cmocka_unit_test(delegated_role_cannot_take_a_top_level_name),
		cmocka_unit_test(delegated_role_cannot_leave_the_store),
	};

	return cmocka_run_group_tests_name("delegation_attacks", tests, NULL, NULL);
}
