/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature objects cut out of a packet pass the verifier's own check of the headers.
 *
 * covers: lib/sign/pgp_packet.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/sign/pgp_packet.h"
#include "tests/fuzz/fuzz.h"

enum { HEADERS_MAX = 128 * 1024 };

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *object = NULL;
	size_t count;

	if (pgp_signature_object(data, size, &object, NULL) == 0) {
		check_signature(object);
		json_decref(object);
	}
	for (size_t i = 0; i < ARRAY_LEN(fingerprints); i++) {
		struct key *k = NULL;

		if (pgp_key_object(data, size, fingerprints[i], &object, NULL) < 0)
			continue;
		if (key_parse(fingerprints[i], object, "k", &k, NULL) < 0)
			abort();
		key_free(k);
		json_decref(object);
	}
	(void)pgp_headers_ok(data, size, KEY_PGP_ED25519, fingerprints[0]);
	if (pgp_s2k_count(data, size, &count, NULL) == 0 && (count < 1024 || count > 65011712))
		abort();
	return 0;
}
