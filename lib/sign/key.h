/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key - public keys as TUF writes them, and what they verify
 *
 * Five kinds (TUF specification 4.2; securesystemslib for the two pgp+ ones).
 * A key object of any other kind is kept as KEY_UNKNOWN: it verifies nothing,
 * and a document that lists it stays readable. Verification is libcrypto's
 * alone. A key is immutable once parsed and may be shared between threads.
 */
#ifndef LIB_SIGN_KEY_H
#define LIB_SIGN_KEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/compiler.h"
#include "lib/base/digest.h"

struct error;
struct key;

enum key_kind {
	KEY_UNKNOWN,     /* other keytype or scheme, or an unusable value (RSA below 2048 bits) */
	KEY_ED25519,     /* ed25519 / ed25519 */
	KEY_ECDSA_P256,  /* ecdsa (or ecdsa-sha2-nistp256) / ecdsa-sha2-nistp256, PEM */
	KEY_RSA_PSS,     /* rsa / rsassa-pss-sha256, PEM, 2048 to 8192 bits */
	KEY_PGP_ED25519, /* eddsa / pgp+eddsa-ed25519 */
	KEY_PGP_RSA,     /* rsa / pgp+rsa-pkcsv1.5 */
};

enum { KEYID_MAX = 128, KEYS_MAX = 64, SIGNATURES_MAX = 128 };

/*
 * Read one member of a `keys` object. `where` is its path for errors. The key
 * keeps a reference to `object`. E_INVALID: it has not the shape of a TUF key.
 */
MUSTCHECK int key_parse(const char *keyid, json_t *object, const char *where, struct key **out,
			struct error *err);
void key_free(struct key *k);
DEFINE_CLEANUP(struct key *, key_free)

const char *key_id(const struct key *k); /* as the document spells it; opaque */
enum key_kind key_kind(const struct key *k);
json_t *key_object(const struct key *k); /* borrowed */
bool key_portable(const struct key *k);  /* every TUF client can read it: no pgp+ scheme */

/*
 * SHA-256 over the bare key material, the same for one key under several ids,
 * spellings or schemes (an Ed25519 key as `ed25519` and as `pgp+eddsa-ed25519`
 * is one key). This is what thresholds count and what publishers are compared by.
 */
const unsigned char *key_material(const struct key *k); /* SHA256_LEN bytes */

/* A signature object: {"keyid", "sig", "other_headers" (pgp+ only)}; borrowed text. */
struct signature {
	const char *keyid;
	const char *sig;           /* lower-case hex */
	const char *other_headers; /* hex; NULL if absent */
};

/* Does `s` hold for these bytes under `k`? False for whatever is malformed, too. */
bool key_verify(const struct key *k, const void *data, size_t len, const struct signature *s);

/*
 * The TUF key object for raw key material, with the key id that the rules for
 * writers ask for (SHA-256 of the canonical object; the fingerprint for pgp+).
 * The caller owns *object; keyid has room for KEYID_MAX + 1.
 */
MUSTCHECK int key_object_ed25519(const unsigned char pub[32], json_t **object,
				 char keyid[KEYID_MAX + 1], struct error *err);
MUSTCHECK int key_object_pem(const char *pem, json_t **object, char keyid[KEYID_MAX + 1],
			     struct error *err); /* Ed25519, P-256 or RSA by what the PEM holds */

/* `threshold` of these keys: a TUF role, the trustees of a deposit. */
struct role_keys {
	struct key **keys; /* owned; each key material once */
	size_t n;
	struct key **also; /* owned; further ids and schemes of the same keys */
	size_t nalso;
	int64_t threshold; /* at least 1; may exceed n, then nothing satisfies it */
};

/*
 * From an object of keys and an array of key ids. `keyids` NULL: all of them.
 * An id without a key is skipped; keys of one material are kept once.
 */
MUSTCHECK int role_keys_parse(json_t *keys, const json_t *keyids, int64_t threshold,
			      const char *where, struct role_keys *out, struct error *err);
void role_keys_clear(struct role_keys *r);
bool role_keys_has(const struct role_keys *r, const struct key *k);     /* by material */
size_t role_keys_index(const struct role_keys *r, const struct key *k); /* likewise; n: absent */

#endif
