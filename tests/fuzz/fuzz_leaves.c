/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain that is accepted comes out of its own lines again; a leaf is its own bytes.
 *
 * covers: policies/leaf.c
 */
#include <assert.h>

#include "policies/leaf.h"
#include "tests/fuzz/fuzz.h"

static int count(void *ctx, const struct leaf *l, struct error *err)
{
	size_t *n = ctx;

	(void)l;
	(void)err;
	(*n)++;
	return 0;
}

/* The same in two pieces: it makes no difference where they are cut. */
static int in_pieces(const uint8_t *data, size_t size, size_t *n)
{
	CLEANUP(leaf_reader_freep) struct leaf_reader *r = NULL;
	const struct leaf_sink sink = {count, n};
	size_t cut = size ? data[0] * size / 256 : 0;
	int e = leaf_reader_new("lego.nxt", &sink, &r, NULL);

	if (e == 0)
		e = leaf_reader_feed(r, data, cut, NULL);
	if (e == 0)
		e = leaf_reader_feed(r, data + cut, size - cut, NULL);
	return e == 0 ? leaf_reader_end(r, NULL) : e;
}

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
	size_t n = 0;
	int pieces = in_pieces(data, size, &n);

	assert(leaf_chain_parse(data, size, "lego.nxt", &chain, NULL) == pieces);
	if (pieces < 0)
		return 0;
	assert(chain.n == n);
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
