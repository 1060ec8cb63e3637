/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/key_file.h"

#include "lib/sign/key.h"
#include "lib/sign/signer.h"
#include "tests/unit/unit.h"

/* Of a key and an id, both borrowed. */
static json_t *file_of(const char *keyid, json_t *object)
{
	return json_pack("{s:s, s:O, s:s}", "keyid", keyid, "key", object, "name", "Ann");
}

static json_t *make_key(const char *kind, char keyid[KEYID_MAX + 1])
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(signer_freep) struct signer *s = NULL;
	struct error err = {0};

	assert_int_equal(signer_generate(kind, &pem, &err), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &s, &err), 0);
	(void)snprintf(keyid, KEYID_MAX + 1, "%s", key_id(signer_key(s)));
	return json_incref(key_object(signer_key(s)));
}

/* Else whoever hands in a key could take the place of another. */
static void a_key_comes_under_its_own_id(void **state)
{
	static const char *const kinds[] = {"ed25519", "ecdsa", "rsa"};
	char last[KEYID_MAX + 1] = "another name";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(key_file_clear) struct key_file k = {0};
		char keyid[KEYID_MAX + 1];
		CLEANUP(json_decrefp) json_t *key = make_key(kinds[i], keyid);
		struct error err = {0};

		assert_error(key_file_take(file_of(last, key), "ann.json", &k, &err), E_USAGE, &err,
			     "ann.json: keyid: want ");
		assert_non_null(strstr(err.text, keyid));
		assert_null(k.whole);
		assert_int_equal(key_file_take(file_of(keyid, key), "ann.json", &k, &err), 0);
		assert_string_equal(k.keyid, keyid);
		assert_string_equal(k.name, "Ann");
		memcpy(last, keyid, sizeof(last));
	}
}

static void an_openpgp_key_has_a_fingerprint(void **state)
{
	static const char *const bad[] = {"", "00112233445566778899aabbccddeeff0011223",
					  "00112233445566778899AABBCCDDEEFF00112233", "ann"};
	CLEANUP(json_decrefp)
	json_t *key = json_pack("{s:s,s:s,s:{s:{s:s}}}", "keytype", "eddsa", "scheme",
				"pgp+eddsa-ed25519", "keyval", "public", "q",
				"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	CLEANUP(key_file_clear) struct key_file k = {0};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_error(key_file_take(file_of(bad[i], key), "f", &k, &err), E_USAGE, &err,
			     "f: keyid: want ");
	assert_int_equal(key_file_take(file_of("00112233445566778899aabbccddeeff00112233", key),
				       "f", &k, &err),
			 0);
}

static void what_cannot_be_used_is_refused(void **state)
{
	CLEANUP(json_decrefp)
	json_t *odd = json_pack("{s:s, s:s, s:{s:s}}", "keytype", "sphincs", "scheme", "x",
				"keyval", "public", "00");
	struct key_file k = {0};
	struct error err = {0};

	(void)state;
	assert_error(key_file_take(file_of("id", odd), "f", &k, &err), E_USAGE, &err,
		     "f: key: a kind of key that cannot be used here");
	assert_error(key_file_take(json_array(), "f", &k, &err), E_USAGE, &err,
		     "f: want an object");
	assert_error(key_file_read("no-such-file", &k, &err), E_USAGE, &err, "no-such-file");
	assert_null(k.whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_comes_under_its_own_id),
		cmocka_unit_test(an_openpgp_key_has_a_fingerprint),
		cmocka_unit_test(what_cannot_be_used_is_refused),
	};

	return cmocka_run_group_tests_name("key_file", tests, NULL, NULL);
}
