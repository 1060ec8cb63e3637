/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/key.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "lib/sign/ed25519.h"
#include "lib/sign/pgp_packet.h"

enum {
	P256_LEN = 32,       /* of one coordinate */
	P256_SIG_MAX = 72,   /* DER of two integers of 33 bytes */
	RSA_BITS_MIN = 2048, /* what python-tuf and OpenSSL's level 2 ask for */
	RSA_BITS_MAX = 8192, /* 0.6 ms a verification */
	RSA_E_BITS_MAX = 64, /* a long exponent costs as much as signing */
	RSA_LEN_MAX = RSA_BITS_MAX / 8,
	RSA_E_LEN = RSA_E_BITS_MAX / 8,
	TAG_LEN = 16,
	MATERIAL_MAX = RSA_LEN_MAX + RSA_E_LEN,
	PEM_MAX = 4096,        /* RSA of 8192 bits takes 1600 */
	TEXT_MAX = 64,         /* of keytype and scheme */
	PGP_HEADERS_MAX = 512, /* GnuPG makes 35 bytes; notations make it longer */
};

struct key {
	char *id;
	enum key_kind kind;
	json_t *object;
	EVP_PKEY *pkey; /* P-256 and RSA */
	/* Ed25519: most keys of a root verify nothing, and libcrypto's form of one takes longer to
	 * make than all else here, and a fortieth of a verification. */
	unsigned char point[ED25519_LEN];
	unsigned char material[SHA256_LEN];
};

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(BIGNUM *, BN_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)

/* The digest that tells keys apart: a tag for the algorithm, then its numbers. */
static void set_material(struct key *k, const char *tag, const void *data, size_t len)
{
	unsigned char text[TAG_LEN + MATERIAL_MAX] = {0};

	assert(strlen(tag) < TAG_LEN && len <= MATERIAL_MAX);
	for (size_t i = 0; tag[i]; i++)
		text[i] = (unsigned char)tag[i];
	memcpy(text + TAG_LEN, data, len);
	sha256(text, TAG_LEN + len, k->material);
}

/* The take_*() functions fill a key, or leave it KEY_UNKNOWN if the value is unusable. */

static void take_ed25519(struct key *k, enum key_kind kind, const char *hex)
{
	unsigned char pub[ED25519_LEN];

	if (!hex || !hex_decode(hex, pub, sizeof(pub)) || !ed25519_usable(pub))
		return;
	memcpy(k->point, pub, sizeof(pub));
	k->kind = kind;
	set_material(k, "ed25519", pub, sizeof(pub));
}

/* Coordinates of a point on P-256 under that name, not under parameters of somebody's making. */
static bool p256_point(const EVP_PKEY *pkey, unsigned char out[2 * P256_LEN])
{
	CLEANUP(BN_freep) BIGNUM *x = NULL;
	CLEANUP(BN_freep) BIGNUM *y = NULL;
	char group[32];
	int explicit_curve = 1;

	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    !EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) ||
	    strcmp(group, "prime256v1") != 0)
		return false;
	if (!EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				    &explicit_curve) ||
	    explicit_curve)
		return false;
	return EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
	       EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
	       BN_bn2binpad(x, out, P256_LEN) == P256_LEN &&
	       BN_bn2binpad(y, out + P256_LEN, P256_LEN) == P256_LEN;
}

static void take_p256(struct key *k, EVP_PKEY **pkey)
{
	unsigned char point[2 * P256_LEN];

	if (!*pkey || !p256_point(*pkey, point))
		return;
	k->pkey = steal(*pkey);
	k->kind = KEY_ECDSA_P256;
	set_material(k, "p256", point, sizeof(point));
}

