/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/json/canon.h"
#include "lib/sign/key.h"
#include "lib/sign/signer.h"
#include "tests/unit/unit.h"

static const char message[] = "{\"_type\":\"root\"}";
enum { MESSAGE_LEN = sizeof(message) - 1 };

/* RFC 8032 7.1, test 2: public key, message 0x72, signature. */
#define RFC_PUB "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define RFC_SIG \
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" \
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"

static struct key *parse(json_t *object_take)
{
	struct key *k = NULL;

	assert_non_null(object_take);
	assert_int_equal(key_parse("id", object_take, "keys.id", &k, NULL), 0);
	json_decref(object_take);
	return k;
}

static struct key *parse_ed25519(const char *hex)
{
	return parse(json_pack("{s:s,s:s,s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519",
			       "keyval", "public", hex));
}

static struct key *parse_pem(const char *keytype, const char *scheme, const char *pem)
{
	return parse(json_pack("{s:s,s:s,s:{s:s}}", "keytype", keytype, "scheme", scheme, "keyval",
			       "public", pem));
}

static bool verify(const struct key *k, const char *data, size_t len, const char *sig)
{
	struct signature s = {.keyid = "id", .sig = sig};

	return key_verify(k, data, len, &s);
}

static void ed25519_holds_for_the_rfc_vector_only(void **state)
{
	CLEANUP(key_freep) struct key *k = parse_ed25519(RFC_PUB);
	char sig[] = RFC_SIG;

	(void)state;
	assert_int_equal(key_kind(k), KEY_ED25519);
	assert_true(key_portable(k));
	assert_true(verify(k, "r", 1, sig));
	assert_false(verify(k, "s", 1, sig));
	assert_false(verify(k, "rr", 2, sig));
	assert_false(verify(k, "", 0, sig));
	for (size_t i = 0; i < strlen(sig); i++) {
		char kept = sig[i];

		sig[i] = kept == '0' ? '1' : '0';
		assert_false(verify(k, "r", 1, sig));
		sig[i] = kept;
	}
}

static void ed25519_refuses_other_lengths_and_spellings(void **state)
{
	static const char *const bad[] = {
		"",
		"00",
		RFC_SIG "00",
		"00" RFC_SIG,
		RFC_SIG "0",
		"92A009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		"0x" RFC_SIG,
		" " RFC_SIG,
		"00000000000000000000000000000000000000000000000000000000000000000"
		"00000000000000000000000000000000000000000000000000000000000000",
		/* S + the order of the group: the same signature, written otherwise */
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10",
	};
	CLEANUP(key_freep) struct key *k = parse_ed25519(RFC_PUB);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(verify(k, "r", 1, bad[i]));
	assert_false(verify(k, "r", 1, NULL));
}

static void ed25519_keys_of_low_order_are_unusable(void **state)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		/* other encodings of points: y >= 2^255 - 19 */
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(key_freep) struct key *k = parse_ed25519(bad[i]);
		unsigned char pub[32];
		char keyid[KEYID_MAX + 1];
		json_t *object = NULL;
		struct error err = {0};

		assert_int_equal(key_kind(k), KEY_UNKNOWN);
		assert_true(hex_decode(bad[i], pub, sizeof(pub)));
		assert_error(key_object_ed25519(pub, &object, keyid, &err), E_INVALID, &err,
			     "no usable point");
		assert_null(object);
	}
}

/* With A and R of order 1 and S = 0 the equation holds for every message. */
static void ed25519_signature_for_all_messages_is_refused(void **state)
{
	CLEANUP(key_freep)
	struct key *k =
		parse_ed25519("0100000000000000000000000000000000000000000000000000000000000000");

	(void)state;
	assert_false(verify(k, "any", 3,
			    "0100000000000000000000000000000000000000000000000000000000000000"
			    "0000000000000000000000000000000000000000000000000000000000000000"));
}

