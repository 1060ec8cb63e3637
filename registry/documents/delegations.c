/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/delegations.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"

bool delegations_role_ok(const char *name)
{
	return delegation_name_ok(name) && strlen(name) < ROLE_SIZE && *name != '.' &&
	       file_name_ok(name) && !strchr(name, '\\');
}

int source_role(const struct source *from, const char *name, struct role_row *row,
		struct envelope **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct document_row doc;
	struct store *s = from->b->w->store;
	int r = store_role(s, from->b->product, from->tenure, name, row, err);

	if (r == 0)
		r = store_document(s, row->document, &doc, &bytes, err);
	return r < 0 ? r : envelope_parse(bytes.data, bytes.len, name, out, err);
}

static int load_body(void *ctx, const char *name, const struct descent *at, json_t **out,
		     struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct role_row row;
	int r = source_role(ctx, name, &row, &doc, err);

	(void)at;
	if (r == 0)
		*out = json_incref(envelope_signed(doc));
	return r;
}

int source_lineage(struct source *from, struct lineage **out, struct error *err)
{
	return lineage_new(load_body, from, out, err);
}

/* Who delegates. */
static const char *delegator(const struct descent *at)
{
	return at->up ? at->up->d->name : "targets";
}

/* --- what is new ------------------------------------------------------------------------ */

static bool lists(const struct delegation *list, const char *name)
{
	while (list && strcmp(list->name, name) != 0)
		list = list->next;
	return list != NULL;
}

static size_t count(const struct delegation *list)
{
	size_t n = 0;

	for (; list; list = list->next)
		n++;
	return n;
}

/* Is `role` among those from the top down to whoever delegates here? */
static bool is_above(const char *role, const struct descent *at)
{
	if (strcmp(role, "targets") == 0)
		return true;
	for (at = at->up; at; at = at->up)
		if (strcmp(at->d->name, role) == 0)
			return true;
	return false;
}

/* What a role delegates from now on. */
struct claims {
	const struct item *it;
	const char *role;
	const struct delegation *now, *before;
};

/* Nobody else's role, unless it is one from further down. */
static int check_owner(const struct claims *c, const struct descent *at, struct error *err)
{
	const char *name = at->d->name;

	if (!at->first || !lists(c->now, name) || lists(c->before, name) || is_above(c->role, at))
		return 0;
	return error_set(err, E_DENIED,
			 "%s: signed.delegations: %.80s: want a name of its own: %.80s delegates "
			 "to that role already",
			 c->it->name, name, delegator(at));
}

static int check_owners(struct source *from, const struct claims *c, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct descent *at = NULL;
	struct error none = {0};
	int r = source_lineage(from, &lineage, err);

	while (r == 0) {
		r = lineage_next(lineage, &at, &none);
		if (r == E_NOTFOUND)
			return 0;
		r = r < 0 ? error_set(err, r, "%s", none.text) : check_owner(c, at, err);
	}
	return r;
}

static int list_of(const struct envelope *doc, struct delegation **out, struct error *err)
{
	return delegations_for(json_object_get(envelope_signed(doc), "delegations"), NULL, out,
			       err);
}

int delegations_new(struct source *from, struct item *it, const char *role,
		    const struct envelope *previous, struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *now = NULL;
	CLEANUP(delegations_freep) struct delegation *before = NULL;
	struct claims c = {.it = it, .role = role};
	bool any = false;
	int r = list_of(it->doc, &now, err);

	if (r == 0 && previous)
		r = list_of(previous, &before, err);
	if (r < 0)
		return r;
	if (count(now) > DELEGATIONS_MAX)
		return error_set(err, E_INVALID,
				 "%s: signed.delegations: want no more than %d roles", it->name,
				 DELEGATIONS_MAX);
	it->wider = count(now) > count(before);
	it->longer = !previous || envelope_bytes(it->doc)->len > envelope_bytes(previous)->len;
	for (const struct delegation *d = now; d && !any; d = d->next)
		any = !lists(before, d->name);
	c.now = now;
	c.before = before;
	return any ? check_owners(from, &c, err) : 0;
}

static int count_role(void *ctx, const struct role_row *row, struct error *err)
{
	int64_t *n = ctx;

	(void)row;
	(void)err;
	++*n;
	return 0;
}

int delegations_name(const struct source *from, const struct item *it, bool by_top,
		     struct error *err)
{
	const int64_t max = by_top ? 2 * (int64_t)DELEGATED_NAMES_MAX : DELEGATED_NAMES_MAX;
	int64_t n = 0;
	int r = store_roles(from->b->w->store, from->b->product, from->tenure, count_role, &n, err);

	if (r < 0 || n < max)
		return r;
	return error_set(err, E_DENIED,
			 "%s: want the name of an earlier role: under this publisher there were "
			 "%" PRId64 ", and no more than %" PRId64 " fit",
			 it->name, n, max);
}

