/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/repo.h"

#include "lib/base/utc.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1893456000) /* 2030-01-01T00:00:00Z */

static const char *text(const json_t *body, const char *key)
{
	return json_string_value(json_object_get(body, key));
}

static void new_role_expires_after_the_days_of_its_type(void **state)
{
	static const char *const expires[TUF_TYPES] = {
		[TUF_ROOT] = "2031-01-01T00:00:00Z",
		[TUF_TIMESTAMP] = "2030-01-02T00:00:00Z",
		[TUF_SNAPSHOT] = "2030-01-08T00:00:00Z",
		[TUF_TARGETS] = "2030-04-01T00:00:00Z",
	};

	(void)state;
	for (int t = 0; t < TUF_TYPES; t++) {
		CLEANUP(json_decrefp) json_t *body = NULL;
		struct error err = {0};

		assert_int_equal(repo_signed_new((enum tuf_type)t, "acme.x1", 3, NOW, &body, &err),
				 0);
		assert_string_equal(text(body, "_type"), tuf_type_name((enum tuf_type)t));
		assert_string_equal(text(body, "expires"), expires[t]);
		assert_string_equal(text(body, "product"), "acme.x1");
		assert_int_equal(json_integer_value(json_object_get(body, "version")), 3);
	}
}

/* What is made here is what the parser reads, with nothing filled in. */
static void new_roles_parse(void **state)
{
	(void)state;
	for (int t = 0; t < TUF_TYPES; t++) {
		CLEANUP(envelope_freep) struct envelope *e = NULL;
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
		CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
		json_t *body = NULL;
		struct error err = {0};
		const struct buf *b;

		assert_int_equal(repo_signed_new((enum tuf_type)t, NULL, 1, NOW, &body, &err), 0);
		assert_null(json_object_get(body, "product"));
		assert_int_equal(envelope_new(body, &e, &err), 0);
		b = envelope_bytes(e);
		if (t == TUF_ROOT) {
			assert_int_equal(tuf_root_parse(b->data, b->len, "r", &root, &err), 0);
			assert_true(root->consistent_snapshot);
		} else {
			assert_int_equal(
				tuf_role_parse(b->data, b->len, (enum tuf_type)t, "r", &role, &err),
				0);
		}
	}
}

static void next_version_keeps_unknown_fields(void **state)
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	CLEANUP(json_decrefp) json_t *next = NULL;
	json_t *body = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 41, NOW, &body, &err), 0);
	assert_int_equal(json_object_set_new(body, "x-other", json_pack("[i,{s:s}]", 1, "a", "b")),
			 0);
	assert_int_equal(envelope_new(body, &e, &err), 0);
	assert_int_equal(repo_signed_next(e, NOW + DAY_S, 2, &next, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(next, "version")), 42);
	assert_string_equal(text(next, "expires"), "2030-01-04T00:00:00Z");
	assert_true(json_equal(json_object_get(next, "x-other"),
			       json_object_get(envelope_signed(e), "x-other")));
	assert_int_equal(envelope_version(e), 41);
}

static void keys_that_no_role_uses_leave_the_root(void **state)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	CLEANUP(json_decrefp) json_t *a = json_pack("{s:s}", "k", "a");
	CLEANUP(json_decrefp) json_t *b = json_pack("{s:s}", "k", "b");
	struct error err = {0};
	json_t *keys;

	(void)state;
	assert_int_equal(repo_signed_new(TUF_ROOT, NULL, 1, NOW, &root, &err), 0);
	keys = json_object_get(root, "keys");
	assert_int_equal(repo_root_add_key(root, TUF_ROOT, "a", a, &err), 0);
	assert_int_equal(repo_root_add_key(root, TUF_ROOT, "a", a, &err), 0);
	assert_int_equal(repo_root_add_key(root, TUF_TARGETS, "a", a, &err), 0);
	assert_int_equal(repo_root_add_key(root, TUF_TARGETS, "b", b, &err), 0);
	assert_int_equal(json_object_size(keys), 2);
	assert_int_equal(repo_root_drop_key(root, TUF_TARGETS, "a", &err), 0);
	assert_int_equal(json_object_size(keys), 2); /* the root role has it */
	assert_error(repo_root_drop_key(root, TUF_TARGETS, "a", &err), E_NOTFOUND, &err,
		     "signed.roles.targets: has no key a");
	assert_int_equal(repo_root_drop_key(root, TUF_ROOT, "a", &err), 0);
	assert_null(json_object_get(keys, "a"));
	assert_int_equal(repo_root_clear_role(root, TUF_TARGETS, &err), 0);
	assert_int_equal(json_object_size(keys), 0);
}

