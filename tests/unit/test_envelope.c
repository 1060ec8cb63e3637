/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/sign/ed25519.h"
#include "lib/sign/envelope.h"
#include "lib/sign/signer.h"
#include "tests/unit/unit.h"

#define BODY "{\"_type\":\"notice\",\"spec_version\":\"1.0\",\"version\":3,\"x\":{\"y\":[null]}}"

static int parse(const char *text, struct envelope **out, struct error *err)
{
	return envelope_parse(text, strlen(text), "n.json", out, err);
}

static struct envelope *make(const char *body)
{
	struct envelope *e = NULL;

	assert_int_equal(envelope_new(json_loads(body, 0, NULL), &e, NULL), 0);
	return e;
}

static struct signer *make_signer(void)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	struct signer *s = NULL;

	assert_int_equal(signer_generate("ed25519", &pem, NULL), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &s, NULL), 0);
	return s;
}

/* Three signers, and the keys of the first two (threshold 2). */
struct cast {
	struct signer *signer[3];
	struct role_keys keys;
};

static int set_up(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));
	json_auto_t *keys = json_object();

	assert_non_null(c);
	for (size_t i = 0; i < 3; i++)
		c->signer[i] = make_signer();
	for (size_t i = 0; i < 2; i++) {
		const struct key *k = signer_key(c->signer[i]);

		assert_int_equal(json_object_set(keys, key_id(k), key_object(k)), 0);
	}
	assert_int_equal(role_keys_parse(keys, NULL, 2, "signed", &c->keys, NULL), 0);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct cast *c = *state;

	for (size_t i = 0; i < 3; i++)
		signer_free(c->signer[i]);
	role_keys_clear(&c->keys);
	free(c);
	return 0;
}

static void envelope_keeps_the_bytes_and_knows_its_ids(void **state)
{
	static const char text[] = " {\"signed\" : " BODY ", \"signatures\":[], \"more\": 1}\n";
	static const char canonical[] =
		"{\"_type\":\"notice\",\"spec_version\":\"1.0\",\"version\":3,\"x\":{\"y\":[null]}}";
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	char want[SHA256_HEX_SIZE];

	(void)state;
	assert_int_equal(parse(text, &e, NULL), 0);
	assert_string_equal(envelope_bytes(e)->data, text);
	assert_int_equal(envelope_bytes(e)->len, strlen(text));
	assert_string_equal(envelope_canonical(e)->data, canonical);
	assert_string_equal(envelope_type(e), "notice");
	assert_true(envelope_version(e) == 3);
	assert_int_equal(envelope_signatures(e), 0);
	assert_true(json_object_size(envelope_signed(e)) == 4);
	sha256_hex(canonical, strlen(canonical), want);
	assert_string_equal(envelope_id(e), want);
	sha256_hex(text, strlen(text), want);
	assert_string_equal(envelope_sha256(e), want);
}

static void envelope_refuses_bad_shapes(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"", "n.json: line 1"},
		{"[]", "n.json: want an object, got an array"},
		{"{\"signatures\":[]}", "n.json: signed: missing"},
		{"{\"signed\":" BODY "}", "n.json: signatures: missing"},
		{"{\"signed\":[],\"signatures\":[]}", "n.json: signed: want an object"},
		{"{\"signed\":{},\"signatures\":[]}", "n.json: signed._type: missing"},
		{"{\"signed\":" BODY ",\"signatures\":{}}", "n.json: signatures: want an array"},
		{"{\"signed\":" BODY ",\"signatures\":[7]}", "n.json: signatures[0].keyid: want"},
		{"{\"signed\":" BODY ",\"signatures\":[{\"sig\":\"00\"}]}",
		 "n.json: signatures[0].keyid: want a string"},
		{"{\"signed\":" BODY
		 ",\"signatures\":[{\"keyid\":\"a\",\"sig\":\"\"},{\"keyid\":\"a\",\"sig\":\"\"}]}",
		 "n.json: signatures[1].keyid: repeated"},
		{"{\"signed\":{\"_type\":\"../x\",\"spec_version\":\"1.0\",\"version\":1},"
		 "\"signatures\":[]}",
		 "n.json: signed._type: want"},
		{"{\"signed\":{\"_type\":\"\",\"spec_version\":\"1.0\",\"version\":1},"
		 "\"signatures\":[]}",
		 "n.json: signed._type: want"},
		{"{\"signed\":{\"_type\":\"x\",\"spec_version\":\"1.0\",\"version\":0},"
		 "\"signatures\":[]}",
		 "n.json: signed.version: want 1 to 9007199254740991, got 0"},
		{"{\"signed\":{\"_type\":\"x\",\"spec_version\":\"1.0\",\"version\":"
		 "9007199254740992},\"signatures\":[]}",
		 "n.json: signed.version: want 1 to"},
		{"{\"signed\":{\"_type\":\"x\",\"spec_version\":\"1.0\",\"version\":\"1\"},"
		 "\"signatures\":[]}",
		 "n.json: signed.version: want an integer"},
		{"{\"signed\":{\"_type\":\"x\",\"version\":1},\"signatures\":[]}",
		 "n.json: signed.spec_version: missing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct envelope *e = NULL;
		struct error err = {0};

		assert_error(parse(bad[i].text, &e, &err), E_INVALID, &err, bad[i].complaint);
		assert_null(e);
	}
}

