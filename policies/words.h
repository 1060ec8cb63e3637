/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - a rule of a policy, and what it lacks, for people
 *
 * `want` is what the rule has to come to: ANSWER_YES, or ANSWER_NO below an odd
 * number of `not`. Every sentence stands on its own and names facts by their
 * meaning. All append to `out`; E_NOMEM.
 */
#ifndef POLICIES_WORDS_H
#define POLICIES_WORDS_H

#include "lib/base/buf.h"
#include "policies/node.h"

/* A rule about a fact, with what is known: "trustees who approve: ann (1 of 2)". */
MUSTCHECK int words_fact(const struct node *n, const struct facts *facts, struct buf *out,
			 struct error *err);

/* all, any, not, at_least: "all of these (1 of 2)". */
MUSTCHECK int words_logic(const struct node *n, size_t yes, size_t parts, struct buf *out,
			  struct error *err);

/*
 * What would have to change for a rule about a fact to come to `want`:
 * `"trustees who approve" to have 1 more`. Nothing is added if nobody can change it.
 */
MUSTCHECK int words_needed(const struct node *n, const struct facts *facts, enum answer want,
			   struct buf *out, struct error *err);

#endif
