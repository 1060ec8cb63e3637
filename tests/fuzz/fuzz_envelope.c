/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document that is accepted keeps its id through writing and reading again,
 * and whatever keys it lists can be asked who signed it.
 *
 * covers: lib/sign/envelope.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/sign/envelope.h"
#include "tests/fuzz/fuzz.h"

static void check_keys(const struct envelope *e)
{
	struct role_keys keys = {0};
	uint64_t who = 0;

	if (role_keys_parse(json_object_get(envelope_signed(e), "keys"), NULL, 1, "signed", &keys,
			    NULL) < 0)
		return;
	if (envelope_count(e, &keys, &who) > keys.n || (keys.n < 64 && who >> keys.n))
		abort();
	role_keys_clear(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope *e = NULL, *again = NULL;
	json_t *signature;
	char id[SHA256_HEX_SIZE];

	if (envelope_parse(data, size, "fuzz", &e, NULL) < 0)
		return 0;
	check_keys(e);
	memcpy(id, envelope_id(e), sizeof(id));
	signature = json_pack("{s:s, s:s}", "keyid", "fuzz", "sig", "00");
	if (envelope_add(e, signature, NULL) == 0) {
		const struct buf *bytes = envelope_bytes(e);

		if (envelope_parse(bytes->data, bytes->len, "again", &again, NULL) < 0)
			abort();
		if (strcmp(envelope_id(again), id) != 0 || strcmp(envelope_id(e), id) != 0)
			abort();
		if (envelope_signatures(again) != envelope_signatures(e))
			abort();
	}
	json_decref(signature);
	envelope_free(again);
	envelope_free(e);
	return 0;
}
