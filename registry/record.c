/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/record.h"

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "registry/tree/outbox.h"

enum { RECORD_MAX = 512 * 1024 };

#define RECORD "registry.json"

static json_t *key_list(const struct key *k)
{
	return json_pack("{s:O}", key_id(k), key_object(k));
}

static int add_witnesses(const struct config *c, json_t *out, struct error *err)
{
	for (size_t i = 0; i < c->nwitnesses; i++) {
		CLEANUP(buf_clear) struct buf vkey = {0};
		int e = note_key_format(&c->witnesses[i].key, &vkey, err);

		if (e < 0)
			return e;
		if (json_array_append_new(out, json_string(vkey.data)) < 0)
			return error_nomem(err);
	}
	return 0;
}

/* All but version and issued. */
static int make_body(const struct registry *r, json_t **out, struct error *err)
{
	const char *admission = r->config.open_admission ? "admission/open" : "admission/moderated";
	CLEANUP(buf_clear) struct buf vkey = {0};
	CLEANUP(json_decrefp) json_t *witnesses = json_array();
	int e = note_key_format(keys_log(r->keys), &vkey, err);

	if (e == 0)
		e = add_witnesses(&r->config, witnesses, err);
	if (e < 0)
		return e;
	*out = json_pack(
		"{s:s, s:s, s:s, s:{s:o, s:i}, s:[{s:s, s:s, s:s}], s:o, s:{s:O, s:I}, s:[], s:[], "
		"s:{s:s, s:s, s:s}}",
		"_type", "registry", "spec_version", "1.0", "name", r->config.name, "root", "keys",
		key_list(signer_key(keys_root(r->keys))), "threshold", 1, "logs", "origin",
		r->config.origin, "vkey", vkey.data, "url", "log/", "online",
		key_list(signer_key(keys_online(r->keys))), "witnesses", "keys", witnesses,
		"threshold", (json_int_t)r->config.threshold, "auditors", "mirrors", "policies",
		"admission", admission, "vendor", "publish/basic", "stewards",
		"publish/open-source");
	return *out ? 0 : error_nomem(err);
}

/* The version that is published; *same: it says what `body` says. 0: there is none. */
static int published_version(const struct registry *r, json_t *body, bool *same, int64_t *out,
			     struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(json_decrefp) json_t *now = NULL;
	int e = 0;

	*out = 0;
	*same = false;
	if (!file_exists(r->public, RECORD))
		return 0;
	e = file_read(r->public, RECORD, RECORD_MAX, &bytes, err);
	if (e == 0)
		e = envelope_parse(bytes.data, bytes.len, RECORD, &doc, err);
	if (e < 0)
		return e;
	*out = envelope_version(doc);
	now = json_clone(envelope_signed(doc));
	if (!now)
		return error_nomem(err);
	if (json_object_del(now, "version") < 0 || json_object_del(now, "issued") < 0)
		return 0;
	*same = json_equal(now, body);
	return 0;
}

static int sign(const struct registry *r, json_t *body_take, struct envelope **out,
		struct error *err)
{
	int e = envelope_new(body_take, out, err);

	return e < 0 ? e : signer_sign_envelope(keys_root(r->keys), *out, err);
}

int record_publish(struct work *w, void *unused, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *body = NULL;
	char issued[UTC_SIZE];
	int64_t version = 0;
	bool same = false;
	int r = make_body(w->r, &body, err);

	(void)unused;
	if (r == 0)
		r = published_version(w->r, body, &same, &version, err);
	if (r < 0 || same)
		return r;
	utc_format(w->now, issued);
	if (json_object_set_new(body, "version", json_integer(version + 1)) < 0 ||
	    json_object_set_new(body, "issued", json_string(issued)) < 0)
		return error_nomem(err);
	r = sign(w->r, json_incref(body), &doc, err);
	return r < 0 ? r : outbox_put(w, STAGE_INDEX, RECORD, envelope_bytes(doc), err);
}
