/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read is written again byte for byte.
 *
 * covers: lib/tlog/witness.c lib/tlog/lines.c
 */
#include <assert.h>

#include "lib/tlog/witness.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_clear) struct buf again = {0};
	struct witness_request q;
	const struct note *n = &q.checkpoint.note;

	if (witness_request_parse(data, size, &q, NULL) < 0)
		return 0;
	assert(witness_request_format(q.old, &q.proof, n->text,
				      (size_t)(n->signatures + n->signatures_len - n->text), &again,
				      NULL) == 0);
	assert(again.len == size && memcmp(again.data, data, size) == 0);
	return 0;
}
