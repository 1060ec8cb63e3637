/* SPDX-License-Identifier: Apache-2.0 */
/* covers: policies/deposit.c */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "lib/base/file.h"
#include "policies/deposit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(deposit_clear) struct deposit d = {0};

	if (envelope_parse(data, size, "deposit.json", &doc, NULL) < 0 ||
	    deposit_read(doc, "deposit.json", &d, NULL) < 0)
		return 0;
	/* What others rely on without asking. */
	if (d.trustees.threshold < 2 || (size_t)d.trustees.threshold >= d.nseats ||
	    d.trustees.n != d.nseats || !d.compartments[COMPARTMENT_PUBLIC].present)
		abort();
	for (size_t i = 0; i < d.nfiles; i++)
		if (!file_path_ok(d.files[i].path))
			abort();
	(void)deposit_signers(&d, doc);
	return 0;
}
