/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever parses as a proof can be checked, and survives being written.
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
	struct tlog_proof p, again;

	if (tlog_proof_parse(data, size, &p, NULL) < 0)
		return 0;
	assert(p.siblings.n <= MERKLE_PROOF_MAX);
	assert(tlog_proof_verify(&p, &leaf, &policy, NULL, NULL) < 0);
	(void)!merkle_check_inclusion(&leaf, p.index, p.checkpoint.size, &p.siblings,
				      &p.checkpoint.root, NULL);

	const char *start = p.checkpoint.note.text;
	size_t len = (size_t)((const char *)data + size - start);
	if (tlog_proof_format(p.index, &p.siblings, start, len, &out, NULL) < 0)
		return 0;
	assert(tlog_proof_parse(out.data, out.len, &again, NULL) == 0);
	assert(again.index == p.index && again.siblings.n == p.siblings.n);
	assert(memcmp(again.siblings.hash, p.siblings.hash, p.siblings.n * sizeof(leaf)) == 0);
	return 0;
}