static void key_of_unknown_kind_or_value_is_kept_and_verifies_nothing(void **state)
{
	static const char *const odd[] = {
		"{\"keytype\":\"sphincs\",\"scheme\":\"shake\",\"keyval\":{\"public\":\"00\"}}",
		"{\"keytype\":\"ed25519\",\"scheme\":\"ed25519ph\",\"keyval\":{\"public\":\"" RFC_PUB
		"\"}}",
		"{\"keytype\":\"rsa\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"" RFC_PUB
		"\"}}",
		"{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{}}",
		"{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":7}}",
		"{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"00\"}}",
		"{\"keytype\":\"ecdsa\",\"scheme\":\"ecdsa-sha2-nistp256\",\"keyval\":{\"public\":"
		"\"-----BEGIN PUBLIC KEY-----\\n-----END PUBLIC KEY-----\\n\"}}",
		"{\"keytype\":\"ecdsa\",\"scheme\":\"ecdsa-sha2-nistp256\",\"keyval\":{\"public\":"
		"\"04\"}}",
		"{\"keytype\":\"rsa\",\"scheme\":\"pgp+rsa-pkcsv1.5\",\"keyval\":{\"public\":"
		"{\"n\":\"01\",\"e\":\"010001\"}}}",
		"{\"keytype\":\"rsa\",\"scheme\":\"pgp+rsa-pkcsv1.5\",\"keyval\":{\"public\":\"n\"}}",
		"{\"keytype\":\"eddsa\",\"scheme\":\"pgp+eddsa-ed25519\",\"keyval\":{\"public\":"
		"{\"q\":\"40" RFC_PUB "\"}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		CLEANUP(key_freep) struct key *k = parse(json_loads(odd[i], 0, NULL));

		assert_int_equal(key_kind(k), KEY_UNKNOWN);
		assert_false(key_portable(k));
		assert_false(verify(k, "r", 1, RFC_SIG));
		assert_string_equal(key_id(k), "id");
		assert_non_null(key_object(k));
	}
}

static void key_without_the_shape_of_one_is_refused(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"[]", "keys.id: want an object"},
		{"{}", "keys.id.keytype: missing"},
		{"{\"keytype\":\"ed25519\",\"keyval\":{}}", "keys.id.scheme: missing"},
		{"{\"keytype\":7,\"scheme\":\"x\",\"keyval\":{}}",
		 "keys.id.keytype: want a string"},
		{"{\"keytype\":\"x\",\"scheme\":\"x\",\"keyval\":\"x\"}", "keys.id.keyval: want"},
		{"{\"keytype\":\"\",\"scheme\":\"x\",\"keyval\":{}}", "want 1 to 64 bytes, got 0"},
	};
	char long_id[KEYID_MAX + 2];
	struct key *k = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_auto_t *object = json_loads(bad[i].text, 0, NULL);
		struct error err = {0};

		assert_error(key_parse("id", object, "keys.id", &k, &err), E_INVALID, &err,
			     bad[i].complaint);
		assert_null(k);
	}

	json_auto_t *object = json_pack("{s:s,s:s,s:{}}", "keytype", "x", "scheme", "x", "keyval");
	memset(long_id, 'a', sizeof(long_id));
	long_id[KEYID_MAX + 1] = '\0';
	assert_int_equal(key_parse(long_id, object, "k", &k, NULL), E_INVALID);
	assert_int_equal(key_parse("", object, "k", &k, NULL), E_INVALID);
	long_id[KEYID_MAX] = '\0';
	assert_int_equal(key_parse(long_id, object, "k", &k, NULL), 0);
	key_free(k);
}

/* A signer and its public half, parsed again as a reader would. */
struct pair {
	struct signer *signer;
	struct key *key;
	char *sig; /* over message */
};

static struct pair make_pair(const char *kind)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	json_auto_t *signature = NULL;
	struct pair p = {0};

	assert_int_equal(signer_generate(kind, &pem, NULL), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &p.signer, NULL), 0);
	const struct key *own = signer_key(p.signer);
	assert_int_equal(key_parse(key_id(own), key_object(own), "k", &p.key, NULL), 0);
	assert_int_equal(signer_sign(p.signer, message, MESSAGE_LEN, &signature, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(signature, "keyid")), key_id(own));
	p.sig = strdup(json_string_value(json_object_get(signature, "sig")));
	return p;
}

static void clear_pair(struct pair *p)
{
	signer_free(p->signer);
	key_free(p->key);
	free(p->sig);
}

