/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/rootdoc.h"

#include "lib/base/error.h"
#include "lib/json/clone.h"
#include "lib/json/strict.h"
#include "lib/sign/signer.h"
#include "lib/tuf/repo.h"
#include "lib/tuf/review.h"
#include "policies/publisher.h"

enum { RECORD_MAX = 512 * 1024 };

int rootdoc_role(json_t *root, enum tuf_type role, const struct cli_list *files, int64_t threshold,
		 struct error *err)
{
	int r = repo_root_clear_role(root, role, err);

	if (r == 0 && (threshold < 1 || (uint64_t)threshold > files->n))
		return error_set(err, E_USAGE, "the threshold of %s: want 1 to %zu keys, got %lld",
				 tuf_type_name(role), files->n, (long long)threshold);
	for (size_t i = 0; r == 0 && i < files->n; i++) {
		CLEANUP(key_file_clear) struct key_file k = {0};

		r = key_file_read(files->items[i], &k, err);
		if (r == 0)
			r = repo_root_add_key(root, role, k.keyid, k.object, err);
	}
	return r < 0 ? r : repo_root_threshold(root, role, threshold, err);
}

/* One key alone in an online role. */
static int put_online(json_t *root, enum tuf_type role, const char *keyid, json_t *object,
		      struct error *err)
{
	int r = repo_root_clear_role(root, role, err);

	if (r == 0)
		r = repo_root_add_key(root, role, keyid, object, err);
	return r < 0 ? r : repo_root_threshold(root, role, 1, err);
}

int rootdoc_online(json_t *root, const struct desk *desk, const char *product,
		   const char *publisher, struct error *err)
{
	struct {
		json_t *keys;
		const char *timestamp, *snapshot;
	} in = {0};
	const struct field fields[] = {
		{.key = "keys", .kind = FIELD_OBJECT, .offset = offsetof(__typeof__(in), keys)},
		{.key = "timestamp",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(__typeof__(in), timestamp),
		 .min = 1,
		 .max = KEYID_MAX},
		{.key = "snapshot",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(__typeof__(in), snapshot),
		 .min = 1,
		 .max = KEYID_MAX},
	};
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s}", "publisher", publisher);
	CLEANUP(json_decrefp) json_t *reply = NULL;
	CLEANUP(buf_clear) struct buf path = {0};
	int r = body ? buf_printf(&path, err, "v1/products/%s/online-keys", product)
		     : error_nomem(err);

	if (r == 0)
		r = api_post(&desk->api, path.data, body, &reply, err);
	if (r == 0)
		r = strict_read(reply, "", fields, ARRAY_LEN(fields), STRICT_OPEN, &in, err);
	if (r < 0)
		return error_prefix(err, r, "online keys");

	json_t *timestamp = json_object_get(in.keys, in.timestamp);
	json_t *snapshot = json_object_get(in.keys, in.snapshot);

	if (!timestamp || !snapshot)
		return error_set(err, E_INVALID, "online keys: keys: lacks one that it names");
	r = put_online(root, TUF_TIMESTAMP, in.timestamp, timestamp, err);
	if (r == 0)
		r = put_online(root, TUF_SNAPSHOT, in.snapshot, snapshot, err);
	return r < 0 ? error_prefix(err, r, "online keys") : 0;
}

int rootdoc_throwaway(json_t *root, struct error *err)
{
	static const enum tuf_type online[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};

	for (size_t i = 0; i < ARRAY_LEN(online); i++) {
		CLEANUP(buf_wipe) struct buf pem = {0};
		CLEANUP(signer_freep) struct signer *s = NULL;
		int r = signer_generate("ed25519", &pem, err);

		if (r == 0)
			r = signer_from_pem(pem.data, pem.len, &s, err);
		if (r == 0)
			r = put_online(root, online[i], key_id(signer_key(s)),
				       key_object(signer_key(s)), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int rootdoc_logs(json_t *x_bequest, const struct desk *desk, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *record = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	struct statement s;
	json_t *witnesses;
	int r = desk_get(desk, "registry.json", RECORD_MAX, &text, err);

	if (r == 0)
		r = envelope_parse(text.data, text.len, "registry.json", &record, err);
	if (r == 0)
		r = statement_read(record, "registry.json", &s, err);
	if (r < 0)
		return r;
	witnesses = json_object_get(envelope_signed(record), "witnesses");
	r = json_put(x_bequest, "logs",
		     json_clone(json_object_get(envelope_signed(record), "logs")), err);
	if (r < 0)
		return r;
	return json_put(x_bequest, "witnesses",
			witnesses ? json_clone(witnesses)
				  : json_pack("{s:[], s:i}", "keys", "threshold", 0),
			err);
}

int rootdoc_portable(const struct tuf_root *root, struct error *err)
{
	for (size_t t = 0; t < TUF_TYPES; t++)
		for (size_t i = 0; i < root->role[t].n; i++)
			if (!key_portable(root->role[t].keys[i]))
				return error_set(
					err, E_USAGE,
					"--portable: roles.%s: %s is an OpenPGP key, which "
					"go-tuf, tough and tuf-js do not read; sign with a "
					"key that `key new --seal-to` makes",
					tuf_type_name((enum tuf_type)t),
					key_id(root->role[t].keys[i]));
	return 0;
}

int rootdoc_check(const struct envelope *doc, const char *name, struct tuf_root **out,
		  struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct publisher p;
	int r = tuf_root_parse(envelope_bytes(doc)->data, envelope_bytes(doc)->len, name, &root,
			       err);

	if (r == 0)
		r = publisher_read(root, name, &p, err);
	if (r < 0)
		return r;
	r = desk_usage(review_root(root, 0, err), err); /* a bridge may be past its expiry */
	if (r < 0)
		return error_prefix(err, r, "%s", name);
	*out = steal(root);
	return 0;
}
