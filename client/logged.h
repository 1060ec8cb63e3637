/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logged - may the whole world see this, and may it have been so for long?
 *
 * What a device asks of the log, of one mirror, in one walk:
 *
 * - A root is followed only if it is the first one of its version in the product's
 *   leaf chain, with a proof under a log (and the witnesses) that the root before
 *   it names, or to which that log moved.
 * - Whatever is to be followed, the mirror has to show as much of that log as this
 *   device ever saw: in the log's own checkpoint or in a proof.
 * - What a checkpoint says is remembered only if it was verified under an accepted root: the
 *   size of the log, the time that the witnesses vouch for, and the newest leaf proved.
 */
#ifndef CLIENT_LOGGED_H
#define CLIENT_LOGGED_H

#include "client/elsewhere.h"
#include "client/source.h"
#include "client/state.h"
#include "lib/base/error.h"
#include "lib/tlog/checkpoint.h"
#include "lib/tuf/role.h"
#include "policies/leaf.h"

struct error;

struct logged {
	const struct source *from;      /* borrowed */
	struct elsewhere *elsewhere;    /* borrowed */
	struct state *st;               /* borrowed: what was seen; brought up to date, not saved */
	struct leaf_chain own;          /* read when first needed; thinned (client/leaves.h) */
	const struct leaf_chain *chain; /* `own`, or one that was lent; NULL: not read */
	/* Logs of which as much as was ever seen was shown under an accepted root. */
	struct {
		struct note_key log;
		uint64_t size; /* the most that was shown */
	} shown[STATE_LOGS_MAX];
	size_t nshown;
	struct error behind; /* set: of a log less than was seen was shown, or another tree */
	bool late;           /* a step failed because of just that */
};

void logged_init(struct logged *l, const struct source *from, struct elsewhere *elsewhere,
		 struct state *st);
void logged_clear(struct logged *l);

/*
 * Look at the checkpoints of the logs that the accepted root names, as the mirror has them, until
 * one is good; in a folder at all. That there is none, or that the root's witnesses did not sign
 * it, teaches nothing. Nor does one that shows less than was seen before, or a fork: that
 * is put into l->behind. Neither is a failure: what the publisher signed does not rest on it.
 */
MUSTCHECK int logged_look(struct logged *l, const struct tuf_root *root, struct error *err);

/*
 * For what somebody brings by hand: of each log that the accepted root names and of which
 * something was seen, it must show as much, in the log's checkpoint or in the newest proof. A log
 * of which nothing was seen says nothing about that. E_UNTRUSTED: it does not.
 */
MUSTCHECK int logged_demand(struct logged *l, const struct tuf_root *root, struct error *err);

/* Move the chain out, if it was read: for whoever would read the same again. */
void logged_give(struct logged *l, struct leaf_chain *out);
/* Use this chain, which is the same mirror's; NULL: none any more. */
void logged_lend(struct logged *l, const struct leaf_chain *chain);

/*
 * Check the step. `accepted`: `from` is the root that is trusted, not only offered.
 * E_UNTRUSTED; E_NOTYET: the proof is not there. l->late: it could not be followed because
 * less of the log was shown than was seen, which is no fault of the step.
 */
MUSTCHECK int logged_root(struct logged *l, const struct tuf_root *from, const struct tuf_root *to,
			  bool accepted, struct error *err);

/*
 * The newest leaf of the chain that evidence rests on, under the accepted root: the same
 * demands, and it is remembered.
 */
MUSTCHECK int logged_leaf(struct logged *l, const struct tuf_root *root,
			  const struct leaf_chain *chain, const struct leaf *leaf,
			  struct error *err);

#endif
