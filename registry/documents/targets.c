/* SPDX-License-Identifier: Apache-2.0 */
/* Targets metadata, top-level and delegated: who signs it, and what it may list. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"
#include "lib/tuf/review.h"
#include "registry/documents/bundles.h"
#include "registry/documents/delegations.h"

enum {
	TARGETS_PER_ROLE_MAX = 4096,
	TARGET_SIZE_MAX_LOG2 = 40,
	UNNAMED_MAX = 64, /* delegations looked at for a document that does not name its role */
};

/* Which role the document is of, and by whose keys; searched from the top downwards. */
struct search {
	struct source from;
	struct item *it;
	const char *wanted; /* signed.x-bequest.role; NULL: whatever role its signatures fit */
	char name[ROLE_SIZE];
	struct role_keys keys;
	struct lineage *lineage;
	const struct descent *at; /* borrowed from it; NULL: the top-level role */
	size_t found, seen;
};

static void search_clear(struct search *s)
{
	role_keys_clear(&s->keys);
	lineage_free(s->lineage);
}

static int consider(struct search *s, const struct descent *at, struct error *err)
{
	struct role_keys set = {0};
	int r;

	if (!at->first || !delegations_role_ok(at->d->name) ||
	    (s->wanted && strcmp(s->wanted, at->d->name) != 0))
		return 0;
	r = delegation_keys(at->d, &set, err);
	if (r < 0)
		return r;
	if (envelope_count(s->it->doc, &set, NULL) == 0) {
		role_keys_clear(&set);
		return 0;
	}
	role_keys_clear(&s->keys);
	s->keys = set;
	(void)snprintf(s->name, sizeof(s->name), "%s", at->d->name);
	s->at = at;
	s->found++;
	return 0;
}

static size_t depth(const struct descent *at)
{
	size_t n = 0;

	for (; at; at = at->up)
		n++;
	return n;
}

/* Look through what is delegated; by signatures alone, not far, and no further down than it fits.
 */
static int search_delegated(struct search *s, struct error *err)
{
	const struct descent *at = NULL;
	struct error none = {0};
	int r = source_lineage(&s->from, &s->lineage, err);

	while (r == 0 && !(s->wanted && s->found)) {
		r = lineage_next(s->lineage, &at, &none);
		if (r == E_NOTFOUND)
			return 0;
		if (r < 0)
			return error_set(err, r, "%s", none.text);
		if (s->found && depth(at) > depth(s->at))
			return 0;
		if (!s->wanted && s->seen++ == UNNAMED_MAX)
			return error_set(err, E_INVALID,
					 "%s: signed.x-bequest.role: want the name of its role: "
					 "there are too many",
					 s->it->name);
		r = consider(s, at, err);
	}
	return r;
}

static int search(struct search *s, const struct tuf_root *root, struct error *err)
{
	const json_t *x = json_object_get(envelope_signed(s->it->doc), "x-bequest");
	struct role_keys top = {0};
	int r;

	s->wanted = json_string_value(json_object_get(x, "role"));
	r = copy_role_keys(root, TUF_TARGETS, &top, err);
	if (r < 0)
		return r;
	/* Without a name it is the top-level role's, if one of its keys signed it. */
	if (s->wanted ? strcmp(s->wanted, "targets") == 0
		      : envelope_count(s->it->doc, &top, NULL) > 0) {
		s->keys = top;
		(void)snprintf(s->name, sizeof(s->name), "targets");
		return 0;
	}
	r = search_delegated(s, err);
	if (r == 0 && s->found > 1)
		r = error_set(err, E_INVALID,
			      "%s: signed.x-bequest.role: want the name of one of the %zu roles "
			      "that its signatures fit",
			      s->it->name, s->found);
	if (r == 0 && s->found == 0)
		r = error_set(err, E_UNTRUSTED,
			      "%s: 0 of %" PRId64 " signatures of the targets role, or of one that "
			      "it delegates to",
			      s->it->name, top.threshold);
	role_keys_clear(&top);
	return r;
}

