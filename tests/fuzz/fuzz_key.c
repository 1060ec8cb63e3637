/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member of a `keys` object, by true verification: nothing that is made up verifies,
 * and what is read again is the same key.
 *
 * covers: lib/sign/key.c lib/sign/ed25519.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/json/strict.h"
#include "lib/sign/key.h"
#include "tests/fuzz/fuzz.h"

/* Of every length that a kind may want, and of no key. */
static const struct signature made_up[] = {
	{.keyid = "k", .sig = ""},
	{.keyid = "k", .sig = "00"},
	{.keyid = "k",
	 .sig = "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000"},
	{.keyid = "k", .sig = "3006020101020101"},
	{.keyid = "k", .sig = "01", .other_headers = "04001608001d"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *object = NULL;
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(key_freep) struct key *again = NULL;

	if (strict_parse(data, size, "key", &object, NULL) < 0 ||
	    key_parse("k", object, "key", &k, NULL) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(made_up); i++)
		if (key_verify(k, data, size, &made_up[i]))
			abort();
	if (key_parse("other", key_object(k), "key", &again, NULL) < 0 ||
	    key_kind(again) != key_kind(k) ||
	    memcmp(key_material(again), key_material(k), SHA256_LEN) != 0)
		abort();
	return 0;
}
