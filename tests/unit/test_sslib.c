/* SPDX-License-Identifier: Apache-2.0 */
/* Against securesystemslib, the library that python-tuf signs and verifies with. */
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/proc.h"
#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "lib/sign/gpg.h"
#include "tests/unit/unit.h"

enum { ANSWER_MAX = 1 << 20 };

static json_t *ask(const char *what, const struct buf *in)
{
	const char *python = getenv("PYTHON");
	const char *const argv[] = {python ? python : "/usr/bin/python3", "tests/unit/sslib.py",
				    what, NULL};
	CLEANUP(buf_clear) struct buf out = {0};
	struct error err = {0};
	json_t *answer = NULL;
	int r = proc_run(argv, NULL, in, &out, ANSWER_MAX, &err);

	if (r)
		print_message("%s\n", err.text);
	assert_int_equal(r, 0);
	answer = json_loads(out.data, 0, NULL);
	assert_non_null(answer);
	return answer;
}

static void canonical_bytes_are_the_same(void **state)
{
	json_auto_t *rows = ask("canon", NULL);
	size_t same = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *text = json_string_value(json_array_get(row, 0));
		const char *want = json_string_value(json_array_get(row, 1));
		CLEANUP(buf_clear) struct buf form = {0};
		json_auto_t *v = NULL;

		if (strict_parse(text, strlen(text), NULL, &v, NULL) < 0) {
			assert_null(want);
			refused++;
			continue;
		}
		assert_non_null(want);
		assert_int_equal(canon_write(v, &form, NULL), 0);
		CLEANUP(freep) char *hex = malloc(HEX_LEN(form.len) + 1);
		assert_non_null(hex);
		hex_encode(form.data, form.len, hex);
		assert_string_equal(hex, want);
		same++;
	}
	assert_true(same > 300);
	assert_int_equal(refused, 6);
}

static void their_signatures_hold_for_us(void **state)
{
	json_auto_t *document = ask("sign", NULL);
	CLEANUP(freep) char *text = json_dumps(document, JSON_INDENT(1));
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	uint64_t who = 0;

	(void)state;
	assert_int_equal(envelope_parse(text, strlen(text), "root.json", &e, NULL), 0);
	assert_int_equal(role_keys_parse(json_object_get(envelope_signed(e), "keys"), NULL, 3,
					 "signed", &keys, NULL),
			 0);
	assert_int_equal(keys.n, 3);
	assert_int_equal(envelope_count(e, &keys, &who), 3);
	assert_int_equal(envelope_verify(e, &keys, "the root role", NULL), 0);
	/* Their ids are what we would have computed. */
	for (size_t i = 0; i < keys.n; i++) {
		CLEANUP(buf_clear) struct buf form = {0};
		char id[SHA256_HEX_SIZE];

		assert_int_equal(canon_write(key_object(keys.keys[i]), &form, NULL), 0);
		sha256_hex(form.data, form.len, id);
		assert_string_equal(id, key_id(keys.keys[i]));
	}
}

/* Sign `e` with `s`, whose public half goes into `keys`. */
static void add_signature(struct envelope *e, struct signer *s, json_t *keys)
{
	const struct key *k = signer_key(s);

	assert_int_equal(signer_sign_envelope(s, e, NULL), 0);
	assert_int_equal(json_object_set(keys, key_id(k), key_object(k)), 0);
}

static void add_gpg(struct gpg *g, const char *algo, const char *who, struct envelope *e,
		    json_t *keys)
{
	CLEANUP(signer_freep) struct signer *s = NULL;
	char fpr[PGP_FPR_HEX_SIZE];

	assert_int_equal(gpg_generate(g, algo, who, fpr, NULL), 0);
	assert_int_equal(gpg_signer(g, fpr, &s, NULL), 0);
	add_signature(e, s, keys);
}

static void our_signatures_hold_for_them(void **state)
{
	static const char *const kinds[] = {"ed25519", "ecdsa", "rsa"};
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	CLEANUP(buf_clear) struct buf question = {0};
	json_auto_t *keys = json_object();
	json_auto_t *answer = NULL;

	(void)state;
	assert_int_equal(envelope_new(json_pack("{s:s,s:s,s:i,s:s}", "_type", "root",
						"spec_version", "1.0.31", "version", 1, "text",
						"\xc3\xa9\n\t\"\\\x01\xf0\x9f\x98\x80"),
				      &e, NULL),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(buf_wipe) struct buf pem = {0};
		CLEANUP(signer_freep) struct signer *s = NULL;

		assert_int_equal(signer_generate(kinds[i], &pem, NULL), 0);
		assert_int_equal(signer_from_pem(pem.data, pem.len, &s, NULL), 0);
		add_signature(e, s, keys);
	}
	assert_int_equal(gpg_open_private(&g, NULL), 0);
	add_gpg(g, "ed25519", "Ann <ann@example.org>", e, keys);
	add_gpg(g, "rsa2048", "Bob <bob@example.org>", e, keys);

	json_auto_t *document = json_loads(envelope_bytes(e)->data, 0, NULL);
	assert_int_equal(json_object_set(document, "keys", keys), 0);
	CLEANUP(freep) char *text = json_dumps(document, 0);
	assert_int_equal(buf_puts(&question, text, NULL), 0);
	answer = ask("verify", &question);
	assert_int_equal(json_array_size(answer), 5);
	for (size_t i = 0; i < json_array_size(answer); i++)
		assert_non_null(
			json_object_get(keys, json_string_value(json_array_get(answer, i))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_bytes_are_the_same),
		cmocka_unit_test(their_signatures_hold_for_us),
		cmocka_unit_test(our_signatures_hold_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
