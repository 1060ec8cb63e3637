/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/repo.h"

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"

#define SPEC_VERSION "1.0.34"

/* --- signed parts -------------------------------------------------------- */

static int set_expiry(json_t *body, int64_t now, int days, struct error *err)
{
	char at[UTC_SIZE];

	utc_format(now + (int64_t)days * DAY_S, at);
	return json_object_set_new(body, "expires", json_string(at)) < 0 ? error_nomem(err) : 0;
}

/* What only one type has, empty. The caller owns it; NULL: no memory. */
static json_t *empty_body(enum tuf_type type)
{
	switch (type) {
	case TUF_ROOT:
		return json_pack("{s:b, s:{}, s:{s:{s:[], s:i}, s:{s:[], s:i}, s:{s:[], s:i},"
				 " s:{s:[], s:i}}}",
				 "consistent_snapshot", 1, "keys", "roles", "root", "keyids",
				 "threshold", 1, "timestamp", "keyids", "threshold", 1, "snapshot",
				 "keyids", "threshold", 1, "targets", "keyids", "threshold", 1);
	case TUF_TARGETS: return json_pack("{s:{}}", "targets");
	default: return json_pack("{s:{}}", "meta");
	}
}

int repo_signed_new(enum tuf_type type, const char *product, int64_t version, int64_t now,
		    json_t **out, struct error *err)
{
	static const int days[TUF_TYPES] = {[TUF_ROOT] = TUF_ROOT_DAYS,
					    [TUF_TIMESTAMP] = TUF_TIMESTAMP_DAYS,
					    [TUF_SNAPSHOT] = TUF_SNAPSHOT_DAYS,
					    [TUF_TARGETS] = TUF_TARGETS_DAYS};
	CLEANUP(json_decrefp) json_t *body = empty_body(type);
	int r;

	if (!body || json_object_set_new(body, "_type", json_string(tuf_type_name(type))) < 0 ||
	    json_object_set_new(body, "spec_version", json_string(SPEC_VERSION)) < 0 ||
	    json_object_set_new(body, "version", json_integer(version)) < 0)
		return error_nomem(err);
	if (product && json_object_set_new(body, "product", json_string(product)) < 0)
		return error_nomem(err);
	r = set_expiry(body, now, days[type], err);
	if (r == 0)
		*out = steal(body);
	return r;
}

int repo_signed_next(const struct envelope *doc, int64_t now, int days, json_t **out,
		     struct error *err)
{
	CLEANUP(json_decrefp) json_t *body = json_clone(envelope_signed(doc));
	int r;

	if (!body ||
	    json_object_set_new(body, "version", json_integer(envelope_version(doc) + 1)) < 0)
		return error_nomem(err);
	r = set_expiry(body, now, days, err);
	if (r == 0)
		*out = steal(body);
	return r;
}

/* --- keys of roles ------------------------------------------------------- */

/* Position of a text in an array of texts; its size if it is not there. */
static size_t find_text(const json_t *array, const char *text)
{
	size_t n = json_array_size(array);

	for (size_t i = 0; i < n; i++) {
		const char *v = json_string_value(json_array_get(array, i));

		if (v && strcmp(v, text) == 0)
			return i;
	}
	return n;
}

static int root_role(const json_t *root, enum tuf_type role, json_t **out, struct error *err)
{
	json_t *entry = json_object_get(json_object_get(root, "roles"), tuf_type_name(role));

	if (!json_is_array(json_object_get(entry, "keyids")))
		return error_set(err, E_INVALID, "signed.roles.%s.keyids: want an array",
				 tuf_type_name(role));
	*out = entry;
	return 0;
}

int repo_keys_add(json_t *keys, const json_t *entry, const char *keyid, json_t *object,
		  struct error *err)
{
	json_t *ids = json_object_get(entry, "keyids"), *there = json_object_get(keys, keyid);

