/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/tuf/client.h"
#include "lib/tuf/delegation.h"
#include "lib/tuf/hashes.h"
#include "lib/tuf/session.h"

enum { PENDING_MAX = 65536 }; /* roles waiting to be looked at in one search */

int tuf_quote(const char *text, bool keep_slash, char **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf b = {0};
	int r = buf_reserve(&b, 1, err);

	for (const char *p = text; r == 0 && *p; p++) {
		if (strchr(TUF_UNRESERVED, *p) || (*p == '/' && keep_slash))
			r = buf_add(&b, p, 1, err);
		else
			r = buf_printf(&b, err, "%%%02X", (unsigned char)*p);
	}
	if (r < 0)
		return r;
	b.data[b.len] = '\0';
	*out = buf_steal(&b);
	return 0;
}

/* --- delegated roles ----------------------------------------------------- */

/* The role of this name that was loaded last. */
static const struct loaded *remembered(const struct tuf *t, const char *name)
{
	const struct loaded *entry = t->loaded;

	while (entry && strcmp(entry->name, name) != 0)
		entry = entry->older;
	return entry;
}

/* From the store if it has just what is listed, else from the repository. */
static int obtain_new(struct tuf *t, struct listed *l, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	struct error ignored;
	int r = session_load(t, TUF_TARGETS, l->role, l->keys, &role, &ignored);

	if (r == E_NOMEM)
		return error_nomem(err);
	if (r < 0 || !session_is_current(t, role, l)) {
		l->last = role ? role->version : 0;
		tuf_role_free(role);
		role = NULL;
		r = session_fetch(t, l, &role, err);
		if (r == 0)
			r = session_keep(t, l->role, role, err);
	}
	return r < 0 ? r : session_remember(t, l->role, steal(role), err);
}

/*
 * The delegated role, as the delegating one wants it. One that was reached
 * before by another way is verified again: by whose word counts.
 */
static int obtain(struct tuf *t, const struct delegation *d, const struct loaded **out,
		  struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	CLEANUP(buf_clear) struct buf file = {0};
	struct listed l = {.type = TUF_TARGETS, .role = d->name, .keys = &keys};
	const struct loaded *known = remembered(t, d->name);
	int r = buf_printf(&file, err, "%s.json", d->name);

	if (r == 0)
		r = tuf_role_meta(t->role[TUF_SNAPSHOT], file.data, &l.meta, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_UNTRUSTED,
				 "snapshot.json: does not list %s, to which targets are delegated",
				 file.data);
	if (r == 0)
		r = delegation_keys(d, &keys, err);
	if (r < 0)
		return r;
	if (known && session_is_current(t, known->role, &l)) {
		r = envelope_verify(known->role->doc, &keys, "its role", err);
	} else {
		r = obtain_new(t, &l, err);
		known = t->loaded;
	}
	if (r != 0)
		return r;
	session_use(t, known->role->expires);
	*out = known;
	return 0;
}

/* --- one target ---------------------------------------------------------- */

/* A preorder depth-first search: the stack, and the roles already looked at. */
struct search {
	const char *path;
	struct delegation *stack; /* the next one first */
	const char *seen[TUF_DELEGATIONS_MAX];
	size_t nseen;
};

static void search_clear(struct search *s)
{
	delegations_free(s->stack);
}

static struct tuf_target target_at(void *at, const char *role)
{
	json_t *object = json_object_iter_value(at);

	return (struct tuf_target){
		.path = json_object_iter_key(at),
		.length = json_integer_value(json_object_get(object, "length")),
		.object = object,
		.role = role,
	};
}

static json_t *delegations_of(const struct tuf_role *role)
{
	json_t *d = json_object_get(envelope_signed(role->doc), "delegations");

	return json_is_object(d) ? d : NULL;
}

/* Look into one role: the target, or whom else to ask. */
static int look(struct search *s, const struct tuf_role *role, const char *name,
		struct tuf_target *out, struct error *err)
{
	struct delegation *more = NULL;
	json_t *targets = json_object_get(envelope_signed(role->doc), "targets");
	void *at = json_object_iter_at(targets, s->path);
	int r;

	if (at) {
		*out = target_at(at, name);
		return 0;
	}
	r = delegations_for(delegations_of(role), s->path, &more, err);
	if (r != 0)
		return r;
	if (more) {
		struct delegation *last = more;

		while (last->next)
			last = last->next;
		if (last->terminating)
			delegations_free(steal(s->stack));
		last->next = s->stack;
		s->stack = more;
	}
	return E_NOTFOUND;
}

