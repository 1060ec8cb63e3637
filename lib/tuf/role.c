/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/role.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "lib/tuf/delegation.h"
#include "lib/tuf/hashes.h"

enum {
	FILES_MAX = 65536,   /* listed in one snapshot: 2 MiB hold no more */
	TARGETS_MAX = 65536, /* listed in one targets role: 5 MiB hold no more */
	WHERE_SIZE = 96,
};
#define VERSION_MAX ((INT64_C(1) << 53) - 1)
#define LENGTH_MAX VERSION_MAX /* of a file, in bytes */

static const struct {
	const char *name;
	size_t max;
} types[TUF_TYPES] = {
	[TUF_ROOT] = {"root", TUF_ROOT_MAX},
	[TUF_TIMESTAMP] = {"timestamp", TUF_TIMESTAMP_MAX},
	[TUF_SNAPSHOT] = {"snapshot", TUF_SNAPSHOT_MAX},
	[TUF_TARGETS] = {"targets", TUF_TARGETS_MAX},
};

const char *tuf_type_name(enum tuf_type t)
{
	return types[t].name;
}

size_t tuf_type_max(enum tuf_type t)
{
	return types[t].max;
}

/* What every role's `signed` part is read into; a role uses what is its own. */
struct parts {
	int64_t version, expires;
	bool consistent;
	json_t *keys, *roles, *meta, *targets, *delegations;
};
static const struct field common_fields[] = {
	{.key = "version",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct parts, version),
	 .min = 1,
	 .max = VERSION_MAX},
	{.key = "expires", .kind = FIELD_TIME, .offset = offsetof(struct parts, expires)},
};
static const struct field root_fields[] = {
	{.key = "consistent_snapshot",
	 .kind = FIELD_BOOL,
	 .offset = offsetof(struct parts, consistent),
	 .optional = true},
	{.key = "keys",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct parts, keys),
	 .max = KEYS_MAX},
	{.key = "roles", .kind = FIELD_OBJECT, .offset = offsetof(struct parts, roles)},
};
static const struct field meta_fields[] = {
	{.key = "meta",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct parts, meta),
	 .max = FILES_MAX},
};
static const struct field targets_fields[] = {
	{.key = "targets",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct parts, targets),
	 .max = TARGETS_MAX},
	{.key = "delegations",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct parts, delegations),
	 .optional = true},
};
static const struct field_table own_fields[TUF_TYPES] = {
	[TUF_ROOT] = {root_fields, ARRAY_LEN(root_fields), STRICT_OPEN},
	[TUF_TIMESTAMP] = {meta_fields, ARRAY_LEN(meta_fields), STRICT_OPEN},
	[TUF_SNAPSHOT] = {meta_fields, ARRAY_LEN(meta_fields), STRICT_OPEN},
	[TUF_TARGETS] = {targets_fields, ARRAY_LEN(targets_fields), STRICT_OPEN},
};

static const struct field entry_fields[] = {
	{.key = "version",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct tuf_meta, version),
	 .min = 1,
	 .max = VERSION_MAX},
	{.key = "length",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct tuf_meta, length),
	 .optional = true},
	{.key = "hashes",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct tuf_meta, hashes),
	 .optional = true,
	 .min = 1},
};

static const struct field target_fields[] = {
	{.key = "length",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct tuf_meta, length),
	 .max = LENGTH_MAX},
	{.key = "hashes",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct tuf_meta, hashes),
	 .min = 1},
};

struct role_entry {
	json_t *keyids;
	int64_t threshold;
};
static const struct field role_fields[] = {
	{.key = "keyids", .kind = FIELD_ARRAY, .offset = offsetof(struct role_entry, keyids)},
	{.key = "threshold",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct role_entry, threshold),
	 .min = 1,
	 .max = INT32_MAX},
};

static int read_entry(const json_t *entry, const char *file, struct tuf_meta *out,
		      struct error *err)
{
	char where[WHERE_SIZE];
	struct tuf_meta m = {.length = -1};

	(void)snprintf(where, sizeof(where), "signed.meta[\"%.64s\"]", file);

	int r = strict_read(entry, where, entry_fields, ARRAY_LEN(entry_fields), STRICT_OPEN, &m,
			    err);
	if (r == 0)
		*out = m;
	return r;
}

