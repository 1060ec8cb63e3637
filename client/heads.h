/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads - how far the logs had grown that this device saw
 *
 * A log only grows. What shows fewer leaves of it than were seen before, or
 * another tree of as many, is frozen, rolled back or forked, whichever mirror it
 * comes from. Only checkpoints that were verified under an accepted root may be
 * brought here: nobody else's word may bind a device.
 */
#ifndef CLIENT_HEADS_H
#define CLIENT_HEADS_H

#include "client/state.h"
#include "lib/tlog/checkpoint.h"
#include "policies/publisher.h"

struct error;

/* What the device saw most of this log, which is known by name and key; NULL: nothing yet. */
const struct seen_log *heads_find(const struct state *st, const struct note_key *log);

/*
 * Is `c`, a verified checkpoint of `log`, at least what was seen? E_UNTRUSTED: it is less, or
 * another tree. E_INVALID: a size that no log has.
 */
MUSTCHECK int heads_check(const struct state *st, const struct note_key *log,
			  const struct checkpoint *c, struct error *err);

/*
 * Remember one that heads_check() let pass (not saved). If there is no room, the log
 * goes that was not heard of for longest, but none that `root` names.
 */
void heads_remember(struct state *st, const struct note_key *log, const struct checkpoint *c,
		    const struct publisher *root);

#endif
