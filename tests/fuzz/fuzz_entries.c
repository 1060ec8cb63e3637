/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle that is accepted is its entries, one behind the other.
 *
 * covers: lib/tlog/entries.c
 */
#include <assert.h>

#include "lib/tlog/entries.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_entry entry[TILE_WIDTH];
	unsigned width = size ? data[0] + 1U : 1;
	const uint8_t *at = data + 1;

	if (!size || entries_split(at, size - 1, width, entry, NULL) < 0)
		return 0;
	for (unsigned i = 0; i < width; i++) {
		assert(entry[i].data == at + 2);
		assert(entry[i].len == (size_t)at[0] * 256 + at[1]);
		at += 2 + entry[i].len;
	}
	assert(at <= data + size);
	return 0;
}
