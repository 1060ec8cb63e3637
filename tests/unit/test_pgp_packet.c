/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/sign/pgp_packet.h"
#include "tests/unit/unit.h"

/* Made with gpg 2.2.40 over this text; the fuzzer starts from the same files. */
#define FOLDER "tests/fuzz/corpus/openpgp/"
static const char message[] = "{\"_type\":\"root\"}";
enum { MESSAGE_LEN = sizeof(message) - 1, FILE_MAX = 4096 };

#define RSA_FPR "bd3e58be230652781df561c34e240b72de0da77d"
#define ED_PRIMARY "cdc85753a05b205133a9ee5fd214d6e92e8c5b73"
#define ED_ENCRYPT "62625f74035f574cce825049351c7a32652183e8"
#define ED_SIGN "111023a9424c58f4e05e1ab8e388a6189233fd28"

static struct buf load(const char *path)
{
	struct buf b = {0};

	assert_int_equal(file_read(AT_FDCWD, path, FILE_MAX, &b, NULL), 0);
	return b;
}

static json_t *signature_of(const char *path)
{
	CLEANUP(buf_clear) struct buf b = load(path);
	json_t *object = NULL;

	assert_int_equal(pgp_signature_object(b.data, b.len, &object, NULL), 0);
	return object;
}

static struct key *key_of(const char *path, const char *fpr)
{
	CLEANUP(buf_clear) struct buf b = load(path);
	json_auto_t *object = NULL;
	struct key *k = NULL;

	assert_int_equal(pgp_key_object(b.data, b.len, fpr, &object, NULL), 0);
	assert_int_equal(key_parse(fpr, object, "k", &k, NULL), 0);
	return k;
}

static struct signature view(const json_t *object)
{
	return (struct signature){
		.keyid = json_string_value(json_object_get(object, "keyid")),
		.sig = json_string_value(json_object_get(object, "sig")),
		.other_headers = json_string_value(json_object_get(object, "other_headers")),
	};
}

static void what_gpg_signed_holds_under_the_key_in_its_certificate(void **state)
{
	static const struct {
		const char *sig, *cert, *fpr;
		enum key_kind kind;
	} made[] = {
		{FOLDER "ed25519.sig", FOLDER "ed25519.cert", ED_SIGN, KEY_PGP_ED25519},
		{FOLDER "rsa.sig", FOLDER "rsa.cert", RSA_FPR, KEY_PGP_RSA},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		json_auto_t *object = signature_of(made[i].sig);
		CLEANUP(key_freep) struct key *k = key_of(made[i].cert, made[i].fpr);
		struct signature s = view(object);

		assert_int_equal(json_object_size(object), 3);
		assert_string_equal(s.keyid, made[i].fpr);
		assert_int_equal(key_kind(k), made[i].kind);
		assert_true(key_verify(k, message, MESSAGE_LEN, &s));
		assert_false(key_verify(k, message, MESSAGE_LEN - 1, &s));
		assert_false(key_verify(k, "{\"_type\":\"toor\"}", MESSAGE_LEN, &s));

		struct signature bare = s;
		bare.other_headers = NULL;
		assert_false(key_verify(k, message, MESSAGE_LEN, &bare));
		bare.other_headers = "";
		assert_false(key_verify(k, message, MESSAGE_LEN, &bare));
		bare = s;
		bare.sig = "";
		assert_false(key_verify(k, message, MESSAGE_LEN, &bare));
	}
}

static void other_keys_of_the_certificate_do_not_hold(void **state)
{
	json_auto_t *object = signature_of(FOLDER "ed25519.sig");
	CLEANUP(key_freep) struct key *primary = key_of(FOLDER "ed25519.cert", ED_PRIMARY);
	struct signature s = view(object);

	(void)state;
	assert_int_equal(key_kind(primary), KEY_PGP_ED25519);
	assert_false(key_verify(primary, message, MESSAGE_LEN, &s));
}

/* The issuer in the headers is signed: a key listed under another id must not use it. */
static void a_signature_that_names_another_key_does_not_hold(void **state)
{
	json_auto_t *object = signature_of(FOLDER "ed25519.sig");
	CLEANUP(key_freep) struct key *k = key_of(FOLDER "ed25519.cert", ED_SIGN);
	CLEANUP(key_freep) struct key *renamed = NULL;
	struct signature s = view(object);

	(void)state;
	assert_int_equal(key_parse("0000000000000000000000000000000000000000", key_object(k), "k",
				   &renamed, NULL),
			 0);
	assert_memory_equal(key_material(k), key_material(renamed), SHA256_LEN);
	assert_true(key_verify(k, message, MESSAGE_LEN, &s));
	assert_false(key_verify(renamed, message, MESSAGE_LEN, &s));
}

