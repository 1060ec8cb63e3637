/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature objects cut out of a packet pass the verifier's own check of the headers, and keys
 * that are taken out of one can be read.
 *
 * covers: lib/sign/pgp_packet.c
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/sign/pgp_packet.h"
#include "tests/fuzz/fuzz.h"

enum { HEADERS_MAX = 128 * 1024, BODY_MAX = 4096, SHA1_LEN = 20 };

/* The keys in the corpus: two that sign, one that encrypts. */
static const char *const fingerprints[] = {
	"cdc85753a05b205133a9ee5fd214d6e92e8c5b73",
	"111023a9424c58f4e05e1ab8e388a6189233fd28",
	"62625f74035f574cce825049351c7a32652183e8",
};

static void check_signature(json_t *object)
{
	const char *hex = json_string_value(json_object_get(object, "other_headers"));
	const char *keyid = json_string_value(json_object_get(object, "keyid"));
	size_t len = strlen(hex) / 2;
	unsigned char *raw = malloc(HEADERS_MAX);

	if (!raw || len > HEADERS_MAX || !hex_decode(hex, raw, len))
		abort();
	if (pgp_headers_ok(raw, len, KEY_PGP_ED25519, keyid) ==
	    pgp_headers_ok(raw, len, KEY_PGP_RSA, keyid))
		abort();
	free(raw);
}

static void try_key(const void *cert, size_t size, const char *fpr)
{
	json_t *object = NULL;
	struct key *k = NULL;

	if (pgp_key_object(cert, size, fpr, &object, NULL) < 0)
		return;
	if (key_parse(fpr, object, "k", &k, NULL) < 0)
		abort();
	key_free(k);
	json_decref(object);
}

/* The input as the body of a key: a fingerprint (RFC 4880, 12.2) is over the very packet. */
static void try_body(const uint8_t *data, size_t size)
{
	unsigned char cert[3 + BODY_MAX] = {0x99, (unsigned char)(size >> 8), (unsigned char)size};
	unsigned char hash[SHA1_LEN];
	char fpr[HEX_LEN(SHA1_LEN) + 1];

	if (size > BODY_MAX)
		return;
	memcpy(cert + 3, data, size);
	if (EVP_Digest(cert, 3 + size, hash, NULL, EVP_sha1(), NULL) != 1)
		abort();
	hex_encode(hash, sizeof(hash), fpr);
	try_key(cert, 3 + size, fpr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *object = NULL;
	size_t count;

	if (pgp_signature_object(data, size, &object, NULL) == 0) {
		check_signature(object);
		json_decref(object);
	}
	for (size_t i = 0; i < ARRAY_LEN(fingerprints); i++)
		try_key(data, size, fingerprints[i]);
	if (size)
		try_body(data, size);
	(void)pgp_headers_ok(data, size, KEY_PGP_ED25519, fingerprints[0]);
	if (pgp_s2k_count(data, size, &count, NULL) == 0 && (count < 1024 || count > 65011712))
		abort();
	return 0;
}
