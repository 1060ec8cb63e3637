/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign - witnesses whose clocks a test sets
 *
 * They cosign checkpoints and log proofs that lie in files, so that years pass in a
 * tree that a real registry wrote a moment ago. Helpers abort on failure.
 */
#ifndef TESTS_SUPPORT_COSIGN_H
#define TESTS_SUPPORT_COSIGN_H

#include <jansson.h>

#include "lib/tlog/note.h"

struct witness {
	struct note_key key;
	unsigned char seed[32];
};

/* The same name, the same key. */
void witness_make(struct witness *w, const char *name);
json_t *witness_vkey(const struct witness *w);

/* In a checkpoint or a .tlog-proof: what `w` says at the time `at`, instead of what it said. */
void witness_cosign(const struct witness *w, int64_t at, struct buf *note);

/* The same to a file. */
void witness_cosign_file(const struct witness *w, int64_t at, const char *path);

#endif
