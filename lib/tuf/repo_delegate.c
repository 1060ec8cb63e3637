/* SPDX-License-Identifier: Apache-2.0 */
/* What repo.h says of delegations. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/tuf/delegation.h"
#include "lib/tuf/repo.h"
#include "lib/tuf/review.h"

enum {
	BITS_MAX = 16,   /* as many bins as clients can list: DELEGATIONS_LISTED_MAX */
	NAME_SIZE = 256, /* longer than any that may be */
};

static int check_threshold(int64_t threshold, struct error *err)
{
	if (threshold < 1 || threshold > KEYS_MAX)
		return error_set(err, E_INVALID,
				 "threshold: want 1 to %d, got %" JSON_INTEGER_FORMAT, KEYS_MAX,
				 (json_int_t)threshold);
	return 0;
}

/* --- what there is ------------------------------------------------------- */

/* Position of a delegated role among `roles`; their number if it is not there. */
static size_t find_role(const json_t *roles, const char *name)
{
	size_t n = json_array_size(roles);

	for (size_t i = 0; i < n; i++) {
		const char *is =
			json_string_value(json_object_get(json_array_get(roles, i), "name"));

		if (is && strcmp(is, name) == 0)
			return i;
	}
	return n;
}

static json_t *roles_of(const json_t *targets)
{
	return json_object_get(json_object_get(targets, "delegations"), "roles");
}

/* Its entry, borrowed. */
static int find_entry(const json_t *targets, const char *name, json_t **out, struct error *err)
{
	json_t *roles = roles_of(targets);
	json_t *entry = json_array_get(roles, find_role(roles, name));

	if (!entry)
		return error_set(err, E_NOTFOUND, "targets.json: delegates nothing to %s", name);
	*out = entry;
	return 0;
}

static bool lists(const json_t *ids, const char *keyid)
{
	size_t i;
	json_t *v;

	json_array_foreach(ids, i, v)
	{
		const char *is = json_string_value(v);

		if (is && strcmp(is, keyid) == 0)
			return true;
	}
	return false;
}

/* Remove the keys that nobody lists, and all of it once nothing is delegated. */
static void prune(json_t *targets)
{
	json_t *all = json_object_get(targets, "delegations");
	json_t *keys = json_object_get(all, "keys"), *roles = roles_of(targets);
	const json_t *bins = json_object_get(all, "succinct_roles");
	const char *keyid;
	json_t *object, *entry;
	size_t i;
	void *next;

	if (json_array_size(roles) == 0 && !bins) {
		(void)json_object_del(targets, "delegations"); /* it is there */
		return;
	}
	json_object_foreach_safe(keys, next, keyid, object)
	{
		bool used = lists(json_object_get(bins, "keyids"), keyid);

		json_array_foreach(roles, i, entry)
		{
			used = used || lists(json_object_get(entry, "keyids"), keyid);
		}
		if (!used)
			(void)json_object_del(keys, keyid); /* it is there */
	}
}

/* The `delegations` object with its member `form`, made if need be. E_EXISTS: it has the other. */
static int open_delegations(json_t *targets, const char *form, json_t *empty_take, json_t **out,
			    struct error *err)
{
	CLEANUP(json_decrefp) json_t *empty = empty_take;
	const char *other = strcmp(form, "roles") == 0 ? "succinct_roles" : "roles";
	json_t *all = json_object_get(targets, "delegations");

	if (!empty)
		return error_nomem(err);
	if (json_object_get(all, other))
		return error_set(err, E_EXISTS,
				 "targets.json: delegates to %s, and cannot to %s at once",
				 *form == 'r' ? "hash bins" : "roles by name",
				 *form == 'r' ? "roles by name" : "hash bins");
	if (!all) {
		all = json_pack("{s:{}}", "keys");
		if (!all || json_object_set_new(targets, "delegations", all) < 0)
			return error_nomem(err);
	}
	if (!json_object_get(all, form) && json_object_set(all, form, empty) < 0)
		return error_nomem(err);
	*out = all;
	return 0;
}

