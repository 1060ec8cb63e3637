/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entries - what a log's leaves are the hashes of
 *
 * C2SP tlog-tiles: a bundle has 256 entries, or the first of them while the log is shorter, each
 * after its length in two bytes. Nothing binds a bundle to a tree but the hashes of its entries.
 */
#ifndef LIB_TLOG_ENTRIES_H
#define LIB_TLOG_ENTRIES_H

#include "lib/tlog/merkle.h"

struct error;

/* Bytes of the largest bundle, in a log whose entries have at most 4096. */
enum { ENTRIES_BYTES_MAX = TILE_WIDTH * (4096 + 2) };

/* One entry of a bundle, borrowed from its bytes. */
struct log_entry {
	const unsigned char *data;
	size_t len;
};

/* Take the first `width` entries; more may follow, but nothing else. E_INVALID. */
MUSTCHECK int entries_split(const void *data, size_t len, unsigned width,
			    struct log_entry out[TILE_WIDTH], struct error *err);

#endif
