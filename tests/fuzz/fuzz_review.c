/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The targets roles of a repository, as a publisher and a registry review them: which roles a
 * search comes to is what comparing all rules with each other says, and who is trusted for a
 * path is what asking everyone on the way down says.
 *
 * Who looks for a role by its name finds it where it is.
 *
 * The input is an object of roles by name, each with its `signed` part; "targets" is the first.
 *
 * covers: lib/tuf/review.c lib/tuf/reach.c lib/tuf/lineage.c lib/tuf/hashes.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "lib/tuf/reach.h"
#include "lib/tuf/review.h"
#include "tests/fuzz/fuzz.h"

enum { COMPARED_MAX = 64, DESCENTS_MAX = 256, FOUND_MAX = 8 };

/* --- rules, each with each ------------------------------------------------------- */

static bool within(const char *a, const char *b)
{
	for (;; a++, b++) {
		size_t na = strcspn(a, "/"), nb = strcspn(b, "/");

		if (!(na == 1 && *a == '*') && (na != nb || memcmp(a, b, na) != 0))
			return false;
		a += na;
		b += nb;
		if (!*a || !*b)
			return *a == *b;
	}
}

/* Is the rule within one of the entry's? */
static bool has(const struct delegation *d, const char *rule, bool hashed)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(d->rule, hashed ? "path_hash_prefixes" : "paths"), i, v)
	{
		const char *text = json_string_value(v);

		if (hashed ? strncmp(rule, text, strlen(text)) == 0 : within(text, rule))
			return true;
	}
	return false;
}

static bool comes(const struct delegation *list, const struct delegation *to, const char *rule,
		  bool hashed)
{
	size_t before = 0;

	for (const struct delegation *d = list; d != to; d = d->next)
		if (has(d, rule, hashed) && (d->terminating || ++before == TUF_DELEGATIONS_MAX))
			return false;
	return true;
}

static void try_reach(json_t *delegations)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	CLEANUP(reach_freep) struct reach *reach = NULL;
	size_t entry = 0, compared = 0;
	const json_t *v;
	size_t i;

	if (delegations_for(delegations, NULL, &list, NULL) < 0 || (list && list->bits) ||
	    reach_new(list, &reach, NULL) < 0)
		return;
	for (const struct delegation *d = list; d; d = d->next, entry++) {
		const json_t *rules = json_object_get(d->rule, "paths");
		bool hashed = !rules;

		if (hashed)
			rules = json_object_get(d->rule, "path_hash_prefixes");
		json_array_foreach(rules, i, v)
		{
			const char *rule = json_string_value(v);

			if (++compared > COMPARED_MAX)
				return;
			if (reach_comes(reach, entry, rule, hashed, NULL) !=
			    comes(list, d, rule, hashed))
				abort();
		}
	}
}

static void try_towards(json_t *delegations)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	const struct delegation *d;
	size_t n = 0;

	if (delegations_for(delegations, NULL, &list, NULL) < 0)
		return;
	for (d = list; d && n < COMPARED_MAX; d = d->next, n++) {
		CLEANUP(delegations_freep) struct delegation *found = NULL;
		const struct delegation *f;

		if (delegations_towards(delegations, d->name, &found, NULL) < 0)
			abort();
		for (f = found; f && strcmp(f->name, d->name) != 0; f = f->next)
			;
		if (!f || f->bin != d->bin)
			abort();
	}
}

/* --- roles ------------------------------------------------------------------------ */

/* As it comes from a publisher, but for the signatures. */
static void try_role(json_t *body)
{
	json_auto_t *doc = json_pack("{s:[], s:O}", "signatures", "signed", body);
	CLEANUP(freep) char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;

	if (text && tuf_root_parse(text, strlen(text), "root", &root, NULL) == 0)
		(void)!review_root(root, 0, NULL);
	if (!text || tuf_role_parse(text, strlen(text), TUF_TARGETS, "role", &role, NULL) < 0)
		return;
	(void)!review_targets(role, 0, 0, NULL);
	try_reach(json_object_get(envelope_signed(role->doc), "delegations"));
	try_towards(json_object_get(envelope_signed(role->doc), "delegations"));
}

/* A body that a parser has let through, as those of a store are. */
static int load(void *ctx, const char *role, const struct descent *at, json_t **out,
		struct error *err)
{
	json_t *body = json_object_get(ctx, role),
	       *delegations = json_object_get(body, "delegations");

	(void)at;
	if (!body || (delegations && delegations_check(delegations, err) < 0))
		return error_set(err, E_NOTFOUND, "%s: no such role", role);
	*out = json_incref(body);
	return 0;
}

static void try_descent(json_t *roles, const struct descent *at)
{
	json_t *targets = json_object_get(json_object_get(roles, at->d->name), "targets"), *entry;
	size_t effort = DELEGATION_EFFORT;
	bool all = true;
	const char *path;

	json_object_foreach(targets, path, entry)
	{
		bool trusted = true;

		for (const struct descent *up = at; up; up = up->up)
			trusted &= delegation_trusts(up->d, path, &effort);
		if (descent_trusts(at, path, &effort) != trusted && effort)
			abort();
		all &= trusted;
	}
	if (!effort)
		return;
	if ((review_paths(targets, at, NULL) == 0) != all || descent_until(at) > at->d->until)
		abort();
	(void)descent_found(at);
}

/* By its name, from the top. */
static void find(json_t *roles, const char *name)
{
	CLEANUP(lineage_freep) struct lineage *l = NULL;
	const struct descent *at;

	if (lineage_new(load, roles, &l, NULL) < 0 || lineage_find(l, name, &at, NULL) < 0 ||
	    !at->first || strcmp(at->d->name, name) != 0)
		abort();
}

/* Each role is the first of its name once. */
static void try_lineage(json_t *roles)
{
	CLEANUP(lineage_freep) struct lineage *l = NULL;
	json_auto_t *names = json_object();
	const struct descent *at;

	if (!names || lineage_new(load, roles, &l, NULL) < 0)
		return;
	for (size_t n = 0; n < DESCENTS_MAX && lineage_next(l, &at, NULL) == 0; n++) {
		if (at->first == !!json_object_get(names, at->d->name))
			abort();
		json_object_set_new(names, at->d->name, json_true());
		try_descent(roles, at);
		if (n < FOUND_MAX)
			find(roles, at->d->name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *roles = NULL;
	const char *name;
	json_t *body;

	if (strict_parse(data, size, "roles", &roles, NULL) < 0 || !json_is_object(roles))
		return 0;
	json_object_foreach(roles, name, body) try_role(body);
	try_lineage(roles);
	return 0;
}