/* --- the whole -------------------------------------------------------------------------- */

/* Of one role that targets delegate to, and of what is below it. */
struct branch {
	size_t roles, bytes;
};

struct whole {
	struct source *from;
	struct branch branch[DELEGATIONS_MAX];
	size_t branches;
	struct branch all;
	const struct branch *of[SPLIT_MAX]; /* the branch of each item; NULL: none */
};

/* The roles that targets delegate to come first, and have their places as ranks. */
static struct branch *branch_of(struct whole *w, const struct descent *at)
{
	while (at->up)
		at = at->up;
	assert(at->rank < DELEGATIONS_MAX);
	return &w->branch[at->rank];
}

static void note_items(struct whole *w, const struct descent *at)
{
	const struct batch *b = w->from->b;

	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].state != ITEM_PUBLISHED &&
		    strcmp(b->items[i].row.role, at->d->name) == 0)
			w->of[i] = branch_of(w, at);
}

/* A role in force, as its delegation asks for it. */
static int check_role(const struct whole *w, const struct descent *at, const struct role_row *row,
		      const struct envelope *doc, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys set = {0};
	struct error none = {0};
	int r;

	if (batch_is_proposal(w->from->b, row->document))
		return 0;
	r = delegation_keys(at->d, &set, err);
	if (r == 0 && envelope_verify(doc, &set, "its role", &none) < 0)
		r = error_set(err, E_DENIED,
			      "%s: the current version is not signed as %s asks: post the next "
			      "one in the same array",
			      row->name, delegator(at));
	return r;
}

/* What is delegated to has metadata: it is checked and counted on the way. */
static int load_checked(void *ctx, const char *name, const struct descent *at, json_t **out,
			struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct whole *w = ctx;
	struct role_row row;
	int r = source_role(w->from, name, &row, &doc, err);

	if (r == E_NOTFOUND && at)
		return error_set(err, E_DENIED,
				 "%s: delegates to %s, which has no metadata: post its first "
				 "version in the same array",
				 delegator(at), name);
	if (r == 0 && at) {
		branch_of(w, at)->bytes += envelope_bytes(doc)->len;
		w->all.bytes += envelope_bytes(doc)->len;
		note_items(w, at);
		r = check_role(w, at, &row, doc, err);
	}
	if (r == 0)
		*out = json_incref(envelope_signed(doc));
	return r;
}

static int take(struct whole *w, const struct descent *at, struct error *err)
{
	const char *name = at->d->name;

	w->branches += !at->up;
	branch_of(w, at)->roles++;
	w->all.roles++;
	/* By another way than the first the role is not found by its name: it is not its own there.
	 */
	if (!at->first)
		return 0;
	if (!delegations_role_ok(name))
		return error_set(err, E_INVALID, "%s: signed.delegations: %.80s: not a role name",
				 delegator(at), name);
	if (at->up && !descent_found(at))
		return error_set(err, E_DENIED,
				 "%.80s: signed.delegations: %.80s: no client would come to it: "
				 "want no more than %d roles before and with %.80s, got %zu",
				 delegator(at), name, TUF_DELEGATIONS_MAX, delegator(at),
				 at->up->rank + 1);
	return 0;
}

/* Is it too much, and more than an equal share? */
static bool is_over(const struct whole *w, size_t all, size_t mine, size_t max)
{
	return all > max && mine > max / w->branches;
}

static int check_shares(const struct whole *w, struct error *err)
{
	for (size_t i = 0; i < w->from->b->n; i++) {
		const struct item *it = &w->from->b->items[i];
		const struct branch *mine = w->of[i];

		if (!mine)
			continue;
		if (it->wider && is_over(w, w->all.roles, mine->roles, DELEGATIONS_MAX))
			return error_set(err, E_DENIED,
					 "%s: signed.delegations: want no more than %d delegations "
					 "of the product in all, got %zu",
					 it->name, DELEGATIONS_MAX, w->all.roles);
		if (it->longer && is_over(w, w->all.bytes, mine->bytes, DELEGATED_BYTES_MAX))
			return error_set(err, E_DENIED,
					 "%s: want no more than %d bytes of all delegated roles of "
					 "the product, got %zu",
					 it->name, DELEGATED_BYTES_MAX, w->all.bytes);
	}
	return 0;
}

static int walk(struct whole *w, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct descent *at = NULL;
	struct error none = {0};
	int r = lineage_new(load_checked, w, &lineage, err);

	while (r == 0) {
		r = lineage_next(lineage, &at, &none);
		if (r == E_NOTFOUND)
			return 0;
		r = r < 0 ? error_set(err, r, "%s", none.text) : take(w, at, err);
	}
	return r;
}

int delegations_whole(struct source *from, struct error *err)
{
	CLEANUP(freep) struct whole *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return error_nomem(err);
	w->from = from;
	r = walk(w, err);
	return r < 0 ? r : check_shares(w, err);
}