/* Numbers of an RSA key within our bounds: modulus, then exponent, padded to fixed sizes. */
static bool rsa_numbers(const EVP_PKEY *pkey, unsigned char out[MATERIAL_MAX])
{
	CLEANUP(BN_freep) BIGNUM *n = NULL;
	CLEANUP(BN_freep) BIGNUM *e = NULL;

	if (!EVP_PKEY_is_a(pkey, "RSA") ||
	    !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) ||
	    !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e))
		return false;
	if (BN_num_bits(n) < RSA_BITS_MIN || BN_num_bits(n) > RSA_BITS_MAX || !BN_is_odd(n))
		return false;
	if (BN_num_bits(e) > RSA_E_BITS_MAX || !BN_is_odd(e) || BN_is_one(e))
		return false;
	return BN_bn2binpad(n, out, RSA_LEN_MAX) == RSA_LEN_MAX &&
	       BN_bn2binpad(e, out + RSA_LEN_MAX, RSA_E_LEN) == RSA_E_LEN;
}

static void take_rsa(struct key *k, enum key_kind kind, EVP_PKEY **pkey)
{
	unsigned char numbers[MATERIAL_MAX];

	if (!*pkey || !rsa_numbers(*pkey, numbers))
		return;
	k->pkey = steal(*pkey);
	k->kind = kind;
	set_material(k, "rsa", numbers, sizeof(numbers));
}

/* The public key in PEM text ("PUBLIC KEY"), or NULL. */
static EVP_PKEY *read_pem(const char *pem)
{
	size_t len = pem ? strlen(pem) : 0;
	CLEANUP(BIO_free_allp) BIO *bio = NULL;

	if (len == 0 || len > PEM_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem, (int)len);
	return bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
}

/* A number of whole bytes, most significant first, in hex; NULL if it is none. */
static BIGNUM *read_mpi(const json_t *text)
{
	unsigned char raw[RSA_LEN_MAX];
	size_t len = json_string_length(text) / 2;

	if (len == 0 || len > sizeof(raw) || !hex_decode(json_string_value(text), raw, len))
		return NULL;
	return BN_bin2bn(raw, (int)len, NULL);
}

/* An RSA key from the hex of its two numbers, or NULL. */
static EVP_PKEY *read_rsa(const json_t *public)
{
	CLEANUP(BN_freep) BIGNUM *n = read_mpi(json_object_get(public, "n"));
	CLEANUP(BN_freep) BIGNUM *e = read_mpi(json_object_get(public, "e"));
	CLEANUP(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	CLEANUP(OSSL_PARAM_freep) OSSL_PARAM *params = NULL;
	CLEANUP(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;

	if (!n || !e || !build || !ctx ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return NULL;
	params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return pkey;
}

struct key_fields {
	const char *keytype, *scheme;
	json_t *keyval;
};

static const struct field key_table[] = {
	{.key = "keytype",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct key_fields, keytype),
	 .min = 1,
	 .max = TEXT_MAX},
	{.key = "scheme",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct key_fields, scheme),
	 .min = 1,
	 .max = TEXT_MAX},
	{.key = "keyval", .kind = FIELD_OBJECT, .offset = offsetof(struct key_fields, keyval)},
};

/* The pairs that we know, as the formats of TUF and securesystemslib spell them. */
static const struct {
	const char *keytype, *scheme;
	enum key_kind kind;
} kinds[] = {
	{"ed25519", "ed25519", KEY_ED25519},
	{"ecdsa", "ecdsa-sha2-nistp256", KEY_ECDSA_P256},
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", KEY_ECDSA_P256},
	{"rsa", "rsassa-pss-sha256", KEY_RSA_PSS},
	{"eddsa", "pgp+eddsa-ed25519", KEY_PGP_ED25519},
	{"rsa", "pgp+rsa-pkcsv1.5", KEY_PGP_RSA},
};

static enum key_kind find_kind(const struct key_fields *f)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].keytype, f->keytype) == 0 &&
		    strcmp(kinds[i].scheme, f->scheme) == 0)
			return kinds[i].kind;
	return KEY_UNKNOWN;
}

