/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "escrow/bridge.h"
#include "lib/sign/signer.h"
#include "lib/tuf/repo.h"

/* Vendors 0-2 sign root 1 by 2, stewards 3-5 the bridge by 2; 6 and 7 are online keys. */
enum { VENDOR = 0, STEWARD = 3, ONLINE_OLD = 6, ONLINE_NEW = 7, KEYS = 8, PEOPLE = 3 };

#define VKEY "log.test+86d4134e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

struct world {
	struct signer *key[KEYS];
	json_t *root, *bridge; /* `signed` parts */
};

static struct signer *make_key(void)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	struct signer *s = NULL;
	struct error err;

	assert_int_equal(signer_generate("ed25519", &pem, &err), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &s, &err), 0);
	return s;
}

static void put(json_t *root, enum tuf_type role, const struct signer *s)
{
	struct error err;

	assert_int_equal(repo_root_add_key(root, role, key_id(signer_key(s)),
					   key_object(signer_key(s)), &err),
			 0);
}

static json_t *make_root(const struct world *w, int64_t version, int people, int online)
{
	bool bridge = version > 1;
	json_t *root = NULL;
	struct error err;

	assert_int_equal(repo_signed_new(TUF_ROOT, "acme.x1", version, 1700000000, &root, &err), 0);
	for (int i = 0; i < PEOPLE; i++)
		put(root, TUF_ROOT, w->key[people + i]);
	put(root, TUF_TARGETS, w->key[people]);
	put(root, TUF_TIMESTAMP, w->key[online]);
	put(root, TUF_SNAPSHOT, w->key[online]);
	assert_int_equal(repo_root_threshold(root, TUF_ROOT, 2, &err), 0);
	for (int t = TUF_TIMESTAMP; t < TUF_TYPES; t++)
		assert_int_equal(repo_root_threshold(root, (enum tuf_type)t, 1, &err), 0);
	json_object_set_new(
		root, "x-bequest",
		json_pack("{s:{s:s, s:s, s:s}, s:b, s:[{s:s, s:s, s:s}], s:{s:[], s:i}}",
			  "publisher", "id", bridge ? "friends" : "acme", "name", "N", "kind",
			  bridge ? "stewards" : "vendor", "bridge", bridge, "logs", "origin",
			  "log.test", "vkey", VKEY, "url", "log/", "witnesses", "keys", "threshold",
			  0));
	return root;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	for (size_t i = 0; i < KEYS; i++)
		w->key[i] = make_key();
	w->root = make_root(w, 1, VENDOR, ONLINE_OLD);
	w->bridge = make_root(w, 2, STEWARD, ONLINE_NEW);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < KEYS; i++)
		signer_free(w->key[i]);
	json_decref(w->root);
	json_decref(w->bridge);
	free(w);
	return 0;
}

/* As a root that is signed by the keys whose bit is set. */
static struct tuf_root *signed_by(const struct world *w, json_t *body, unsigned keys)
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	struct tuf_root *root = NULL;
	struct error err = {0};

	assert_int_equal(envelope_new(json_deep_copy(body), &e, &err), 0);
	for (size_t i = 0; i < KEYS; i++)
		if (keys & (1U << i))
			assert_int_equal(signer_sign_envelope(w->key[i], e, &err), 0);
	int r = tuf_root_parse(envelope_bytes(e)->data, envelope_bytes(e)->len, "root", &root,
			       &err);
	if (r < 0)
		fail_msg("%s", err.text);
	return root;
}

enum { BY_V0 = 1, BY_VENDOR = 3, BY_S0 = 8, BY_STEWARDS = 24 };

static int check(const struct world *w, unsigned keys, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = signed_by(w, w->root, BY_VENDOR);
	CLEANUP(tuf_root_freep) struct tuf_root *bridge = signed_by(w, w->bridge, keys);

	return bridge_check(root, bridge, err);
}

