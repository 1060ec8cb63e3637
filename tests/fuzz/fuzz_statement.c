/* SPDX-License-Identifier: Apache-2.0 */
/* covers: policies/statement.c */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "policies/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct statement st;

	if (envelope_parse(data, size, "statement", &doc, NULL) < 0 ||
	    statement_read(doc, "statement", &st, NULL) < 0)
		return 0;
	/* What others rely on without asking. */
	if (st.version < 1 || (st.type != ST_REGISTRY && !product_id_ok(st.product)) ||
	    (statement_signer(st.type) == BY_ROOT && (!st.root_id || st.root_version < 1)))
		abort();
	return 0;
}