/* --- versions --- */

/* The highest version of this role in any tenure before `tenure`. */
static int last_before(struct batch *b, int64_t tenure, const char *name, int64_t *out,
		       struct error *err)
{
	*out = 0;
	for (int64_t n = tenure - 1; n >= 1 && *out == 0; n--) {
		struct role_row row;
		struct error none;
		int r = store_role(b->w->store, b->product, n, name, &row, &none);

		if (r == 0)
			*out = row.version;
		else if (r != E_NOTFOUND)
			return error_set(err, r, "%s", none.text);
	}
	return 0;
}

/* One more than the last; under a new publisher from 1, or on from the last publisher's. */
static int check_version(struct search *s, struct envelope **previous, struct error *err)
{
	int64_t version = envelope_version(s->it->doc), want = 1, other = 0;
	struct role_row row = {0};
	struct error none;
	int r = source_role(&s->from, s->name, &row, previous, &none);

	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	if (r == 0)
		want = row.version + 1;
	else
		r = last_before(s->from.b, s->from.tenure, s->name, &other, err);
	if (r == 0 && !*previous && s->at)
		r = delegations_name(&s->from, s->it, !s->at->up, err);
	if (r < 0)
		return r;
	if (version == want || (other && version == other + 1))
		return 0;
	if (version < want)
		return error_set(err, E_EXISTS, "%s: another document has this version",
				 s->it->name);
	return error_set(err, E_INVALID, "%s: signed.version: want %" PRId64 ", got %" PRId64,
			 s->it->name, other ? other + 1 : want, version);
}

/* --- what it lists --- */

struct target {
	int64_t length;
	json_t *hashes;
	const char *sha256;
};

/*
 * Where targets are stored: below folders that no target file may be and that
 * are served, with names that are plain everywhere: a backslash parts folders
 * elsewhere.
 */
static bool target_path_ok(const char *path)
{
	if (!file_path_ok(path) || strchr(path, '\\') || strlen(path) > PATH_SIZE / 4)
		return false;
	for (const char *p = path, *slash; (slash = strchr(p, '/')) != NULL; p = slash + 1)
		if ((strspn(p, "0123456789abcdef") == SHA256_HEX && p[SHA256_HEX] == '.') ||
		    strncmp(p, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0)
			return false;
	return true;
}

static int read_target(const struct item *it, const char *path, const json_t *entry,
		       struct target *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "length",
		 .kind = FIELD_INT,
		 .offset = offsetof(struct target, length),
		 .max = INT64_C(1) << TARGET_SIZE_MAX_LOG2},
		{.key = "hashes", .kind = FIELD_OBJECT, .offset = offsetof(struct target, hashes)},
	};
	static const struct field hashes[] = {
		{.key = "sha256",
		 .kind = FIELD_HEX,
		 .offset = offsetof(struct target, sha256),
		 .max = SHA256_HEX},
	};
	char where[128];
	int r;

	if (!target_path_ok(path))
		return error_set(err, E_INVALID, "%s: signed.targets: \"%.80s\": not a path",
				 it->name, path);
	(void)snprintf(where, sizeof(where), "signed.targets[\"%.80s\"]", path);
	r = strict_read(entry, where, fields, ARRAY_LEN(fields), STRICT_OPEN, out, err);
	(void)snprintf(where, sizeof(where), "signed.targets[\"%.80s\"].hashes", path);
	if (r == 0)
		r = strict_read(out->hashes, where, hashes, ARRAY_LEN(hashes), STRICT_OPEN, out,
				err);
	return r < 0 ? error_prefix(err, r, "%s", it->name) : 0;
}