static void envelope_compares_the_major_version_only(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} versions[] = {
		{"1", true},     {"1.0", true},   {"1.0.34", true}, {"1.99.0", true},
		{"2.0", false},  {"10.0", false}, {"", false},      {"1.", false},
		{"1..0", false}, {"1.0.", false}, {"1.x", false},   {"1.0a", false},
		{"01.0", false}, {" 1.0", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct envelope *e = NULL;
		int r = envelope_new(json_pack("{s:s,s:s,s:i}", "_type", "x", "spec_version",
					       versions[i].text, "version", 1),
				     &e, NULL);

		assert_int_equal(r, versions[i].ok ? 0 : E_INVALID);
		envelope_free(e);
	}
}

static void envelope_takes_as_many_signatures_as_the_bound(void **state)
{
	json_auto_t *root =
		json_pack("{s:o,s:[]}", "signed", json_loads(BODY, 0, NULL), "signatures");

	(void)state;
	for (int i = 0; i <= SIGNATURES_MAX; i++) {
		CLEANUP(freep) char *text = json_dumps(root, 0);
		struct envelope *e = NULL;
		char keyid[16];

		assert_int_equal(parse(text, &e, NULL), 0);
		assert_int_equal(envelope_signatures(e), i);
		envelope_free(e);
		(void)snprintf(keyid, sizeof(keyid), "%d", i);
		json_array_append_new(json_object_get(root, "signatures"),
				      json_pack("{s:s,s:s}", "keyid", keyid, "sig", ""));
	}

	CLEANUP(freep) char *text = json_dumps(root, 0);
	struct envelope *e = NULL;
	struct error err = {0};
	assert_error(parse(text, &e, &err), E_INVALID, &err,
		     "signatures: want 0 to 128 elements, got 129");
}

static void envelope_counts_a_threshold(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);
	struct error err = {0};
	uint64_t who = 77;

	assert_error(envelope_verify(e, &c->keys, "the trustees", &err), E_UNTRUSTED, &err,
		     "notice: 0 of 2 signatures of the trustees");
	assert_int_equal(signer_sign_envelope(c->signer[2], e, NULL), 0);
	assert_int_equal(envelope_count(e, &c->keys, &who), 0);
	assert_true(who == 0);
	assert_int_equal(signer_sign_envelope(c->signer[1], e, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[1], e, NULL), 0);
	assert_int_equal(envelope_signatures(e), 2);
	assert_int_equal(envelope_count(e, &c->keys, &who), 1);
	assert_true(who == (role_keys_index(&c->keys, signer_key(c->signer[1])) ? 2 : 1));
	assert_error(envelope_verify(e, &c->keys, "the trustees", &err), E_UNTRUSTED, &err,
		     "notice: 1 of 2");
	assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);
	assert_int_equal(envelope_count(e, &c->keys, &who), 2);
	assert_true(who == 3);
	assert_int_equal(envelope_verify(e, &c->keys, "the trustees", NULL), 0);

	/* What was written reads the same. */
	CLEANUP(envelope_freep) struct envelope *again = NULL;
	assert_int_equal(parse(envelope_bytes(e)->data, &again, NULL), 0);
	assert_string_equal(envelope_id(again), envelope_id(e));
	assert_string_equal(envelope_sha256(again), envelope_sha256(e));
	assert_int_equal(envelope_verify(again, &c->keys, "the trustees", NULL), 0);
}

static void envelope_wants_more_than_there_are_keys_for_ever(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);
	struct role_keys three = c->keys;

	assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[1], e, NULL), 0);
	three.threshold = 3;
	assert_int_equal(envelope_verify(e, &three, "x", NULL), E_UNTRUSTED);
	three.threshold = 0; /* cannot be parsed, and would hold for anything */
	assert_int_equal(envelope_verify(e, &three, "x", NULL), E_UNTRUSTED);
}

