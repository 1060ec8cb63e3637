/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/logbox.h"

#include <stdio.h>

#include "lib/sign/ed25519.h"
#include "lib/tlog/witness.h"
#include "tests/unit/unit.h"

void logbox_key(unsigned char fill, const char *name, int type, unsigned char seed[32],
		struct note_key *out)
{
	unsigned char pub[32];

	memset(seed, fill, 32);
	assert_int_equal(ed25519_public(seed, pub, NULL), 0);
	assert_int_equal(note_key_make(name, type, pub, out, NULL), 0);
}

void logbox_open(struct logbox *l, const char *origin, unsigned char fill)
{
	*l = (struct logbox){.tiles = tiles_new()};
	assert_non_null(l->tiles);
	logbox_key(fill, origin, NOTE_ED25519, l->seed, &l->key);
}

void logbox_grow(struct logbox *l, uint64_t size, uint64_t fork)
{
	const struct merkle_store s = tiles_store(l->tiles);

	for (; l->size < size; l->size++) {
		char text[32];
		struct hash leaf;

		(void)snprintf(text, sizeof(text), "%s%u", l->size >= fork ? "fork" : "",
			       (unsigned)l->size);
		merkle_leaf(text, strlen(text), &leaf);
		assert_int_equal(merkle_append(&s, l->size, &leaf, 1, NULL), 0);
	}
}

void logbox_close(struct logbox *l)
{
	free(l->tiles);
}

void logbox_checkpoint(const struct logbox *l, uint64_t size, struct buf *out)
{
	const struct merkle_store s = tiles_store(l->tiles);
	CLEANUP(buf_clear) struct buf text = {0};
	struct hash root;

	assert_int_equal(merkle_root(&s, size, &root, NULL), 0);
	assert_int_equal(checkpoint_format(l->key.name, size, &root, &text, NULL), 0);
	assert_int_equal(buf_printf(out, NULL, "%s\n", text.data), 0);
	assert_int_equal(note_sign_line(&l->key, l->seed, &text, 0, out, NULL), 0);
}

void logbox_request(const struct logbox *l, uint64_t old, uint64_t size, struct buf *out)
{
	const struct merkle_store s = tiles_store(l->tiles);
	CLEANUP(buf_clear) struct buf note = {0};
	struct merkle_proof proof;

	logbox_checkpoint(l, size, &note);
	assert_int_equal(merkle_prove_consistency(&s, old, size, &proof, NULL), 0);
	assert_int_equal(witness_request_format(old, &proof, note.data, note.len, out, NULL), 0);
}

char *logbox_vkey(const struct note_key *k)
{
	struct buf out = {0};

	assert_int_equal(note_key_format(k, &out, NULL), 0);
	return buf_steal(&out);
}
