/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint - the signed head of a log, and proofs that travel with it
 *
 * C2SP tlog-checkpoint 1.0.0 and tlog-proof v1.
 */
#ifndef LIB_TLOG_CHECKPOINT_H
#define LIB_TLOG_CHECKPOINT_H

#include "lib/tlog/merkle.h"
#include "lib/tlog/note.h"

struct error;

struct checkpoint {
	struct note note; /* borrowed bytes */
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	struct hash root;
};

/* Which log, and how many of which witnesses must have cosigned. */
struct log_policy {
	struct note_key log;
	const struct note_key *witnesses; /* borrowed */
	size_t n;
	size_t threshold; /* 0: no witness is asked for, and nothing has a witnessed time */
};

/* What the witnesses say of the time: valid only if `known`. */
struct witnessed {
	bool known;
	int64_t low;  /* the threshold-th lowest cosignature time: a period starts here */
	int64_t high; /* the threshold-th highest: a period ends here, and now is not before it */
};

/*
 * Parse; E_INVALID. Nothing is verified yet. `data` stays the caller's and must
 * live on. Extension lines are let through, being signed like the rest.
 */
MUSTCHECK int checkpoint_parse(const void *data, size_t len, struct checkpoint *out,
			       struct error *err);

/*
 * Signed by the log under its own name, and by enough witnesses: one key counts
 * once, whatever its names, and the log's own not at all. Any wrong signature by
 * a key of the policy rejects the whole. E_UNTRUSTED. `when` may be NULL.
 */
MUSTCHECK int checkpoint_verify(const struct checkpoint *c, const struct log_policy *p,
				struct witnessed *when, struct error *err);

/* Append the three lines that are signed. E_INVALID: no origin, or one of several lines. */
MUSTCHECK int checkpoint_format(const char *origin, uint64_t size, const struct hash *root,
				struct buf *out, struct error *err);

/*
 * A .tlog-proof file: where a leaf is, its siblings, and the checkpoint. What is
 * `extra` in it is nobody's word: it is kept, and nothing is concluded from it.
 */
enum { TLOG_PROOF_MAX = NOTE_MAX + 8192 };
struct tlog_proof {
	const char *extra; /* base64, borrowed; NULL: there is none */
	size_t extra_len;
	uint64_t index;
	struct merkle_proof siblings;
	struct checkpoint checkpoint; /* borrows from the bytes parsed */
};

MUSTCHECK int tlog_proof_parse(const void *data, size_t len, struct tlog_proof *out,
			       struct error *err);
MUSTCHECK int tlog_proof_verify(const struct tlog_proof *p, const struct hash *leaf,
				const struct log_policy *policy, struct witnessed *when,
				struct error *err);
/* Append the file; what was parsed is written again byte for byte. */
MUSTCHECK int tlog_proof_write(const struct tlog_proof *p, struct buf *out, struct error *err);

/* The same without `extra`, of a checkpoint in bytes. */
MUSTCHECK int tlog_proof_format(uint64_t index, const struct merkle_proof *siblings,
				const void *checkpoint, size_t len, struct buf *out,
				struct error *err);

#endif