static bool was_seen(const struct search *s, const char *name)
{
	for (size_t i = 0; i < s->nseen; i++)
		if (strcmp(s->seen[i], name) == 0)
			return true;
	return false;
}

/* Take one role off the stack and look into it. */
static int next(struct tuf *t, struct search *s, struct tuf_target *out, struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *d = s->stack;
	const struct loaded *now;
	int r;

	s->stack = d->next;
	d->next = NULL;
	if (was_seen(s, d->name))
		return E_NOTFOUND;
	r = obtain(t, d, &now, err);
	if (r != 0)
		return r;
	s->seen[s->nseen++] = now->name;
	return look(s, now->role, now->name, out, err);
}

static int check_complete(const struct tuf *t, struct error *err)
{
	if (t->complete)
		return 0;
	return error_set(err, E_NOTYET, "no complete and fresh metadata: refresh it first");
}

int tuf_find(struct tuf *t, const char *path, struct tuf_target *out, struct error *err)
{
	CLEANUP(search_clear) struct search s = {.path = path};
	int r = check_complete(t, err);

	if (r == 0)
		r = look(&s, t->role[TUF_TARGETS], "targets", out, err);
	while (r == E_NOTFOUND && s.stack && s.nseen < TUF_DELEGATIONS_MAX)
		r = next(t, &s, out, err);
	if (r != E_NOTFOUND)
		return r;
	if (s.stack)
		return error_set(err, E_NOTFOUND,
				 "%s: not among the targets of the first %d delegated roles", path,
				 TUF_DELEGATIONS_MAX);
	return error_set(err, E_NOTFOUND, "%s: no such target", path);
}

/* --- every target of a role ---------------------------------------------- */

/* Roles by level, each with the one that delegates to it. */
struct node {
	struct node *next;
	const struct node *up; /* NULL: the top-level targets role */
	const struct delegation *d;
};

/* All that delegations_towards() gave: the nodes point into it. */
struct level {
	struct level *next;
	struct delegation *list;
};

struct tree {
	const char *name; /* of the role that is looked for */
	struct node *first, *last;
	struct level *levels;
	size_t n;
};

static void tree_clear(struct tree *tree)
{
	while (tree->first) {
		struct node *node = tree->first;

		tree->first = node->next;
		free(node);
	}
	while (tree->levels) {
		struct level *level = tree->levels;

		tree->levels = level->next;
		delegations_free(level->list);
		free(level);
	}
}

static int add_node(struct tree *tree, const struct node *up, const struct delegation *d,
		    struct error *err)
{
	struct node *node;

	if (tree->n++ == PENDING_MAX)
		return error_set(err, E_INVALID, "too many delegated roles to search");
	node = calloc(1, sizeof(*node));
	if (!node)
		return error_nomem(err);
	node->up = up;
	node->d = d;
	if (tree->last)
		tree->last->next = node;
	else
		tree->first = node;
	tree->last = node;
	return 0;
}

static int add_children(struct tree *tree, const struct tuf_role *role, const struct node *up,
			struct error *err)
{
	struct level *level = calloc(1, sizeof(*level));
	int r;

	if (!level)
		return error_nomem(err);
	level->next = tree->levels;
	tree->levels = level;
	r = delegations_towards(delegations_of(role), tree->name, &level->list, err);
	for (const struct delegation *d = level->list; r == 0 && d; d = d->next)
		r = add_node(tree, up, d, err);
	return r;
}

/* The first node of this name before `end` (NULL: of all). */
static const struct node *node_of(const struct tree *tree, const char *name, const struct node *end)
{
	const struct node *node = tree->first;

	while (node != end && strcmp(node->d->name, name) != 0)
		node = node->next;
	return node == end ? NULL : node;
}

/* Look for the role, loading no more of the others than it takes. */
static int find_role(struct tuf *t, struct tree *tree, const struct node **out, struct error *err)
{
	size_t loaded = 0;
	int r = add_children(tree, t->role[TUF_TARGETS], NULL, err);
	const struct node *node = tree->first;

	for (; r == 0; node = node->next) {
		const struct loaded *now;

		*out = node_of(tree, tree->name, NULL);
		if (*out)
			return 0;
		if (!node || loaded == TUF_DELEGATIONS_MAX)
			return error_set(err, E_NOTFOUND, "%s: no such delegated role", tree->name);
		if (node_of(tree, node->d->name, node))
			continue;
		r = obtain(t, node->d, &now, err);
		if (r == 0)
			r = add_children(tree, now->role, node, err);
		loaded++;
	}
	return r;
}

