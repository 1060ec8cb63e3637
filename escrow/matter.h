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

/*
 * Who approves `target` (an eol or a notice) by the last word of each trustee:
 * bit i is seat i. If `mine` is not NULL it gets the id of that seat's approval,
 * "" if there is none; it has room for SHA256_HEX_SIZE.
 */
MUSTCHECK int matter_votes(const struct view *v, const struct matter *m, const char *target,
			   const struct seat *seat, char *mine, uint64_t *out, struct error *err);

/* The seat of a key id; NULL: none. */
const struct seat *matter_seat(const struct matter *m, const char *keyid);

#endif
