/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node - a policy once it is read: what policy.c makes and decide.c walks
 */
#ifndef POLICIES_NODE_H
#define POLICIES_NODE_H

#include "policies/policy.h"

enum { DAYS_MAX = 36500 }; /* a hundred years: products do not live longer */

enum op {
	OP_ALL,
	OP_ANY,
	OP_NOT,
	OP_AT_LEAST,
	OP_FACT,
	OP_APPROVALS,
	OP_ELAPSED,
	OP_NOTICE,
	OP_SIGNED_BY,
	OP_LOGGED,
	OP_REBUILT_BY,
	OP_CONSENT,
	OPS,
};

enum compare {
	CMP_TRUE, /* the fact alone */
	CMP_EQ,
	CMP_NE,
	CMP_LT,
	CMP_LE,
	CMP_GT,
	CMP_GE,
	CMP_IN,
};

struct node {
	enum op op;
	size_t first, next;           /* child and sibling by index; 0: none */
	const struct fact_info *fact; /* what is asked about; NULL for the four of logic */
	const struct fact_info *with; /* the fact it is held against; NULL: none */
	enum compare compare;
	const json_t *value; /* borrowed from `src`: text, boolean, list; NULL: none */
	int64_t number;      /* how many, how many days, or what is compared with */
	bool threshold;      /* not `number` but the fact in `with` says how many */
};

struct policy {
	json_t *src; /* a copy of its own */
	const char *name;
	size_t n;
	struct node nodes[POLICY_NODES_MAX]; /* nodes[0] is the top */
};

const char *op_name(enum op op); /* "at_least" */

/* Is the text in this list? NULL is an empty one. */
bool list_has(const json_t *list, const char *text);

/* How many members of the set count: all, or those that the rule lists. */
int64_t node_count(const struct node *n, const json_t *set);

/* Is a boolean that the rule compares to be true, for the rule to come to `want`? */
bool node_wants_true(const struct node *n, enum answer want);

/* The comparison that holds where this one does not; CMP_IN and CMP_TRUE have none. */
enum compare compare_opposite(enum compare c);

#endif
