/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product_log - a product's people, roots, statements and log, in memory
 *
 * Makes what a registry would serve below p/<product>/: statements, a leaf chain,
 * a proof for each leaf at the moment it was logged, cosigned by witnesses whose
 * clock the test sets. Helpers abort on failure: only the reader is under test.
 */
#ifndef TESTS_SUPPORT_PRODUCT_LOG_H
#define TESTS_SUPPORT_PRODUCT_LOG_H

#include "lib/sign/signer.h"
#include "policies/evidence.h"
#include "tests/support/tiles.h"

#define PLOG_PRODUCT "acme.x1"
#define PLOG_ORIGIN "registry.example/log"

enum { PLOG_START = 1893456000, PLOG_PEOPLE = 3, PLOG_LEAVES_MAX = 512, PLOG_FILES_MAX = 1280 };

struct plog_file {
	char *path;
	struct buf bytes;
};

struct product_log {
	int64_t now; /* what the witnesses' clocks say; `issued` of what is made */
	struct signer *vendor[PLOG_PEOPLE], *trustee[PLOG_PEOPLE], *steward[PLOG_PEOPLE];
	struct signer *stranger;
	size_t witnesses; /* 0 to PLOG_PEOPLE; all but one must cosign */
	/* What each witness says beyond `now`, in seconds; the first is a minute late. */
	int64_t skew[PLOG_PEOPLE];
	struct signer *witness[PLOG_PEOPLE]; /* with their cosigning keys */
	struct note_key log_key, witness_key[PLOG_PEOPLE];
	unsigned char log_seed[32], witness_seed[PLOG_PEOPLE][32];
	int64_t statements; /* made so far: their versions */
	struct tiles *tiles;
	bool own;        /* read as a registry reads its own tree */
	bool no_entries; /* the log does not serve them */
	size_t hidden;   /* so many of the last leaves are cut off what is served */
	size_t served;   /* leaves that were written into leaves.jsonl */
	size_t nleaves, nfiles, size;
	struct leaf leaves[PLOG_LEAVES_MAX]; /* the product's */
	struct buf entries[PLOG_LEAVES_MAX]; /* of the log: the product's, and others' */
	struct plog_file files[PLOG_FILES_MAX];
};

struct product_log *plog_new(size_t witnesses);
void plog_free(struct product_log *p);
DEFINE_CLEANUP(struct product_log *, plog_free)

/*
 * Make `*copy` (NULL at first) the same log as `of`, whose keys it borrows: nobody may
 * free it, but make it anew. That costs far less than what the log took to make.
 */
void plog_copy(struct product_log **copy, const struct product_log *of);

struct evidence_source plog_source(struct product_log *p);

/* Who holds a root, and who signs it (groups of signers, each ended by NULL). */
struct root_spec {
	int64_t version, threshold;
	struct signer *const *keys;
	size_t nkeys;
	const char *publisher, *kind;
	const char *product;              /* NULL: PLOG_PRODUCT */
	struct signer *const *signers[2]; /* the first `threshold` of each sign; may be NULL */
	json_t *x_bequest;                /* borrowed; NULL: made from the above and the log */
};
struct tuf_root *plog_root(struct product_log *p, const struct root_spec *spec);

/* Vendor's root 1, the bridge 2 to the stewards (signed by both), the stewards' root 3. */
struct tuf_root *plog_vendor_root(struct product_log *p);
struct tuf_root *plog_bridge(struct product_log *p);
struct tuf_root *plog_stewards_root(struct product_log *p);

/* The x-bequest of a root; the caller owns it. */
json_t *plog_x_bequest(struct product_log *p, const char *publisher, const char *kind);

/*
 * A signed statement: the members of `body_take` beside the common ones, which
 * are put in where they are absent; `root` may be NULL. `by` are `n` signers.
 */
struct envelope *plog_statement(struct product_log *p, const char *type,
				const struct tuf_root *root, json_t *body_take,
				struct signer *const *by, size_t n);

/* A deposit's own members: three trustees of whom two decide, one compartment. */
json_t *plog_deposit_body(struct product_log *p, const struct tuf_root *follows, const char *bridge,
			  json_t *policy_take);

/* Log a document: leaf, proof unless there is one, leaves.jsonl; statements are stored too. */
void plog_add(struct product_log *p, const struct envelope *doc);

/* Log targets of a delegated role; plog_add() takes what it has for the top-level one. */
void plog_add_role(struct product_log *p, const struct envelope *doc, const char *role);

/* Log an entry that is not of this product. */
void plog_add_other(struct product_log *p);

/* Make, sign and log a statement; its id lives as long as the log. */
const char *plog_say(struct product_log *p, const char *type, const struct tuf_root *root,
		     json_t *body_take, struct signer *const *by, size_t n);

/* Prove a leaf anew, in the tree as it is now: anybody can. */
void plog_prove_again(struct product_log *p, const char *id);

/* Append the checkpoint of the tree as it is, cosigned now. */
void plog_checkpoint(struct product_log *p, struct buf *out);

/* Write leaves.jsonl once more, after a change to p->leaves. */
void plog_write_leaves(struct product_log *p);

/* The log goes on under this name with another key; the statement's body, for witnesses to sign. */
json_t *plog_move(struct product_log *p, const char *origin);

/* A stored file, to look at or to spoil; NULL if it is not there. */
struct buf *plog_file(struct product_log *p, const char *folder, const char *id,
		      const char *ending);
void plog_put(struct product_log *p, const char *folder, const char *id, const char *ending,
	      const struct buf *bytes);
void plog_remove(struct product_log *p, const char *folder, const char *id, const char *ending);

#endif
