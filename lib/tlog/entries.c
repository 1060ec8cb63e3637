/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/entries.h"

#include "lib/base/error.h"

int entries_split(const void *data, size_t len, unsigned width, struct log_entry out[TILE_WIDTH],
		  struct error *err)
{
	const unsigned char *at = data;
	unsigned n = 0;

	for (; len; n++) {
		size_t size = len < 2 ? len : (size_t)at[0] << 8 | at[1];

		if (n == TILE_WIDTH)
			return error_set(err, E_INVALID, "has more than %d entries", TILE_WIDTH);
		if (len < 2 || len - 2 < size)
			return error_set(err, E_INVALID, "entry %u is cut off", n);
		if (n < width)
			out[n] = (struct log_entry){at + 2, size};
		at += 2 + size;
		len -= 2 + size;
	}
	if (n < width)
		return error_set(err, E_INVALID, "want %u entries, got %u", width, n);
	return 0;
}
