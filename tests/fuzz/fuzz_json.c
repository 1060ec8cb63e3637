/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strict_parse() accepts has a canonical form, which is its own canonical form.
 *
 * covers: lib/json/strict.c lib/json/canon.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_clear) struct buf once = {0};
	CLEANUP(buf_clear) struct buf twice = {0};
	json_t *v = NULL, *escaped = NULL;
	char *text;

	if (strict_parse(data, size, "fuzz", &v, NULL) < 0)
		return 0;
	if (canon_write(v, &once, NULL) < 0)
		abort();
	/* Control characters are raw in the canonical form, so jansson's encoder makes the round.
	 */
	text = json_dumps(v, 0);
	if (!text || strict_parse(text, strlen(text), "again", &escaped, NULL) < 0)
		abort();
	if (!json_equal(v, escaped) || canon_write(escaped, &twice, NULL) < 0)
		abort();
	if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
		abort();
	free(text);
	json_decref(escaped);
	json_decref(v);
	return 0;
}
