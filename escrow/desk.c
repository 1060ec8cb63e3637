/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/desk.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/json/strict.h"
#include "lib/net/url.h"
#include "lib/sign/signer_spec.h"

enum { MODE_FILE = 0644, KEY_FILE_MAX = 64 * 1024 };

int desk_open(const struct common *c, struct desk *out, struct error *err)
{
	struct desk d = {.api = {.base = c->registry}};
	const struct http_options o = {.allow_plain = c->allow_http};
	int r;

	if (!c->registry)
		return error_set(err, E_USAGE, "--registry is required for this");
	if (!url_ok(c->registry))
		return error_set(err, E_USAGE, "--registry: want http, https or file, got %.80s",
				 c->registry);
	r = http_new(&o, &d.http, err);
	if (r < 0)
		return r;
	d.api.http = d.http;
	*out = d;
	return 0;
}

void desk_close(struct desk *d)
{
	http_free(d->http);
	*d = (struct desk){0};
}

int desk_get(const struct desk *d, const char *path, size_t max, struct buf *out, struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	int r = http_url(d->api.base, path, &url, err);

	return r < 0 ? r : http_get(d->http, url, max, out, err);
}

int desk_get_json(const struct desk *d, const char *path, size_t max, json_t **out,
		  struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = desk_get(d, path, max, &text, err);

	return r < 0 ? r : strict_parse(text.data, text.len, path, out, err);
}

int desk_usage(int r, struct error *err)
{
	if (r != E_NOTFOUND && r != E_INVALID && r != E_UNTRUSTED)
		return r;
	if (err)
		err->code = E_USAGE;
	return E_USAGE;
}

int desk_read(const char *path, size_t max, struct buf *out, struct error *err)
{
	return desk_usage(file_read(AT_FDCWD, path, max, out, err), err);
}

int desk_read_json(const char *path, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = desk_read(path, DOCUMENT_MAX, &text, err);

	return r < 0 ? r : desk_usage(strict_parse(text.data, text.len, path, out, err), err);
}

int desk_read_envelope(const char *path, struct envelope **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = desk_read(path, TUF_TARGETS_MAX, &text, err);

	return r < 0 ? r : envelope_parse(text.data, text.len, path, out, err);
}

int desk_read_root(const char *path, struct tuf_root **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = desk_read(path, TUF_ROOT_MAX, &text, err);

	return r < 0 ? r : tuf_root_parse(text.data, text.len, path, out, err);
}

int json_put(json_t *object, const char *key, json_t *value_take, struct error *err)
{
	return json_object_set_new(object, key, value_take) < 0 ? error_nomem(err) : 0;
}

int desk_statement(enum statement_type type, const char *product, int64_t version,
		   const struct tuf_root *root, json_t **out, struct error *err)
{
	char issued[UTC_SIZE];
	json_t *o;

	if (!product_id_ok(product))
		return error_set(err, E_USAGE, "--product: want [a-z0-9][a-z0-9.-]{0,62}");
	utc_format(utc_now(), issued);
	o = json_pack("{s:s, s:s, s:s, s:I, s:s}", "_type", statement_name(type), "spec_version",
		      "1.0", "product", product, "version", (json_int_t)version, "issued", issued);
	if (o && root &&
	    json_object_set_new(o, "root",
				json_pack("{s:I, s:s}", "version", (json_int_t)root->version, "id",
					  envelope_id(root->doc))) < 0) {
		json_decref(o);
		o = NULL;
	}
	if (!o)
		return error_nomem(err);
	*out = o;
	return 0;
}

int desk_time(const char *option, const char *text, char out[UTC_SIZE], struct error *err)
{
	char whole[UTC_SIZE + 1];
	int64_t at;

	(void)snprintf(whole, sizeof(whole), "%s%s", text, strchr(text, 'T') ? "" : "T00:00:00Z");
	if (!utc_parse(whole, &at))
		return error_set(err, E_USAGE,
				 "--%s: want YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ, got %s", option,
				 text);
	utc_format(at, out);
	return 0;
}

int desk_sign(const struct common *c, struct envelope *doc, struct error *err)
{
	for (size_t i = 0; i < c->keys.n; i++) {
		CLEANUP(signer_freep) struct signer *s = NULL;
		int r = signer_open_spec(c->keys.items[i], c->gnupg_home, &s, err);

		if (r == 0)
			r = signer_sign_envelope(s, doc, err);
		if (r < 0)
			return error_prefix(err, desk_usage(r, err), "--key %s", c->keys.items[i]);
	}
	return 0;
}

int desk_write(const char *path, const struct envelope *doc, struct error *err)
{
	const struct buf *b = envelope_bytes(doc);

	return file_write(AT_FDCWD, path, b->data, b->len, MODE_FILE, err);
}

int desk_finish(const struct cli_call *call, const struct common *c, struct envelope *doc,
		struct error *err)
{
	CLEANUP(desk_close) struct desk d = {0};
	const struct envelope *one = doc;
	int r;

	if (!c->out && !c->registry)
		return error_set(err, E_USAGE, "want --out FILE or --registry URL");
	r = desk_sign(c, doc, err);
	if (r < 0)
		return r;
	if (!c->out) {
		r = desk_open(c, &d, err);
		return r < 0 ? r : desk_submit(call, &d, &one, 1, err);
	}
	r = desk_write(c->out, doc, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s, s:I}", "ok", 1, "file", c->out,
					    "type", envelope_type(doc), "id", envelope_id(doc),
					    "signatures", (json_int_t)envelope_signatures(doc)),
				  err);
	(void)printf("%s: %s %s, %zu signature%s\n", c->out, envelope_type(doc), envelope_id(doc),
		     envelope_signatures(doc), envelope_signatures(doc) == 1 ? "" : "s");
	return 0;
}

/* One line for a document that the registry answered for. */
static void print_outcome(const json_t *one)
{
	const char *type = json_string_value(json_object_get(one, "type"));
	const char *id = json_string_value(json_object_get(one, "id"));
	const char *state = json_string_value(json_object_get(one, "state"));
	const json_t *need = json_object_get(one, "need");

	log_escaped(stdout, type ? type : "document");
	(void)putchar(' ');
	log_escaped(stdout, id ? id : "?");
	(void)fputs(": ", stdout);
	log_escaped(stdout, state ? state : "?");
	if (json_is_integer(need) && state && strcmp(state, "proposal") == 0)
		(void)printf(", %lld of %lld signatures",
			     (long long)json_integer_value(json_object_get(one, "have")),
			     (long long)json_integer_value(need));
	(void)putchar('\n');
}

int desk_submit(const struct cli_call *call, const struct desk *d,
		const struct envelope *const *docs, size_t n, struct error *err)
{
	CLEANUP(freep) struct buf *bytes = calloc(n, sizeof(*bytes));
	CLEANUP(json_decrefp) json_t *reply = NULL;
	const json_t *one;
	size_t i;
	int r;

	if (!bytes)
		return error_nomem(err);
	for (i = 0; i < n; i++)
		bytes[i] = *envelope_bytes(docs[i]); /* borrowed */
	r = api_post_documents(&d->api, bytes, n, &reply, err);
	if (r < 0)
		return r;
	if (call->json) {
		r = json_put(reply, "ok", json_true(), err);
		return r < 0 ? r : json_print(steal(reply), err);
	}
	json_array_foreach(json_object_get(reply, "documents"), i, one) print_outcome(one);
	return 0;
}
