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

#include "client/source.h"
#include "client/state.h"
#include "lib/tlog/checkpoint.h"
#include "lib/tuf/role.h"
#include "policies/leaf.h"

struct error;

struct logged {
	const struct source *from; /* borrowed */
	struct state *st;          /* borrowed: what was seen; brought up to date, not saved */
	struct leaf_chain chain;   /* read when first needed; thinned (client/leaves.h) */
	bool read;
	/* Logs of which this mirror showed as much as was ever seen: their key ids. */
	unsigned char shown[STATE_LOGS_MAX][4];
	size_t nshown;
};

void logged_init(struct logged *l, const struct source *from, struct state *st);
void logged_clear(struct logged *l);

/*
 * Look at the checkpoint of a log that the accepted root names, as the mirror has it.
 * That there is none, or that the root's witnesses did not sign it, teaches nothing
 * and is no failure. E_UNTRUSTED: less than was seen before, or a fork.
 */
MUSTCHECK int logged_look(struct logged *l, const struct tuf_root *root, struct error *err);

/*
 * For what somebody brings by hand: it must show as much of one of the accepted root's logs as
 * was seen, in the log's checkpoint or in the newest proof. E_UNTRUSTED: it does not.
 */
MUSTCHECK int logged_demand(struct logged *l, const struct tuf_root *root, struct error *err);

/*
 * Check the step. `accepted`: `from` is the root that is trusted, not only offered.
 * E_UNTRUSTED; E_NOTYET: the proof is not there.
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
