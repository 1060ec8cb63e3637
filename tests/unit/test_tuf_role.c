/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/role.h"

#include <stdio.h>

#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

/* A role's document around the JSON of its `signed` part, in which ' stands for ". */
static void document(const char *body, struct buf *out)
{
	struct error err = {0};

	assert_int_equal(buf_printf(out, &err, "{'signatures': [], 'signed': %s}", body), 0);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\'')
			out->data[i] = '"';
}

#define HEAD(type) \
	"'_type': '" type "', 'spec_version': '1.0.31', 'version': 1, " \
	"'expires': '2030-01-01T00:00:00Z'"
#define ROLE "{'keyids': ['a'], 'threshold': 1}"
#define ROLES "{'root': " ROLE ", 'timestamp': " ROLE ", 'snapshot': " ROLE ", 'targets': " ROLE "}"
#define KEYS \
	"{'a': {'keytype': 'ed25519', 'scheme': 'ed25519', 'keyval': {'public': " \
	"'d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'}}}"
#define ROOT(extra) "{" HEAD("root") ", 'keys': " KEYS ", 'roles': " ROLES extra "}"

static int parse_root(const char *body, struct tuf_root **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf b = {0};

	document(body, &b);
	return tuf_root_parse(b.data, b.len, "r.json", out, err);
}

static int parse_role(const char *body, enum tuf_type type, struct tuf_role **out,
		      struct error *err)
{
	CLEANUP(buf_clear) struct buf b = {0};

	document(body, &b);
	return tuf_role_parse(b.data, b.len, type, "f.json", out, err);
}

static void root_is_read_with_its_keys(void **state)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_root(ROOT(", 'consistent_snapshot': true, 'product': 'p', "
					 "'x-bequest': {'bridge': true}"),
				    &root, &err),
			 0);
	assert_int_equal(root->version, 1);
	assert_int_equal(root->expires, 1893456000);
	assert_true(root->consistent_snapshot);
	assert_string_equal(root->product, "p");
	assert_true(json_is_true(json_object_get(root->x_bequest, "bridge")));
	for (int t = 0; t < TUF_TYPES; t++) {
		assert_int_equal(root->role[t].n, 1);
		assert_int_equal(root->role[t].threshold, 1);
	}
}

static void absent_consistent_snapshot_is_false(void **state)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_root(ROOT(""), &root, &err), 0);
	assert_false(root->consistent_snapshot);
	assert_null(root->product);
	assert_null(root->x_bequest);
}

/* Somebody else's fields of these names are none of ours. */
static void foreign_product_and_x_bequest_are_ignored(void **state)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_root(ROOT(", 'product': 7, 'x-bequest': 'x'"), &root, &err), 0);
	assert_null(root->product);
	assert_null(root->x_bequest);
}

static void two_part_spec_version_of_major_1_is_read(void **state)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_role("{'_type': 'timestamp', 'spec_version': '1.0', 'version': 3, "
				    "'expires': '2030-01-01T00:00:00Z', 'meta': {}}",
				    TUF_TIMESTAMP, &role, &err),
			 0);
	assert_int_equal(role->version, 3);
}

static void role_of_fewer_keys_than_its_threshold_is_read(void **state)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(
		parse_root("{" HEAD("root") ", 'keys': " KEYS ", 'roles': {"
					    "'root': " ROLE ", 'timestamp': " ROLE
					    ", 'snapshot': " ROLE
					    ", 'targets': {'keyids': [], 'threshold': 2}}}",
			   &root, &err),
		0);
	assert_int_equal(root->role[TUF_TARGETS].n, 0);
	assert_int_equal(root->role[TUF_TARGETS].threshold, 2);
}

static void number_of_keys_is_bounded(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		CLEANUP(buf_clear) struct buf bytes = {0};
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
		struct sim_role *role = sim_role(s, "root");
		json_t *keys = json_object_get(role->body, "keys");
		struct error err = {0};

		while (json_object_size(keys) < KEYS_MAX + (size_t)over) {
			char keyid[16];

			(void)snprintf(keyid, sizeof(keyid), "%zu", json_object_size(keys));
			json_object_set_new(keys, keyid,
					    json_pack("{s:s, s:s, s:{}}", "keytype", "x", "scheme",
						      "y", "keyval"));
		}
		sim_document(role, &bytes);
		int r = tuf_root_parse(bytes.data, bytes.len, "r", &root, &err);
		if (over)
			assert_error(r, E_INVALID, &err,
				     "r: signed.keys: want 0 to 64 members, got 65");
		else
			assert_int_equal(r, 0);
	}
}

