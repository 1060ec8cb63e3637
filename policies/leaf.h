/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf - what the log says of a product: its leaf chain
 *
 * A leaf is the canonical JSON of {"kind", "product", "role" (TUF roles only),
 * "id", "sha256", "version", "seq", "prev"}. `prev` is the Merkle leaf hash of
 * the product's previous leaf (for seq 1: 64 zeros), so a run of leaves cannot
 * leave one out. p/<product>/leaves.jsonl has a line for each leaf:
 * {"index": <log index>, "leaf": {...}}.
 */
#ifndef POLICIES_LEAF_H
#define POLICIES_LEAF_H

#include <jansson.h>

#include "lib/tlog/merkle.h"

struct error;

enum { LEAF_MAX = 4096, LEAVES_MAX = 100000 };

struct leaf {
	char kind[33];
	char product[65];
	char role[129]; /* "" but for TUF roles */
	char id[SHA256_HEX_SIZE];
	char sha256[SHA256_HEX_SIZE];
	int64_t version, seq;
	struct hash prev;
	struct hash hash; /* of this leaf */
	uint64_t index;   /* in the log */
};

/*
 * Append the canonical leaf; `hash` is set, `index` plays no part. E_INVALID: a
 * product that is none, a role without a TUF role or the other way round, or a
 * `prev` of zeros anywhere but at seq 1.
 */
MUSTCHECK int leaf_write(struct leaf *l, struct buf *out, struct error *err);

/* Read the bytes of one log entry; `index` is 0. E_INVALID, also if they are not canonical. */
MUSTCHECK int leaf_parse(const void *data, size_t len, struct leaf *out, struct error *err);

/*
 * A chain as it arrives, in whatever pieces, one leaf at a time: every line well-formed
 * and of `product`, seq without gaps from 1, each prev the hash of the leaf before,
 * indexes rising. Memory does not grow with it.
 */
struct leaf_reader;

struct leaf_sink {
	/* A negative return ends the reading and is returned. The leaf is lent for the call. */
	int (*take)(void *ctx, const struct leaf *l, struct error *err);
	void *ctx;
};

MUSTCHECK int leaf_reader_new(const char *product, const struct leaf_sink *sink,
			      struct leaf_reader **out, struct error *err);
void leaf_reader_free(struct leaf_reader *r);
DEFINE_CLEANUP(struct leaf_reader *, leaf_reader_free)

/*
 * E_INVALID: not well-formed. E_UNTRUSTED: the chain is broken, or two leaves have
 * one seq. After a failure the reader is of no more use.
 */
MUSTCHECK int leaf_reader_feed(struct leaf_reader *r, const void *data, size_t len,
			       struct error *err);

/* E_INVALID: the last line does not end. */
MUSTCHECK int leaf_reader_end(const struct leaf_reader *r, struct error *err);

/*
 * A product's chain, in order. Whoever is short of memory may leave out updates between two
 * others: of kind "targets", with leaves of that kind before and after.
 */
struct leaf_chain {
	struct leaf *leaves;
	size_t n;
};

/* Read leaves.jsonl whole, as the reader does. An empty file is a chain of none. */
MUSTCHECK int leaf_chain_parse(const void *data, size_t len, const char *product,
			       struct leaf_chain *out, struct error *err);
void leaf_chain_clear(struct leaf_chain *c);

/* The leaf of a document by id; NULL: it is not in the chain. */
const struct leaf *leaf_chain_find(const struct leaf_chain *c, const char *id);

/* The first leaf of the root with this version; NULL. */
const struct leaf *leaf_chain_first_root(const struct leaf_chain *c, int64_t version);

/* Append the line of leaves.jsonl. */
MUSTCHECK int leaf_line(const struct leaf *l, struct buf *out, struct error *err);

#endif
