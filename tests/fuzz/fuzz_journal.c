/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal after whatever a bad medium made of it: opening gives a record within
 * bounds, and what is put then is what the next opening gives.
 *
 * covers: client/journal.c
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/journal.h"
#include "lib/base/error.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int dir = room();
	struct journal j = JOURNAL_NONE;
	struct journal_record r = {.phase = JOURNAL_WRITING, .slot = SLOT_B, .size = 9, .done = 4};
	struct error err;

	memset(r.sha256, 'a', SHA256_HEX);
	room_put(dir, "journal", data, size);
	if (journal_open(dir, "journal", &j, &err) < 0)
		return 0;
	assert(j.now.done <= j.now.size);
	assert(j.now.phase < JOURNAL_PHASES && j.now.slot <= SLOT_NONE);
	assert(journal_put(&j, &r, &err) == 0);
	journal_close(&j);
	assert(journal_open(dir, "journal", &j, &err) == 0);
	assert(j.now.phase == r.phase && j.now.done == r.done &&
	       strcmp(j.now.sha256, r.sha256) == 0);
	journal_close(&j);
	return 0;
}
