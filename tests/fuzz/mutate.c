/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutator for targets that read JSON, perhaps after a few bytes of something else: it
 * operates on the value half of the time, and leaves the bytes to libFuzzer otherwise.
 */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/compiler.h"
#include "tests/fuzz/surgery.h"

enum { CUTS_MAX = 3, CUT_BYTES = 16 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* A small generator: the same seed makes the same cuts. */
static uint8_t next_byte(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return (uint8_t)(*seed >> 16);
}

static size_t operate(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	const uint8_t *start = memchr(data, '{', size);
	size_t before = start ? (size_t)(start - data) : size;
	json_t *v = start ? json_loadb((const char *)start, size - before, 0, NULL) : NULL;
	int cuts = next_byte(&seed) % CUTS_MAX + 1;
	CLEANUP(freep) char *text = NULL;
	size_t len = 0;

	for (int i = 0; v && i < cuts; i++) {
		uint8_t bytes[CUT_BYTES];
		struct feed f = {bytes, bytes + sizeof(bytes)};

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = next_byte(&seed);
		surgery(v, &f);
	}
	text = v ? json_dumps(v, JSON_COMPACT) : NULL;
	json_decref(v);
	len = text ? strlen(text) : 0;
	if (len == 0 || len > max - before)
		return 0;
	memcpy(data + before, text, len);
	return before + len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size_t n = next_byte(&seed) & 1 ? operate(data, size, max, seed) : 0;

	return n ? n : LLVMFuzzerMutate(data, size, max);
}