/* Whoever hands in a key says what its id is: a registry, a steward, a maintainer. */
static void a_key_cannot_take_the_id_of_another(void **state)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	CLEANUP(json_decrefp) json_t *targets = NULL;
	CLEANUP(json_decrefp) json_t *own = json_pack("{s:s}", "k", "own");
	CLEANUP(json_decrefp) json_t *theirs = json_pack("{s:s}", "k", "theirs");
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "a/*");
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_signed_new(TUF_ROOT, NULL, 1, NOW, &root, &err), 0);
	assert_int_equal(repo_root_add_key(root, TUF_ROOT, "id", own, &err), 0);
	assert_error(repo_root_add_key(root, TUF_TIMESTAMP, "id", theirs, &err), E_INVALID, &err,
		     "keys: id is the id of another key");
	assert_ptr_equal(json_object_get(json_object_get(root, "keys"), "id"), own);
	assert_int_equal(repo_root_drop_key(root, TUF_TIMESTAMP, "id", &err), E_NOTFOUND);
	assert_int_equal(repo_root_drop_key(root, TUF_ROOT, "id", &err), 0);
	assert_int_equal(repo_root_add_key(root, TUF_TIMESTAMP, "id", theirs, &err), 0);

	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &targets, &err), 0);
	assert_int_equal(repo_delegate(targets, "a", paths, 1, &err), 0);
	assert_int_equal(repo_delegate(targets, "b", paths, 1, &err), 0);
	assert_int_equal(repo_delegate_key(targets, "a", "id", own, &err), 0);
	assert_error(repo_delegate_key(targets, "b", "id", theirs, &err), E_INVALID, &err,
		     "keys: id is the id of another key");
	assert_int_equal(repo_delegate_key(targets, "b", "id", own, &err), 0);
}

static void threshold_has_both_bounds(void **state)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_signed_new(TUF_ROOT, NULL, 1, NOW, &root, &err), 0);
	assert_int_equal(repo_root_threshold(root, TUF_ROOT, 1, &err), 0);
	assert_int_equal(repo_root_threshold(root, TUF_ROOT, KEYS_MAX, &err), 0);
	assert_error(repo_root_threshold(root, TUF_ROOT, 0, &err), E_INVALID, &err,
		     "want 1 to 64, got 0");
	assert_int_equal(repo_root_threshold(root, TUF_ROOT, KEYS_MAX + 1, &err), E_INVALID);
	(void)json_object_del(root, "roles");
	assert_error(repo_root_threshold(root, TUF_ROOT, 1, &err), E_INVALID, &err,
		     "signed.roles.root.keyids");
}

static void targets_are_listed_replaced_and_dropped(void **state)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	CLEANUP(json_decrefp) json_t *custom = json_pack("{s:{s:s}}", "bequest", "version", "1.0");
	struct error err = {0};
	json_t *list;

	(void)state;
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &body, &err), 0);
	list = json_object_get(body, "targets");
	assert_int_equal(repo_targets_add(body, "a", 3, "aa", custom, &err), 0);
	assert_ptr_equal(json_object_get(json_object_get(list, "a"), "custom"), custom);
	assert_int_equal(repo_targets_add(body, "a", 4, "bb", NULL, &err), 0);
	assert_null(json_object_get(json_object_get(list, "a"), "custom"));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(list, "a"), "length")),
			 4);
	assert_int_equal(repo_targets_drop(body, "a", &err), 0);
	assert_error(repo_targets_drop(body, "a", &err), E_NOTFOUND, &err,
		     "targets.json: does not list a");
}