static int check_meta(json_t *meta, struct error *err)
{
	struct tuf_meta m;
	const char *file;
	json_t *entry;

	json_object_foreach(meta, file, entry)
	{
		int r = read_entry(entry, file, &m, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_targets(const struct parts *p, struct error *err)
{
	const char *path;
	json_t *entry;

	json_object_foreach(p->targets, path, entry)
	{
		struct tuf_meta m = {0};
		char where[WHERE_SIZE];

		(void)snprintf(where, sizeof(where), "signed.targets[\"%.64s\"]", path);

		int r = strict_read(entry, where, target_fields, ARRAY_LEN(target_fields),
				    STRICT_OPEN, &m, err);
		if (r < 0)
			return r;
	}
	return p->delegations ? delegations_check(p->delegations, err) : 0;
}

static int open_doc(const void *data, size_t len, enum tuf_type type, const char *name,
		    struct envelope **out, struct error *err)
{
	if (len > types[type].max)
		return error_set(err, E_INVALID, "%s: larger than %zu bytes", name,
				 types[type].max);
	return envelope_parse(data, len, name, out, err);
}

/* The type, what all four have in common, and what is the type's own. */
static int read_parts(const struct envelope *doc, enum tuf_type type, struct parts *out,
		      struct error *err)
{
	const json_t *body = envelope_signed(doc);
	int r;

	if (strcmp(envelope_type(doc), types[type].name) != 0)
		return error_set(err, E_INVALID, "signed._type: want \"%s\", got \"%.40s\"",
				 types[type].name, envelope_type(doc));
	r = strict_read(body, "signed", common_fields, ARRAY_LEN(common_fields), STRICT_OPEN, out,
			err);
	return r < 0 ? r : strict_read_table(body, "signed", &own_fields[type], out, err);
}

static int read_root_role(struct tuf_root *root, const struct parts *p, enum tuf_type t,
			  struct error *err)
{
	struct role_entry e = {0};
	char where[WHERE_SIZE];
	const json_t *entry = json_object_get(p->roles, types[t].name);

	(void)snprintf(where, sizeof(where), "signed.roles.%s", types[t].name);

	int r = strict_read(entry, where, role_fields, ARRAY_LEN(role_fields), STRICT_OPEN, &e,
			    err);
	if (r < 0)
		return r;
	return role_keys_parse(p->keys, e.keyids, e.threshold, where, &root->role[t], err);
}

/* Fields that are nobody's but ours: of another form, they are somebody else's. */
static const char *product_of(const struct envelope *doc)
{
	return json_string_value(json_object_get(envelope_signed(doc), "product"));
}

/* Fill in a root from its document. */
static int read_root(struct tuf_root *root, struct error *err)
{
	struct parts p = {0};
	int r = read_parts(root->doc, TUF_ROOT, &p, err);

	for (int t = 0; t < TUF_TYPES && r == 0; t++)
		r = read_root_role(root, &p, (enum tuf_type)t, err);
	if (r < 0)
		return r;
	root->version = p.version;
	root->expires = p.expires;
	root->consistent_snapshot = p.consistent;
	root->product = product_of(root->doc);
	root->x_bequest = json_object_get(envelope_signed(root->doc), "x-bequest");
	if (!json_is_object(root->x_bequest))
		root->x_bequest = NULL;
	return 0;
}

int tuf_root_parse(const void *data, size_t len, const char *name, struct tuf_root **out,
		   struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = calloc(1, sizeof(*root));
	int r = root ? open_doc(data, len, TUF_ROOT, name, &root->doc, err) : error_nomem(err);

	if (r < 0)
		return r;
	r = read_root(root, err);
	if (r < 0)
		return error_prefix(err, r, "%s", name);
	*out = steal(root);
	return 0;
}

static int read_role(struct tuf_role *role, enum tuf_type type, struct error *err)
{
	struct parts p = {0};
	int r = read_parts(role->doc, type, &p, err);

	if (r == 0)
		r = type == TUF_TARGETS ? check_targets(&p, err) : check_meta(p.meta, err);
	if (r < 0)
		return r;
	role->type = type;
	role->version = p.version;
	role->expires = p.expires;
	role->product = product_of(role->doc);
	return 0;
}

int tuf_role_parse(const void *data, size_t len, enum tuf_type type, const char *name,
		   struct tuf_role **out, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = calloc(1, sizeof(*role));
	int r = role ? open_doc(data, len, type, name, &role->doc, err) : error_nomem(err);

	if (r < 0)
		return r;
	r = read_role(role, type, err);
	if (r < 0)
		return error_prefix(err, r, "%s", name);
	*out = steal(role);
	return 0;
}

void tuf_root_free(struct tuf_root *r)
{
	if (!r)
		return;
	for (int t = 0; t < TUF_TYPES; t++)
		role_keys_clear(&r->role[t]);
	envelope_free(r->doc);
	free(r);
}

void tuf_role_free(struct tuf_role *r)
{
	if (!r)
		return;
	envelope_free(r->doc);
	free(r);
}

int tuf_role_meta(const struct tuf_role *r, const char *file, struct tuf_meta *out,
		  struct error *err)
{
	const json_t *meta = json_object_get(envelope_signed(r->doc), "meta");
	const json_t *entry = json_object_get(meta, file);

	if (!entry)
		return error_set(err, E_NOTFOUND, "%s.json: does not list %s", types[r->type].name,
				 file);
	return read_entry(entry, file, out, err);
}

int tuf_meta_check(const struct tuf_meta *m, const void *data, size_t len, const char *name,
		   struct error *err)
{
	CLEANUP(hashes_freep) struct hashes *h = NULL;
	int r;

	if (m->length >= 0 && (uint64_t)m->length != len)
		return error_set(err, E_UNTRUSTED, "%s: %zu bytes long, want %" PRId64, name, len,
				 m->length);
	if (!m->hashes)
		return 0;
	r = hashes_new(m->hashes, name, &h, err);
	if (r < 0)
		return r;
	hashes_add(h, data, len);
	return hashes_match(h, name, err);
}

int tuf_root_self_signed(const struct tuf_root *r, struct error *err)
{
	return envelope_verify(r->doc, &r->role[TUF_ROOT], "its own root role", err);
}

int tuf_root_step(const struct tuf_root *from, const void *data, size_t len, const char *name,
		  struct tuf_root **out, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *next = NULL;
	char whose[WHERE_SIZE];
	int r = tuf_root_parse(data, len, name, &next, err);

	if (r < 0)
		return r;
	if (next->version != from->version + 1)
		return error_set(err, E_UNTRUSTED,
				 "%s: version %" PRId64 ", want %" PRId64 ": one after the trusted "
				 "root",
				 name, next->version, from->version + 1);
	(void)snprintf(whose, sizeof(whose), "the root role of version %" PRId64, from->version);
	r = envelope_verify(next->doc, &from->role[TUF_ROOT], whose, err);
	if (r == 0)
		r = tuf_root_self_signed(next, err);
	if (r == 0)
		*out = steal(next);
	return r;
}
