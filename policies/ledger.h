/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger - what a product's log says of one root's time, verified
 *
 * The part of evidence.h that reads: the leaf chain from root N's leaf on, the
 * statements in it, each checked against its leaf and under the keys that may
 * make it, and the proofs of those that are used. What does not verify is no
 * record; what a mirror withholds or has changed is noticed.
 */
#ifndef POLICIES_LEDGER_H
#define POLICIES_LEDGER_H

#include "policies/evidence.h"

/*
 * What one party may say in the time of one root, so that nobody can make the others' words too
 * many to be read: what goes beyond is nobody's word. A registry does not take it either.
 */
enum {
	LEDGER_SEAT_WORDS = 64,    /* notices, approvals and refusals of one trustee */
	LEDGER_VENDOR_WORDS = 256, /* product statements; ends of life; objections: of each */
	LEDGER_HEARTBEATS = 4096,  /* that a registry takes; whoever reads counts all */
};

/* Work that a hostile log may cause: files read in all passes, bytes of a leaf chain. */
enum { LEDGER_READS_MAX = 65536, LEDGER_LEAVES_MAX = 16 * 1024 * 1024 };

#define RECORD_NONE SIZE_MAX

enum proof_state { PROOF_UNREAD, PROOF_GOOD, PROOF_MISSING };

struct record {
	enum statement_type type;
	const struct leaf *leaf; /* borrowed from the chain; rises from record to record */
	enum proof_state proof;
	struct shown shown;           /* once the proof is PROOF_GOOD */
	char target[SHA256_HEX_SIZE]; /* approval, refusal, objection: what it is for; else "" */
	uint64_t seats;               /* notice, approval, refusal: who signed */
	const char *ground;           /* notice; static */
	int64_t evidence;             /* notice: pieces named */
	int64_t issued;               /* what it says itself */
	int64_t date, support_until;  /* eol; product, objection: 0 if not said */
	size_t on;           /* the record of `target`, if there is one before; or RECORD_NONE */
	bool final, release; /* eol: names root N and the bridge; opens the deposit */
};

/* A leaf that may show that the vendor lives: a heartbeat, or a version of targets. */
struct sign_of_life {
	const struct leaf *leaf;
	bool update;  /* targets, or of a role that these delegate to */
	bool read;    /* the rest is filled */
	bool missing; /* something could not be had that says whether it counts */
	bool counts;
	struct witnessed when;
	int64_t issued; /* heartbeats that count */
};

struct ledger {
	const struct evidence_source *source; /* borrowed, as all of these */
	const struct evidence_query *query;
	const struct leaf_chain *chain;
	struct publisher *publisher; /* of root N; owned */
	struct logs *logs;           /* that count for it; owned */
	bool timed;                  /* root N asks for witnesses, so that time can be known */
	size_t begin, end;           /* leaves after root N's, up to the last that is proved */
	struct witnessed now;        /* of that last one, or of a younger checkpoint */
	struct shown last;           /* what the last one's proof shows */
	bool younger;                /* `now` is of a tree beyond that */
	struct witnessed root_when;  /* of root N's leaf; may stay unknown */
	bool *repeated;              /* owned; of each leaf: the chain has its id before */
	struct sign_of_life *life;   /* owned, in leaf order */
	size_t nlife;
	struct record *records; /* owned */
	size_t n;
	size_t upto;      /* the leaf at which they end (exclusive) */
	size_t reads;     /* of files, so far */
	size_t updates;   /* of these, targets that were looked at */
	unsigned missing; /* bit t: a document of enum statement_type t could not be had */
};

/*
 * Find root N in the chain, and how far the chain is proved. *lacking is set to
 * a static text if something is missing, and the rest is not filled then.
 * E_UNTRUSTED: the log has another root N.
 */
MUSTCHECK int ledger_open(struct ledger *h, const char **lacking, struct error *err);
void ledger_close(struct ledger *h);

/*
 * Is this document logged before this leaf? Then the leaf says nothing: a log could
 * bring back what was said long ago as somebody's last word.
 */
bool ledger_repeated(const struct ledger *h, const struct leaf *leaf);

