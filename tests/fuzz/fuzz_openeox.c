/* SPDX-License-Identifier: Apache-2.0 */
/* covers: escrow/openeox.c */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "escrow/openeox.h"
#include "lib/json/strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *src = NULL;
	CLEANUP(json_decrefp) json_t *out = NULL;
	struct openeox core, again;

	if (size > OPENEOX_MAX || strict_parse(data, size, NULL, &src, NULL) < 0 ||
	    openeox_read(src, "eox", &core, NULL) < 0)
		return 0;
	/* What was taken can be written, if whole seconds are enough, and read once more. */
	if (openeox_write(&core, &out, NULL) == 0 &&
	    (openeox_read(out, "again", &again, NULL) < 0 ||
	     again.end_of_life.at != core.end_of_life.at))
		abort();
	return 0;
}