static void take_value(struct key *k, const struct key_fields *f)
{
	json_t *public = json_object_get(f->keyval, "public");
	enum key_kind kind = find_kind(f);
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;

	switch (kind) {
	case KEY_ED25519: take_ed25519(k, kind, json_string_value(public)); break;
	case KEY_PGP_ED25519:
		take_ed25519(k, kind, json_string_value(json_object_get(public, "q")));
		break;
	case KEY_ECDSA_P256:
		pkey = read_pem(json_string_value(public));
		take_p256(k, &pkey);
		break;
	case KEY_RSA_PSS:
		pkey = read_pem(json_string_value(public));
		take_rsa(k, kind, &pkey);
		break;
	case KEY_PGP_RSA:
		pkey = read_rsa(public);
		take_rsa(k, kind, &pkey);
		break;
	default: break;
	}
}

int key_parse(const char *keyid, json_t *object, const char *where, struct key **out,
	      struct error *err)
{
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_clear) struct buf canonical = {0};
	struct key_fields f;
	int r = strict_read(object, where, key_table, ARRAY_LEN(key_table), STRICT_OPEN, &f, err);

	if (r < 0)
		return r;
	if (strlen(keyid) < 1 || strlen(keyid) > KEYID_MAX)
		return error_set(err, E_INVALID, "%.*s: want a key id of 1 to %d bytes", TEXT_MAX,
				 where, KEYID_MAX);
	k = calloc(1, sizeof(*k));
	if (!k)
		return error_nomem(err);
	k->object = json_incref(object);
	k->id = strdup(keyid);
	if (!k->id)
		return error_nomem(err);
	take_value(k, &f);
	if (k->kind == KEY_UNKNOWN) {
		r = canon_write(object, &canonical, err);
		if (r < 0)
			return r;
		sha256(canonical.data, canonical.len, k->material);
	}
	*out = steal(k);
	return 0;
}

void key_free(struct key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	json_decref(k->object);
	free(k->id);
	free(k);
}

const char *key_id(const struct key *k)
{
	return k->id;
}

enum key_kind key_kind(const struct key *k)
{
	return k->kind;
}

json_t *key_object(const struct key *k)
{
	return k->object;
}

bool key_portable(const struct key *k)
{
	return k->kind == KEY_ED25519 || k->kind == KEY_ECDSA_P256 || k->kind == KEY_RSA_PSS;
}

const unsigned char *key_material(const struct key *k)
{
	return k->material;
}

/* --- verification --- */

struct bytes {
	const void *data;
	size_t len;
};

static bool verify_ed25519(const struct key *k, struct bytes sig, struct bytes data)
{
	return sig.len == ED25519_SIG_LEN &&
	       ed25519_verify(k->point, data.data, data.len, sig.data);
}

/* The other plain schemes. */
static bool verify_plain(EVP_PKEY *pkey, bool pss, struct bytes sig, struct bytes data)
{
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how; /* borrowed from ctx */

	if (!ctx || EVP_DigestVerifyInit(ctx, &how, EVP_sha256(), NULL, pkey) != 1)
		return false;
	if (pss && (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) != 1 ||
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_AUTO) != 1))
		return false;
	return EVP_DigestVerify(ctx, sig.data, sig.len, data.data, data.len) == 1;
}

/* PKCS#1 v1.5 over a digest that is already made. */
static bool verify_pkcs1(EVP_PKEY *pkey, struct bytes sig, const unsigned char digest[SHA256_LEN])
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	return ctx && EVP_PKEY_verify_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	       EVP_PKEY_verify(ctx, sig.data, sig.len, digest, SHA256_LEN) == 1;
}

/*
 * What an OpenPGP signature (RFC 4880, 5.2.4) is over: the document, the hashed
 * part of the signature packet, and a trailer that holds the length of the latter.
 */