static void every_bit_of_signature_and_headers_counts(void **state)
{
	static const struct {
		const char *sig, *cert, *fpr;
	} made[] = {
		{FOLDER "ed25519.sig", FOLDER "ed25519.cert", ED_SIGN},
		{FOLDER "rsa.sig", FOLDER "rsa.cert", RSA_FPR},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		json_auto_t *object = signature_of(made[i].sig);
		CLEANUP(key_freep) struct key *k = key_of(made[i].cert, made[i].fpr);
		struct signature s = view(object);
		char headers[1024], sig[1024];

		assert_true(strlen(s.other_headers) < sizeof(headers));
		assert_true(strlen(s.sig) < sizeof(sig));
		strcpy(headers, s.other_headers);
		strcpy(sig, s.sig);
		s.other_headers = headers;
		s.sig = sig;
		for (size_t at = 0; headers[at]; at++) {
			char kept = headers[at];

			headers[at] = kept == '0' ? '1' : '0';
			assert_false(key_verify(k, message, MESSAGE_LEN, &s));
			headers[at] = kept;
		}
		for (size_t at = 0; sig[at]; at++) {
			char kept = sig[at];

			sig[at] = kept == '0' ? '1' : '0';
			assert_false(key_verify(k, message, MESSAGE_LEN, &s));
			sig[at] = kept;
		}
		assert_true(key_verify(k, message, MESSAGE_LEN, &s));
		memset(sig, '0', strlen(sig));
		assert_false(key_verify(k, message, MESSAGE_LEN, &s));
	}
}

static void signatures_of_other_forms_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *path, *complaint;
	} bad[] = {
		{FOLDER "rsa-sha512.sig", "want SHA-256 (gpg --digest-algo SHA256)"},
		{FOLDER "text.sig", "over binary data"},
		{FOLDER "expires.sig", "does not expire"},
		{FOLDER "rsa.cert", "want one binary signature packet"},
		{FOLDER "symmetric", "want one binary signature packet"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf b = load(bad[i].path);
		json_t *object = NULL;
		struct error err = {0};

		assert_error(pgp_signature_object(b.data, b.len, &object, &err), E_INVALID, &err,
			     bad[i].complaint);
		assert_null(object);
	}
}

static void a_signature_packet_is_whole_and_alone(void **state)
{
	CLEANUP(buf_clear) struct buf b = load(FOLDER "ed25519.sig");
	json_t *object = NULL;

	(void)state;
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(pgp_signature_object(b.data, len, &object, NULL), E_INVALID);
	assert_int_equal(buf_add(&b, "\0", 1, NULL), 0);
	assert_int_equal(pgp_signature_object(b.data, b.len, &object, NULL), E_INVALID);
	assert_null(object);
}

/* A version 4 Ed25519 signature packet around these hashed subpackets and numbers, in hex. */
static int build(const char *hashed, const char *numbers, const char *length, json_t **out)
{
	CLEANUP(buf_clear) struct buf text = {0};
	unsigned char raw[1024];
	size_t body = 6 + strlen(hashed) / 2 + 4 + strlen(numbers) / 2;

	if (length)
		assert_int_equal(buf_printf(&text, NULL, "c2%s", length), 0);
	else
		assert_int_equal(buf_printf(&text, NULL, "c2%02zx", body), 0);
	assert_int_equal(buf_printf(&text, NULL, "04001608%04zx%s0000abcd%s", strlen(hashed) / 2,
				    hashed, numbers),
			 0);
	assert_true(hex_decode(text.data, raw, text.len / 2));
	return pgp_signature_object(raw, text.len / 2, out, NULL);
}

#define CREATED "05026b02f2fb"
#define ISSUER "162104" RSA_FPR
#define ONE "000101"

static void subpackets_are_held_to_the_rules(void **state)
{
	static const struct {
		const char *hashed;
		bool ok;
	} cases[] = {
		{CREATED ISSUER, true},
		{ISSUER CREATED, true},
		{CREATED ISSUER "0910aabbccddeeff0011", true},
		{"05826b02f2fb" ISSUER, true},      /* critical and known */
		{CREATED "16a104" RSA_FPR, true},   /* likewise */
		{CREATED ISSUER "0363abcd", true},  /* unknown, not critical */
		{CREATED ISSUER "03e3abcd", false}, /* unknown and critical */
		{CREATED ISSUER "0394abcd", false}, /* a notation that insists */
		{CREATED, false},                   /* nobody signed it */
		{ISSUER, false},                    /* never */
		{CREATED CREATED ISSUER, false},
		{CREATED ISSUER ISSUER, false},
		{"04026b02f2" ISSUER, false},
		{CREATED "162105" RSA_FPR, false}, /* version 5 */
		{CREATED "152104cdc85753a05b205133a9ee5fd214d6e92e8c5b", false},
		{CREATED ISSUER "050300000001", false}, /* expires */
		{CREATED ISSUER "058300000001", false},
		{CREATED ISSUER "00", false},   /* no type */
		{CREATED ISSUER "0563", false}, /* cut short */
		{CREATED ISSUER "ff000000", false},
		{CREATED ISSUER "ffffffffff63", false},
		{CREATED ISSUER "c000" /* two-byte length, cut short */, false},
		{CREATED "ff0000001621"
			 "04" RSA_FPR,
		 true}, /* five-byte length */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_auto_t *object = NULL;

		assert_int_equal(build(cases[i].hashed, ONE ONE, NULL, &object),
				 cases[i].ok ? 0 : E_INVALID);
	}
}