/*
 * Read one statement as it was logged. *out stays NULL if it is missing (noted in
 * h->missing) or is junk that the log itself took in. E_UNTRUSTED: its file is another
 * than the leaf's; a signature that was taken off, or was added later, under the
 * time of the first, changes what it says.
 */
MUSTCHECK int ledger_read(struct ledger *h, const struct leaf *leaf, struct envelope **out,
			  struct error *err);

/* Check the proof that lies beside a document. *shown is filled only for PROOF_GOOD. */
MUSTCHECK int ledger_prove(struct ledger *h, const struct leaf *leaf, enum proof_state *state,
			   struct shown *shown, struct error *err);
/* The same with the file's bytes; E_NOTFOUND. What it shows may still be not good. */
MUSTCHECK int ledger_read_proof(struct ledger *h, const struct leaf *leaf, struct buf *bytes,
				struct shown *out, struct error *err);
MUSTCHECK int ledger_prove_record(struct ledger *h, struct record *r, struct error *err);

/* Collect the records that matter to the release of `d`, up to the leaf `end` (exclusive). */
MUSTCHECK int ledger_collect(struct ledger *h, const struct deposit *d, size_t end,
			     struct error *err);

/*
 * Where the leaves end that are in the same tree as `leaf`, by what its proof shows. Whoever
 * makes a proof anew, in a later tree, shows all that is in that one; so a time is nothing
 * without this.
 */
struct tree_end {
	size_t end; /* leaves before it may be in the tree, and none from it on, if it is known */
	const char *lacking; /* NULL: it is known; else static: for want of what it is not */
	bool beyond;         /* it is not, because the leaf at `bound` is in the tree */
};

/*
 * The end is known by the next leaf, if that is shown to be beyond the tree; or by the last one,
 * if the tree ends with it; or by the log's own entries, from `leaf` to the end of the tree. Of
 * what cannot be shown to be beyond, by a withheld proof or in another log, all counts as in it,
 * and so does an update if others before it are left out of the chain, of which some may be in it.
 * It is not known if the leaf at `bound` is in the tree: what comes from there on is of another
 * time, such as the next root's.
 */
MUSTCHECK int ledger_tree_end(struct ledger *h, const struct leaf *leaf, const struct shown *shown,
			      size_t bound, struct tree_end *out, struct error *err);

/* The same for `now`: has the chain up to `end` all that was logged by then? */
MUSTCHECK int ledger_now_end(struct ledger *h, struct tree_end *out, struct error *err);

/*
 * The last sign of life before the leaf `end`; out->sign NULL: none. Heartbeats count until
 * support ends, at `until`: one that is shown later counts if it says itself that it is older, so
 * that nobody can make it late; `at` is then its own date. `at` is something only if sign->when is
 * known. A leaf of which it cannot be known whether it counts is returned, as missing.
 */
struct last_life {
	const struct sign_of_life *sign;
	int64_t at;
};
MUSTCHECK int ledger_life(struct ledger *h, size_t end, bool updates_only, int64_t until,
			  struct last_life *out, struct error *err);

/* Is there an update between two leaves? What is not known may be one. */
MUSTCHECK int ledger_updated(struct ledger *h, const struct leaf *after, const struct leaf *before,
			     bool *out, struct error *err);

/* Is the statement made under root N, by its threshold? E_UNTRUSTED says what is missing. */
MUSTCHECK int ledger_by_root(const struct ledger *h, const struct envelope *doc,
			     const struct statement *st, struct error *err);

/* --- for the files that this is made of --- */

/* Append a file of the source; 1: it is not there. */
MUSTCHECK int ledger_file(struct ledger *h, const char *path, size_t max, struct buf *out,
			  struct error *err);

/* Was the chain left without the leaves right before this one? */
bool ledger_thinned(const struct ledger *h, size_t i);

/* As statement_read(), into *why; but another product in this one's log is the log's fault. */
MUSTCHECK int ledger_read_own(const struct ledger *h, const struct envelope *doc,
			      const struct leaf *leaf, struct statement *st, struct error *why,
			      struct error *err);

#endif
