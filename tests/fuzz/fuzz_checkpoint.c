/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever parses as a checkpoint can be verified, and is what it says it is.
 *
 * covers: lib/tlog/checkpoint.c
 */
#include <assert.h>

#include "lib/tlog/checkpoint.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_clear) struct buf again = {0};
	struct note_key witness = {.name = "wit-1.example", .type = NOTE_COSIGNATURE};
	struct log_policy policy = {
		.log = {.name = "log.example/a", .id = {0x87, 8, 6, 0xf8}, .type = NOTE_ED25519},
		.witnesses = &witness,
		.n = 1,
		.threshold = 1};
	struct checkpoint c;

	if (checkpoint_parse(data, size, &c, NULL) < 0)
		return 0;
	assert(c.note.text_len + c.note.signatures_len < size);
	/* The three lines come out as they went in. */
	if (checkpoint_format(c.origin, c.size, &c.root, &again, NULL) == 0) {
		assert(again.len <= c.note.text_len);
		assert(memcmp(again.data, c.note.text, again.len) == 0);
	}
	/* The key is all zero: nobody signs with that. */
	assert(checkpoint_verify(&c, &policy, NULL, NULL) < 0);
	return 0;
}