static void numbers_lose_leading_zeros_and_get_them_back(void **state)
{
	static const struct {
		const char *numbers;
		bool ok;
	} cases[] = {
		{ONE ONE, true},
		{"0001010002"
		 "03",
		 true},
		{"0000" ONE, false},   /* zero has no form */
		{"000800" ONE, false}, /* a leading zero */
		{"000901" ONE, false}, /* wrong number of bits */
		{"00100001" ONE, false},
		{ONE, false},          /* one is missing */
		{ONE ONE "00", false}, /* something follows */
		{"0101"
		 "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" ONE,
		 false}, /* 257 bits */
	};
	json_auto_t *object = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_auto_t *made = NULL;

		assert_int_equal(build(CREATED ISSUER, cases[i].numbers, NULL, &made),
				 cases[i].ok ? 0 : E_INVALID);
	}
	assert_int_equal(build(CREATED ISSUER, ONE "000203", NULL, &object), 0);
	assert_string_equal(view(object).sig,
			    "0000000000000000000000000000000000000000000000000000000000000001"
			    "0000000000000000000000000000000000000000000000000000000000000003");
}

static void packet_lengths_of_streams_are_refused(void **state)
{
	json_auto_t *five = NULL, *partial = NULL;

	(void)state;
	/* 6 + 29 + 4 + 6 = 45 bytes, as five-byte length; then as a partial one. */
	assert_int_equal(build(CREATED ISSUER, ONE ONE, "ff0000002d", &five), 0);
	assert_int_equal(build(CREATED ISSUER, ONE ONE, "e5", &partial), E_INVALID);
	assert_int_equal(build(CREATED ISSUER, ONE ONE, "ffffffffff", &partial), E_INVALID);
}

static void headers_fit_the_kind_and_the_key_id(void **state)
{
	static const struct {
		const char *hex;
		enum key_kind kind;
		bool ok;
	} cases[] = {
		{"04001608001d" CREATED ISSUER, KEY_PGP_ED25519, true},
		{"040016080006" CREATED, KEY_PGP_ED25519, true},
		{"04000108001d" CREATED ISSUER, KEY_PGP_RSA, true},
		{"04000108001d" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"04001608001d" CREATED ISSUER, KEY_PGP_RSA, false},
		{"03001608001d" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"05001608001d" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"04011608001d" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"0400160a001d" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"04001608001c" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"04001608001e" CREATED ISSUER, KEY_PGP_ED25519, false},
		{"04001608001d" CREATED "162104" ED_PRIMARY, KEY_PGP_ED25519, false},
		{"040016080000", KEY_PGP_ED25519, false},
		{"0400160800", KEY_PGP_ED25519, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned char raw[128];
		size_t len = strlen(cases[i].hex) / 2;

		assert_true(hex_decode(cases[i].hex, raw, len));
		assert_int_equal(pgp_headers_ok(raw, len, cases[i].kind, RSA_FPR), cases[i].ok);
	}
	assert_false(pgp_headers_ok((const unsigned char *)"", 0, KEY_PGP_ED25519, RSA_FPR));
}

static void a_key_is_found_by_its_fingerprint_alone(void **state)
{
	CLEANUP(buf_clear) struct buf b = load(FOLDER "ed25519.cert");
	json_t *object = NULL;
	struct error err = {0};

	(void)state;
	assert_error(pgp_key_object(b.data, b.len, RSA_FPR, &object, &err), E_NOTFOUND, &err,
		     "no key " RSA_FPR);
	assert_error(pgp_key_object(b.data, b.len, ED_ENCRYPT, &object, &err), E_INVALID, &err,
		     "want Ed25519 or RSA");
	assert_error(pgp_key_object(b.data, b.len - 1, RSA_FPR, &object, &err), E_INVALID, &err,
		     "malformed packet");
	assert_error(pgp_key_object("", 0, RSA_FPR, &object, &err), E_NOTFOUND, &err, "no key");
	assert_error(pgp_key_object("-----BEGIN", 10, RSA_FPR, &object, &err), E_INVALID, &err,
		     "malformed packet");
	assert_null(object);
}

static void key_objects_are_what_securesystemslib_imports(void **state)
{
	CLEANUP(buf_clear) struct buf ed = load(FOLDER "ed25519.cert");
	CLEANUP(buf_clear) struct buf rsa = load(FOLDER "rsa.cert");
	json_auto_t *a = NULL, *b = NULL;
	json_t *public;

	(void)state;
	assert_int_equal(pgp_key_object(ed.data, ed.len, ED_SIGN, &a, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(a, "keytype")), "eddsa");
	assert_string_equal(json_string_value(json_object_get(a, "scheme")), "pgp+eddsa-ed25519");
	public = json_object_get(json_object_get(a, "keyval"), "public");
	assert_true(hex_is(json_string_value(json_object_get(public, "q")), 64));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(a, "keyval"), "private")), "");
	assert_int_equal(pgp_key_object(rsa.data, rsa.len, RSA_FPR, &b, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(b, "keytype")), "rsa");
	assert_string_equal(json_string_value(json_object_get(b, "scheme")), "pgp+rsa-pkcsv1.5");
	public = json_object_get(json_object_get(b, "keyval"), "public");
	assert_string_equal(json_string_value(json_object_get(public, "e")), "010001");
	assert_true(hex_is(json_string_value(json_object_get(public, "n")), 512));
}