static void keyids_without_a_key_are_skipped_and_duplicates_count_once(void **state)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_root("{" HEAD("root") ", 'keys': " KEYS ", 'roles': {"
						     "'root': " ROLE ", 'timestamp': " ROLE
						     ", 'snapshot': " ROLE ", 'targets': {"
						     "'keyids': ['nobody', 'a', 'a'], "
						     "'threshold': 1}}}",
				    &root, &err),
			 0);
	assert_int_equal(root->role[TUF_TARGETS].n, 1);
}

static void unknown_key_types_leave_a_root_readable(void **state)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_root("{" HEAD("root") ", 'keys': {'a': {'keytype': 'ml-dsa', "
						     "'scheme': 'ml-dsa-65', 'keyval': {"
						     "'public': 'x'}}}, 'roles': " ROLES "}",
				    &root, &err),
			 0);
	assert_int_equal(root->role[TUF_ROOT].n, 1);
}

static void malformed_roots_are_refused_by_field(void **state)
{
	static const struct {
		const char *body, *complaint;
	} bad[] = {
		{"{" HEAD("timestamp") ", 'keys': {}, 'roles': {}}",
		 "r.json: signed._type: want \"root\""},
		{"{" HEAD("root") ", 'roles': " ROLES "}", "signed.keys: missing"},
		{"{" HEAD("root") ", 'keys': {}}", "signed.roles: missing"},
		{"{" HEAD("root") ", 'keys': [], 'roles': " ROLES "}",
		 "signed.keys: want an object"},
		{"{" HEAD("root") ", 'keys': {}, 'roles': {'root': " ROLE "}}",
		 "signed.roles.timestamp: want an object"},
		{"{" HEAD("root") ", 'keys': {}, 'roles': {'root': {'keyids': [], "
				  "'threshold': 0}}}",
		 "signed.roles.root.threshold: want 1 to"},
		{"{" HEAD("root") ", 'keys': {}, 'roles': {'root': {'keyids': [], "
				  "'threshold': -1}}}",
		 "threshold"},
		{"{" HEAD("root") ", 'keys': {}, 'roles': {'root': {'keyids': {}, "
				  "'threshold': 1}}}",
		 "signed.roles.root.keyids"},
		{"{" HEAD("root") ", 'keys': {}, 'roles': {'root': {'keyids': [1], "
				  "'threshold': 1}}}",
		 "keyids"},
		{ROOT(", 'consistent_snapshot': 1"), "signed.consistent_snapshot: want true"},
		{"{'_type': 'root', 'spec_version': '2.0', 'version': 1, "
		 "'expires': '2030-01-01T00:00:00Z', 'keys': {}, 'roles': " ROLES "}",
		 "spec_version"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tuf_root *out = NULL;
		struct error err = {0};
		int r = parse_root(bad[i].body, &out, &err);

		if (r == 0 || !strstr(err.text, bad[i].complaint))
			print_error("%zu: %s\n", i, err.text);
		assert_error(r, E_INVALID, &err, bad[i].complaint);
		assert_null(out);
	}
}

/* Exactly YYYY-MM-DDTHH:MM:SSZ; versions from 1. */
static void malformed_common_fields_are_refused(void **state)
{
	static const char *const bad[] = {
		"'version': 1, 'expires': '2030-01-01T00:00:00.5Z'",
		"'version': 1, 'expires': '2030-01-01T00:00:00+00:00'",
		"'version': 1, 'expires': '2030-01-01 00:00:00Z'",
		"'version': 1, 'expires': '2030-02-30T00:00:00Z'",
		"'version': 1, 'expires': '2030-01-01T24:00:00Z'",
		"'version': 1, 'expires': 1893456000",
		"'version': 1",
		"'version': 0, 'expires': '2030-01-01T00:00:00Z'",
		"'version': -1, 'expires': '2030-01-01T00:00:00Z'",
		"'version': '1', 'expires': '2030-01-01T00:00:00Z'",
		"'version': 1.0, 'expires': '2030-01-01T00:00:00Z'",
		"'version': 9007199254740992, 'expires': '2030-01-01T00:00:00Z'",
		"'expires': '2030-01-01T00:00:00Z'",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tuf_role *out = NULL;
		struct error err = {0};
		char body[512];

		(void)snprintf(body, sizeof(body),
			       "{'_type': 'snapshot', 'spec_version': '1.0.0', 'meta': {}, %s}",
			       bad[i]);
		if (parse_role(body, TUF_SNAPSHOT, &out, &err) != E_INVALID)
			fail_msg("accepted: %s", bad[i]);
		assert_null(out);
		assert_memory_equal(err.text, "f.json: ", 8);
	}
}

static void malformed_lists_of_files_are_refused(void **state)
{
	static const struct {
		enum tuf_type type;
		const char *body, *complaint;
	} bad[] = {
		{TUF_TIMESTAMP, "{" HEAD("timestamp") "}", "signed.meta: missing"},
		{TUF_TIMESTAMP, "{" HEAD("snapshot") ", 'meta': {}}", "want \"timestamp\""},
		{TUF_SNAPSHOT, "{" HEAD("snapshot") ", 'meta': []}", "signed.meta"},
		{TUF_SNAPSHOT, "{" HEAD("snapshot") ", 'meta': {'a.json': 1}}", "a.json"},
		{TUF_SNAPSHOT, "{" HEAD("snapshot") ", 'meta': {'a.json': {}}}",
		 "signed.meta[\"a.json\"].version: missing"},
		{TUF_SNAPSHOT, "{" HEAD("snapshot") ", 'meta': {'a.json': {'version': 0}}}",
		 "version"},
		{TUF_SNAPSHOT,
		 "{" HEAD("snapshot") ", 'meta': {'a.json': {'version': 1, 'length': -1}}}",
		 "length"},
		{TUF_SNAPSHOT,
		 "{" HEAD("snapshot") ", 'meta': {'a.json': {'version': 1, 'hashes': {}}}}",
		 "hashes"},
		{TUF_TARGETS, "{" HEAD("targets") "}", "signed.targets: missing"},
		{TUF_TARGETS, "{" HEAD("targets") ", 'targets': {'a': 1}}",
		 "signed.targets[\"a\"]: want an object"},
		{TUF_TARGETS, "{" HEAD("targets") ", 'targets': {'a': {'length': 1}}}",
		 "signed.targets[\"a\"].hashes: missing"},
		{TUF_TARGETS,
		 "{" HEAD("targets") ", 'targets': {'a': {'hashes': {'sha256': 'x'}}}}",
		 "signed.targets[\"a\"].length: missing"},
		{TUF_TARGETS,
		 "{" HEAD(
			 "targets") ", 'targets': {'a': {'length': -1, 'hashes': {'sha256': 'x'}}}}",
		 "length"},
		{TUF_TARGETS,
		 "{" HEAD("targets") ", 'targets': {'a': {'length': 1, 'hashes': {}}}}", "hashes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tuf_role *out = NULL;
		struct error err = {0};
		int r = parse_role(bad[i].body, bad[i].type, &out, &err);

		if (r == 0 || !strstr(err.text, bad[i].complaint))
			print_error("%zu: %s\n", i, err.text);
		assert_error(r, E_INVALID, &err, bad[i].complaint);
		assert_null(out);
	}
}

#define DELEGATES(what) "{" HEAD("targets") ", 'targets': {}, 'delegations': " what "}"
#define DELEGATED(fields) DELEGATES("{'keys': {}, 'roles': [{" fields "}]}")
#define FINE "'name': 'd', 'keyids': [], 'threshold': 1, "

static void malformed_delegations_are_refused(void **state)
{
	static const struct {
		const char *body, *complaint;
	} bad[] = {
		{DELEGATES("[]"), "signed.delegations"},
		{DELEGATES("{'roles': []}"), "signed.delegations.keys: missing"},
		{DELEGATES("{'keys': {}}"), "want either roles or succinct_roles"},
		{DELEGATES("{'keys': {}, 'roles': [], 'succinct_roles': {}}"), "want either"},
		{DELEGATED(FINE "'paths': [], 'path_hash_prefixes': []"), "want either paths or"},
		{DELEGATED("'name': 'd', 'keyids': [], 'threshold': 1"), "want either paths or"},
		{DELEGATED(FINE "'paths': [1]"), "roles[0].paths: want strings only"},
		{DELEGATED(FINE "'path_hash_prefixes': [1]"), "want strings only"},
		{DELEGATED(FINE "'paths': [], 'terminating': 'yes'"), "terminating"},
		{DELEGATED("'name': '', 'keyids': [], 'threshold': 1, 'paths': []"), "name"},
		{DELEGATED("'name': 'root', 'keyids': [], 'threshold': 1, 'paths': []"),
		 "\"root\" is a top-level role"},
		{DELEGATED("'name': 'targets', 'keyids': [], 'threshold': 1, 'paths': []"),
		 "is a top-level role"},
		{DELEGATED("'name': 'snapshot', 'keyids': [], 'threshold': 1, 'paths': []"),
		 "is a top-level role"},
		{DELEGATED("'name': 'timestamp', 'keyids': [], 'threshold': 1, 'paths': []"),
		 "is a top-level role"},
		{DELEGATED("'name': 'd', 'keyids': [], 'threshold': 0, 'paths': []"), "threshold"},
		{DELEGATES("{'keys': {}, 'roles': [{" FINE "'paths': []}, {" FINE "'paths': []}]}"),
		 "\"d\" is listed twice"},
		{DELEGATES("{'keys': {}, 'succinct_roles': {'keyids': [], 'threshold': 1, "
			   "'name_prefix': 'b', 'bit_length': 0}}"),
		 "bit_length: want 1 to 32"},
		{DELEGATES("{'keys': {}, 'succinct_roles': {'keyids': [], 'threshold': 1, "
			   "'name_prefix': 'b', 'bit_length': 33}}"),
		 "bit_length: want 1 to 32"},
		{DELEGATES("{'keys': {}, 'succinct_roles': {'keyids': [], 'threshold': 0, "
			   "'name_prefix': 'b', 'bit_length': 8}}"),
		 "succinct_roles.threshold: want 1 to"},
		{DELEGATES("{'keys': {}, 'succinct_roles': {'keyids': [], 'threshold': 1, "
			   "'bit_length': 8}}"),
		 "name_prefix: missing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tuf_role *out = NULL;
		struct error err = {0};
		int r = parse_role(bad[i].body, TUF_TARGETS, &out, &err);

		if (r == 0 || !strstr(err.text, bad[i].complaint))
			print_error("%zu: %s\n", i, err.text);
		assert_error(r, E_INVALID, &err, bad[i].complaint);
		assert_null(out);
	}
}

static void absent_delegations_and_terminating_are_normal(void **state)
{
	static const char *const fine[] = {
		"{" HEAD("targets") ", 'targets': {}}",
		"{" HEAD("targets") ", 'targets': {}, 'delegations': null}",
		DELEGATED(FINE "'paths': ['*']"),
		DELEGATED(FINE "'path_hash_prefixes': ['00']"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		CLEANUP(tuf_role_freep) struct tuf_role *out = NULL;
		struct error err = {0};

		assert_int_equal(parse_role(fine[i], TUF_TARGETS, &out, &err), 0);
	}
}

static void files_beyond_the_limit_of_their_role_are_refused(void **state)
{
	static const size_t max[TUF_TYPES] = {512 * 1024, 16 * 1024, 2 * 1024 * 1024,
					      5 * 1024 * 1024};

	(void)state;
	for (int t = 0; t < TUF_TYPES; t++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		CLEANUP(buf_clear) struct buf b = {0};
		CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
		struct error err = {0};
		size_t size;
		int r;

		assert_int_equal(tuf_type_max((enum tuf_type)t), max[t]);
		sim_document(s->roles[t], &b);
		size = b.len;
		assert_int_equal(buf_reserve(&b, max[t] + 1 - size, &err), 0);
		memset(b.data + size, ' ', max[t] + 1 - size);
		for (size_t len = max[t]; len <= max[t] + 1; len++) {
			if (t == TUF_ROOT)
				r = tuf_root_parse(b.data, len, "f", &root, &err);
			else
				r = tuf_role_parse(b.data, len, (enum tuf_type)t, "f", &role, &err);
			assert_int_equal(r, len > max[t] ? E_INVALID : 0);
		}
		assert_non_null(strstr(err.text, "f: larger than"));
	}
}

static void meta_of_a_file_is_told_or_not_found(void **state)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	struct tuf_meta m;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_role("{" HEAD("snapshot") ", 'meta': {'a.json': {'version': 7}, "
							 "'b.json': {'version': 2, 'length': 3, "
							 "'hashes': {'sha256': 'x'}}}}",
				    TUF_SNAPSHOT, &role, &err),
			 0);
	assert_int_equal(tuf_role_meta(role, "a.json", &m, &err), 0);
	assert_int_equal(m.version, 7);
	assert_int_equal(m.length, -1);
	assert_null(m.hashes);
	assert_int_equal(tuf_role_meta(role, "b.json", &m, &err), 0);
	assert_int_equal(m.length, 3);
	assert_non_null(m.hashes);
	assert_error(tuf_role_meta(role, "c.json", &m, &err), E_NOTFOUND, &err,
		     "snapshot.json: does not list c.json");
	assert_error(tuf_meta_check(&m, "abcd", 4, "b", &err), E_UNTRUSTED, &err,
		     "b: 4 bytes long, want 3");
	assert_error(tuf_meta_check(&m, "abc", 3, "b", &err), E_UNTRUSTED, &err, "cannot check");
}

static void both_hash_algorithms_are_checked(void **state)
{
	CLEANUP(json_decrefp)
	json_t *hashes = json_pack(
		"{s:s, s:s}", "sha256",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "sha512",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836b"
		"a3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	const struct tuf_meta m = {.version = 1, .length = -1, .hashes = hashes};
	struct error err = {0};

	(void)state;
	assert_int_equal(tuf_meta_check(&m, "abc", 3, "x", &err), 0);
	assert_error(tuf_meta_check(&m, "abd", 3, "x", &err), E_UNTRUSTED, &err, "its sha256 is");
	(void)json_object_del(hashes, "sha256");
	assert_int_equal(tuf_meta_check(&m, "abc", 3, "x", &err), 0);
	assert_error(tuf_meta_check(&m, "abd", 3, "x", &err), E_UNTRUSTED, &err, "its sha512 is");
	/* one that matches does not make up for one that does not */
	json_object_set_new(
		hashes, "sha256",
		json_string("a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"));
	assert_error(tuf_meta_check(&m, "abc", 3, "x", &err), E_UNTRUSTED, &err, "its sha256 is");
	assert_error(tuf_meta_check(&m, "abd", 3, "x", &err), E_UNTRUSTED, &err, "its sha512 is");
}

static void root_step_asks_for_both_thresholds_and_the_next_version(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_root_freep) struct tuf_root *one = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *two = NULL;
	struct sim_role *root = sim_role(s, "root");
	const struct buf *b = &sim_remote(s, "1.root.json")->bytes;
	struct error err = {0};

	(void)state;
	assert_int_equal(tuf_root_parse(b->data, b->len, "1", &one, &err), 0);
	assert_int_equal(tuf_root_self_signed(one, &err), 0);
	assert_error(tuf_root_step(one, b->data, b->len, "again", &two, &err), E_UNTRUSTED, &err,
		     "again: version 1, want 2");

	sim_rotate(s, "root"); /* signers: the old key, the new key */
	sim_bump(s, "root");
	b = &sim_remote(s, "2.root.json")->bytes;
	assert_int_equal(tuf_root_step(one, b->data, b->len, "2", &two, &err), 0);
	assert_int_equal(two->version, 2);
	tuf_root_free(two);
	two = NULL;

	sim_set_version(root, 3);
	sim_publish(s, "root");
	b = &sim_remote(s, "3.root.json")->bytes;
	assert_error(tuf_root_step(one, b->data, b->len, "3", &two, &err), E_UNTRUSTED, &err,
		     "3: version 3, want 2");

	struct signer *old = root->signers[0];
	sim_set_version(root, 2);
	root->signers[0] = root->signers[1];
	root->nsigners = 1; /* the new key alone */
	sim_publish(s, "root");
	root->signers[0] = old;
	root->nsigners = 2;
	b = &sim_remote(s, "2.root.json")->bytes;
	assert_error(tuf_root_step(one, b->data, b->len, "2", &two, &err), E_UNTRUSTED, &err,
		     "2: 0 of 1 signatures of the root role of version 1");
	sim_drop_signer(root, 1); /* the old key alone */
	sim_publish(s, "root");
	b = &sim_remote(s, "2.root.json")->bytes;
	assert_error(tuf_root_step(one, b->data, b->len, "2", &two, &err), E_UNTRUSTED, &err,
		     "its own root role");
	assert_null(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_read_with_its_keys),
		cmocka_unit_test(absent_consistent_snapshot_is_false),
		cmocka_unit_test(foreign_product_and_x_bequest_are_ignored),
		cmocka_unit_test(two_part_spec_version_of_major_1_is_read),
		cmocka_unit_test(role_of_fewer_keys_than_its_threshold_is_read),
		cmocka_unit_test(number_of_keys_is_bounded),
		cmocka_unit_test(keyids_without_a_key_are_skipped_and_duplicates_count_once),
		cmocka_unit_test(unknown_key_types_leave_a_root_readable),
		cmocka_unit_test(malformed_roots_are_refused_by_field),
		cmocka_unit_test(malformed_common_fields_are_refused),
		cmocka_unit_test(malformed_lists_of_files_are_refused),
		cmocka_unit_test(malformed_delegations_are_refused),
		cmocka_unit_test(absent_delegations_and_terminating_are_normal),
		cmocka_unit_test(files_beyond_the_limit_of_their_role_are_refused),
		cmocka_unit_test(meta_of_a_file_is_told_or_not_found),
		cmocka_unit_test(both_hash_algorithms_are_checked),
		cmocka_unit_test(root_step_asks_for_both_thresholds_and_the_next_version),
	};

	return cmocka_run_group_tests_name("tuf_role", tests, NULL, NULL);
}