static void every_kind_holds_for_its_bytes_and_no_others(void **state)
{
	static const struct {
		const char *name;
		enum key_kind kind;
	} kinds[] = {
		{"ed25519", KEY_ED25519},
		{"ecdsa", KEY_ECDSA_P256},
		{"rsa", KEY_RSA_PSS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(clear_pair) struct pair p = make_pair(kinds[i].name);
		CLEANUP(clear_pair) struct pair other = make_pair(kinds[i].name);
		size_t len = strlen(p.sig);
		char longer[2200], zeros[2200];

		assert_int_equal(key_kind(p.key), kinds[i].kind);
		assert_true(key_portable(p.key));
		assert_true(verify(p.key, message, MESSAGE_LEN, p.sig));
		assert_false(verify(other.key, message, MESSAGE_LEN, p.sig));
		assert_false(verify(p.key, message, MESSAGE_LEN - 1, p.sig));
		assert_false(verify(p.key, "{\"_type\":\"toor\"}", MESSAGE_LEN, p.sig));
		(void)snprintf(longer, sizeof(longer), "%s00", p.sig);
		assert_false(verify(p.key, message, MESSAGE_LEN, longer));
		(void)snprintf(longer, sizeof(longer), "00%s", p.sig);
		assert_false(verify(p.key, message, MESSAGE_LEN, longer));
		memset(zeros, '0', len);
		zeros[len] = '\0';
		assert_false(verify(p.key, message, MESSAGE_LEN, zeros));
		p.sig[len - 2] = '\0';
		assert_false(verify(p.key, message, MESSAGE_LEN, p.sig));
	}
}

static void key_object_has_the_id_that_writers_compute(void **state)
{
	static const char *const kinds[] = {"ed25519", "ecdsa", "rsa"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(clear_pair) struct pair p = make_pair(kinds[i]);
		CLEANUP(buf_clear) struct buf canonical = {0};
		char want[SHA256_HEX_SIZE];

		assert_int_equal(canon_write(key_object(p.key), &canonical, NULL), 0);
		sha256_hex(canonical.data, canonical.len, want);
		assert_string_equal(key_id(p.key), want);
	}
}

static void ecdsa_takes_both_forms_of_s(void **state)
{
	CLEANUP(clear_pair) struct pair p = make_pair("ecdsa");
	unsigned char der[80], *out = der;
	const unsigned char *in = der;
	size_t len = strlen(p.sig) / 2;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *s = BN_new();
	char hex[HEX_LEN(sizeof(der)) + 1];

	(void)state;
	assert_true(hex_decode(p.sig, der, len));
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &in, (long)len);
	assert_non_null(sig);
	assert_true(BN_sub(s, EC_GROUP_get0_order(group), ECDSA_SIG_get0_s(sig)));
	assert_true(ECDSA_SIG_set0(sig, BN_dup(ECDSA_SIG_get0_r(sig)), s));
	len = (size_t)i2d_ECDSA_SIG(sig, &out);
	hex_encode(der, len, hex);
	assert_string_not_equal(hex, p.sig);
	assert_true(verify(p.key, message, MESSAGE_LEN, hex));
	ECDSA_SIG_free(sig);
	EC_GROUP_free(group);
}

/* Public halves of keys made with the openssl tool. */
static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
			   "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE0s5egy0oaEvEgxsojBxH3zqRQDjcpZcv\n"
			   "inJFLMBN3wkD5ozNuhTtcbfDHRbk3PKxUit64ZYCsC2zLECBz5rer20uOBXoDZ0G\n"
			   "5DPkjKpxDjY8/ABQ7zTgtsGbxCMudlq/\n"
			   "-----END PUBLIC KEY-----\n";
static const char secp256k1[] = "-----BEGIN PUBLIC KEY-----\n"
				"MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEZmglgj2IgMX96VI9EOssY/Wkcy9JCZV+\n"
				"ZyysYSSTz/zfsLPiEkmZL9XjkjJKAkCiaL//i1XnrDwDVgdVjUJE7w==\n"
				"-----END PUBLIC KEY-----\n";