static void a_signature_holds_for_its_own_document_only(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);
	CLEANUP(envelope_freep)
	struct envelope *other =
		make("{\"_type\":\"notice\",\"spec_version\":\"1.0\",\"version\":4}");

	assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);

	struct signature s = envelope_signature(e, 0);
	json_auto_t *moved = json_pack("{s:s,s:s}", "keyid", s.keyid, "sig", s.sig);
	assert_int_equal(envelope_add(other, moved, NULL), 0);
	assert_int_equal(envelope_signatures(other), 1);
	assert_int_equal(envelope_count(other, &c->keys, NULL), 0);
}

/* The right signature under another's key id is by nobody. */
static void a_signature_counts_under_its_own_key_id_only(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);

	assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);

	struct signature s = envelope_signature(e, 0);
	json_auto_t *forged =
		json_pack("{s:s,s:s}", "keyid", key_id(signer_key(c->signer[1])), "sig", s.sig);
	assert_int_equal(envelope_add(e, forged, NULL), 0);
	assert_int_equal(envelope_count(e, &c->keys, NULL), 1);
}

static void one_key_under_several_ids_counts_once(void **state)
{
	const struct cast *c = *state;
	const struct key *k = signer_key(c->signer[0]);
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);
	json_auto_t *keys = json_pack("{s:O,s:O}", "one", key_object(k), "two", key_object(k));
	CLEANUP(role_keys_clear) struct role_keys by = {0};
	uint64_t who;

	assert_int_equal(role_keys_parse(keys, NULL, 2, "signed", &by, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);

	struct signature s = envelope_signature(e, 0);
	json_auto_t *one = json_pack("{s:s,s:s}", "keyid", "one", "sig", s.sig);
	json_auto_t *two = json_pack("{s:s,s:s}", "keyid", "two", "sig", s.sig);
	assert_int_equal(envelope_count(e, &by, NULL), 0);
	assert_int_equal(envelope_add(e, two, NULL), 0);
	assert_int_equal(envelope_count(e, &by, &who), 1);
	assert_true(who == 1);
	assert_int_equal(envelope_add(e, one, NULL), 0);
	assert_int_equal(envelope_count(e, &by, NULL), 1);
	assert_int_equal(envelope_verify(e, &by, "x", NULL), E_UNTRUSTED);
}

/* The OpenPGP signature by this seed over the document, as a card would make it. */
static json_t *sign_as_pgp(const unsigned char seed[ED25519_LEN], const struct envelope *e,
			   const char *fpr)
{
	static const char headers_hex[] = "04001608000605026b02f2fb"; /* made at some time */
	enum { HEADERS_LEN = 12 };
	const struct buf *what = envelope_canonical(e);
	CLEANUP(buf_clear) struct buf hashed = {0};
	unsigned char headers[HEADERS_LEN], digest[SHA256_LEN], sig[ED25519_SIG_LEN];
	const unsigned char trailer[] = {4, 0xff, 0, 0, 0, HEADERS_LEN};
	char hex[2 * ED25519_SIG_LEN + 1];

	assert_true(hex_decode(headers_hex, headers, sizeof(headers)));
	assert_int_equal(buf_add(&hashed, what->data, what->len, NULL), 0);
	assert_int_equal(buf_add(&hashed, headers, sizeof(headers), NULL), 0);
	assert_int_equal(buf_add(&hashed, trailer, sizeof(trailer), NULL), 0);
	sha256(hashed.data, hashed.len, digest);
	assert_int_equal(ed25519_sign(seed, digest, sizeof(digest), sig, NULL), 0);
	hex_encode(sig, sizeof(sig), hex);
	return json_pack("{s:s,s:s,s:s}", "keyid", fpr, "sig", hex, "other_headers", headers_hex);
}

