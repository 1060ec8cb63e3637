/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting a request body into documents: every slice is inside it, in order, and an object.
 *
 * covers: registry/documents/split.c
 */
#include <assert.h>

#include "lib/base/error.h"
#include "registry/documents/split.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice slices[SPLIT_MAX];
	const char *at = (const char *)data;
	struct error err;
	size_t n = 0;

	if (split_documents(data, size, slices, &n, &err) < 0)
		return 0;
	assert(n >= 1 && n <= SPLIT_MAX);
	for (size_t i = 0; i < n; i++) {
		assert(slices[i].data >= at);
		assert(slices[i].len >= 2 && slices[i].data[0] == '{');
		at = slices[i].data + slices[i].len;
		assert(at <= (const char *)data + size);
	}
	return 0;
}