static void delegation_is_made_changed_and_taken_back(void **state)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	CLEANUP(json_decrefp) json_t *some = json_pack("[s]", "a/*");
	CLEANUP(json_decrefp) json_t *more = json_pack("[s,s]", "a/*", "b/*");
	CLEANUP(json_decrefp) json_t *key = json_pack("{s:s}", "k", "a");
	struct error err = {0};
	json_t *all, *roles, *entry;

	(void)state;
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &body, &err), 0);
	assert_error(repo_delegate_key(body, "line", "id", key, &err), E_NOTFOUND, &err,
		     "delegates nothing to line");
	assert_int_equal(repo_delegate(body, "line", some, 1, &err), 0);
	assert_int_equal(repo_delegate_key(body, "line", "id", key, &err), 0);
	assert_int_equal(repo_delegate(body, "other", some, 1, &err), 0);
	assert_int_equal(repo_delegate_key(body, "other", "id", key, &err), 0);
	assert_int_equal(repo_delegate(body, "line", more, 2, &err), 0);

	all = json_object_get(body, "delegations");
	roles = json_object_get(all, "roles");
	entry = json_array_get(roles, 0);
	assert_int_equal(json_array_size(roles), 2);
	assert_string_equal(text(entry, "name"), "line");
	assert_int_equal(json_array_size(json_object_get(entry, "paths")), 2);
	assert_int_equal(json_integer_value(json_object_get(entry, "threshold")), 2);
	assert_int_equal(json_array_size(json_object_get(entry, "keyids")), 1);
	assert_true(json_is_false(json_object_get(entry, "terminating")));

	assert_int_equal(repo_delegate_drop(body, "line", &err), 0);
	assert_int_equal(json_object_size(json_object_get(all, "keys")), 1);
	assert_int_equal(repo_delegate_drop(body, "other", &err), 0);
	assert_null(json_object_get(body, "delegations"));
	assert_int_equal(repo_delegate_drop(body, "other", &err), E_NOTFOUND);
}

/* Delegations are searched in order, so their order is the publisher's to choose. */
static void delegations_have_a_place_an_end_and_a_rule(void **state)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "a/*");
	CLEANUP(json_decrefp) json_t *prefixes = json_pack("[s,s]", "0", "1f");
	CLEANUP(json_decrefp) json_t *key = json_pack("{s:s}", "k", "a");
	struct error err = {0};
	json_t *roles, *entry;

	(void)state;
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &body, &err), 0);
	assert_int_equal(repo_delegate(body, "a", paths, 1, &err), 0);
	assert_int_equal(repo_delegate(body, "b", paths, 1, &err), 0);
	assert_int_equal(repo_delegate(body, "c", paths, 1, &err), 0);
	roles = json_object_get(json_object_get(body, "delegations"), "roles");
	assert_int_equal(repo_delegate_place(body, "c", 0, &err), 0);
	assert_int_equal(repo_delegate_place(body, "a", 99, &err), 0);
	assert_string_equal(text(json_array_get(roles, 0), "name"), "c");
	assert_string_equal(text(json_array_get(roles, 1), "name"), "b");
	assert_string_equal(text(json_array_get(roles, 2), "name"), "a");

	entry = json_array_get(roles, 1);
	assert_int_equal(json_object_set_new(entry, "x-other", json_true()), 0);
	assert_int_equal(repo_delegate_key(body, "b", "id", key, &err), 0);
	assert_int_equal(repo_delegate_hashed(body, "b", prefixes, 1, &err), 0);
	assert_null(json_object_get(entry, "paths"));
	assert_int_equal(json_array_size(json_object_get(entry, "keyids")), 1);
	assert_true(json_is_true(json_object_get(entry, "x-other")));
	assert_int_equal(repo_delegate(body, "b", paths, 1, &err), 0);
	assert_null(json_object_get(entry, "path_hash_prefixes"));
	assert_int_equal(repo_delegate_clear(body, "b", &err), 0);
	assert_int_equal(json_array_size(json_object_get(entry, "keyids")), 0);
	assert_null(json_object_get(json_object_get(json_object_get(body, "delegations"), "keys"),
				    "id"));

	assert_int_equal(repo_delegate_terminating(body, "b", true, &err), 0);
	assert_true(json_is_true(json_object_get(entry, "terminating")));
	assert_int_equal(repo_delegate_until(body, "b", NOW, &err), 0);
	assert_string_equal(text(json_object_get(entry, "x-bequest"), "until"),
			    "2030-01-01T00:00:00Z");
	assert_int_equal(repo_delegate_until(body, "b", INT64_MAX, &err), 0);
	assert_null(json_object_get(entry, "x-bequest"));
	assert_error(repo_delegate_until(body, "d", NOW, &err), E_NOTFOUND, &err,
		     "targets.json: delegates nothing to d");
	assert_int_equal(repo_delegate_place(body, "d", 0, &err), E_NOTFOUND);
	assert_int_equal(repo_delegate_terminating(body, "d", true, &err), E_NOTFOUND);
	assert_int_equal(repo_delegate_clear(body, "d", &err), E_NOTFOUND);
}

