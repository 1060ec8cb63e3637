/* SPDX-License-Identifier: Apache-2.0 */
/* logbox - a log in memory with a key of its own: checkpoints and what a witness is sent */
#ifndef TESTS_SUPPORT_LOGBOX_H
#define TESTS_SUPPORT_LOGBOX_H

#include "lib/base/buf.h"
#include "lib/tlog/checkpoint.h"
#include "tests/support/tiles.h"

struct logbox {
	struct tiles *tiles;
	struct note_key key;
	unsigned char seed[32];
	uint64_t size;
};

/* A key from a seed of one repeated byte. */
void logbox_key(unsigned char fill, const char *name, int type, unsigned char seed[32],
		struct note_key *out);

/* Leaf i of any box is the decimal number i, but for those from `fork` on (UINT64_MAX: none). */
void logbox_open(struct logbox *l, const char *origin, unsigned char fill);
void logbox_grow(struct logbox *l, uint64_t size, uint64_t fork);
void logbox_close(struct logbox *l);

/* Append the signed checkpoint of this size. */
void logbox_checkpoint(const struct logbox *l, uint64_t size, struct buf *out);

/* Append the body of an add-checkpoint request. */
void logbox_request(const struct logbox *l, uint64_t old, uint64_t size, struct buf *out);

/* The key as text; the caller frees it. */
char *logbox_vkey(const struct note_key *k);

#endif
