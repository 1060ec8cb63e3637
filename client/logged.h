/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logged - may the whole world see this root?
 *
 * A root is followed only if it is the first one of its version in the
 * product's leaf chain, with a proof under a log (and the witnesses) that the
 * root before it names.
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
	struct leaf_chain chain;   /* read when first needed */
};

void logged_init(struct logged *l, const struct source *from);
void logged_clear(struct logged *l);

/*
 * Check the step. `st` is this device's memory of the chain: less than it saw
 * before, or something else in its place, is E_UNTRUSTED, and it is brought up
 * to date with what the proof reaches (not saved). E_NOTYET: the proof is not
 * there. `when` gets what the witnesses say of the time.
 */
MUSTCHECK int logged_root(struct logged *l, const struct tuf_root *from, const struct tuf_root *to,
			  struct state *st, struct witnessed *when, struct error *err);

/* Has the chain grown from what this device remembers? E_UNTRUSTED: it has not. */
MUSTCHECK int logged_check(const struct leaf_chain *c, const struct state *st, struct error *err);

/*
 * Remember the first `proven` leaves of a chain that was checked. Nobody signs a
 * chain: what no proof reaches may be any mirror's invention, and must not bind.
 */
void logged_remember(const struct leaf_chain *c, size_t proven, struct state *st);

#endif
