/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header that is accepted has references with names, and a pack inside the data.
 *
 * covers: lib/git/bundle.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/git/bundle.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle b = {0};

	if (bundle_parse(data, size, &b, NULL) < 0)
		return 0;
	if (!b.n || b.pack_offset + 4 > size || memcmp(data + b.pack_offset, "PACK", 4) != 0)
		abort();
	for (size_t i = 0; i < b.n; i++)
		if (strlen(b.refs[i].oid) != 40 || !*b.refs[i].name)
			abort();
	bundle_clear(&b);
	return 0;
}
