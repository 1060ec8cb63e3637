/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_cases - the golden cases: tests/policy/<set>/<case>.json
 *
 *	{"rule": "what the case proves", "policy": a shipped name or a whole policy,
 *	 "facts": {...}, "answer": "yes" | "no" | "unknown", "when"? | "not_before"?: "...Z",
 *	 "lacking"?: "needs ...", "lines"?: ["what explains it, line by line"],
 *	 "reasons"?: ["part of a line of the whole tree"],
 *	 "variants"?: [{"with": {facts that differ; null: unknown}, "answer": ..., ...}]}
 *	{"rule": ..., "policy": {...}, "error": "part of the text"}
 */
#ifndef TESTS_SUPPORT_POLICY_CASES_H
#define TESTS_SUPPORT_POLICY_CASES_H

#include <jansson.h>
#include <stddef.h>

#include "policies/policy.h"

/* Parse a file of the tree; fails the test. New reference. */
json_t *case_load(const char *path);

/*
 * All cases, in the order of their paths: an array of those objects, each variant
 * made an object of its own, with a "path" that names file and variant. New reference.
 */
json_t *cases_load(void);

/* The policy of a case: shipped, or parsed. */
int case_policy(json_t *src, struct policy **out, struct error *err);

#endif
