/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs - which logs vouch for a product's leaves under one root
 *
 * Those that the root names, and those that they moved to: a `log-move` signed by a
 * threshold of the root's witnesses, with their cosigning keys, says that a log goes on
 * under another key. The old one counts no further than the size that it names, the new
 * one from there on, under the same witnesses.
 */
#ifndef POLICIES_LOGS_H
#define POLICIES_LOGS_H

#include "lib/tlog/checkpoint.h"
#include "policies/leaf.h"
#include "policies/publisher.h"

struct error;

/* Logs that count for one root, and log-moves of a chain that are read. */
enum { LOGS_MAX = 2 * PUBLISHER_LOGS_MAX, MOVES_MAX = 64 };

/* Where documents and proofs come from: the public tree, a memory stick, the registry's store. */
struct evidence_source {
	void *ctx;
	/*
	 * Append a file below p/<product>/, such as "statements/<id>.json", percent-encoded as a
	 * URL, but if this is the `own` tree. E_NOTFOUND.
	 */
	int (*read)(void *ctx, const char *path, size_t max, struct buf *out, struct error *err);
	/*
	 * Read leaves.jsonl, for who has a better way than all of it in memory; *out becomes the
	 * caller's, and may leave out what leaf.h allows. E_NOTFOUND. NULL: it is read with read().
	 */
	int (*leaves)(void *ctx, struct leaf_chain *out, struct error *err);
	/*
	 * Append a file of the log of this name, such as "tile/entries/000.p/5". E_NOTFOUND. NULL:
	 * none of them is here.
	 */
	int (*log)(void *ctx, const char *origin, const char *path, size_t max, struct buf *out,
		   struct error *err);
	/*
	 * A registry's own tree: the chain is all that the log has of the product, and says truly
	 * where in the log each leaf is.
	 */
	bool own;
};

struct counted_log {
	struct note_key key;
	uint64_t begin;   /* leaves that the log before it had; 0: it is none's successor */
	struct hash root; /* of those; if `begin` is not 0 */
	size_t tree;      /* the number of the log that began it */
	bool moved;       /* away, with `end` leaves */
	uint64_t end;
};

struct logs {
	const struct publisher *by; /* borrowed: whose logs and witnesses */
	int64_t root;               /* its version, for error texts */
	struct counted_log log[LOGS_MAX];
	size_t n;
	bool withheld; /* a log-move could not be had, so that an unknown log may be one of these */
};

/* `by` is what root `version` says, and must live as long. */
void logs_init(struct logs *l, const struct publisher *by, int64_t version);

/*
 * Follow the log-moves of the product's chain, in their order. One that is not signed by enough
 * witnesses, or is of a log that does not count, is nothing; one that is not served is noted.
 * E_UNTRUSTED: its file is another document.
 */
MUSTCHECK int logs_follow(struct logs *l, const struct evidence_source *s, const char *product,
			  const struct leaf_chain *c, struct error *err);

/* What a proof shows. */
struct shown {
	bool good;             /* else: true, but not enough yet, or of a log that has moved away */
	struct witnessed when; /* of the checkpoint */
	size_t tree;           /* of which log: the same number, the same tree */
	uint64_t index, size;  /* the leaf's, and of the tree: every leaf below is in it */
};

/*
 * Check a .tlog-proof of the leaf with this hash. E_INVALID, E_UNTRUSTED: it is none, it is
 * false, or its log is none of these.
 */
MUSTCHECK int logs_check(const struct logs *l, const void *proof, size_t len,
			 const struct hash *leaf, struct shown *out, struct error *err);

/* The key of the log of this name; NULL: it is none of these. */
const struct note_key *logs_key(const struct logs *l, const char *origin);

/* The time of a bare checkpoint of one of these logs; E_UNTRUSTED too if it is not enough. */
MUSTCHECK int logs_now(const struct logs *l, const void *checkpoint, size_t len,
		       struct witnessed *out, struct error *err);

#endif