static bool pgp_digest(const struct key *k, const struct signature *s, struct bytes data,
		       unsigned char out[SHA256_LEN])
{
	unsigned char headers[PGP_HEADERS_MAX];
	size_t len = s->other_headers ? strlen(s->other_headers) / 2 : 0;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = NULL;

	if (len == 0 || len > sizeof(headers) || !hex_decode(s->other_headers, headers, len) ||
	    !pgp_headers_ok(headers, len, k->kind, k->id))
		return false;

	const unsigned char trailer[] = {
		4, 0xff, 0, 0, (unsigned char)(len >> 8), (unsigned char)(len & 0xff),
	};
	ctx = EVP_MD_CTX_new();
	return ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(ctx, data.data, data.len) == 1 &&
	       EVP_DigestUpdate(ctx, headers, len) == 1 &&
	       EVP_DigestUpdate(ctx, trailer, sizeof(trailer)) == 1 &&
	       EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

static bool verify_pgp(const struct key *k, struct bytes data, const struct signature *s,
		       struct bytes sig)
{
	unsigned char digest[SHA256_LEN], padded[RSA_LEN_MAX] = {0};
	size_t size;

	if (!pgp_digest(k, s, data, digest))
		return false;
	if (k->kind == KEY_PGP_ED25519)
		return verify_ed25519(k, sig, (struct bytes){digest, sizeof(digest)});
	/* An MPI has no leading zeros: fill up to the length of the modulus. */
	size = (size_t)EVP_PKEY_get_size(k->pkey);
	if (sig.len > size || size > sizeof(padded))
		return false;
	memcpy(padded + size - sig.len, sig.data, sig.len);
	return verify_pkcs1(k->pkey, (struct bytes){padded, size}, digest);
}

bool key_verify(const struct key *k, const void *data, size_t len, const struct signature *s)
{
	unsigned char raw[RSA_LEN_MAX];
	size_t size = s->sig ? strlen(s->sig) / 2 : 0;
	struct bytes sig = {raw, size}, what = {data, len};

	if (size == 0 || size > sizeof(raw) || !hex_decode(s->sig, raw, size))
		return false;
	switch (k->kind) {
	case KEY_ED25519: return verify_ed25519(k, sig, what);
	/*
	 * Both (r, s) and (r, n - s) are taken, as by every other TUF client: signatures
	 * are outside of what is signed, so nothing is identified by their bytes.
	 */
	case KEY_ECDSA_P256: return size <= P256_SIG_MAX && verify_plain(k->pkey, false, sig, what);
	case KEY_RSA_PSS:
		return size == (size_t)EVP_PKEY_get_size(k->pkey) &&
		       verify_plain(k->pkey, true, sig, what);
	case KEY_PGP_ED25519:
	case KEY_PGP_RSA: return verify_pgp(k, what, s, sig);
	default: return false;
	}
}

/* --- key objects --- */

/* Compute the id of `object_take` and hand both over. */
static int finish_object(json_t *object_take, json_t **object, char keyid[KEYID_MAX + 1],
			 struct error *err)
{
	CLEANUP(json_decrefp) json_t *o = object_take;
	CLEANUP(buf_clear) struct buf canonical = {0};
	int r = o ? canon_write(o, &canonical, err) : error_nomem(err);

	if (r < 0)
		return r;
	sha256_hex(canonical.data, canonical.len, keyid);
	*object = steal(o);
	return 0;
}

int key_object_ed25519(const unsigned char pub[32], json_t **object, char keyid[KEYID_MAX + 1],
		       struct error *err)
{
	char hex[2 * ED25519_LEN + 1];

	if (!ed25519_usable(pub))
		return error_set(err, E_INVALID, "ed25519 key: no usable point");
	hex_encode(pub, ED25519_LEN, hex);
	return finish_object(json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme",
				       "ed25519", "keyval", "public", hex),
			     object, keyid, err);
}

int key_object_pem(const char *pem, json_t **object, char keyid[KEYID_MAX + 1], struct error *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = read_pem(pem);
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
	unsigned char numbers[MATERIAL_MAX];
	const char *keytype, *scheme;
	size_t len = ED25519_LEN;
	char *text;

	if (!pkey)
		return error_set(err, E_INVALID, "want a public key in PEM");
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return EVP_PKEY_get_raw_public_key(pkey, numbers, &len) == 1
			       ? key_object_ed25519(numbers, object, keyid, err)
			       : error_nomem(err);
	if (p256_point(pkey, numbers)) {
		keytype = "ecdsa";
		scheme = "ecdsa-sha2-nistp256";
	} else if (rsa_numbers(pkey, numbers)) {
		keytype = "rsa";
		scheme = "rsassa-pss-sha256";
	} else {
		return error_set(err, E_INVALID,
				 "want a key of kind Ed25519, P-256, or RSA of %d to %d bits",
				 RSA_BITS_MIN, RSA_BITS_MAX);
	}
	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return error_nomem(err);

	long size = BIO_get_mem_data(bio, &text);
	return finish_object(json_pack("{s:s, s:s, s:{s:s%}}", "keytype", keytype, "scheme", scheme,
				       "keyval", "public", text, (size_t)size),
			     object, keyid, err);
}

