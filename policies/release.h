/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release - was a deposit released, by its own policy, at some point of the log?
 *
 * The policy is asked at every leaf that could decide: once it has said yes, the
 * shares may be out, and nothing that is logged later takes that back. So the
 * answer, once yes, and what it rests on stay the same for ever.
 */
#ifndef POLICIES_RELEASE_H
#define POLICIES_RELEASE_H

#include "policies/ledger.h"

/* Rules of time that the formats fix, not a deposit's policy; days. */
enum { NOTICE_DAYS = 365, OBJECTION_DAYS = 365, PROMISE_DAYS = 730 };
/*
 * How much older than what it approves an approval may be by its own date. A registry takes notices
 * and approvals that are dated up to a week ago, and all that is dated up to a day ahead.
 */
enum { VOTE_OLDER_DAYS = 8, DATED_LATE_DAYS = 7 };
/* Objections that count between two updates. */
enum { OBJECTIONS_MAX = 2 };

struct ruling {
	enum answer answer;  /* a yes only if all that was logged by then is known */
	struct facts *facts; /* owned, as the two below */
	json_t *why;
	json_t *used; /* ids in leaf order */
};
void ruling_clear(struct ruling *r);

/* `h` holds the records collected for `d`; `leaf` is the deposit's. */
MUSTCHECK int release_judge(struct ledger *h, const struct deposit *d, const struct leaf *leaf,
			    struct ruling *out, struct error *err);

/* The reasons of an answer that is unknown for want of this; NULL: out of memory. */
json_t *release_lack(const char *lacking);

/* Set `now`, or say why it is not known. */
MUSTCHECK int release_set_now(const struct ledger *h, const struct witnessed *now, struct facts *f,
			      struct error *err);

#endif
