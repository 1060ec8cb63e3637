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
	assert_int_equal(json_object_size(json_object_get(all, "keys")), 0);
	assert_int_equal(repo_delegate_drop(body, "other", &err), E_NOTFOUND);
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
		cmocka_unit_test(threshold_has_both_bounds),
		cmocka_unit_test(targets_are_listed_replaced_and_dropped),
		cmocka_unit_test(delegation_is_made_changed_and_taken_back),
		cmocka_unit_test(meta_notes_version_length_and_hash),
		cmocka_unit_test(same_edits_give_the_same_bytes),
	};

	return cmocka_run_group_tests_name("tuf_repo", tests, NULL, NULL);
}
