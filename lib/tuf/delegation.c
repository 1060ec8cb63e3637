/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/delegation.h"

#include <fnmatch.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "lib/tuf/role.h"

enum {
	ROLES_MAX = 65536, /* 2^14 hash bins listed one by one are usual; 5 MiB hold no more */
	NAME_MAX_BYTES = 200,
	WHERE_SIZE = 64,
	BITS_MAX = 32, /* a bin number is cut from the first four bytes of the path's hash */
};

struct whole {
	json_t *keys, *roles, *succinct;
};
static const struct field whole_fields[] = {
	{.key = "keys", .kind = FIELD_OBJECT, .offset = offsetof(struct whole, keys)},
	{.key = "roles",
	 .kind = FIELD_ARRAY,
	 .offset = offsetof(struct whole, roles),
	 .optional = true,
	 .max = ROLES_MAX},
	{.key = "succinct_roles",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct whole, succinct),
	 .optional = true},
};

struct entry {
	const char *name;
	json_t *keyids, *paths, *prefixes;
	int64_t threshold;
	bool terminating;
};
static const struct field entry_fields[] = {
	{.key = "name",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct entry, name),
	 .min = 1,
	 .max = NAME_MAX_BYTES},
	{.key = "keyids", .kind = FIELD_ARRAY, .offset = offsetof(struct entry, keyids)},
	{.key = "threshold",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct entry, threshold),
	 .min = 1,
	 .max = INT32_MAX},
	{.key = "terminating",
	 .kind = FIELD_BOOL,
	 .offset = offsetof(struct entry, terminating),
	 .optional = true},
	{.key = "paths",
	 .kind = FIELD_ARRAY,
	 .offset = offsetof(struct entry, paths),
	 .optional = true,
	 .max = ROLES_MAX},
	{.key = "path_hash_prefixes",
	 .kind = FIELD_ARRAY,
	 .offset = offsetof(struct entry, prefixes),
	 .optional = true,
	 .max = ROLES_MAX},
};

struct bins {
	const char *prefix;
	json_t *keyids;
	int64_t threshold, bits;
};
static const struct field bins_fields[] = {
	{.key = "name_prefix",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct bins, prefix),
	 .max = NAME_MAX_BYTES},
	{.key = "keyids", .kind = FIELD_ARRAY, .offset = offsetof(struct bins, keyids)},
	{.key = "threshold",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct bins, threshold),
	 .min = 1,
	 .max = INT32_MAX},
	{.key = "bit_length",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct bins, bits),
	 .min = 1,
	 .max = BITS_MAX},
};

static int read_entry(const json_t *rule, size_t i, struct entry *out, struct error *err)
{
	char where[WHERE_SIZE];

	(void)snprintf(where, sizeof(where), "signed.delegations.roles[%zu]", i);
	return strict_read(rule, where, entry_fields, ARRAY_LEN(entry_fields), STRICT_OPEN, out,
			   err);
}

static int read_bins(const json_t *rule, struct bins *out, struct error *err)
{
	return strict_read(rule, "signed.delegations.succinct_roles", bins_fields,
			   ARRAY_LEN(bins_fields), STRICT_OPEN, out, err);
}

static bool all_texts(const json_t *array)
{
	size_t i;
	json_t *v;

	json_array_foreach(array, i, v)
	{
		if (!json_is_string(v))
			return false;
	}
	return true;
}

static bool is_top_level(const char *name)
{
	for (int t = 0; t < TUF_TYPES; t++)
		if (strcmp(name, tuf_type_name((enum tuf_type)t)) == 0)
			return true;
	return false;
}

/* `seen` is a set of names so far, as a JSON object. */
static int check_entry(const json_t *rule, size_t i, json_t *seen, struct error *err)
{
	struct entry e = {0};
	int r = read_entry(rule, i, &e, err);

	if (r < 0)
		return r;
	if (is_top_level(e.name))
		return error_set(err, E_INVALID,
				 "signed.delegations.roles[%zu].name: \"%s\" is a top-level role",
				 i, e.name);
	if (!e.paths == !e.prefixes)
		return error_set(err, E_INVALID,
				 "signed.delegations.roles[%zu]: want either paths or "
				 "path_hash_prefixes",
				 i);
	if (!all_texts(e.paths ? e.paths : e.prefixes))
		return error_set(err, E_INVALID,
				 "signed.delegations.roles[%zu].%s: want strings only", i,
				 e.paths ? "paths" : "path_hash_prefixes");
	if (json_object_get(seen, e.name))
		return error_set(err, E_INVALID,
				 "signed.delegations.roles[%zu].name: \"%s\" is listed twice", i,
				 e.name);
	return json_object_set_new(seen, e.name, json_true()) < 0 ? error_nomem(err) : 0;
}