static const char explicit_p256[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n"
	"AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n"
	"///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n"
	"NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n"
	"RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n"
	"//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABHMCml80/jv6JqsvLi1XiDkA\n"
	"O79uL2ZVJ/1Y/27Lobh2ahXUlPAL9/glfywwvKXWD3P+LarjBloyrxADO1pL6Ig=\n"
	"-----END PUBLIC KEY-----\n";
static const char rsa1024[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCqwMCdAmLyH+JoUxoFBZ51pptV\n"
			      "Y4ScDG9aOIsPv1XwzM2T+wQElanyRXfNzAKLdTZEFlloLS49gPh/Dcl8J4bJuxe7\n"
			      "LPLnBF30SxQW6f3D0Za71fu77BzXEtqDyWFnUvggNq/uWS9DSpl3K7bQ5AZRTUdP\n"
			      "sq27tcBPaasbzGweRQIDAQAB\n"
			      "-----END PUBLIC KEY-----\n";
static const char rsa2048[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxqXXnw6uYWHjGLZuB3uU\n"
			      "4BAmcx5iUMxDgM3OmHlAFs08GA+xr898d6XW4GwFGDFGjGHPh8oNw+fRWyvof3Xd\n"
			      "v1T2rgjzzUDmkoIUHktMxnmTwqsa6FMJl7clbwepfpjpOgrVbqoeW8vFRIMlD6Px\n"
			      "z8Io6dosKYbxnq0QUANfq5UiakDjpKTCNcXW7evMtmmRLzZFEHhC6xEnsWwfp0zg\n"
			      "fBfSVbK8aQTA/o2OK6l+BLCoSRa1/6oiU/GS37vnFtwzuOclngSC82c1F9K8AtUD\n"
			      "5AuZ8RpnfW4tDDLgXQMc2QzPHsAjwa34Vxty/1VLGg7oATXtoElNbx0RsKx1AJHa\n"
			      "sQIDAQAB\n"
			      "-----END PUBLIC KEY-----\n";

static void keys_of_other_curves_and_sizes_are_unusable(void **state)
{
	static const struct {
		const char *keytype, *scheme, *pem;
		enum key_kind kind;
	} keys[] = {
		{"ecdsa", "ecdsa-sha2-nistp256", p384, KEY_UNKNOWN},
		{"ecdsa", "ecdsa-sha2-nistp256", secp256k1, KEY_UNKNOWN},
		{"ecdsa", "ecdsa-sha2-nistp256", explicit_p256, KEY_UNKNOWN},
		{"ecdsa", "ecdsa-sha2-nistp256", rsa2048, KEY_UNKNOWN},
		{"rsa", "rsassa-pss-sha256", p384, KEY_UNKNOWN},
		{"rsa", "rsassa-pss-sha256", rsa1024, KEY_UNKNOWN},
		{"rsa", "rsassa-pss-sha256", rsa2048, KEY_RSA_PSS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		CLEANUP(key_freep)
		struct key *k = parse_pem(keys[i].keytype, keys[i].scheme, keys[i].pem);
		char keyid[KEYID_MAX + 1];
		json_t *object = NULL;

		assert_int_equal(key_kind(k), keys[i].kind);
		if (strcmp(keys[i].pem, rsa2048) == 0)
			continue;
		assert_int_equal(key_object_pem(keys[i].pem, &object, keyid, NULL), E_INVALID);
		assert_null(object);
	}
}

/* Deployed repositories still name the curve twice. */
static void ecdsa_key_of_the_older_name_is_the_same_key(void **state)
{
	CLEANUP(clear_pair) struct pair p = make_pair("ecdsa");
	const char *pem = json_string_value(
		json_object_get(json_object_get(key_object(p.key), "keyval"), "public"));
	CLEANUP(key_freep)
	struct key *old = parse_pem("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", pem);
	CLEANUP(key_freep) struct key *other = parse_pem("ecdsa", "ecdsa-sha2-nistp384", pem);

	(void)state;
	assert_int_equal(key_kind(old), KEY_ECDSA_P256);
	assert_true(key_portable(old));
	assert_memory_equal(key_material(old), key_material(p.key), SHA256_LEN);
	assert_true(verify(old, message, MESSAGE_LEN, p.sig));
	assert_int_equal(key_kind(other), KEY_UNKNOWN);
	assert_false(verify(other, message, MESSAGE_LEN, p.sig));
}

enum { DER_MAX = 80 };

/* DER of (r, s): hex, with `zeros` in front of the first number and `extra` behind the second. */
static void der_of(const BIGNUM *r, const BIGNUM *s, size_t zeros, size_t extra,
		   char hex[HEX_LEN(DER_MAX) + 1])
{
	unsigned char der[DER_MAX] = {0x30, 0};
	const BIGNUM *const numbers[] = {r, s};
	size_t at = 2;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		unsigned char raw[40] = {0};
		size_t len = (size_t)BN_num_bytes(numbers[i]);
		size_t pad = (BN_num_bits(numbers[i]) % 8 == 0 ? 1 : 0) + (i == 0 ? zeros : 0);

		assert_int_equal(BN_bn2bin(numbers[i], raw), len);
		der[at++] = 2;
		der[at++] = (unsigned char)(pad + len);
		at += pad;
		memcpy(der + at, raw, len);
		at += len;
	}
	at += extra;
	der[1] = (unsigned char)(at - 2);
	hex_encode(der, at, hex);
}

static void ecdsa_refuses_numbers_and_spellings_out_of_bounds(void **state)
{
	CLEANUP(clear_pair) struct pair p = make_pair("ecdsa");
	unsigned char der[DER_MAX];
	const unsigned char *in = der;
	size_t len = strlen(p.sig) / 2;
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	const BIGNUM *order = EC_GROUP_get0_order(group);
	BIGNUM *none = BN_new(), *more = BN_new();
	char hex[HEX_LEN(DER_MAX) + 1], raw[129];
	unsigned char pair[64];

	(void)state;
	assert_true(hex_decode(p.sig, der, len));
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &in, (long)len);
	assert_non_null(sig);
	const BIGNUM *r = ECDSA_SIG_get0_r(sig), *s = ECDSA_SIG_get0_s(sig);

	der_of(r, s, 0, 0, hex);
	assert_true(verify(p.key, message, MESSAGE_LEN, hex));
	der_of(s, r, 0, 0, hex);
	assert_false(verify(p.key, message, MESSAGE_LEN, hex));

	/* Nothing, the order itself, and what is the same modulo the order. */
	assert_true(BN_add(more, s, order));
	const struct {
		const BIGNUM *r, *s;
	} bad[] = {{none, none}, {r, none}, {none, s}, {order, s}, {r, order}, {r, more}};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		der_of(bad[i].r, bad[i].s, 0, 0, hex);
		assert_false(verify(p.key, message, MESSAGE_LEN, hex));
	}
	/* The same numbers, spelt otherwise: a zero too many, bytes behind, no DER at all. */
	der_of(r, s, 1, 0, hex);
	assert_false(verify(p.key, message, MESSAGE_LEN, hex));
	der_of(r, s, 0, 1, hex);
	assert_false(verify(p.key, message, MESSAGE_LEN, hex));
	assert_int_equal(BN_bn2binpad(r, pair, 32), 32);
	assert_int_equal(BN_bn2binpad(s, pair + 32, 32), 32);
	hex_encode(pair, sizeof(pair), raw);
	assert_false(verify(p.key, message, MESSAGE_LEN, raw));
	ECDSA_SIG_free(sig);
	EC_GROUP_free(group);
	BN_free(none);
	BN_free(more);
}

/* As pgp+rsa-pkcsv1.5 writes it, which lets a test choose the numbers. */
static enum key_kind kind_of_rsa(int bits, bool even, const char *e)
{
	BIGNUM *n = BN_new();
	CLEANUP(key_freep) struct key *k = NULL;
	char *hex;

	assert_true(BN_set_bit(n, bits - 1) && BN_set_bit(n, 3) && (even || BN_set_bit(n, 0)));
	hex = BN_bn2hex(n);
	for (char *c = hex; *c; c++)
		*c = (char)(*c >= 'A' ? *c - 'A' + 'a' : *c);
	k = parse(json_pack("{s:s,s:s,s:{s:{s:s,s:s}}}", "keytype", "rsa", "scheme",
			    "pgp+rsa-pkcsv1.5", "keyval", "public", "e", e, "n", hex));
	OPENSSL_free(hex);
	BN_free(n);
	return key_kind(k);
}

static void rsa_numbers_have_bounds_on_both_sides(void **state)
{
	static const struct {
		int bits;
		bool even;
		const char *e;
		enum key_kind kind;
	} keys[] = {
		{2047, false, "010001", KEY_UNKNOWN},
		{2048, false, "010001", KEY_PGP_RSA},
		{8192, false, "010001", KEY_PGP_RSA},
		{8193, false, "010001", KEY_UNKNOWN},
		{2048, true, "010001", KEY_UNKNOWN},
		{2048, false, "03", KEY_PGP_RSA},
		{2048, false, "01", KEY_UNKNOWN},
		{2048, false, "02", KEY_UNKNOWN},
		{2048, false, "00", KEY_UNKNOWN},
		{2048, false, "", KEY_UNKNOWN},
		{2048, false, "ffffffffffffffff", KEY_PGP_RSA},
		{2048, false, "01ffffffffffffffff", KEY_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(kind_of_rsa(keys[i].bits, keys[i].even, keys[i].e), keys[i].kind);
}

/* Sign the message with a key of signer_generate(), in a way that its scheme is not. */
static char *sign_otherwise(const struct buf *pem, const EVP_MD *md, int padding)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	unsigned char sig[512];
	size_t len = sizeof(sig);
	char *hex = malloc(HEX_LEN(sizeof(sig)) + 1);

	assert_non_null(hex);
	assert_int_equal(EVP_DigestSignInit(ctx, &how, md, NULL, pkey), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, padding), 1);
	assert_int_equal(
		EVP_DigestSign(ctx, sig, &len, (const unsigned char *)message, MESSAGE_LEN), 1);
	hex_encode(sig, len, hex);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	(void)BIO_free(bio);
	return hex;
}

static void rsa_signature_of_another_scheme_is_refused(void **state)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(signer_freep) struct signer *signer = NULL;
	const struct {
		const EVP_MD *md;
		int padding;
		bool good;
	} ways[] = {
		{EVP_sha256(), RSA_PKCS1_PSS_PADDING, true},
		{EVP_sha512(), RSA_PKCS1_PSS_PADDING, false},
		{EVP_sha256(), RSA_PKCS1_PADDING, false},
	};

	(void)state;
	assert_int_equal(signer_generate("rsa", &pem, NULL), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &signer, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		CLEANUP(freep) char *sig = sign_otherwise(&pem, ways[i].md, ways[i].padding);

		assert_int_equal(verify(signer_key(signer), message, MESSAGE_LEN, sig),
				 ways[i].good);
	}
}

