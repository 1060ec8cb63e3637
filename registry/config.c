/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/config.h"

#include <jansson.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/strict.h"
#include "lib/net/url.h"

enum { CONFIG_MAX = 128 * 1024 };

static const char *const admissions[] = {"open", "moderated", NULL};

struct top {
	const char *name, *origin;
	int admission;
	json_t *witnesses;
};

static const struct field top_fields[] = {
	{.key = "name",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct top, name),
	 .min = 1,
	 .max = NAME_SIZE - 1},
	{.key = "origin",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct top, origin),
	 .min = 1,
	 .max = ORIGIN_SIZE - 1},
	{.key = "admission",
	 .kind = FIELD_NAME,
	 .offset = offsetof(struct top, admission),
	 .names = admissions},
	{.key = "witnesses",
	 .kind = FIELD_OBJECT,
	 .offset = offsetof(struct top, witnesses),
	 .optional = true},
};

struct set {
	json_t *keys;
	int64_t threshold;
};

static const struct field set_fields[] = {
	{.key = "keys",
	 .kind = FIELD_ARRAY,
	 .offset = offsetof(struct set, keys),
	 .max = WITNESSES_MAX},
	{.key = "threshold",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct set, threshold),
	 .max = WITNESSES_MAX},
};

struct one {
	const char *vkey, *url;
};

static const struct field one_fields[] = {
	{.key = "vkey", .kind = FIELD_TEXT, .offset = offsetof(struct one, vkey), .min = 1},
	{.key = "url", .kind = FIELD_TEXT, .offset = offsetof(struct one, url), .min = 1},
};

static int add(struct config *c, const char *vkey, const char *url, struct error *err)
{
	struct config_witness *w = &c->witnesses[c->nwitnesses];
	int r;

	if (c->nwitnesses == WITNESSES_MAX)
		return error_set(err, E_USAGE, "more than %d witnesses", WITNESSES_MAX);
	r = note_key_parse(vkey, &w->key, err);
	if (r == 0 && w->key.type != NOTE_COSIGNATURE)
		r = error_set(err, E_INVALID, "%s: of type %d, want %d", w->key.name, w->key.type,
			      NOTE_COSIGNATURE);
	if (r == 0 &&
	    (strlen(url) >= WITNESS_URL_SIZE || strncmp(url, "http", 4) != 0 || !url_ok(url)))
		r = error_set(err, E_INVALID, "%s: %s: want an http or https URL", w->key.name,
			      url);
	if (r == 0 && strcmp(w->key.name, c->origin) == 0)
		r = error_set(err, E_INVALID, "%s: has the log's name", w->key.name);
	for (size_t i = 0; r == 0 && i < c->nwitnesses; i++)
		if (strcmp(w->key.name, c->witnesses[i].key.name) == 0 ||
		    memcmp(w->key.pub, c->witnesses[i].key.pub, sizeof(w->key.pub)) == 0)
			r = error_set(err, E_INVALID, "%s: is there twice", w->key.name);
	if (r < 0)
		return r == E_INVALID ? error_prefix(err, E_USAGE, "witness") : r;
	(void)snprintf(w->url, sizeof(w->url), "%s", url);
	c->nwitnesses++;
	return 0;
}

int config_add_witness(struct config *c, const char *text, struct error *err)
{
	const char *equals = strchr(text, '='); /* no Ed25519 key has padding */
	CLEANUP(freep) char *vkey = NULL;

	if (!equals)
		return error_set(err, E_USAGE, "witness: %s: want VKEY=URL", text);
	vkey = strndup(text, (size_t)(equals - text));
	return vkey ? add(c, vkey, equals + 1, err) : error_nomem(err);
}