static void vendor_threshold_and_too_few_stewards_make_a_bridge(void **state)
{
	struct error err = {0};

	assert_int_equal(check(*state, BY_VENDOR, &err), 0);
	assert_int_equal(check(*state, BY_VENDOR | BY_S0, &err), 0);
	assert_error(check(*state, BY_V0, &err), E_USAGE, &err, "1 of 2");
	assert_error(check(*state, BY_VENDOR | BY_STEWARDS, &err), E_USAGE, &err,
		     "stewards have signed already");
}

static void what_is_no_bridge_is_refused(void **state)
{
	struct world *w = *state;
	json_t *good = w->bridge;
	const struct {
		const char *member, *value, *complaint;
	} bad[] = {
		{"version", "3", "signed.version: want 2, got 3"},
		{"version", "1", "signed.version: want 2, got 1"},
		{"product", "\"acme.x2\"", "signed.product"},
	};
	const struct {
		const char *member, *value, *complaint;
	} extra[] = {
		{"bridge", "false", "want a bridge"},
		{"publisher", "{\"id\": \"f\", \"name\": \"F\", \"kind\": \"vendor\"}",
		 "of the kind \"stewards\""},
		{"logs", "[]", "x-bequest"},
	};
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		w->bridge = json_deep_copy(good);
		json_object_set_new(w->bridge, bad[i].member,
				    json_loads(bad[i].value, JSON_DECODE_ANY, NULL));
		assert_error(check(w, BY_VENDOR, &err), E_USAGE, &err, bad[i].complaint);
		json_decref(w->bridge);
	}
	for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
		w->bridge = json_deep_copy(good);
		json_object_set_new(json_object_get(w->bridge, "x-bequest"), extra[i].member,
				    json_loads(extra[i].value, JSON_DECODE_ANY, NULL));
		int r = check(w, BY_VENDOR, &err);
		assert_true(r == E_USAGE || r == E_INVALID);
		assert_non_null(strstr(err.text, extra[i].complaint));
		json_decref(w->bridge);
	}
	w->bridge = good;
}

/* With the old ones, version 1 of a steward's timestamp would be a rollback. */
static void online_keys_must_be_new(void **state)
{
	struct world *w = *state;
	json_t *good = w->bridge;
	struct error err = {0};

	w->bridge = make_root(w, 2, STEWARD, ONLINE_OLD);
	assert_error(check(w, BY_VENDOR, &err), E_USAGE, &err, "keys that root 1 does not have");
	json_decref(w->bridge);
	w->bridge = make_root(w, 2, STEWARD, VENDOR);
	assert_error(check(w, BY_VENDOR, &err), E_USAGE, &err, "keys that root 1 does not have");
	json_decref(w->bridge);
	w->bridge = good;
}

/* `both` of three trustees are stewards too; k of them open. */
static int locks(const struct world *w, int both, int64_t k, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *bridge = signed_by(w, w->bridge, BY_VENDOR);
	CLEANUP(role_keys_clear) struct role_keys trustees = {0};
	CLEANUP(json_decrefp) json_t *keys = json_object();

	for (int i = 0; i < PEOPLE; i++) {
		const struct key *key = signer_key(w->key[i < both ? STEWARD + i : VENDOR + i]);

		json_object_set(keys, key_id(key), key_object(key));
	}
	assert_int_equal(role_keys_parse(keys, NULL, k, "trustees", &trustees, err), 0);
	return bridge_two_locks(bridge, &trustees, err);
}

static void no_k_trustees_may_be_a_quorum_of_stewards(void **state)
{
	struct error err = {0};

	assert_int_equal(locks(*state, 0, 2, &err), 0);
	assert_int_equal(locks(*state, 1, 2, &err), 0); /* one steward alone signs nothing */
	assert_error(locks(*state, 2, 2, &err), E_DENIED, &err,
		     "2 of 3 trustees who open are 2 stewards");
	assert_error(locks(*state, 3, 2, &err), E_DENIED, &err, "two locks would be one");
	assert_int_equal(locks(*state, 3, 1, &err), 0); /* whoever opens is one person */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vendor_threshold_and_too_few_stewards_make_a_bridge),
		cmocka_unit_test(what_is_no_bridge_is_refused),
		cmocka_unit_test(online_keys_must_be_new),
		cmocka_unit_test(no_k_trustees_may_be_a_quorum_of_stewards),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