static void one_key_under_two_schemes_counts_once(void **state)
{
	static const unsigned char seed[ED25519_LEN] = {7};
	static const char fpr[] = "0123456789abcdef0123456789abcdef01234567";
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);
	CLEANUP(role_keys_clear) struct role_keys by = {0};
	json_auto_t *keys = json_object();
	json_t *object = NULL;
	unsigned char pub[ED25519_LEN], sig[ED25519_SIG_LEN];
	char hex[2 * ED25519_SIG_LEN + 1], keyid[KEYID_MAX + 1];

	(void)state;
	assert_int_equal(ed25519_public(seed, pub, NULL), 0);
	assert_int_equal(key_object_ed25519(pub, &object, keyid, NULL), 0);
	json_object_set_new(keys, keyid, object);
	hex_encode(pub, sizeof(pub), hex);
	json_object_set_new(keys, fpr,
			    json_pack("{s:s,s:s,s:{s:s,s:{s:s}}}", "keytype", "eddsa", "scheme",
				      "pgp+eddsa-ed25519", "keyval", "private", "", "public", "q",
				      hex));
	assert_int_equal(role_keys_parse(keys, NULL, 2, "signed", &by, NULL), 0);

	json_auto_t *pgp = sign_as_pgp(seed, e, fpr);
	assert_int_equal(envelope_add(e, pgp, NULL), 0);
	assert_int_equal(envelope_count(e, &by, NULL), 1);
	const struct buf *what = envelope_canonical(e);
	assert_int_equal(ed25519_sign(seed, what->data, what->len, sig, NULL), 0);
	hex_encode(sig, sizeof(sig), hex);
	json_auto_t *plain = json_pack("{s:s,s:s}", "keyid", keyid, "sig", hex);
	assert_int_equal(envelope_add(e, plain, NULL), 0);
	assert_int_equal(envelope_signatures(e), 2);
	assert_int_equal(envelope_count(e, &by, NULL), 1);
	assert_int_equal(envelope_verify(e, &by, "x", NULL), E_UNTRUSTED);

	/* Neither signature is good under the other's scheme. */
	json_auto_t *swapped = json_pack("{s:s,s:s}", "keyid", fpr, "sig", hex);
	CLEANUP(envelope_freep) struct envelope *other = make(BODY);
	assert_int_equal(envelope_add(other, swapped, NULL), 0);
	assert_int_equal(envelope_count(other, &by, NULL), 0);
}

static void a_bad_signature_beside_enough_good_ones_spoils_nothing(void **state)
{
	static const char *const bad[] = {
		"{\"keyid\":\"x\",\"sig\":\"\"}",
		"{\"keyid\":\"x\"}",
		"{\"keyid\":\"x\",\"sig\":7}",
		"{\"keyid\":\"x\",\"sig\":\"no hex\"}",
		"{\"keyid\":\"x\",\"sig\":\"00\",\"other_headers\":[]}",
		"{\"keyid\":\"\",\"sig\":\"00\"}",
	};
	const struct cast *c = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(envelope_freep) struct envelope *e = make(BODY);
		json_auto_t *rubbish = json_loads(bad[i], 0, NULL);

		assert_int_equal(envelope_add(e, rubbish, NULL), 0);
		assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);
		assert_int_equal(signer_sign_envelope(c->signer[1], e, NULL), 0);
		assert_int_equal(envelope_signatures(e), 3);
		assert_int_equal(envelope_verify(e, &c->keys, "x", NULL), 0);

		CLEANUP(envelope_freep) struct envelope *again = NULL;
		assert_int_equal(parse(envelope_bytes(e)->data, &again, NULL), 0);
		assert_int_equal(envelope_verify(again, &c->keys, "x", NULL), 0);
	}
}

static void the_order_of_signing_leaves_no_trace(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *a = make(BODY);
	CLEANUP(envelope_freep) struct envelope *b = make(BODY);

	assert_int_equal(signer_sign_envelope(c->signer[0], a, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[1], a, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[1], b, NULL), 0);
	assert_string_not_equal(envelope_sha256(a), envelope_sha256(b));
	assert_string_equal(envelope_id(a), envelope_id(b));
	assert_int_equal(envelope_merge(b, a, NULL), 0);
	assert_string_equal(envelope_sha256(a), envelope_sha256(b));
}

static void merge_displaces_nothing_and_wants_the_same_document(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *good = make(BODY);
	CLEANUP(envelope_freep) struct envelope *forged = make(BODY);
	CLEANUP(envelope_freep)
	struct envelope *other =
		make("{\"_type\":\"notice\",\"spec_version\":\"1.0\",\"version\":4}");
	json_auto_t *empty =
		json_pack("{s:s,s:s}", "keyid", key_id(signer_key(c->signer[0])), "sig", "");
	struct error err = {0};

	assert_int_equal(signer_sign_envelope(c->signer[0], good, NULL), 0);
	assert_int_equal(envelope_add(forged, empty, NULL), 0);
	assert_int_equal(envelope_merge(good, forged, NULL), 0);
	assert_int_equal(envelope_count(good, &c->keys, NULL), 1);
	assert_error(envelope_merge(good, other, &err), E_INVALID, &err, "not the same document");
	assert_int_equal(envelope_signatures(good), 1);
}

