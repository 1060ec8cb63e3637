/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/lineage.h"

#include "lib/base/error.h"
#include "lib/tuf/role.h"

enum { NODES_MAX = 65536 };

struct node {
	struct node *next;
	struct descent at;
};

/*
 * The delegations of one role: nodes point into the list, and that into its part of
 * the document, of which the rest, all targets, is not kept.
 */
struct level {
	struct level *older;
	json_t *delegations;
	struct delegation *list;
};

struct lineage {
	lineage_load_fn load;
	void *ctx;
	struct node *first, *last;
	struct node *given; /* the last one that was handed out; NULL: none yet */
	struct node *asked; /* the last one of which it was looked at what it delegates */
	json_t *names;      /* of roles that are delegated to: a set */
	struct level *levels;
	size_t n;
};

static int add_node(struct lineage *l, const struct descent *up, struct delegation *d,
		    struct error *err)
{
	struct node *node;

	if (l->n++ == NODES_MAX)
		return error_set(err, E_INVALID, "more than %d delegated roles", NODES_MAX);
	node = calloc(1, sizeof(*node));
	if (!node)
		return error_nomem(err);
	node->at = (struct descent){.up = up,
				    .d = d,
				    .first = !json_object_get(l->names, d->name),
				    .rank = json_object_size(l->names)};
	if (l->last)
		l->last->next = node;
	else
		l->first = node;
	l->last = node;
	return json_object_set_new(l->names, d->name, json_true()) < 0 ? error_nomem(err) : 0;
}

/* What a role delegates; nothing, if it has no metadata. */
static int add_children(struct lineage *l, const char *role, const struct descent *up,
			struct error *err)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	struct level *level = calloc(1, sizeof(*level));
	struct error none = {0};
	int r;

	if (!level)
		return error_nomem(err);
	level->older = l->levels;
	l->levels = level;
	r = l->load(l->ctx, role, up, &body, &none);
	if (r < 0)
		return r == E_NOTFOUND ? 0 : error_set(err, r, "%s", none.text);
	level->delegations = json_incref(json_object_get(body, "delegations"));
	r = delegations_for(level->delegations, NULL, &level->list, err);
	if (r < 0)
		return error_prefix(err, r, "%s", role);
	for (struct delegation *d = level->list; r == 0 && d; d = d->next)
		r = add_node(l, up, d, err);
	return r;
}

int lineage_new(lineage_load_fn load, void *ctx, struct lineage **out, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return error_nomem(err);
	l->load = load;
	l->ctx = ctx;
	l->names = json_object();
	if (!l->names)
		return error_nomem(err);
	r = add_children(l, "targets", NULL, err);
	if (r == 0)
		*out = steal(l);
	return r;
}

void lineage_free(struct lineage *l)
{
	if (!l)
		return;
	while (l->first) {
		struct node *node = l->first;

		l->first = node->next;
		free(node);
	}
	while (l->levels) {
		struct level *level = l->levels;

		l->levels = level->older;
		delegations_free(level->list);
		json_decref(level->delegations);
		free(level);
	}
	json_decref(l->names);
	free(l);
}

int lineage_next(struct lineage *l, const struct descent **out, struct error *err)
{
	struct node *next = l->given ? l->given->next : l->first;

	for (struct node *n = l->asked ? l->asked->next : l->first; !next && n; n = n->next) {
		int r = n->at.first ? add_children(l, n->at.d->name, &n->at, err) : 0;

		l->asked = n;
		if (r < 0)
			return r;
		next = l->given ? l->given->next : l->first;
	}
	if (!next)
		return error_set(err, E_NOTFOUND, "no more delegated roles");
	l->given = next;
	*out = &next->at;
	return 0;
}

int lineage_find(struct lineage *l, const char *role, const struct descent **out, struct error *err)
{
	const struct descent *at = NULL;
	int r;

	for (;;) {
		r = lineage_next(l, &at, err);
		if (r == E_NOTFOUND)
			return error_set(err, E_NOTFOUND, "%s: no such delegated role", role);
		if (r < 0)
			return r;
		if (strcmp(at->d->name, role) == 0) {
			*out = at;
			return 0;
		}
	}
}

bool descent_found(const struct descent *at)
{
	return !at->up || at->up->rank < TUF_DELEGATIONS_MAX;
}

bool descent_trusts(const struct descent *at, const char *path, size_t *effort)
{
	for (; at; at = at->up)
		if (!delegation_trusts(at->d, path, effort))
			return false;
	return true;
}

int64_t descent_until(const struct descent *at)
{
	int64_t until = INT64_MAX;

	for (; at; at = at->up)
		if (at->d->until < until)
			until = at->d->until;
	return until;
}