/* Is everyone from the top down to this role trusted for the path? */
static bool is_entitled(const struct node *node, const char *path, size_t *effort)
{
	for (; node; node = node->up)
		if (!delegation_trusts(node->d, path, effort))
			return false;
	return true;
}

int tuf_delegated(struct tuf *t, const char *role, struct tuf_delegated *out, struct error *err)
{
	CLEANUP(tree_clear) struct tree tree = {.name = role};
	const struct loaded *now = NULL;
	const struct node *at = NULL;
	int64_t until = INT64_MAX;
	int r = check_complete(t, err);

	if (r == 0)
		r = find_role(t, &tree, &at, err);
	if (r == 0)
		r = obtain(t, at->d, &now, err);
	if (r != 0)
		return r;
	for (; at; at = at->up)
		if (at->d->until < until)
			until = at->d->until;
	*out = (struct tuf_delegated){now->role, until};
	return 0;
}

int tuf_each_target(struct tuf *t, const char *role,
		    int (*each)(void *ctx, const struct tuf_target *target), void *ctx,
		    struct error *err)
{
	CLEANUP(tree_clear) struct tree tree = {.name = role};
	const struct tuf_role *from = t->role[TUF_TARGETS];
	const char *name = tuf_type_name(TUF_TARGETS);
	size_t effort = DELEGATION_EFFORT;
	const struct loaded *now;
	const struct node *at = NULL;
	json_t *targets;
	int r = check_complete(t, err);

	if (r == 0 && strcmp(role, name) != 0) {
		r = find_role(t, &tree, &at, err);
		if (r == 0)
			r = obtain(t, at->d, &now, err);
		if (r == 0) {
			from = now->role;
			name = now->name;
		}
	}
	if (r != 0)
		return r;
	targets = json_object_get(envelope_signed(from->doc), "targets");
	for (void *i = json_object_iter(targets); i; i = json_object_iter_next(targets, i)) {
		struct tuf_target target = target_at(i, name);

		if (is_entitled(at, target.path, &effort))
			r = each(ctx, &target);
		else if (delegation_effort_left(effort, err) < 0)
			r = error_prefix(err, E_INVALID, "%s", name);
		if (r != 0)
			return r;
	}
	return 0;
}

/* --- the file itself ----------------------------------------------------- */

int tuf_target_url(const struct tuf *t, const struct tuf_target *target, char **out,
		   struct error *err)
{
	CLEANUP(buf_clear) struct buf name = {0};
	const char *slash = strrchr(target->path, '/');
	const char *base = slash ? slash + 1 : target->path;
	const char *hash = hashes_name(json_object_get(target->object, "hashes"));
	int r;

	if (!t->root->consistent_snapshot)
		return tuf_quote(target->path, true, out, err);
	if (!hash)
		return error_set(err, E_UNTRUSTED, "%s: has no hash that can be checked",
				 target->path);
	r = buf_add(&name, target->path, (size_t)(base - target->path), err);
	if (r == 0)
		r = buf_printf(&name, err, "%s.%s", hash, base);
	return r < 0 ? r : tuf_quote(name.data, true, out, err);
}

struct tuf_check {
	const struct tuf_target *target;
	struct hashes *hashes;
	uint64_t seen; /* bytes; no more are hashed once it is too many */
};

int tuf_check_new(const struct tuf_target *target, struct tuf_check **out, struct error *err)
{
	CLEANUP(tuf_check_freep) struct tuf_check *c = calloc(1, sizeof(*c));
	int r = c ? hashes_new(json_object_get(target->object, "hashes"), target->path, &c->hashes,
			       err)
		  : error_nomem(err);

	if (r < 0)
		return r;
	c->target = target;
	*out = steal(c);
	return 0;
}

void tuf_check_add(struct tuf_check *c, const void *data, size_t len)
{
	c->seen += len;
	if (c->seen <= (uint64_t)c->target->length)
		hashes_add(c->hashes, data, len);
}

int tuf_check_end(struct tuf_check *c, struct error *err)
{
	const struct tuf_target *t = c->target;
	uint64_t want = (uint64_t)t->length;

	if (c->seen != want)
		return error_set(err, E_UNTRUSTED, "%s: %s than %" PRId64 " bytes", t->path,
				 c->seen > want ? "longer" : "shorter", t->length);
	return hashes_match(c->hashes, t->path, err);
}

void tuf_check_free(struct tuf_check *c)
{
	if (!c)
		return;
	hashes_free(c->hashes);
	free(c);
}