/* A copy that went through many hands: what others spoilt is mended, what is good stays. */
static void signatures_that_count_displace_those_that_do_not(void **state)
{
	const struct cast *c = *state;
	const char *first = key_id(signer_key(c->signer[0]));
	CLEANUP(envelope_freep) struct envelope *spoilt = make(BODY);
	CLEANUP(envelope_freep) struct envelope *good = make(BODY);
	CLEANUP(envelope_freep)
	struct envelope *other =
		make("{\"_type\":\"notice\",\"spec_version\":\"1.0\",\"version\":4}");
	json_auto_t *empty = json_pack("{s:s,s:s}", "keyid", first, "sig", "");
	json_auto_t *stranger = json_pack("{s:s,s:s}", "keyid", "nobody", "sig", "00");
	char before[SHA256_HEX_SIZE];
	struct error err = {0};

	assert_int_equal(envelope_add(spoilt, empty, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[0], good, NULL), 0);
	assert_int_equal(envelope_add(good, stranger, NULL), 0);
	assert_int_equal(envelope_merge(spoilt, good, NULL), 0);
	assert_int_equal(envelope_count(spoilt, &c->keys, NULL), 0);
	assert_int_equal(envelope_merge_counting(spoilt, good, &c->keys, NULL), 0);
	assert_int_equal(envelope_count(spoilt, &c->keys, NULL), 1);

	memcpy(before, envelope_sha256(good), sizeof(before));
	assert_int_equal(envelope_add(spoilt, empty, NULL), 0);
	assert_int_equal(envelope_merge_counting(good, spoilt, &c->keys, NULL), 0);
	assert_string_equal(envelope_sha256(good), before);
	assert_error(envelope_merge_counting(good, other, &c->keys, &err), E_INVALID, &err,
		     "not the same document");
}

/* Of two that hold, the first stays; and a key counts under each of its ids. */
static void a_signature_that_holds_is_not_displaced(void **state)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(signer_freep) struct signer *s = NULL;
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	CLEANUP(envelope_freep) struct envelope *mine = make(BODY);
	CLEANUP(envelope_freep) struct envelope *empty = make(BODY);
	CLEANUP(envelope_freep) struct envelope *copy = make(BODY);
	json_auto_t *list = NULL, *one = NULL, *other = NULL;
	const struct buf *text = envelope_canonical(mine);
	struct error err = {0};
	char before[SHA256_HEX_SIZE];

	(void)state;
	assert_int_equal(signer_generate("ecdsa", &pem, &err), 0); /* each one is another */
	assert_int_equal(signer_from_pem(pem.data, pem.len, &s, &err), 0);
	list = json_pack("{s:O, s:O}", "a", key_object(signer_key(s)), "b",
			 key_object(signer_key(s)));
	assert_int_equal(role_keys_parse(list, NULL, 1, "keys", &keys, &err), 0);
	assert_int_equal(keys.nalso, 1);
	assert_int_equal(signer_sign(s, text->data, text->len, &one, &err), 0);
	assert_int_equal(signer_sign(s, text->data, text->len, &other, &err), 0);
	json_object_set_new(one, "keyid", json_string("b"));
	json_object_set_new(other, "keyid", json_string("b"));
	assert_int_equal(envelope_add(mine, one, &err), 0);
	assert_int_equal(envelope_add(copy, other, &err), 0);
	memcpy(before, envelope_sha256(mine), sizeof(before));
	assert_string_not_equal(envelope_sha256(copy), before);
	assert_int_equal(envelope_merge_counting(mine, copy, &keys, &err), 0);
	assert_string_equal(envelope_sha256(mine), before);
	assert_int_equal(envelope_merge_counting(empty, copy, &keys, &err), 0);
	assert_int_equal(envelope_count(empty, &keys, NULL), 1);
}

/* Nor is there room that strangers could use up. */
static void signatures_that_do_not_count_are_not_merged(void **state)
{
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *mine = make(BODY);
	CLEANUP(envelope_freep) struct envelope *copy = make(BODY);

	for (int i = 0; i < SIGNATURES_MAX; i++) {
		char keyid[16];
		json_auto_t *one = NULL;

		(void)snprintf(keyid, sizeof(keyid), "k%d", i);
		one = json_pack("{s:s,s:s}", "keyid", keyid, "sig", "00");
		assert_int_equal(envelope_add(copy, one, NULL), 0);
	}
	assert_int_equal(signer_sign_envelope(c->signer[0], mine, NULL), 0);
	assert_int_equal(envelope_merge(mine, copy, NULL), E_INVALID);
	assert_int_equal(envelope_merge_counting(mine, copy, &c->keys, NULL), 0);
	assert_int_equal(envelope_signatures(mine), 1);
}