static void s2k_count_is_read_from_the_first_packet(void **state)
{
	CLEANUP(buf_clear) struct buf good = load(FOLDER "symmetric");
	CLEANUP(buf_clear) struct buf simple = load(FOLDER "simple");
	CLEANUP(buf_clear) struct buf other = load(FOLDER "rsa.sig");
	size_t count = 7;
	struct error err = {0};

	(void)state;
	assert_error(pgp_s2k_count(simple.data, simple.len, &count, &err), E_INVALID, &err,
		     "not iterated");
	assert_error(pgp_s2k_count(other.data, other.len, &count, &err), E_INVALID, &err,
		     "want a message under a passphrase");
	assert_int_equal(pgp_s2k_count("", 0, &count, &err), E_INVALID);
	assert_int_equal(pgp_s2k_count(good.data, 14, &count, &err), E_INVALID);
	assert_int_equal(count, 7);
	assert_int_equal(pgp_s2k_count(good.data, 15, &count, &err), 0);
	assert_int_equal(count, 65536);
	good.data[14] = '\xff';
	assert_int_equal(pgp_s2k_count(good.data, good.len, &count, &err), 0);
	assert_int_equal(count, 65011712);
	good.data[14] = '\0';
	assert_int_equal(pgp_s2k_count(good.data, good.len, &count, &err), 0);
	assert_int_equal(count, 1024);
}

static void packets_report_every_failed_allocation(void **state)
{
	CLEANUP(buf_clear) struct buf sig = load(FOLDER "ed25519.sig");
	CLEANUP(buf_clear) struct buf cert = load(FOLDER "rsa.cert");
	bool failed = true;

	(void)state;
	for (long n = 0; failed; n++) {
		json_auto_t *object = NULL;
		struct error err = {0};

		oom_after(n);
		int r = pgp_signature_object(sig.data, sig.len, &object, &err);
		failed = oom_fired();
		assert_int_equal(r, failed ? E_NOMEM : 0);
	}
	failed = true;
	for (long n = 0; failed; n++) {
		json_auto_t *object = NULL;
		struct error err = {0};

		oom_after(n);
		int r = pgp_key_object(cert.data, cert.len, RSA_FPR, &object, &err);
		failed = oom_fired();
		assert_true(failed ? r < 0 && !object : r == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_gpg_signed_holds_under_the_key_in_its_certificate),
		cmocka_unit_test(other_keys_of_the_certificate_do_not_hold),
		cmocka_unit_test(a_signature_that_names_another_key_does_not_hold),
		cmocka_unit_test(every_bit_of_signature_and_headers_counts),
		cmocka_unit_test(signatures_of_other_forms_are_refused_with_the_reason),
		cmocka_unit_test(a_signature_packet_is_whole_and_alone),
		cmocka_unit_test(subpackets_are_held_to_the_rules),
		cmocka_unit_test(numbers_lose_leading_zeros_and_get_them_back),
		cmocka_unit_test(packet_lengths_of_streams_are_refused),
		cmocka_unit_test(headers_fit_the_kind_and_the_key_id),
		cmocka_unit_test(a_key_is_found_by_its_fingerprint_alone),
		cmocka_unit_test(key_objects_are_what_securesystemslib_imports),
		cmocka_unit_test(s2k_count_is_read_from_the_first_packet),
		cmocka_unit_test(packets_report_every_failed_allocation),
	};

	json_set_alloc_funcs(oom_malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