/* An OpenPGP RSA signature whose number is a byte shorter than the modulus. */
static const char short_n[] =
	"9bd9b040025f2e0607e6e54a0d4a4ba7415bc77c230809e1625076cf500110437c5947a981aca3dd"
	"4419919671ce2c099b13b073937d9894e7fdc7a100049af3669fd181aa6ba70cd81319e7be42fcfb"
	"2c36ba7c5ed994c6767f6b22fe04da1e3fb2e868f16c28b4613a919c2d95c026babe09fb21840172"
	"c24a412229e5dd10b58f710db5c6ec85b2f97984cfa0e0857637698b1c407f8999b1292c5efacb05"
	"1cefca1f63e56dd4e2a7f0074302dd96677939b9ccd00e2c80f266f5e6b698c96be666231312d0a2"
	"8afde4c74aa8588f376cf3fdf4d8e16f1939c7de84ce9fb7a0449f67247e360f0527e8f3c82c9cc4"
	"59db6dc231716ed7685b555fb8d5ad4b";
static const char short_sig[] =
	"73e789eb16cc4e6b1f06fcacdfa7607771aedec19877150db9d7cf09b4d737b54c67cfea121b0707"
	"a37daab0e8e141958d1124fd9cd3d3ca5b34555f3f9237b418de16a29b4995264b74fd9e46ffa270"
	"9ec89cf4dc8e34f5c0fed1578569937d27d9bca011b9021e3c43b6369bf52ebf8f22a4dd1d6326a3"
	"6a8d66542d3a761fb1e0c85d2287fc373c4bee81613a721443de2bd81189eefa423258ffd9df5ebb"
	"2b6168f3279f48c60472f4bc14b4097972b853f57d8bdc564df1992678246365140cd5976ea6601d"
	"fc9ea5afbb7abe8cf02fbb1a6d7b68a3f9e4dd18ca40fb182b404183c55a61031e34d1bee5f16002"
	"dabc9db36468fd9253945a5546f23b";