static void unknown_fields_survive_a_signature(void **state)
{
	static const char text[] = "{\"signed\":" BODY ",\"signatures\":[],\"more\":[1]}";
	const struct cast *c = *state;
	CLEANUP(envelope_freep) struct envelope *e = NULL;

	assert_int_equal(parse(text, &e, NULL), 0);
	assert_int_equal(signer_sign_envelope(c->signer[0], e, NULL), 0);
	assert_non_null(strstr(envelope_bytes(e)->data, "\"more\""));
	assert_non_null(strstr(envelope_bytes(e)->data, "\"y\""));
}

static void a_signature_too_many_is_refused_and_nothing_changes(void **state)
{
	CLEANUP(envelope_freep) struct envelope *e = make(BODY);
	struct error err = {0};
	char before[SHA256_HEX_SIZE];

	(void)state;
	for (int i = 0; i <= SIGNATURES_MAX; i++) {
		char keyid[16];

		(void)snprintf(keyid, sizeof(keyid), "%d", i);
		json_auto_t *s = json_pack("{s:s,s:s}", "keyid", keyid, "sig", "00");
		if (i < SIGNATURES_MAX) {
			assert_int_equal(envelope_add(e, s, NULL), 0);
			strcpy(before, envelope_sha256(e));
		} else {
			assert_error(envelope_add(e, s, &err), E_INVALID, &err, "128 signatures");
		}
	}
	assert_int_equal(envelope_signatures(e), SIGNATURES_MAX);
	assert_string_equal(envelope_sha256(e), before);

	json_auto_t *nameless = json_pack("{s:s}", "sig", "00");
	assert_int_equal(envelope_add(e, nameless, NULL), E_INVALID);
}

static void envelope_ends_cleanly_at_every_failed_allocation(void **state)
{
	static const char text[] =
		"{\"signed\":" BODY ",\"signatures\":[{\"keyid\":\"b\",\"sig\":\"\"}]}";
	json_auto_t *s = json_pack("{s:s,s:s}", "keyid", "a", "sig", "00");
	bool failed = true;

	(void)state;
	for (long n = 0; failed; n++) {
		CLEANUP(envelope_freep) struct envelope *e = NULL;
		struct error err = {0};

		oom_after(n);
		int r = parse(text, &e, &err);
		if (r == 0)
			r = envelope_add(e, s, &err);
		failed = oom_fired();
		assert_true(r == 0 || (failed && (r == E_NOMEM || r == E_INVALID)));
		if (!failed)
			assert_int_equal(envelope_signatures(e), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelope_keeps_the_bytes_and_knows_its_ids),
		cmocka_unit_test(envelope_refuses_bad_shapes),
		cmocka_unit_test(envelope_compares_the_major_version_only),
		cmocka_unit_test(envelope_takes_as_many_signatures_as_the_bound),
		cmocka_unit_test(envelope_counts_a_threshold),
		cmocka_unit_test(envelope_wants_more_than_there_are_keys_for_ever),
		cmocka_unit_test(a_signature_holds_for_its_own_document_only),
		cmocka_unit_test(a_signature_counts_under_its_own_key_id_only),
		cmocka_unit_test(one_key_under_several_ids_counts_once),
		cmocka_unit_test(one_key_under_two_schemes_counts_once),
		cmocka_unit_test(a_bad_signature_beside_enough_good_ones_spoils_nothing),
		cmocka_unit_test(the_order_of_signing_leaves_no_trace),
		cmocka_unit_test(merge_displaces_nothing_and_wants_the_same_document),
		cmocka_unit_test(signatures_that_count_displace_those_that_do_not),
		cmocka_unit_test(a_signature_that_holds_is_not_displaced),
		cmocka_unit_test(signatures_that_do_not_count_are_not_merged),
		cmocka_unit_test(unknown_fields_survive_a_signature),
		cmocka_unit_test(a_signature_too_many_is_refused_and_nothing_changes),
		cmocka_unit_test(envelope_ends_cleanly_at_every_failed_allocation),
	};

	json_set_alloc_funcs(oom_malloc, free);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
