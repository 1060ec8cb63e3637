/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/delegation.h"

#include <fnmatch.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "lib/tuf/role.h"

enum {
	ROLES_MAX = DELEGATIONS_LISTED_MAX, /* 2^14 bins one by one are usual; 5 MiB hold no more */
	NAME_MAX_BYTES = 200,
	QUOTED_MAX = 255 - 16 - 6, /* so that "<version>.<quoted>.json" can name a file */
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
	json_t *keyids, *paths, *prefixes, *own;
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
	{.key = "x-bequest",
	 .kind = FIELD_ANY,
	 .offset = offsetof(struct entry, own),
	 .optional = true},
};

struct own {
	int64_t until;
};
static const struct field own_fields[] = {
	{.key = "until",
	 .kind = FIELD_TIME,
	 .offset = offsetof(struct own, until),
	 .optional = true},
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

/* When it ends; of another form than ours, the member is somebody else's. */
static int read_until(const struct entry *e, size_t i, int64_t *out, struct error *err)
{
	struct own own = {.until = INT64_MAX};
	char where[WHERE_SIZE];
	int r = 0;

	(void)snprintf(where, sizeof(where), "signed.delegations.roles[%zu].x-bequest", i);
	if (json_is_object(e->own))
		r = strict_read(e->own, where, own_fields, ARRAY_LEN(own_fields), STRICT_OPEN, &own,
				err);
	if (r == 0)
		*out = own.until;
	return r;
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

bool delegation_name_ok(const char *name)
{
	size_t quoted = 0;

	for (const char *p = name; *p; p++)
		quoted += strchr(TUF_UNRESERVED, *p) ? 1 : 3;
	return *name && strlen(name) <= NAME_MAX_BYTES && quoted <= QUOTED_MAX &&
	       !is_top_level(name);
}

/* `seen` is a set of names so far, as a JSON object. */
static int check_entry(const json_t *rule, size_t i, json_t *seen, struct error *err)
{
	struct entry e = {0};
	int64_t until;
	int r = read_entry(rule, i, &e, err);

	if (r == 0)
		r = read_until(&e, i, &until, err);
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

/* False: so much is not left. */
static bool take(size_t *effort, uint64_t n)
{
	bool enough = *effort >= n;

	*effort = enough ? *effort - (size_t)n : 0;
	return enough;
}

int delegation_effort_left(size_t effort, struct error *err)
{
	return effort ? 0
		      : error_set(err, E_INVALID,
				  "signed.delegations: to compare paths with its rules takes more "
				  "than %d characters: want fewer, or shorter ones",
				  DELEGATION_EFFORT);
}

/* Past one character of UTF-8: its first byte, and those that continue it. */
static const char *past(const char *s)
{
	do
		s++;
	while (((unsigned char)*s & 0xc0) == 0x80);
	return s;
}

/*
 * `*` and `?` as the specification has them: within one component, and of characters, as other
 * clients match them. The last `*` of a component takes more as often as what follows it does not
 * match, and those before it are done with: so no pattern takes more than quadratic time.
 */
static bool matches_plain(const char *pattern, const char *path, size_t *effort)
{
	const char *p = pattern, *s = path, *star = NULL, *rest = NULL;

	while (*p || *s) {
		if (!take(effort, 1))
			return false;
		if (*p == '*') {
			star = p++;
			rest = s;
		} else if (*p == '?' && *s && *s != '/') {
			p++;
			s = past(s);
		} else if (*p && *p == *s) {
			if (*p == '/')
				star = NULL;
			p++;
			s++;
		} else if (star && *rest && *rest != '/') {
			rest = past(rest);
			s = rest;
			p = star + 1;
		} else {
			return false;
		}
	}
	return true;
}

/* Brackets are not in the specification; most clients read them, and as the shell does. */
static bool matches(const char *pattern, const char *path, size_t *effort)
{
	if (strchr(pattern, '['))
		return take(effort, (strlen(pattern) + UINT64_C(1)) * (strlen(path) + 1)) &&
		       fnmatch(pattern, path, FNM_NOESCAPE | FNM_PATHNAME) == 0;
	return matches_plain(pattern, path, effort);
}

static bool matches_pattern(const json_t *patterns, const char *path, size_t *effort)
{
	size_t i;
	json_t *v;

	json_array_foreach(patterns, i, v)
	{
		if (matches(json_string_value(v), path, effort))
			return true;
	}
	return false;
}

static bool matches_prefix(const json_t *prefixes, const char *path, size_t *effort)
{
	char hex[SHA256_HEX_SIZE];
	size_t i;
	json_t *v;

	if (!take(effort, strlen(path)))
		return false;
	sha256_hex(path, strlen(path), hex);
	json_array_foreach(prefixes, i, v)
	{
		if (!take(effort, 1))
			return false;
		if (strncmp(hex, json_string_value(v), json_string_length(v)) == 0)
			return true;
	}
	return false;
}

bool delegation_covers(const json_t *rule, const char *path, size_t *effort)
{
	const json_t *paths = json_object_get(rule, "paths");

	if (json_is_array(paths))
		return matches_pattern(paths, path, effort);
	return matches_prefix(json_object_get(rule, "path_hash_prefixes"), path, effort);
}

/* The number of the bin that a path falls into: the first bits of its hash. */
static uint32_t bin_of(const char *path, int bits)
{
	unsigned char hash[SHA256_LEN];

	sha256(path, strlen(path), hash);

	uint32_t top = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 |
		       hash[3];
	return top >> (BITS_MAX - bits);
}

bool delegation_trusts(const struct delegation *d, const char *path, size_t *effort)
{
	if (!d->bits)
		return delegation_covers(d->rule, path, effort);
	return take(effort, strlen(path)) && bin_of(path, d->bits) == d->bin;
}

static struct delegation *new_delegation(const char *name)
{
	CLEANUP(delegations_freep) struct delegation *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->name = strdup(name);
	return d->name ? steal(d) : NULL;
}

static int from_entry(const struct whole *w, json_t *rule, size_t i, struct delegation **out,
		      struct error *err)
{
	struct delegation *d;
	struct entry e = {0};
	int64_t until = INT64_MAX;
	int r = read_entry(rule, i, &e, err);

	if (r == 0)
		r = read_until(&e, i, &until, err);
	if (r != 0)
		return r;
	d = new_delegation(e.name);
	if (!d)
		return error_nomem(err);
	d->keys = w->keys;
	d->keyids = e.keyids;
	d->rule = rule;
	d->threshold = e.threshold;
	d->until = until;
	d->terminating = e.terminating;
	*out = d;
	return 0;
}

static int new_bin(const struct whole *w, const struct bins *b, uint32_t bin,
		   struct delegation **out, struct error *err)
{
	char name[NAME_MAX_BYTES + 16];
	struct delegation *d;

	(void)snprintf(name, sizeof(name), "%s-%0*x", b->prefix, (int)(b->bits + 3) / 4,
		       (unsigned)bin);
	d = new_delegation(name);
	if (!d)
		return error_nomem(err);
	d->keys = w->keys;
	d->keyids = b->keyids;
	d->rule = w->succinct;
	d->threshold = b->threshold;
	d->until = INT64_MAX;
	d->terminating = true;
	d->bits = (int)b->bits;
	d->bin = bin;
	*out = d;
	return 0;
}

/* Whose delegations are asked for: those of a path, or towards a name, or (both NULL) all. */
struct wanted {
	const char *path, *name;
};

/* The number of the bin of this name: its prefix, a dash, and all of its digits. */
static bool bin_named(const struct bins *b, const char *name, uint32_t *out)
{
	size_t len = strlen(b->prefix), digits = (size_t)(b->bits + 3) / 4;
	uint32_t bin = 0;

	if (strncmp(name, b->prefix, len) != 0 || name[len] != '-' ||
	    !hex_is(name + len + 1, digits))
		return false;
	for (const char *p = name + len + 1; *p; p++)
		bin = bin << 4 | (uint32_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
	*out = bin;
	return bin >> (b->bits - 1) <= 1;
}

static int from_bins(const struct whole *w, const struct wanted *wanted, struct delegation **out,
		     struct error *err)
{
	struct bins b = {0};
	uint64_t n;
	uint32_t bin;
	int r = read_bins(w->succinct, &b, err);

	if (r != 0)
		return r;
	if (wanted->path)
		return new_bin(w, &b, bin_of(wanted->path, (int)b.bits), out, err);
	if (wanted->name && bin_named(&b, wanted->name, &bin))
		return new_bin(w, &b, bin, out, err);
	n = UINT64_C(1) << b.bits;
	if (wanted->name && n > TUF_DELEGATIONS_MAX)
		n = TUF_DELEGATIONS_MAX;
	for (uint64_t i = 0; r == 0 && n <= ROLES_MAX && i < n; i++) {
		r = new_bin(w, &b, (uint32_t)i, out, err);
		if (r == 0)
			out = &(*out)->next;
	}
	return r;
}

static int list_wanted(json_t *object, const struct wanted *wanted, struct delegation **out,
		       struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	struct delegation **end = &list;
	struct whole w = {0};
	size_t i, effort = DELEGATION_EFFORT;
	json_t *rule;
	int r = 0;

	if (object)
		r = strict_read(object, "signed.delegations", whole_fields, ARRAY_LEN(whole_fields),
				STRICT_OPEN, &w, err);
	if (r == 0 && w.succinct)
		r = from_bins(&w, wanted, &list, err);
	json_array_foreach(w.roles, i, rule)
	{
		if (r != 0 || (wanted->path && *end && (*end)->terminating))
			break;
		if (wanted->path && !delegation_covers(rule, wanted->path, &effort))
			continue;
		if (*end)
			end = &(*end)->next;
		r = from_entry(&w, rule, i, end, err);
	}
	if (r == 0)
		r = delegation_effort_left(effort, err);
	if (r == 0)
		*out = steal(list);
	return r;
}

int delegations_for(json_t *object, const char *path, struct delegation **out, struct error *err)
{
	return list_wanted(object, &(struct wanted){.path = path}, out, err);
}

int delegations_towards(json_t *object, const char *name, struct delegation **out,
			struct error *err)
{
	return list_wanted(object, &(struct wanted){.name = name}, out, err);
}

void delegations_free(struct delegation *list)
{
	while (list) {
		struct delegation *next = list->next;

		free(list->name);
		free(list);
		list = next;
	}
}

int delegation_keys(const struct delegation *d, struct role_keys *out, struct error *err)
{
	return role_keys_parse(d->keys, d->keyids, d->threshold, "signed.delegations", out, err);
}