static void pgp_rsa_signature_gets_its_leading_zeros_back(void **state)
{
	static const char text[] = "message 308";
	CLEANUP(key_freep)
	struct key *k = parse(json_pack("{s:s,s:s,s:{s:{s:s,s:s}}}", "keytype", "rsa", "scheme",
					"pgp+rsa-pkcsv1.5", "keyval", "public", "e", "010001", "n",
					short_n));
	struct signature s = {.keyid = "id", .other_headers = "04000108000605026b02f2fb"};
	char longer[sizeof(short_sig) + 4];

	(void)state;
	assert_true(strlen(short_sig) < strlen(short_n));
	s.sig = short_sig;
	assert_true(key_verify(k, text, strlen(text), &s));
	(void)snprintf(longer, sizeof(longer), "00%s", short_sig);
	s.sig = longer;
	assert_true(key_verify(k, text, strlen(text), &s));
	(void)snprintf(longer, sizeof(longer), "0000%s", short_sig);
	assert_false(key_verify(k, text, strlen(text), &s));
	(void)snprintf(longer, sizeof(longer), "%s00", short_sig);
	assert_false(key_verify(k, text, strlen(text), &s));
	memset(longer, '0', strlen(short_n));
	longer[strlen(short_n)] = '\0';
	assert_false(key_verify(k, text, strlen(text), &s));
}

/* What signature headers of `len` bytes (at least 210) are worth, truly signed by the key. */
static bool holds_with_headers(const struct pair *p, const struct key *k, size_t len)
{
	enum { FIXED = 6, CREATED = 6, FILLER = FIXED + CREATED };
	static const unsigned char start[] = {4, 0, 22, 8, 0, 0, 5, 2, 0x6b, 2, 0xf2, 0xfb};
	CLEANUP(json_decrefp) json_t *made = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	unsigned char headers[1024] = {0}, hash[SHA256_LEN];
	size_t rest = len - FILLER - 2 - 192; /* of a subpacket that says nothing, in two bytes */
	char hex[HEX_LEN(sizeof(headers)) + 1];

	memcpy(headers, start, sizeof(start));
	headers[4] = (unsigned char)((len - FIXED) >> 8);
	headers[5] = (unsigned char)((len - FIXED) & 0xff);
	headers[FILLER] = (unsigned char)(192 + (rest >> 8));
	headers[FILLER + 1] = (unsigned char)(rest & 0xff);
	headers[FILLER + 2] = 99;
	const unsigned char trailer[] = {
		4, 0xff, 0, 0, (unsigned char)(len >> 8), (unsigned char)(len & 0xff)};

	assert_int_equal(buf_add(&text, message, MESSAGE_LEN, NULL), 0);
	assert_int_equal(buf_add(&text, headers, len, NULL), 0);
	assert_int_equal(buf_add(&text, trailer, sizeof(trailer), NULL), 0);
	sha256(text.data, text.len, hash);
	assert_int_equal(signer_sign(p->signer, hash, sizeof(hash), &made, NULL), 0);
	hex_encode(headers, len, hex);

	struct signature s = {.keyid = "id",
			      .sig = json_string_value(json_object_get(made, "sig")),
			      .other_headers = hex};
	return key_verify(k, message, MESSAGE_LEN, &s);
}

