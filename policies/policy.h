/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - may this happen, and why?
 *
 * A policy is a small JSON document; evaluating it over facts gives yes, no or
 * unknown, with a tree of reasons in the policy's own shape. Three-valued
 * (Kleene) logic: unknown is never yes. No loops, no user code, bounded size;
 * evaluation always ends. docs/POLICIES.md has the language.
 */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "policies/facts.h"

struct error;
struct policy; /* immutable once parsed */

enum { POLICY_MAX = 64 * 1024, POLICY_NODES_MAX = 512, POLICY_DEPTH_MAX = 16 };

enum answer { ANSWER_NO, ANSWER_UNKNOWN, ANSWER_YES };

/* `src` is borrowed. E_INVALID: unknown operator, fact or field; too large. */
MUSTCHECK int policy_parse(json_t *src, const char *name, struct policy **out, struct error *err);

/* A shipped policy by name, such as "release/standard". E_NOTFOUND. */
MUSTCHECK int policy_shipped(const char *name, struct policy **out, struct error *err);
json_t *policy_shipped_json(const char *name); /* new reference, or NULL */

void policy_free(struct policy *p);
DEFINE_CLEANUP(struct policy *, policy_free)

const char *policy_name(const struct policy *p);

/* Does a rule ask about this fact? If not, nobody has to go and find it out. */
bool policy_asks(const struct policy *p, const char *fact);

/*
 * Evaluate. *why (may be NULL) gets a tree in the shape of the policy, that the
 * caller owns: {"rule", "answer": "yes"|"no"|"unknown", "text", "at_least"?, "fact"?,
 * "value"?, "source"?, "index"?, "from"?, "needs"?, "when"? | "not_before"?, "of"?};
 * docs/POLICIES.md, "Reasons". Without it nothing is allocated and nothing fails.
 */
MUSTCHECK int policy_decide(const struct policy *p, const struct facts *f, enum answer *out,
			    json_t **why, struct error *err);

const char *answer_name(enum answer a);

/*
 * The tree as indented lines for people: `whole`, or only what matters: of a yes
 * what made it so, of anything else what would. Control characters of texts are
 * escaped. E_INVALID: no tree.
 */
MUSTCHECK int policy_explain(const json_t *why, bool whole, struct buf *out, struct error *err);

/*
 * What would make it a yes, on one line, the shortest way first: "needs A and B; or C".
 * Nothing for a yes.
 */
MUSTCHECK int policy_lacking(const json_t *why, struct buf *out, struct error *err);

#endif
