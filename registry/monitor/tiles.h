/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiles - a log's tiles as a vantage point serves them, and what two checkpoints say together
 */
#ifndef REGISTRY_MONITOR_TILES_H
#define REGISTRY_MONITOR_TILES_H

#include "lib/tlog/entries.h"
#include "registry/monitor/monitor.h"

/*
 * A cache of nothing yet, for a tree of `size`; the caller frees it. Tiles of smaller trees
 * are read from that one, and never as they once were: a log with two histories would have both.
 */
MUSTCHECK int tiles_open(const struct vantage *of, uint64_t size, struct monitor_tiles **out,
			 struct error *err);

/* Reads through the cache. Nothing is verified: whoever proves something with it checks the proof.
 */
struct merkle_store tiles_reader(struct monitor_tiles *t);

/*
 * Append the bundle of the entries from n * 256 on, of which the tree has `width`. A bundle
 * that has grown since may come instead.
 */
MUSTCHECK int tiles_entries(const struct vantage *of, uint64_t n, unsigned width, struct buf *out,
			    struct error *err);

enum relation {
	GROWN,   /* the smaller one is the beginning of the larger, or they are the same */
	FORKED,  /* it is not: one of them, or both, belong to another history */
	DAMAGED, /* the tiles are not those of the larger one's checkpoint */
	UNKNOWN, /* the tiles could not be had; *why says why */
};

/* A checkpoint's claim. */
struct claim {
	uint64_t size;
	struct hash root;
};

/* What shows that they are two histories. */
struct rift {
	struct hash root;          /* of the first small.size leaves of the larger tree */
	struct merkle_proof proof; /* from that one to the larger one's root */
};

/* `t` has the tiles of `large`, whose size is not less. `rift` may be NULL, and is set if FORKED.
 */
MUSTCHECK int tiles_relate(struct monitor_tiles *t, const struct claim *small,
			   const struct claim *large, enum relation *out, struct rift *rift,
			   struct error *why);

#endif
