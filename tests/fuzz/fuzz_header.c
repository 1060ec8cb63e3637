/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header lines of an answer: a range that is taken goes to the end of something, an
 * offset is no negative one.
 *
 * covers: lib/net/header.c
 */
#include <assert.h>
#include <string.h>

#include "lib/net/header.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *stop;
	struct http_header h;

	http_header_clear(&h);
	for (; at < end && (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1)
		http_header_line(&h, at, (size_t)(stop + 1 - at));
	assert(h.upload_offset >= -1);
	http_header_clear(&h);
	assert(h.length == 0 && h.start == HEADER_NOWHERE && h.upload_offset == -1);
	return 0;
}