static void what_clients_read_differently_is_not_delegated(void **state)
{
	static const char *const patterns[] = {"",      "/a",   "a/",   "a//b", "a/[bc]",
					       "{a,b}", "a\\*", ".x/*", "a/.b"};
	static const char whole[] =
		"aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af7";
	static const char longer[] =
		"aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af70";
	static const char *const prefixes[] = {"", "AB", "0x", "g", longer};
	static const char *const names[] = {"", "root", "targets", "snapshot", "timestamp"};
	CLEANUP(json_decrefp) json_t *body = NULL;
	CLEANUP(json_decrefp) json_t *fine = json_pack("[s]", "a/*");
	CLEANUP(json_decrefp) json_t *none = json_array();
	CLEANUP(json_decrefp) json_t *longest = json_pack("[s]", whole);
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &body, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		CLEANUP(json_decrefp) json_t *paths = json_pack("[s,s]", "a", patterns[i]);

		assert_error(repo_delegate(body, "r", paths, 1, &err), E_INVALID, &err,
			     "r: not a path pattern");
	}
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		CLEANUP(json_decrefp) json_t *list = json_pack("[s,s]", "a", prefixes[i]);

		assert_error(repo_delegate_hashed(body, "r", list, 1, &err), E_INVALID, &err,
			     "r: not a hash prefix");
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_error(repo_delegate(body, names[i], fine, 1, &err), E_INVALID, &err,
			     "not a name for a delegated role");
	assert_error(repo_delegate(body, "r", none, 1, &err), E_INVALID, &err, "at least one");
	assert_error(repo_delegate(body, "r", fine, 0, &err), E_INVALID, &err, "want 1 to 64");
	assert_int_equal(repo_delegate_hashed(body, "r", longest, 65, &err), E_INVALID);
	assert_null(json_object_get(body, "delegations"));
	assert_int_equal(repo_delegate_hashed(body, "r", longest, 64, &err), 0);
}

/* Percent-encoded, with a version before it and .json behind it, a name is that of a file. */
static void names_fit_into_names_of_files(void **state)
{
	static const struct {
		const char *unit;
		size_t fits, fits_bins; /* times */
	} cases[] = {{"x", 200, 195}, {"#", 77, 76}, {"\xc3\xa9", 38, 38}};
	CLEANUP(json_decrefp) json_t *fine = json_pack("[s]", "a/*");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(json_decrefp) json_t *named = NULL;
		CLEANUP(json_decrefp) json_t *binned = NULL;
		CLEANUP(buf_clear) struct buf name = {0};
		struct error err = {0};

		assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &named, &err), 0);
		assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &binned, &err), 0);
		for (size_t n = 1; n <= 300; n++) {
			assert_int_equal(buf_puts(&name, cases[i].unit, &err), 0);
			assert_int_equal(repo_delegate(named, name.data, fine, 1, &err),
					 n <= cases[i].fits ? 0 : E_INVALID);
			assert_int_equal(repo_bins(binned, name.data, 4, 1, &err),
					 n <= cases[i].fits_bins ? 0 : E_INVALID);
		}
	}
}

