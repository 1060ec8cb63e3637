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

/* Work that a hostile log may cause: records kept, statements read, bytes of a leaf chain. */
enum {
	LEDGER_RECORDS_MAX = 4096,
	LEDGER_READS_MAX = 16384, /* of all passes together */
	LEDGER_LEAVES_MAX = 16 * 1024 * 1024,
};

#define RECORD_NONE SIZE_MAX

enum proof_state { PROOF_UNREAD, PROOF_GOOD, PROOF_MISSING };

struct record {
	bool targets; /* a targets version, whose document is not read; else `type` says what */
	enum statement_type type;
	const struct leaf *leaf; /* borrowed from the chain; rises from record to record */
	enum proof_state proof;
	struct witnessed when;        /* once the proof is PROOF_GOOD */
	char target[SHA256_HEX_SIZE]; /* approval, refusal, objection: what it is for; else "" */
	uint64_t seats;               /* notice, approval, refusal: who signed */
	const char *ground;           /* notice; static */
	int64_t evidence;             /* notice: pieces named */
	int64_t date, support_until;  /* eol; product, objection: 0 if not said */
	size_t on;           /* approval, refusal: the record of `target`; or RECORD_NONE */
	bool final, release; /* eol: names root N and the bridge; opens the deposit */
};

struct ledger {
	const struct evidence_source *source; /* borrowed, as all of these */
	const struct evidence_query *query;
	const struct leaf_chain *chain;
	struct publisher *publisher; /* of root N; owned */
	bool timed;                  /* root N asks for witnesses, so that time can be known */
	size_t begin, end;           /* leaves after root N's, up to the last that is proved */
	struct witnessed now;        /* of that last one */
	struct witnessed root_when;  /* of root N's leaf; may stay unknown */
	struct record *records;      /* owned */
	size_t n;
	size_t reads;     /* of statements, so far */
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
 * Read one statement and hold it against its leaf. *out stays NULL if it is
 * missing (noted in h->missing) or is junk that the log itself took in.
 */
MUSTCHECK int ledger_read(struct ledger *h, const struct leaf *leaf, struct envelope **out,
			  struct error *err);

/* Was this file changed since it was logged, so that its lack of signatures proves nothing? */
bool ledger_altered(const struct leaf *leaf, const struct envelope *doc);

/* Check the proof that lies beside a document. *when may be filled only for PROOF_GOOD. */
MUSTCHECK int ledger_prove(const struct ledger *h, const struct leaf *leaf, enum proof_state *state,
			   struct witnessed *when, struct error *err);
MUSTCHECK int ledger_prove_record(const struct ledger *h, struct record *r, struct error *err);

/* Collect the records that matter to the release of `d`, up to the leaf `end` (exclusive). */
MUSTCHECK int ledger_collect(struct ledger *h, const struct deposit *d, size_t end,
			     struct error *err);

/* Is the statement made under root N, by its threshold? E_UNTRUSTED says what is missing. */
MUSTCHECK int ledger_by_root(const struct ledger *h, const struct envelope *doc,
			     const struct statement *st, struct error *err);

#endif