	if (there && !json_equal(there, object))
		return error_set(err, E_INVALID, "keys: %.128s is the id of another key", keyid);
	if (json_object_set(keys, keyid, object) < 0)
		return error_nomem(err);
	if (find_text(ids, keyid) < json_array_size(ids))
		return 0;
	return json_array_append_new(ids, json_string(keyid)) < 0 ? error_nomem(err) : 0;
}

static bool uses(const json_t *entry, const char *keyid)
{
	const json_t *ids = json_object_get(entry, "keyids");

	return find_text(ids, keyid) < json_array_size(ids);
}

/* Remove the keys that no role of the root lists. */
static void root_prune(json_t *root)
{
	json_t *keys = json_object_get(root, "keys"), *roles = json_object_get(root, "roles");
	const char *keyid, *role;
	json_t *object, *entry;
	void *next;

	json_object_foreach_safe(keys, next, keyid, object)
	{
		bool used = false;

		json_object_foreach(roles, role, entry)
		{
			used = used || uses(entry, keyid);
		}
		if (!used)
			(void)json_object_del(keys, keyid); /* it is there */
	}
}

int repo_root_add_key(json_t *root, enum tuf_type role, const char *keyid, json_t *object,
		      struct error *err)
{
	json_t *entry;
	int r = root_role(root, role, &entry, err);

	return r < 0 ? r : repo_keys_add(json_object_get(root, "keys"), entry, keyid, object, err);
}

int repo_root_drop_key(json_t *root, enum tuf_type role, const char *keyid, struct error *err)
{
	json_t *entry, *ids;
	int r = root_role(root, role, &entry, err);

	if (r < 0)
		return r;
	ids = json_object_get(entry, "keyids");
	if (json_array_remove(ids, find_text(ids, keyid)) < 0)
		return error_set(err, E_NOTFOUND, "signed.roles.%s: has no key %s",
				 tuf_type_name(role), keyid);
	root_prune(root);
	return 0;
}

int repo_root_clear_role(json_t *root, enum tuf_type role, struct error *err)
{
	json_t *entry;
	int r = root_role(root, role, &entry, err);

	if (r < 0)
		return r;
	if (json_array_clear(json_object_get(entry, "keyids")) < 0)
		return error_nomem(err);
	root_prune(root);
	return 0;
}

int repo_root_threshold(json_t *root, enum tuf_type role, int64_t threshold, struct error *err)
{
	json_t *entry;
	int r = root_role(root, role, &entry, err);

	if (r < 0)
		return r;
	if (threshold < 1 || threshold > KEYS_MAX)
		return error_set(
			err, E_INVALID,
			"signed.roles.%s.threshold: want 1 to %d, got %" JSON_INTEGER_FORMAT,
			tuf_type_name(role), KEYS_MAX, (json_int_t)threshold);
	return json_object_set_new(entry, "threshold", json_integer(threshold)) < 0
		       ? error_nomem(err)
		       : 0;
}

/* --- targets ------------------------------------------------------------- */

int repo_targets_add(json_t *targets, const char *path, int64_t length, const char *sha256,
		     json_t *custom, struct error *err)
{
	json_t *entry = json_pack("{s:I, s:{s:s}, s:O*}", "length", (json_int_t)length, "hashes",
				  "sha256", sha256, "custom", custom);

	if (!entry || json_object_set_new(json_object_get(targets, "targets"), path, entry) < 0)
		return error_nomem(err);
	return 0;
}

int repo_targets_drop(json_t *targets, const char *path, struct error *err)
{
	if (json_object_del(json_object_get(targets, "targets"), path) < 0)
		return error_set(err, E_NOTFOUND, "targets.json: does not list %s", path);
	return 0;
}

/* --- snapshot and timestamp ---------------------------------------------- */

int repo_meta_set(json_t *role, const char *file, int64_t version, const void *data, size_t len,
		  struct error *err)
{
	char hash[SHA256_HEX_SIZE];
	json_t *entry;

	sha256_hex(data, len, hash);
	entry = json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)version, "length",
			  (json_int_t)len, "hashes", "sha256", hash);
	if (!entry || json_object_set_new(json_object_get(role, "meta"), file, entry) < 0)
		return error_nomem(err);
	return 0;
}