int delegations_check(const json_t *object, struct error *err)
{
	struct whole w = {0};
	struct bins b = {0};
	size_t i;
	json_t *rule;
	int r = strict_read(object, "signed.delegations", whole_fields, ARRAY_LEN(whole_fields),
			    STRICT_OPEN, &w, err);

	if (r < 0)
		return r;
	if (!w.roles == !w.succinct)
		return error_set(err, E_INVALID,
				 "signed.delegations: want either roles or succinct_roles");
	if (w.succinct)
		return read_bins(w.succinct, &b, err);

	CLEANUP(json_decrefp) json_t *seen = json_object();
	if (!seen)
		return error_nomem(err);
	json_array_foreach(w.roles, i, rule)
	{
		r = check_entry(rule, i, seen, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool matches_pattern(const json_t *patterns, const char *path)
{
	size_t i;
	json_t *v;

	json_array_foreach(patterns, i, v)
	{
		if (fnmatch(json_string_value(v), path, FNM_NOESCAPE | FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static bool matches_prefix(const json_t *prefixes, const char *path)
{
	char hex[SHA256_HEX_SIZE];
	size_t i;
	json_t *v;

	sha256_hex(path, strlen(path), hex);
	json_array_foreach(prefixes, i, v)
	{
		if (strncmp(hex, json_string_value(v), json_string_length(v)) == 0)
			return true;
	}
	return false;
}

bool delegation_covers(const json_t *rule, const char *path)
{
	const json_t *paths = json_object_get(rule, "paths");

	if (json_is_array(paths))
		return matches_pattern(paths, path);
	return matches_prefix(json_object_get(rule, "path_hash_prefixes"), path);
}

/* Room for one more at the end of the list, zeroed. */
static int grow(struct delegations *d, struct error *err)
{
	struct delegation *list = realloc(d->list, (d->n + 1) * sizeof(*list));

	if (!list)
		return error_nomem(err);
	d->list = list;
	d->list[d->n++] = (struct delegation){0};
	return 0;
}

static int add_entry(struct delegations *d, const struct whole *w, json_t *rule, size_t i,
		     struct error *err)
{
	struct entry e = {0};
	int r = read_entry(rule, i, &e, err);

	if (r == 0)
		r = grow(d, err);
	if (r < 0)
		return r;
	d->list[d->n - 1] = (struct delegation){.name = strdup(e.name),
						.keys = w->keys,
						.keyids = e.keyids,
						.rule = rule,
						.threshold = e.threshold,
						.terminating = e.terminating};
	return d->list[d->n - 1].name ? 0 : error_nomem(err);
}

/* The one bin that `path` falls into. */
static int add_bin(struct delegations *d, const struct whole *w, const char *path,
		   struct error *err)
{
	unsigned char hash[SHA256_LEN];
	char name[NAME_MAX_BYTES + 16];
	struct bins b = {0};
	int digits, r = read_bins(w->succinct, &b, err);

	if (r == 0)
		r = grow(d, err);
	if (r < 0)
		return r;
	sha256(path, strlen(path), hash);

	uint32_t top = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 |
		       hash[3];
	digits = (int)(b.bits + 3) / 4;
	(void)snprintf(name, sizeof(name), "%s-%0*x", b.prefix, digits,
		       (unsigned)(top >> (BITS_MAX - b.bits)));
	d->list[d->n - 1] = (struct delegation){.name = strdup(name),
						.keys = w->keys,
						.keyids = b.keyids,
						.rule = w->succinct,
						.threshold = b.threshold,
						.terminating = true};
	return d->list[d->n - 1].name ? 0 : error_nomem(err);
}

int delegations_for(json_t *object, const char *path, struct delegations *out, struct error *err)
{
	CLEANUP(delegations_clear) struct delegations d = {0};
	struct whole w = {0};
	size_t i;
	json_t *rule;
	int r = 0;

	if (object)
		r = strict_read(object, "signed.delegations", whole_fields, ARRAY_LEN(whole_fields),
				STRICT_OPEN, &w, err);
	if (r == 0 && w.succinct && path)
		r = add_bin(&d, &w, path, err);
	json_array_foreach(w.roles, i, rule)
	{
		if (r < 0)
			break;
		if (path && !delegation_covers(rule, path))
			continue;
		r = add_entry(&d, &w, rule, i, err);
		if (r == 0 && path && d.list[d.n - 1].terminating)
			break;
	}
	if (r < 0)
		return r;
	*out = d;
	d = (struct delegations){0};
	return 0;
}

void delegation_clear(struct delegation *d)
{
	free(d->name);
	*d = (struct delegation){0};
}

void delegations_clear(struct delegations *d)
{
	for (size_t i = 0; i < d->n; i++)
		delegation_clear(&d->list[i]);
	free(d->list);
	*d = (struct delegations){0};
}

int delegation_keys(const struct delegation *d, struct role_keys *out, struct error *err)
{
	return role_keys_parse(d->keys, d->keyids, d->threshold, "signed.delegations", out, err);
}
