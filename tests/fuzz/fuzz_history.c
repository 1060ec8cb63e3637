/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A history that was torn or written by nobody: it can be read and added to, and what
 * was added is there.
 *
 * covers: client/history.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/history.h"
#include "lib/base/error.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *before = NULL;
	CLEANUP(json_decrefp) json_t *after = NULL;
	const json_t *last;
	int dir = room();
	struct error err;

	room_put(dir, "history.jsonl", data, size);
	if (history_read(dir, &before, &err) < 0)
		return 0;
	assert(history_add(dir, 5, "fuzz", &err, "%s", "a line") == 0);
	assert(history_read(dir, &after, &err) == 0 && json_array_size(after) > 0);
	last = json_array_get(after, json_array_size(after) - 1);
	assert(strcmp(json_string_value(json_object_get(last, "event")), "fuzz") == 0);
	return 0;
}
