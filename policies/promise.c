/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/promise.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"

enum { POLICY_NAME = 64 };

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* A text fact, if the statement has it. */
static int put_text(struct facts *f, const char *fact, const char *text, struct error *err)
{
	return text ? facts_set_text(f, fact, text, NULL, err) : 0;
}

static int put_period(const json_t *product, struct facts *f, struct error *err)
{
	const char *start = text_of(product, "support_start");
	const char *until = text_of(product, "support_until");
	int64_t from, to;

	if (!utc_parse(start ? start : "", &from) || !utc_parse(until ? until : "", &to))
		return facts_set_unknown(f, "product.support_days",
					 "the beginning and the end of support in the product "
					 "statement",
					 err);
	return facts_set_int(f, "product.support_days", (to - from) / DAY_S, NULL, err);
}

static int put_product(const json_t *product, struct facts *f, struct error *err)
{
	const json_t *updatable = json_object_get(product, "updatable");
	const json_t *options = json_object_get(product, "options_after_eol");
	int r = 0;

	if (json_is_boolean(updatable))
		r = facts_set_bool(f, "product.updatable", json_is_true(updatable), NULL, err);
	if (r == 0)
		r = put_text(f, "product.update_method", text_of(product, "update_method"), err);
	if (r == 0)
		r = put_period(product, f, err);
	if (r == 0)
		r = put_text(f, "product.after_eol", text_of(product, "after_eol"), err);
	if (r == 0)
		r = facts_set_bool(f, "product.notify", text_of(product, "notify") != NULL, NULL,
				   err);
	if (r == 0)
		r = facts_set_int(f, "product.options", (int64_t)json_array_size(options), NULL,
				  err);
	return r;
}

static int put_root(const json_t *root, struct facts *f, struct error *err)
{
	const json_t *x = json_object_get(root, "x-bequest");
	const json_t *role = json_object_get(json_object_get(root, "roles"), "root");
	const json_t *witnesses = json_object_get(x, "witnesses");
	int r = facts_set_int(f, "root.threshold",
			      json_integer_value(json_object_get(role, "threshold")), NULL, err);

	if (r == 0)
		r = facts_set_int(f, "product.logs",
				  (int64_t)json_array_size(json_object_get(x, "logs")), NULL, err);
	if (r == 0)
		r = facts_set_int(f, "product.witnesses",
				  json_integer_value(json_object_get(witnesses, "threshold")), NULL,
				  err);
	return r;
}

int promise_facts(const json_t *product, const json_t *root, struct facts *f, struct error *err)
{
	int r = product ? put_product(product, f, err) : 0;

	return r == 0 && root ? put_root(root, f, err) : r;
}

int promise_judge(const char *name, const json_t *product, const json_t *root, enum answer *out,
		  json_t **why, struct error *err)
{
	CLEANUP(policy_freep) struct policy *p = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	char policy[POLICY_NAME];

	(void)snprintf(policy, sizeof(policy), "class/%s", name);
	int r = policy_shipped(policy, &p, err);
	if (r == 0)
		r = facts_new(&f, err);
	if (r == 0)
		r = promise_facts(product, root, f, err);
	return r < 0 ? r : policy_decide(p, f, out, why, err);
}