static void hash_bins_stand_alone(void **state)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "a/*");
	CLEANUP(json_decrefp) json_t *key = json_pack("{s:s}", "k", "a");
	struct error err = {0};
	json_t *bins;

	(void)state;
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 1, NOW, &body, &err), 0);
	assert_error(repo_bins_key(body, "id", key, &err), E_NOTFOUND, &err, "has no hash bins");
	assert_int_equal(repo_bins(body, "bin", 0, 1, &err), E_INVALID);
	assert_int_equal(repo_bins(body, "bin", 17, 1, &err), E_INVALID);
	assert_int_equal(repo_bins(body, "", 4, 1, &err), E_INVALID);
	assert_int_equal(repo_bins(body, "bin", 4, 0, &err), E_INVALID);
	assert_int_equal(repo_bins(body, "bin", 4, 1, &err), 0);
	assert_int_equal(repo_bins_key(body, "id", key, &err), 0);
	assert_int_equal(repo_bins(body, "bin", 16, 1, &err), 0);
	bins = json_object_get(json_object_get(body, "delegations"), "succinct_roles");
	assert_int_equal(json_integer_value(json_object_get(bins, "bit_length")), 16);
	assert_string_equal(text(bins, "name_prefix"), "bin");
	assert_int_equal(json_array_size(json_object_get(bins, "keyids")), 1);
	assert_error(repo_delegate(body, "line", paths, 1, &err), E_EXISTS, &err,
		     "delegates to hash bins, and cannot to roles by name at once");
	assert_int_equal(repo_bins_drop(body, &err), 0);
	assert_null(json_object_get(body, "delegations"));
	assert_int_equal(repo_bins_drop(body, &err), E_NOTFOUND);
	assert_int_equal(repo_delegate(body, "line", paths, 1, &err), 0);
	assert_error(repo_bins(body, "bin", 4, 1, &err), E_EXISTS, &err,
		     "delegates to roles by name, and cannot to hash bins at once");
}

static void meta_notes_version_length_and_hash(void **state)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	struct error err = {0};
	json_t *entry;

	(void)state;
	assert_int_equal(repo_signed_new(TUF_SNAPSHOT, NULL, 1, NOW, &body, &err), 0);
	assert_int_equal(repo_meta_set(body, "targets.json", 5, "abc", 3, &err), 0);
	entry = json_object_get(json_object_get(body, "meta"), "targets.json");
	assert_int_equal(json_integer_value(json_object_get(entry, "version")), 5);
	assert_int_equal(json_integer_value(json_object_get(entry, "length")), 3);
	assert_string_equal(text(json_object_get(entry, "hashes"), "sha256"),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void same_edits_give_the_same_bytes(void **state)
{
	CLEANUP(buf_clear) struct buf first = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(envelope_freep) struct envelope *e = NULL;
		json_t *body = NULL;
		struct error err = {0};

		assert_int_equal(repo_signed_new(TUF_TARGETS, "p", 1, NOW, &body, &err), 0);
		for (int k = 0; k < 2; k++) /* in either order */
			assert_int_equal(
				repo_targets_add(body, k == i ? "a" : "b", 3, "aa", NULL, &err), 0);
		assert_int_equal(repo_bins(body, "bin", i ? 4 : 5, 1, &err), 0);
		assert_int_equal(repo_bins(body, "bin", 4, 1, &err), 0);
		assert_int_equal(envelope_new(body, &e, &err), 0);
		if (i == 0)
			assert_int_equal(buf_add(&first, envelope_bytes(e)->data,
						 envelope_bytes(e)->len, &err),
					 0);
		else
			assert_string_equal(first.data, envelope_bytes(e)->data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_role_expires_after_the_days_of_its_type),
		cmocka_unit_test(new_roles_parse),
		cmocka_unit_test(next_version_keeps_unknown_fields),
		cmocka_unit_test(keys_that_no_role_uses_leave_the_root),
		cmocka_unit_test(a_key_cannot_take_the_id_of_another),
		cmocka_unit_test(threshold_has_both_bounds),
		cmocka_unit_test(targets_are_listed_replaced_and_dropped),
		cmocka_unit_test(delegation_is_made_changed_and_taken_back),
		cmocka_unit_test(delegations_have_a_place_an_end_and_a_rule),
		cmocka_unit_test(what_clients_read_differently_is_not_delegated),
		cmocka_unit_test(names_fit_into_names_of_files),
		cmocka_unit_test(hash_bins_stand_alone),
		cmocka_unit_test(meta_notes_version_length_and_hash),
		cmocka_unit_test(same_edits_give_the_same_bytes),
	};

	return cmocka_run_group_tests_name("tuf_repo", tests, NULL, NULL);
}
