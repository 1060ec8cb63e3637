/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server reads of a request: "METHOD\nURL\nservice\nIf-None-Match\nRange\nUpload-Offset".
 *
 * covers: registry/http/place.c registry/http/precond.c registry/http/route.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "registry/http/place.h"
#include "registry/http/precond.h"
#include "registry/http/route.h"
#include "tests/fuzz/fuzz.h"

enum { PARTS = 6 };

#define SIZE UINT64_C(1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char *rest = text;
	const char *part[PARTS];
	char path[PLACE_MAX];
	uint64_t first = 0, len = 0;

	if (!text)
		return 0;
	for (size_t i = 0; i < PARTS; i++) {
		part[i] = strsep(&rest, "\n");
		part[i] = part[i] ? part[i] : "";
	}
	if (place_of(part[1], path)) {
		assert(file_path_ok(path));
		assert(place_kind(path).content_type);
	}
	assert(route_name(route_of(part[0], part[1], *part[2] ? part[2] : NULL).kind));
	(void)etag_listed(part[3], "\"0123\"");
	if (range_parse(part[4], NULL, "\"0123\"", SIZE, &first, &len) == RANGE_PART)
		assert(len > 0 && first < SIZE && len <= SIZE - first);
	if (offset_parse(part[5], &first))
		assert(first <= INT64_MAX && strspn(part[5], "0123456789") == strlen(part[5]));
	free(text);
	return 0;
}