static int add_key(const json_t *targets, const json_t *entry, const char *keyid, json_t *object,
		   struct error *err)
{
	return repo_keys_add(json_object_get(json_object_get(targets, "delegations"), "keys"),
			     entry, keyid, object, err);
}

/* --- roles by name ------------------------------------------------------- */

/* `rule_take` has the members that are replaced, `other` is the one that it excludes. */
static int set_rule(json_t *targets, const char *name, json_t *rule_take, const char *other,
		    struct error *err)
{
	CLEANUP(json_decrefp) json_t *rule = rule_take;
	json_t *all, *roles, *entry;
	int r;

	if (!rule)
		return error_nomem(err);
	r = open_delegations(targets, "roles", json_array(), &all, err);
	if (r < 0)
		return r;
	roles = json_object_get(all, "roles");
	entry = json_array_get(roles, find_role(roles, name));
	if (entry) {
		(void)json_object_del(entry, other); /* it may not be there */
		return json_object_update(entry, rule) < 0 ? error_nomem(err) : 0;
	}
	if (json_object_set_new(rule, "name", json_string(name)) < 0 ||
	    json_object_set_new(rule, "keyids", json_array()) < 0 ||
	    json_array_append(roles, rule) < 0)
		return error_nomem(err);
	return 0;
}

static int check_all(const char *name, const json_t *texts, bool (*ok)(const char *),
		     const char *what, struct error *err)
{
	size_t i;
	json_t *v;

	if (!delegation_name_ok(name))
		return error_set(err, E_INVALID, "%.80s: not a name for a delegated role", name);
	if (json_array_size(texts) == 0)
		return error_set(err, E_INVALID, "%s: want at least one %s", name, what);
	json_array_foreach(texts, i, v)
	{
		if (!json_is_string(v) || !ok(json_string_value(v)))
			return error_set(err, E_INVALID, "%s: not a %s: \"%.80s\"", name, what,
					 json_is_string(v) ? json_string_value(v) : "");
	}
	return 0;
}

int repo_delegate(json_t *targets, const char *name, json_t *paths, int64_t threshold,
		  struct error *err)
{
	int r = check_all(name, paths, review_pattern_ok, "path pattern of plain text, * and ?",
			  err);

	if (r == 0)
		r = check_threshold(threshold, err);
	return r < 0 ? r
		     : set_rule(targets, name,
				json_pack("{s:I, s:b, s:O}", "threshold", (json_int_t)threshold,
					  "terminating", 0, "paths", paths),
				"path_hash_prefixes", err);
}

int repo_delegate_hashed(json_t *targets, const char *name, json_t *prefixes, int64_t threshold,
			 struct error *err)
{
	int r = check_all(name, prefixes, review_prefix_ok,
			  "hash prefix of 1 to 64 lower-case hex digits", err);

	if (r == 0)
		r = check_threshold(threshold, err);
	return r < 0 ? r
		     : set_rule(targets, name,
				json_pack("{s:I, s:b, s:O}", "threshold", (json_int_t)threshold,
					  "terminating", 0, "path_hash_prefixes", prefixes),
				"paths", err);
}

int repo_delegate_terminating(json_t *targets, const char *name, bool terminating,
			      struct error *err)
{
	json_t *entry = NULL;
	int r = find_entry(targets, name, &entry, err);

	if (r < 0)
		return r;
	return json_object_set_new(entry, "terminating", json_boolean(terminating)) < 0
		       ? error_nomem(err)
		       : 0;
}

int repo_delegate_until(json_t *targets, const char *name, int64_t until, struct error *err)
{
	json_t *entry = NULL, *own;
	char text[UTC_SIZE];
	int r = find_entry(targets, name, &entry, err);

	if (r < 0)
		return r;
	own = json_object_get(entry, "x-bequest");
	if (until == INT64_MAX) {
		(void)json_object_del(own, "until"); /* it may not be there */
		if (own && json_object_size(own) == 0)
			(void)json_object_del(entry, "x-bequest");
		return 0;
	}
	utc_format(until, text);
	if (!json_is_object(own)) {
		own = json_object();
		if (!own || json_object_set_new(entry, "x-bequest", own) < 0)
			return error_nomem(err);
	}
	return json_object_set_new(own, "until", json_string(text)) < 0 ? error_nomem(err) : 0;
}