int config_drop_witness(struct config *c, const char *name, struct error *err)
{
	for (size_t i = 0; i < c->nwitnesses; i++) {
		if (strcmp(c->witnesses[i].key.name, name) != 0)
			continue;
		memmove(&c->witnesses[i], &c->witnesses[i + 1],
			(c->nwitnesses - i - 1) * sizeof(c->witnesses[i]));
		c->nwitnesses--;
		return 0;
	}
	return error_set(err, E_USAGE, "witness: %s: there is none of this name", name);
}

int config_set_threshold(struct config *c, size_t threshold, struct error *err)
{
	if (threshold > c->nwitnesses)
		return error_set(err, E_USAGE, "witnesses.threshold: want 0 to %zu, got %zu",
				 c->nwitnesses, threshold);
	c->threshold = threshold;
	return 0;
}

static int read_witnesses(const json_t *object, struct config *c, struct error *err)
{
	struct set s = {0};
	size_t i;
	json_t *entry;
	int r = strict_read(object, "witnesses", set_fields, ARRAY_LEN(set_fields), STRICT_CLOSED,
			    &s, err);

	if (r < 0)
		return r;
	json_array_foreach(s.keys, i, entry)
	{
		struct one one = {0};

		r = strict_read(entry, "witnesses.keys", one_fields, ARRAY_LEN(one_fields),
				STRICT_CLOSED, &one, err);
		if (r == 0)
			r = add(c, one.vkey, one.url, err);
		if (r < 0)
			return r;
	}
	return config_set_threshold(c, (size_t)s.threshold, err);
}

static int read_text(const struct buf *text, struct config *c, struct error *err)
{
	CLEANUP(json_decrefp) json_t *json = NULL;
	struct top top = {0};
	int r = strict_parse(text->data, text->len, NULL, &json, err);

	if (r == 0)
		r = strict_read(json, "", top_fields, ARRAY_LEN(top_fields), STRICT_CLOSED, &top,
				err);
	if (r < 0)
		return r;
	(void)snprintf(c->name, sizeof(c->name), "%s", top.name);
	(void)snprintf(c->origin, sizeof(c->origin), "%s", top.origin);
	c->open_admission = top.admission == 0;
	return top.witnesses ? read_witnesses(top.witnesses, c, err) : 0;
}

int config_load(int data, struct config *out, struct error *err)
{
	CLEANUP(freep) struct config *c = calloc(1, sizeof(*c));
	CLEANUP(buf_clear) struct buf text = {0};
	int r = c ? file_read(data, CONFIG_FILE, CONFIG_MAX, &text, err) : error_nomem(err);

	if (r < 0)
		return r;
	r = read_text(&text, c, err);
	if (r < 0) /* the operator edits it */
		return error_prefix(err, r == E_INVALID ? E_USAGE : r, CONFIG_FILE);
	*out = *c;
	return 0;
}

static json_t *witnesses_json(const struct config *c, struct error *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->nwitnesses; i++) {
		CLEANUP(buf_clear) struct buf vkey = {0};

		if (note_key_format(&c->witnesses[i].key, &vkey, err) < 0 ||
		    json_array_append_new(list, json_pack("{s:s, s:s}", "vkey", vkey.data, "url",
							  c->witnesses[i].url)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o, s:I}", "keys", list, "threshold", (json_int_t)c->threshold);
}

int config_save(int data, const struct config *c, struct error *err)
{
	CLEANUP(json_decrefp)
	json_t *json = json_pack("{s:s, s:s, s:s}", "name", c->name, "origin", c->origin,
				 "admission", admissions[c->open_admission ? 0 : 1]);
	CLEANUP(buf_clear) struct buf file = {0};
	CLEANUP(freep) char *text = NULL;
	int r;

	if (json && c->nwitnesses &&
	    json_object_set_new(json, "witnesses", witnesses_json(c, err)) < 0)
		return error_nomem(err);
	text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	r = text ? buf_printf(&file, err, "%s\n", text) : error_nomem(err);
	return r < 0 ? r : file_write(data, CONFIG_FILE, file.data, file.len, 0644, err);
}
