/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promise - what a product's own documents promise its buyer
 *
 * Sets the `product.*` facts and `root.threshold` from the product statement and
 * the root, and holds them against class/<name>: what a device of that class can do
 * and must at least do. For lint and the pages; it opens nothing and stops nothing.
 */
#ifndef POLICIES_PROMISE_H
#define POLICIES_PROMISE_H

#include "policies/policy.h"

struct error;

/*
 * `product` and `root` are the `signed` parts of documents that were verified, or
 * NULL: what they would say stays unknown. E_INVALID: a text is too long.
 */
MUSTCHECK int promise_facts(const json_t *product, const json_t *root, struct facts *f,
			    struct error *err);

/*
 * Does it keep class/<name>? `why` may be NULL. E_NOTFOUND: no such class is shipped.
 */
MUSTCHECK int promise_judge(const char *name, const json_t *product, const json_t *root,
			    enum answer *out, json_t **why, struct error *err);

#endif
