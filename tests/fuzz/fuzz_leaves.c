/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain that is accepted comes out of its own lines again; a leaf is its own bytes.
 *
 * covers: policies/leaf.c
 */
#include <assert.h>

#include "policies/leaf.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(leaf_chain_clear) struct leaf_chain chain = {0};
	CLEANUP(leaf_chain_clear) struct leaf_chain again = {0};
	CLEANUP(buf_clear) struct buf lines = {0};
	struct leaf leaf;

	if (leaf_parse(data, size, &leaf, NULL) == 0) {
		struct hash hash;

		merkle_leaf(data, size, &hash);
		assert(memcmp(&hash, &leaf.hash, sizeof(hash)) == 0);
	}
	if (leaf_chain_parse(data, size, "lego.nxt", &chain, NULL) < 0)
		return 0;
	for (size_t i = 0; i < chain.n; i++)
		if (leaf_line(&chain.leaves[i], &lines, NULL) < 0)
			return 0;
	assert(leaf_chain_parse(lines.data, lines.len, "lego.nxt", &again, NULL) == 0);
	assert(again.n == chain.n);
	for (size_t i = 0; i < chain.n; i++)
		assert(memcmp(&again.leaves[i].hash, &chain.leaves[i].hash, sizeof(struct hash)) ==
		       0);
	return 0;
}
