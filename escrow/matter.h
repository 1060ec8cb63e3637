/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matter - what has been said for and against the release of one deposit
 *
 * For people: who has approved, what waits. Whether a deposit may be opened is
 * not decided here but by view_evidence().
 */
#ifndef ESCROW_MATTER_H
#define ESCROW_MATTER_H

#include "escrow/view.h"

struct error;

struct matter {
	struct envelope *doc; /* the deposit; owned, like what is below */
	struct deposit deposit;
	struct envelope *eol; /* the final end of life that names its bridge; NULL: none */
	struct envelope *notices[8];
	size_t nnotices; /* the newest eight */
};

/* `id` NULL: the newest deposit. */
MUSTCHECK int matter_open(const struct view *v, const char *id, struct matter *out,
			  struct error *err);
void matter_clear(struct matter *m);

/* Who approves an eol or a notice, by the last word of each trustee. */
struct votes {
	uint64_t yes;               /* bit i is seat i */
	const struct seat *me;      /* whose approval is wanted; NULL: nobody's. Set before */
	char mine[SHA256_HEX_SIZE]; /* its id; "" if there is none */
};
MUSTCHECK int matter_votes(const struct view *v, const struct matter *m, const char *target,
			   struct votes *io, struct error *err);

/* The seat of a key id; NULL: none. */
const struct seat *matter_seat(const struct matter *m, const char *keyid);

#endif
