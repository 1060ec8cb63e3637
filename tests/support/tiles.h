/* SPDX-License-Identifier: Apache-2.0 */
/* tiles - a log's tiles in memory; keeps account of what is asked of it */
#ifndef TESTS_SUPPORT_TILES_H
#define TESTS_SUPPORT_TILES_H

#include "lib/tlog/merkle.h"

enum { TILES_MAX = 400 };

struct tiles {
	struct {
		unsigned level, width;
		uint64_t n;
		struct hash hashes[TILE_WIDTH];
	} tile[TILES_MAX];
	size_t n;
	unsigned reads, writes;
	unsigned fail_after; /* the call after that many is E_SYS; 0: none */
};

/* The caller frees it. */
struct tiles *tiles_new(void);

/* A store on it. */
struct merkle_store tiles_store(struct tiles *t);

#endif
