/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever parses as a proof can be checked, and is written again as it was.
 *
 * covers: lib/tlog/checkpoint.c lib/tlog/merkle.c
 */
#include <assert.h>

#include "lib/tlog/checkpoint.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct log_policy policy = {.log = {.name = "log.example/a", .type = NOTE_ED25519}};
	const struct hash leaf = {{0}};
	struct tlog_proof p;

	if (tlog_proof_parse(data, size, &p, NULL) < 0)
		return 0;
	assert(p.siblings.n <= MERKLE_PROOF_MAX);
	assert(tlog_proof_verify(&p, &leaf, &policy, NULL, NULL) < 0);
	(void)!merkle_check_inclusion(&leaf, p.index, p.checkpoint.size, &p.siblings,
				      &p.checkpoint.root, NULL);

	assert(tlog_proof_write(&p, &out, NULL) == 0);
	assert(out.len == size && memcmp(out.data, data, size) == 0);
	return 0;
}