int repo_delegate_place(json_t *targets, const char *name, size_t place, struct error *err)
{
	json_t *roles = roles_of(targets), *found = NULL;
	int r = find_entry(targets, name, &found, err);

	if (r < 0)
		return r;
	CLEANUP(json_decrefp) json_t *entry = json_incref(found);

	(void)json_array_remove(roles, find_role(roles, name)); /* it is there */
	if (place > json_array_size(roles))
		place = json_array_size(roles);
	return json_array_insert(roles, place, entry) < 0 ? error_nomem(err) : 0;
}

int repo_delegate_key(json_t *targets, const char *name, const char *keyid, json_t *object,
		      struct error *err)
{
	json_t *entry = NULL;
	int r = find_entry(targets, name, &entry, err);

	return r < 0 ? r : add_key(targets, entry, keyid, object, err);
}

int repo_delegate_clear(json_t *targets, const char *name, struct error *err)
{
	json_t *entry = NULL;
	int r = find_entry(targets, name, &entry, err);

	if (r < 0)
		return r;
	if (json_array_clear(json_object_get(entry, "keyids")) < 0)
		return error_nomem(err);
	prune(targets);
	return 0;
}

int repo_delegate_drop(json_t *targets, const char *name, struct error *err)
{
	json_t *roles = roles_of(targets);

	if (json_array_remove(roles, find_role(roles, name)) < 0)
		return error_set(err, E_NOTFOUND, "targets.json: delegates nothing to %s", name);
	prune(targets);
	return 0;
}

/* --- hash bins ----------------------------------------------------------- */

int repo_bins(json_t *targets, const char *prefix, int64_t bits, int64_t threshold,
	      struct error *err)
{
	json_t *all = NULL, *bins;
	char longest[NAME_SIZE];
	int n = snprintf(longest, sizeof(longest), "%s-ffff", prefix);
	int r = check_threshold(threshold, err);

	if (r < 0)
		return r;
	if (!*prefix || n < 0 || (size_t)n >= sizeof(longest) || !delegation_name_ok(longest))
		return error_set(err, E_INVALID, "%.80s: not a name for hash bins", prefix);
	if (bits < 1 || bits > BITS_MAX)
		return error_set(err, E_INVALID, "bits: want 1 to %d, got %" JSON_INTEGER_FORMAT,
				 BITS_MAX, (json_int_t)bits);
	r = open_delegations(targets, "succinct_roles", json_pack("{s:[]}", "keyids"), &all, err);
	if (r < 0)
		return r;
	bins = json_object_get(all, "succinct_roles");
	if (json_object_set_new(bins, "name_prefix", json_string(prefix)) < 0 ||
	    json_object_set_new(bins, "bit_length", json_integer(bits)) < 0 ||
	    json_object_set_new(bins, "threshold", json_integer(threshold)) < 0)
		return error_nomem(err);
	return 0;
}

static json_t *bins_of(const json_t *targets)
{
	return json_object_get(json_object_get(targets, "delegations"), "succinct_roles");
}

int repo_bins_key(json_t *targets, const char *keyid, json_t *object, struct error *err)
{
	json_t *bins = bins_of(targets);

	if (!bins)
		return error_set(err, E_NOTFOUND, "targets.json: has no hash bins");
	return add_key(targets, bins, keyid, object, err);
}

int repo_bins_drop(json_t *targets, struct error *err)
{
	if (!bins_of(targets))
		return error_set(err, E_NOTFOUND, "targets.json: has no hash bins");
	(void)json_object_del(json_object_get(targets, "delegations"), "succinct_roles");
	prune(targets);
	return 0;
}