static void pgp_headers_have_a_bound(void **state)
{
	CLEANUP(clear_pair) struct pair p = make_pair("ed25519");
	const json_t *keyval = json_object_get(key_object(p.key), "keyval");
	CLEANUP(key_freep)
	struct key *k = parse(json_pack("{s:s,s:s,s:{s:{s:O}}}", "keytype", "eddsa", "scheme",
					"pgp+eddsa-ed25519", "keyval", "public", "q",
					json_object_get(keyval, "public")));

	(void)state;
	assert_true(holds_with_headers(&p, k, 210));
	assert_true(holds_with_headers(&p, k, 512));
	assert_false(holds_with_headers(&p, k, 513));
	assert_false(holds_with_headers(&p, k, 1024));
}

static void pem_has_a_bound(void **state)
{
	CLEANUP(buf_clear) struct buf text = {0};
	char spaces[4096 + 1 - sizeof(rsa2048) + 1];

	(void)state;
	memset(spaces, '\n', sizeof(spaces) - 1);
	spaces[sizeof(spaces) - 1] = '\0';
	assert_int_equal(buf_printf(&text, NULL, "%s%s", spaces, rsa2048), 0);
	assert_int_equal(text.len, 4096);
	for (int over = 0; over < 2; over++) {
		CLEANUP(key_freep)
		struct key *k = parse_pem("rsa", "rsassa-pss-sha256", text.data);

		assert_int_equal(key_kind(k), over ? KEY_UNKNOWN : KEY_RSA_PSS);
		assert_int_equal(buf_puts(&text, "\n", NULL), 0);
	}
}

static void key_object_pem_wants_a_public_key(void **state)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	char keyid[KEYID_MAX + 1];
	json_t *object = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(signer_generate("ed25519", &pem, NULL), 0);
	assert_error(key_object_pem(pem.data, &object, keyid, &err), E_INVALID, &err, "PEM");
	assert_error(key_object_pem("", &object, keyid, &err), E_INVALID, &err, "PEM");
	assert_error(key_object_pem("rubbish", &object, keyid, &err), E_INVALID, &err, "PEM");
	assert_null(object);
}

/* --- several keys --- */

static json_t *ed25519_object(const char *hex)
{
	return json_pack("{s:s,s:s,s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval",
			 "public", hex);
}

static json_t *pgp_object(const char *hex)
{
	return json_pack("{s:s,s:s,s:{s:{s:s}}}", "keytype", "eddsa", "scheme", "pgp+eddsa-ed25519",
			 "keyval", "public", "q", hex);
}

static void one_key_counts_once_whatever_its_ids_and_schemes(void **state)
{
	json_auto_t *keys = json_object();
	CLEANUP(role_keys_clear) struct role_keys all = {0};
	CLEANUP(key_freep) struct key *again = parse_ed25519(RFC_PUB);
	CLEANUP(key_freep)
	struct key *stranger =
		parse_ed25519("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

	(void)state;
	json_object_set_new(keys, "a", ed25519_object(RFC_PUB));
	json_object_set_new(keys, "b", ed25519_object(RFC_PUB));
	json_object_set_new(keys, "c", pgp_object(RFC_PUB));
	assert_int_equal(role_keys_parse(keys, NULL, 1, "signed", &all, NULL), 0);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.nalso, 2);
	assert_true(role_keys_has(&all, again));
	assert_int_equal(role_keys_index(&all, again), 0);
	assert_false(role_keys_has(&all, stranger));
	assert_int_equal(role_keys_index(&all, stranger), 1);
}

static void role_keys_take_only_the_named_and_known(void **state)
{
	json_auto_t *keys = json_object();
	json_auto_t *ids = json_pack("[s,s,s]", "b", "nobody", "b");
	CLEANUP(role_keys_clear) struct role_keys some = {0};

	(void)state;
	json_object_set_new(keys, "a", json_string("not even a key"));
	json_object_set_new(keys, "b", ed25519_object(RFC_PUB));
	assert_int_equal(role_keys_parse(keys, ids, 2, "signed", &some, NULL), 0);
	assert_int_equal(some.n, 1);
	assert_int_equal(some.nalso, 0);
	assert_string_equal(key_id(some.keys[0]), "b");
	assert_true(some.threshold == 2);
}

