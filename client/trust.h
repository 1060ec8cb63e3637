/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - follow the root chain, and stop where the publisher changes
 *
 * An ordinary rotation is followed step by step, each durable before the next.
 * A change of publisher needs evidence for that very step, the owner's policy,
 * and, where that asks for it, the owner's consent to exactly what was shown.
 * The bridge root and the root after it are taken together or not at all.
 */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include "client/device.h"
#include "client/elsewhere.h"
#include "client/source.h"
#include "lib/base/error.h"
#include "policies/evidence.h"

/* A change of publisher that stands before this device. */
struct handover {
	bool present;
	struct tuf_root *bridge;  /* owned; root N+1, be it a bridge or not */
	struct tuf_root *after;   /* owned; what would be trusted: N+2 after a bridge (NULL: not
				   * published yet), else N+1 again */
	unsigned change;          /* enum publisher_change */
	struct evidence evidence; /* its chain has only the leaves of what it rests on */
	json_t *documents;        /* owned: "statements/<id>.json" -> text, for those it rests on */
	struct offer offer;
	bool refused;                      /* by the owner, earlier */
	enum answer allowed;               /* by the owner's policy */
	json_t *why;                       /* owned: {"release": tree, "owner": tree} */
	char reason[STATE_REASON_MAX + 1]; /* why it was not taken, for a person */
	struct error
		wrong; /* set: something contradicts it, and of all this only `bridge` counts */
};

struct trust {
	struct handover handover;
	/*
	 * Set: this mirror does not show what it should of the log: less than was seen, or not the
	 * proof that the next root takes, which then was not followed. What is signed under the
	 * present root holds all the same.
	 */
	struct error log;
};

/*
 * Walk as far as trust allows. On success out->handover.present says whether a change of
 * publisher is left standing; it is recorded in the device's state (saved) as
 * what waits. If something contradicts it, that is said in handover.wrong: nothing of
 * it was taken, and updates under the present root go on. E_UNTRUSTED, E_INVALID:
 * an ordinary step is none; or a folder lacks what was seen of the log. What was followed
 * stays followed. `out` begins empty.
 */
MUSTCHECK int trust_walk(struct device *d, const struct source *from, struct elsewhere *elsewhere,
			 struct trust *out, struct error *err);
void handover_clear(struct handover *h);

/* The owner's policy: a shipped one by its short name, or a file. E_USAGE. */
MUSTCHECK int trust_policy(const struct conf *c, struct policy **out, struct error *err);

#endif
