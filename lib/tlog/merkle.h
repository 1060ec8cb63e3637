/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle - the append-only tree of a transparency log (RFC 6962 §2, RFC 9162 §2.1)
 *
 * No I/O of its own: whoever has the tree passes a reader of tiles (C2SP
 * tlog-tiles, height 8). Memory is bounded by a few tiles, whatever the size.
 */
#ifndef LIB_TLOG_MERKLE_H
#define LIB_TLOG_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"

struct error;

enum {
	TILE_HEIGHT = 8,
	TILE_WIDTH = 256,      /* hashes in a full tile */
	MERKLE_PROOF_MAX = 63, /* hashes of any proof */
	TILE_PATH_SIZE = 64,   /* "tile/L/xNNN/NNN.p/W" and its NUL */
};

struct hash {
	unsigned char b[SHA256_LEN];
};

void merkle_leaf(const void *data, size_t len, struct hash *out); /* SHA-256(00 || data) */
void merkle_node(const struct hash *left, const struct hash *right, struct hash *out);
void merkle_empty(struct hash *out); /* root of size 0 */

struct merkle_proof {
	struct hash hash[MERKLE_PROOF_MAX]; /* the leaf's sibling first */
	size_t n;
};

/*
 * E_UNTRUSTED: the proof does not lead from the leaf (or the old root) to
 * `root`, or has a hash too few or too many. Everything is consistent with the
 * empty tree, by the empty proof; with itself likewise.
 */
MUSTCHECK int merkle_check_inclusion(const struct hash *leaf, uint64_t index, uint64_t size,
				     const struct merkle_proof *p, const struct hash *root,
				     struct error *err);
MUSTCHECK int merkle_check_consistency(uint64_t old_size, const struct hash *old_root,
				       uint64_t size, const struct hash *root,
				       const struct merkle_proof *p, struct error *err);

/*
 * Where tiles are. `width` (1 to 256) is how many hashes the tile has in a tree
 * of the size at hand; a tile that has grown since serves, too. `level` is 0 to 7.
 */
struct merkle_store {
	void *ctx;
	/* The first `width` hashes of tile `n`. */
	int (*read)(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		    struct error *err);
	/* Only merkle_append() writes; tiles are written once for each width. Else it may be NULL.
	 */
	int (*write)(void *ctx, unsigned level, uint64_t n, unsigned width,
		     const struct hash *hashes, struct error *err);
};

/*
 * Sizes go up to INT64_MAX (else E_INVALID); an index is below the size, an old
 * size not above it. What the store returns on failure is passed on.
 */
MUSTCHECK int merkle_root(const struct merkle_store *s, uint64_t size, struct hash *out,
			  struct error *err);
MUSTCHECK int merkle_prove_inclusion(const struct merkle_store *s, uint64_t index, uint64_t size,
				     struct merkle_proof *out, struct error *err);
MUSTCHECK int merkle_prove_consistency(const struct merkle_store *s, uint64_t old_size,
				       uint64_t size, struct merkle_proof *out, struct error *err);

/*
 * Append `n` leaf hashes to a tree of `size`: writes every tile that is new or
 * grew, once, and reads only those at the right edge. After a failure some may
 * have been written; the same call again writes the same.
 */
MUSTCHECK int merkle_append(const struct merkle_store *s, uint64_t size, const struct hash *leaves,
			    size_t n, struct error *err);

/*
 * A tree that is known by its right edge alone, so that it can grow: bit h of `size` set says that
 * part[h] is the root of a whole subtree of height h. {0} is the empty tree.
 */
struct merkle_edge {
	uint64_t size;
	struct hash part[64];
};

/* The tree of the first index + 1 leaves, out of a proof that merkle_check_inclusion() has passed.
 */
void merkle_edge_of_proof(const struct hash *leaf, uint64_t index, uint64_t size,
			  const struct merkle_proof *p, struct merkle_edge *out);
void merkle_edge_add(struct merkle_edge *e, const struct hash *leaf); /* up to INT64_MAX leaves */
void merkle_edge_root(const struct merkle_edge *e, struct hash *out);

/* "tile/0/x001/x234/067" or "tile/1/000.p/17"; level -1: "tile/entries/...". Full: width 256. */
void tile_path(int level, uint64_t n, unsigned width, char out[TILE_PATH_SIZE]);

#endif
