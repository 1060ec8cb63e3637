/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root, signed by nobody, and what its x-bequest says of who publishes: what is read
 * keeps its bounds, and is no change from itself.
 *
 * covers: policies/publisher.c
 */
#include <stdlib.h>

#include "lib/base/error.h"
#include "policies/publisher.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct publisher *who = calloc(1, sizeof(*who));
	unsigned change = 0;
	struct error err;

	if (who && tuf_root_parse(data, size, "root", &root, &err) == 0 &&
	    publisher_read(root, "root", who, &err) == 0) {
		if (who->witness_threshold > who->nwitnesses || !*who->id)
			abort();
		/* Fewer keys than its threshold: then no root can follow, whatever it says. */
		if (publisher_compare(root, root, root, &change, &err) == 0 && change &&
		    root->role[TUF_ROOT].threshold <= (int64_t)root->role[TUF_ROOT].n)
			abort();
	}
	free(who);
	return 0;
}