/* "p/<product>/targets/<dir>/<sha256>.<name>" */
static void target_path(const struct batch *b, const char *path, const char *sha256,
			char out[PATH_SIZE])
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash + 1 - path) : 0;

	(void)snprintf(out, PATH_SIZE, "p/%s/targets/%.*s%s.%s", b->product, dir, path, sha256,
		       path + dir);
}

/* Did the version before list it just like this? Then it was judged then. */
static bool unchanged(const struct offer *o, const char *path, const json_t *entry)
{
	return o->previous && json_equal(json_object_get(o->previous, path), entry);
}

static int check_target(const struct offer *o, const char *path, const json_t *entry,
			struct error *err)
{
	struct target t = {0};
	char name[PATH_SIZE];
	int r = read_target(o->it, path, entry, &t, err);

	if (r < 0 || unchanged(o, path, entry))
		return r;
	target_path(o->b, path, t.sha256, name);
	r = batch_blob(o->b, name, t.sha256, t.length, err);
	return r < 0 ? error_prefix(err, r, "%s: signed.targets[\"%.80s\"]", o->it->name, path) : 0;
}

/*
 * By the policy for its publisher; when a source bundle is still to come, the
 * whole version waits, and is judged again once it is here.
 */
static int check_policy(const struct offer *o, struct error *err)
{
	const char *path;
	json_t *entry;
	bool missing;
	int r = bundles_add(o, &missing, err);

	if (r < 0 || missing)
		return r;
	json_object_foreach((json_t *)(uintptr_t)o->targets, path, entry)
	{
		r = unchanged(o, path, entry) ? 0 : publishing_check(o, path, entry, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_targets(const struct offer *o, struct error *err)
{
	const char *path;
	json_t *entry;

	if (!json_is_object(o->targets) || json_object_size(o->targets) > TARGETS_PER_ROLE_MAX)
		return error_set(err, E_INVALID,
				 "%s: signed.targets: want an object of at most %d members",
				 o->it->name, TARGETS_PER_ROLE_MAX);
	json_object_foreach((json_t *)(uintptr_t)o->targets, path, entry)
	{
		int r = check_target(o, path, entry, err);

		if (r < 0)
			return r;
	}
	return check_policy(o, err);
}

/* A delegated role lists what was delegated to it, as long as it was. */
static int check_delegated(const struct search *s, struct error *err)
{
	int64_t until = descent_until(s->at);
	char text[UTC_SIZE];
	int r;

	if (!s->at)
		return 0;
	if (until <= s->from.b->w->now) {
		utc_format(until, text);
		return error_set(err, E_DENIED, "%s: what is delegated to the %s role ended on %s",
				 s->it->name, s->name, text);
	}
	r = review_paths(json_object_get(envelope_signed(s->it->doc), "targets"), s->at, err);
	return r < 0 ? error_prefix(err, r, "%s", s->it->name) : 0;
}

static int check_role(struct search *s, const struct tuf_root *root, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *previous = NULL;
	struct role_keys counted = s->keys;
	struct publisher who = {0};
	struct offer o = {.b = s->from.b, .it = s->it, .keys = &s->keys};
	char whose[ROLE_SIZE + 16];
	int r;

	(void)snprintf(whose, sizeof(whose), "the %s role", s->name);
	r = check_delegated(s, err);
	if (r == 0)
		r = check_version(s, &previous, err);
	if (r == 0)
		r = delegations_new(&s->from, s->it, s->name, previous, err);
	if (r == 0)
		r = publisher_read(root, "root.json", &who, err);
	if (r < 0)
		return r;
	s->keys = (struct role_keys){0};
	r = item_count(s->it, &counted, whose, true, err);
	if (r < 0)
		return r;
	o.keys = &s->it->sets[s->it->nsets - 1];
	o.kind = who.kind;
	o.targets = json_object_get(envelope_signed(s->it->doc), "targets");
	o.previous = previous ? json_object_get(envelope_signed(previous), "targets") : NULL;
	return check_targets(&o, err);
}

static int accept(struct search *s, struct error *err)
{
	struct batch *b = s->from.b;
	struct item *it = s->it;
	struct role_row row = {.version = envelope_version(it->doc)};
	int r;

	it->row.tenure = s->from.tenure;
	it->row.issued = b->w->now;
	(void)snprintf(it->row.role, sizeof(it->row.role), "%s", s->name);
	(void)snprintf(row.name, sizeof(row.name), "%s", s->name);
	memcpy(row.document, envelope_id(it->doc), sizeof(row.document));
	r = batch_accept(b, it, err);
	return r < 0 ? r : store_role_set(b->w->store, b->product, s->from.tenure, &row, err);
}

int judge_targets(struct batch *b, struct item *it, struct error *err)
{
	CLEANUP(search_clear) struct search s = {.from.b = b, .it = it};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	const struct buf *bytes = envelope_bytes(it->doc);
	struct product_row product = {0};
	int r = tuf_role_parse(bytes->data, bytes->len, TUF_TARGETS, it->name, &role, err);

	if (r == 0)
		r = store_product(b->w->store, b->product, &product, err);
	if (r == 0)
		r = load_root(b->w->store, b->product, product.root, &root, err);
	if (r < 0)
		return r;
	if (role->expires <= b->w->now)
		return error_set(err, E_INVALID, "%s: signed.expires: lies in the past", it->name);
	s.from.tenure = product.tenure;
	r = search(&s, root, err);
	if (r == 0)
		r = check_role(&s, root, err);
	if (r < 0)
		return r;
	r = review_targets(role, 0, b->w->now, err);
	return r < 0 ? error_prefix(err, r, "%s", it->name) : accept(&s, err);
}

/* --- the whole --- */

/* Is the top-level role in force signed as the current root asks? A proposal will be. */
static int check_top(struct batch *b, const struct product_row *product, bool *any,
		     struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct role_row row;
	struct error none;
	const struct source from = {b, product->tenure};
	int r = source_role(&from, "targets", &row, &doc, &none);

	*any = r == 0;
	if (r == E_NOTFOUND)
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (batch_is_proposal(b, row.document))
		return 0;
	r = load_root(b->w->store, b->product, product->root, &root, err);
	if (r < 0)
		return r;
	if (envelope_verify(doc, &root->role[TUF_TARGETS], "the targets role", &none) < 0)
		return error_set(err, E_DENIED,
				 "targets %" PRId64 ": not signed as root %" PRId64
				 " asks: post new targets in the same array",
				 row.version, root->version);
	return 0;
}

/* The last root is what devices go by from now on. */
static int check_last_root(struct batch *b, const struct product_row *product, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	int r;

	if (!b->last_root)
		return 0;
	r = load_root(b->w->store, b->product, product->root, &root, err);
	if (r < 0)
		return r;
	r = review_root(root, b->w->now, err);
	return r < 0 ? error_prefix(err, r, "root %" PRId64, root->version) : 0;
}

int judge_whole(struct batch *b, struct error *err)
{
	struct source x = {.b = b};
	struct product_row product;
	bool any = false;
	int r;

	if (b->bridge_open && b->n > 1)
		return error_set(err, E_DENIED,
				 "root %" PRId64 ": is a bridge: the root after it and its first "
				 "targets belong in the same array",
				 b->last_root);
	if (b->bridge_open)
		return 0; /* alone it stays a proposal, so that stewards can add signatures */
	r = store_product(b->w->store, b->product, &product, err);
	if (r == 0)
		r = check_last_root(b, &product, err);
	if (r == 0)
		r = check_top(b, &product, &any, err);
	if (r < 0)
		return r;
	if (!any && b->ended)
		return error_set(err, E_DENIED,
				 "root %" PRId64
				 ": changes the publisher: its first targets belong "
				 "in the same array",
				 b->last_root);
	x.tenure = product.tenure;
	return any ? delegations_whole(&x, err) : 0;
}
