/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/review.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/tuf/hashes.h"
#include "lib/tuf/reach.h"

enum { WHERE_SIZE = 256 };

static int check_expiry(int64_t expires, int64_t now, struct error *err)
{
	return expires > now ? 0 : error_set(err, E_INVALID, "signed.expires: lies in the past");
}

/* Can the threshold be reached? Of each key once, and of those that verify anything. */
static int check_keys(const struct role_keys *keys, const char *where, struct error *err)
{
	int64_t usable = 0;

	for (size_t i = 0; i < keys->n; i++)
		usable += key_kind(keys->keys[i]) != KEY_UNKNOWN;
	if (keys->threshold <= usable)
		return 0;
	return error_set(err, E_INVALID,
			 "%s: %" PRId64 " of its keys can be used, and its threshold is %" PRId64,
			 where, usable, keys->threshold);
}

int review_root(const struct tuf_root *root, int64_t now, struct error *err)
{
	const json_t *roles = json_object_get(envelope_signed(root->doc), "roles");
	size_t len = envelope_bytes(root->doc)->len;
	int r = check_expiry(root->expires, now, err);

	if (r == 0 && json_object_size(roles) != TUF_TYPES)
		r = error_set(err, E_INVALID,
			      "signed.roles: want root, timestamp, snapshot, targets and no other, "
			      "got %zu roles",
			      json_object_size(roles));
	if (r == 0 && len > REVIEW_ROOT_MAX)
		r = error_set(err, E_INVALID, "has %zu bytes, and clients take no more than %d",
			      len, REVIEW_ROOT_MAX);
	for (int t = 0; r == 0 && t < TUF_TYPES; t++) {
		char where[WHERE_SIZE];

		(void)snprintf(where, sizeof(where), "signed.roles.%s",
			       tuf_type_name((enum tuf_type)t));
		r = check_keys(&root->role[t], where, err);
	}
	return r;
}

/* --- delegations --------------------------------------------------------- */

bool review_pattern_ok(const char *pattern)
{
	/* brackets, braces and backslashes mean something to some clients only */
	if (strpbrk(pattern, "[]{}\\") || !*pattern)
		return false;
	for (const char *p = pattern; p; p = strchr(p, '/')) {
		p += p != pattern;
		if (*p == '/' || *p == '\0' || *p == '.')
			return false;
	}
	return true;
}

bool review_prefix_ok(const char *prefix)
{
	size_t len = strlen(prefix);

	return len >= 1 && len <= SHA256_HEX && strspn(prefix, "0123456789abcdef") == len;
}

/* Entry number `i` of the list, and what the list stands in the way of. */
struct looked_at {
	const struct delegation *d;
	size_t i;
	struct reach *reach;
};

static int check_rules(const struct looked_at *at, struct error *err)
{
	const struct delegation *d = at->d;
	const json_t *paths = json_object_get(d->rule, "paths"), *v;
	bool hashed = !paths;
	int reached = 0;
	size_t i;

	json_array_foreach(hashed ? json_object_get(d->rule, "path_hash_prefixes") : paths, i, v)
	{
		const char *rule = json_string_value(v);

		if (!(hashed ? review_prefix_ok(rule) : review_pattern_ok(rule)))
			return error_set(err, E_INVALID,
					 "signed.delegations: %.80s: \"%.80s\": want %s", d->name,
					 rule,
					 hashed ? "1 to 64 lower-case hex digits"
						: "a path of plain text, * and ?");
		if (!reached)
			reached = reach_comes(at->reach, at->i, rule, hashed, err);
		if (reached < 0)
			return reached;
	}
	if (reached)
		return 0;
	return error_set(err, E_INVALID,
			 "signed.delegations: %.80s: no search comes to it: the roles before it "
			 "have all of its paths",
			 d->name);
}

static int check_delegation(const struct looked_at *at, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	const struct delegation *d = at->d;
	char where[WHERE_SIZE];
	int r = delegation_keys(d, &keys, err);

	(void)snprintf(where, sizeof(where), "signed.delegations: %.80s", d->name);
	if (r == 0 && !delegation_name_ok(d->name))
		r = error_set(err, E_INVALID, "%s: its files cannot be named so", where);
	if (r == 0)
		r = check_keys(&keys, where, err);
	if (r < 0 || d->bits)
		return r;
	if (!json_is_boolean(json_object_get(d->rule, "terminating")))
		return error_set(err, E_INVALID, "%s: terminating: want true or false, got nothing",
				 where);
	return check_rules(at, err);
}

static int check_delegations(json_t *object, struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	CLEANUP(reach_freep) struct reach *reach = NULL;
	int r = delegations_for(object, NULL, &list, err);

	if (r == 0)
		r = reach_new(list, &reach, err);
	for (struct looked_at at = {list, 0, reach}; r == 0 && at.d; at.d = at.d->next, at.i++) {
		r = check_delegation(&at, err);
		if (at.d->bits) /* all bins are alike */
			break;
	}
	return r;
}

/* --- targets ------------------------------------------------------------- */

/* Under consistent snapshots the file is called "<sha256>.<last component>". */
static int check_file_name(const char *path, const char *where, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = strlen(slash ? slash + 1 : path);

	if (len >= 1 && len <= REVIEW_FILE_NAME_MAX)
		return 0;
	return error_set(err, E_INVALID, "%s: last component: want 1 to %d bytes, got %zu", where,
			 REVIEW_FILE_NAME_MAX, len);
}

static int check_entries(const json_t *targets, struct error *err)
{
	const char *path;
	json_t *entry;

	json_object_foreach((json_t *)(uintptr_t)targets, path, entry)
	{
		CLEANUP(hashes_freep) struct hashes *h = NULL;
		struct error none = {0};
		char where[WHERE_SIZE];
		int r;

		(void)snprintf(where, sizeof(where), "signed.targets[\"%.80s\"]", path);
		r = check_file_name(path, where, err);
		if (r < 0)
			return r;
		r = hashes_new(json_object_get(entry, "hashes"), where, &h, &none);
		if (r < 0)
			return r == E_UNTRUSTED ? error_set(err, E_INVALID, "%s", none.text)
						: error_nomem(err);
	}
	return 0;
}

int review_targets(const struct tuf_role *role, int64_t last, int64_t now, struct error *err)
{
	const json_t *body = envelope_signed(role->doc);
	size_t len = envelope_bytes(role->doc)->len;
	int r = check_expiry(role->expires, now, err);

	if (r == 0 && role->version <= last)
		r = error_set(err, E_INVALID,
			      "signed.version: want more than %" PRId64 ", got %" PRId64, last,
			      role->version);
	if (r == 0 && len > TUF_TARGETS_MAX)
		r = error_set(err, E_INVALID, "has %zu bytes, and clients take no more than %d",
			      len, TUF_TARGETS_MAX);
	if (r == 0)
		r = check_entries(json_object_get(body, "targets"), err);
	if (r == 0)
		r = check_delegations(json_object_get(body, "delegations"), err);
	return r;
}

int review_paths(const json_t *targets, const struct descent *at, struct error *err)
{
	size_t effort = DELEGATION_EFFORT;
	const char *path;
	json_t *entry;

	json_object_foreach((json_t *)(uintptr_t)targets, path, entry)
	{
		int r;

		if (descent_trusts(at, path, &effort))
			continue;
		r = delegation_effort_left(effort, err);
		if (r < 0)
			return r;
		return error_set(err, E_INVALID,
				 "signed.targets[\"%.80s\"]: is not among the paths that "
				 "are delegated to %.80s",
				 path, at->d->name);
	}
	return 0;
}