/* --- several keys --- */

static int add_key(struct role_keys *r, const char *keyid, json_t *object, const char *where,
		   struct error *err)
{
	CLEANUP(key_freep) struct key *k = NULL;
	char path[TEXT_MAX + KEYID_MAX + 16];
	int rc;

	(void)snprintf(path, sizeof(path), "%.*s%s%.*s", TEXT_MAX, where,
		       *where ? ".keys." : "keys.", KEYID_MAX, keyid);
	rc = key_parse(keyid, object, path, &k, err);
	if (rc < 0)
		return rc;
	if (role_keys_has(r, k))
		r->also[r->nalso++] = steal(k);
	else
		r->keys[r->n++] = steal(k);
	return 0;
}

/* Add those that `keyids` names. */
static int add_named(struct role_keys *r, const json_t *keys, const json_t *keyids,
		     const char *where, struct error *err)
{
	for (size_t i = 0; i < json_array_size(keyids); i++) {
		const char *id = json_string_value(json_array_get(keyids, i));
		json_t *object = id ? json_object_get(keys, id) : NULL;
		bool repeated = false;

		if (!id)
			return error_set(err, E_INVALID, "%s%skeyids[%zu]: want a string", where,
					 *where ? "." : "", i);
		for (size_t j = 0; j < i && !repeated; j++)
			repeated = strcmp(json_string_value(json_array_get(keyids, j)), id) == 0;

		int rc = object && !repeated ? add_key(r, id, object, where, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int role_keys_parse(json_t *keys, const json_t *keyids, int64_t threshold, const char *where,
		    struct role_keys *out, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys r = {.threshold = threshold};
	size_t n = keyids ? json_array_size(keyids) : json_object_size(keys);
	const char *dot = *where ? "." : "", *id;
	json_t *object;
	int rc = 0;

	if (!json_is_object(keys))
		return error_set(err, E_INVALID, "%s%skeys: want an object", where, dot);
	if (keyids && !json_is_array(keyids))
		return error_set(err, E_INVALID, "%s%skeyids: want an array", where, dot);
	if (n > KEYS_MAX)
		return error_set(err, E_INVALID, "%s%skeys: want 0 to %d, got %zu", where, dot,
				 KEYS_MAX, n);
	if (threshold < 1)
		return error_set(err, E_INVALID, "%s%sthreshold: want at least 1, got %lld", where,
				 dot, (long long)threshold);
	r.keys = calloc(n ? n : 1, sizeof(struct key *));
	r.also = calloc(n ? n : 1, sizeof(struct key *));
	if (!r.keys || !r.also)
		return error_nomem(err);
	if (keyids)
		rc = add_named(&r, keys, keyids, where, err);
	else
		json_object_foreach(keys, id, object)
		{
			rc = add_key(&r, id, object, where, err);
			if (rc < 0)
				break;
		}
	if (rc < 0)
		return rc;
	*out = r;
	r = (struct role_keys){0};
	return 0;
}

void role_keys_clear(struct role_keys *r)
{
	for (size_t i = 0; i < r->n; i++)
		key_free(r->keys[i]);
	for (size_t i = 0; i < r->nalso; i++)
		key_free(r->also[i]);
	free(r->keys);
	free(r->also);
	*r = (struct role_keys){0};
}

bool role_keys_has(const struct role_keys *r, const struct key *k)
{
	return role_keys_index(r, k) < r->n;
}

size_t role_keys_index(const struct role_keys *r, const struct key *k)
{
	size_t i = 0;

	while (i < r->n && memcmp(r->keys[i]->material, k->material, SHA256_LEN) != 0)
		i++;
	return i;
}