static void role_keys_refuse_bad_shapes(void **state)
{
	json_auto_t *keys = json_object(), *number = json_pack("[i]", 1), *many = json_object();
	json_auto_t *array = json_array(), *bad = json_pack("{s:{}}", "a");
	struct role_keys out = {0};
	struct error err = {0};

	(void)state;
	assert_error(role_keys_parse(keys, NULL, 0, "signed", &out, &err), E_INVALID, &err,
		     "signed.threshold: want at least 1, got 0");
	assert_error(role_keys_parse(keys, NULL, -1, "", &out, &err), E_INVALID, &err, "threshold");
	assert_error(role_keys_parse(array, NULL, 1, "signed", &out, &err), E_INVALID, &err,
		     "signed.keys: want an object");
	assert_error(role_keys_parse(NULL, NULL, 1, "signed", &out, &err), E_INVALID, &err,
		     "signed.keys: want an object");
	assert_error(role_keys_parse(keys, keys, 1, "signed", &out, &err), E_INVALID, &err,
		     "signed.keyids: want an array");
	assert_error(role_keys_parse(keys, number, 1, "signed", &out, &err), E_INVALID, &err,
		     "signed.keyids[0]: want a string");
	assert_error(role_keys_parse(bad, NULL, 1, "signed", &out, &err), E_INVALID, &err,
		     "signed.keys.a.keytype: missing");
	for (int i = 0; i < KEYS_MAX; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "k%d", i);
		json_object_set_new(many, id,
				    json_pack("{s:s,s:s,s:{s:i}}", "keytype", "x", "scheme", "x",
					      "keyval", "public", i));
	}
	assert_int_equal(role_keys_parse(many, NULL, 1, "signed", &out, &err), 0);
	assert_int_equal(out.n, KEYS_MAX);
	role_keys_clear(&out);
	json_object_set_new(many, "more", ed25519_object(RFC_PUB));
	assert_error(role_keys_parse(many, NULL, 1, "signed", &out, &err), E_INVALID, &err,
		     "signed.keys: want 0 to 64, got 65");
	assert_null(out.keys);
}

static void role_keys_report_every_failed_allocation(void **state)
{
	json_auto_t *keys = json_object();
	bool failed = true;

	(void)state;
	json_object_set_new(keys, "a", ed25519_object(RFC_PUB));
	json_object_set_new(keys, "b",
			    json_pack("{s:s,s:s,s:{}}", "keytype", "x", "scheme", "y", "keyval"));
	for (long n = 0; failed; n++) {
		struct role_keys out = {0};
		struct error err = {0};

		oom_after(n);
		int r = role_keys_parse(keys, NULL, 1, "signed", &out, &err);
		failed = oom_fired();
		assert_int_equal(r, failed ? E_NOMEM : 0);
		role_keys_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ed25519_holds_for_the_rfc_vector_only),
		cmocka_unit_test(ed25519_refuses_other_lengths_and_spellings),
		cmocka_unit_test(ed25519_keys_of_low_order_are_unusable),
		cmocka_unit_test(ed25519_signature_for_all_messages_is_refused),
		cmocka_unit_test(key_of_unknown_kind_or_value_is_kept_and_verifies_nothing),
		cmocka_unit_test(key_without_the_shape_of_one_is_refused),
		cmocka_unit_test(every_kind_holds_for_its_bytes_and_no_others),
		cmocka_unit_test(key_object_has_the_id_that_writers_compute),
		cmocka_unit_test(ecdsa_takes_both_forms_of_s),
		cmocka_unit_test(keys_of_other_curves_and_sizes_are_unusable),
		cmocka_unit_test(ecdsa_key_of_the_older_name_is_the_same_key),
		cmocka_unit_test(ecdsa_refuses_numbers_and_spellings_out_of_bounds),
		cmocka_unit_test(rsa_numbers_have_bounds_on_both_sides),
		cmocka_unit_test(rsa_signature_of_another_scheme_is_refused),
		cmocka_unit_test(pgp_rsa_signature_gets_its_leading_zeros_back),
		cmocka_unit_test(pgp_headers_have_a_bound),
		cmocka_unit_test(pem_has_a_bound),
		cmocka_unit_test(key_object_pem_wants_a_public_key),
		cmocka_unit_test(one_key_counts_once_whatever_its_ids_and_schemes),
		cmocka_unit_test(role_keys_take_only_the_named_and_known),
		cmocka_unit_test(role_keys_refuse_bad_shapes),
		cmocka_unit_test(role_keys_report_every_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
