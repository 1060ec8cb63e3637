/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tree/render.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/tuf/role.h"
#include "policies/publisher.h"
#include "registry/tree/metadata.h"
#include "registry/tree/outbox.h"

enum { PAGE_FROM = 1000 }; /* products: then products.json is paged by first letter */

static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static int put_json(struct work *w, const char *path, const json_t *value, struct error *err)
{
	CLEANUP(buf_clear) struct buf content = {0};
	char *text = json_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS);
	int r;

	if (!text)
		return error_nomem(err);
	r = buf_printf(&content, err, "%s\n", text);
	free(text);
	return r < 0 ? r : outbox_put(w, STAGE_INDEX, path, &content, err);
}

/* --- index.json --- */

struct index {
	struct store *store;
	json_t *documents, *deposits; /* borrowed */
	char root[SHA256_HEX_SIZE];   /* of the current root */
	bool ended, released;
};

static int add_document(void *ctx, const struct document_row *doc, struct error *err)
{
	struct index *x = ctx;
	char path[PATH_SIZE], proof[PATH_SIZE], issued[UTC_SIZE];
	int r = metadata_path(x->store, doc, path, err);
	json_t *entry;

	if (r < 0)
		return r;
	(void)snprintf(proof, sizeof(proof), "proofs/%s.tlog-proof", doc->id);
	utc_format(doc->issued, issued);
	entry = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "type", doc->type,
			  "version", (json_int_t)doc->version, "id", doc->id, "sha256", doc->sha256,
			  "path", path, "proof", proof, "seq", (json_int_t)doc->seq, "log_index",
			  (json_int_t)doc->index, "issued", issued);
	if (entry && doc->role[0] && json_object_set_new(entry, "role", json_string(doc->role)) < 0)
		return error_nomem(err);
	if (!entry || json_array_append_new(x->documents, entry) < 0)
		return error_nomem(err);
	if (strcmp(doc->type, "eol") == 0)
		x->ended = true;
	return 0;
}

int deposit_state(struct store *s, const struct deposit_row *deposit, const char *root,
		  const char **out, struct error *err)
{
	struct document_row bridge;
	struct error none;
	int64_t notices = 0;
	int r = store_document(s, deposit->bridge, &bridge, NULL, &none);

	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	if (r == 0 || deposit->release[0]) {
		*out = "open";
		return 0;
	}
	if (strcmp(deposit->follows, root) != 0) {
		*out = "void";
		return 0;
	}
	r = store_deposit_count(s, deposit->id, "notice", &notices, err);
	if (r == 0)
		*out = notices > 0 ? "notice" : "sealed";
	return r;
}

static int add_deposit(void *ctx, const struct deposit_row *row, struct error *err)
{
	struct index *x = ctx;
	char path[PATH_SIZE];
	const char *state = "";
	int r = deposit_state(x->store, row, x->root, &state, err);

	if (r < 0)
		return r;
	if (strcmp(state, "open") == 0)
		x->released = true;
	(void)snprintf(path, sizeof(path), "deposits/%s", row->id);
	if (json_array_append_new(x->deposits, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", row->id,
							 "path", path, "follows_root", row->follows,
							 "bridge", row->bridge, "state", state)) <
	    0)
		return error_nomem(err);
	return 0;
}

static json_t *source_json(const struct product_row *product)
{
	if (!product->head[0])
		return json_null();
	return json_pack("{s:s, s:s}", "path", "source.git", "head", product->head);
}

static const char *product_state(const struct index *x, bool kept)
{
	if (kept)
		return "kept";
	if (x->released)
		return "released";
	return x->ended ? "ended" : "supported";
}

/* {"id", "name", "kind"} of who holds this root. */
static int publisher_json(const struct tuf_root *root, json_t **out, bool *kept, struct error *err)
{
	struct publisher who;
	int r = publisher_read(root, "root.json", &who, err);

	if (r < 0)
		return r;
	*kept = who.kind == PUBLISHER_STEWARDS;
	*out = json_pack("{s:s, s:s, s:s}", "id", who.id, "name", who.name, "kind",
			 publisher_kind_name(who.kind));
	return *out ? 0 : error_nomem(err);
}

int render_index(struct store *s, const char *product, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *documents = json_array();
	CLEANUP(json_decrefp) json_t *deposits = json_array();
	CLEANUP(json_decrefp) json_t *publisher = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct index x = {.store = s, .documents = documents, .deposits = deposits};
	struct product_row row;
	bool kept = false;
	int r = store_product(s, product, &row, err);

	if (r == 0)
		r = load_root(s, product, row.root, &root, err);
	if (r == 0)
		r = publisher_json(root, &publisher, &kept, err);
	if (r < 0)
		return r;
	if (!documents || !deposits)
		return error_nomem(err);
	assert(root);
	memcpy(x.root, envelope_id(root->doc), sizeof(x.root));
	r = store_documents(s, product, add_document, &x, err);
	if (r == 0)
		r = store_deposits(s, product, NULL, add_deposit, &x, err);
	if (r < 0)
		return r;
	*out = json_pack("{s:s, s:s, s:s, s:I, s:O, s:O, s:O, s:o}", "format", "bequest-index/1",
			 "product", product, "state", product_state(&x, kept), "root_version",
			 (json_int_t)row.root, "publisher", publisher, "documents", documents,
			 "deposits", deposits, "source", source_json(&row));
	return *out ? 0 : error_nomem(err);
}

/* --- products.json, hardware/ --- */

static int add_text(void *ctx, const char *text, struct error *err)
{
	return json_array_append_new(ctx, json_string(text)) < 0 ? error_nomem(err) : 0;
}

static int add_listing(void *ctx, const char *text, struct error *err)
{
	json_t *entry = json_loads(text, 0, NULL); /* we wrote it */

	return json_array_append_new(ctx, entry) < 0 ? error_nomem(err) : 0;
}

static int put_page(struct work *w, const char *prefix, const char *path, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();
	CLEANUP(json_decrefp) json_t *page = NULL;
	int r;

	if (!list)
		return error_nomem(err);
	r = store_listings(w->store, prefix, add_listing, list, err);
	if (r < 0)
		return r;
	page = json_pack("{s:s, s:O}", "format", "bequest-products/1", "products", list);
	return page ? put_json(w, path, page, err) : error_nomem(err);
}

static int put_pages(struct work *w, const char *only, struct error *err)
{
	CLEANUP(json_decrefp) json_t *pages = json_object();
	CLEANUP(json_decrefp) json_t *top = NULL;

	for (const char *l = letters; *l; l++) {
		const char prefix[2] = {*l, '\0'};
		char path[PATH_SIZE];

		(void)snprintf(path, sizeof(path), "products/%s.json", prefix);
		if (json_object_set_new(pages, prefix, json_string(path)) < 0)
			return error_nomem(err);
		if (only && *only != *l)
			continue;
		int r = put_page(w, prefix, path, err);
		if (r < 0)
			return r;
	}
	top = json_pack("{s:s, s:O}", "format", "bequest-products/1", "pages", pages);
	return top ? put_json(w, "products.json", top, err) : error_nomem(err);
}

/* The page of `product`, or all (NULL): products.json is whole until it is large. */
static int put_products(struct work *w, const char *product, struct error *err)
{
	int64_t n = 0;
	int r = store_listing_count(w->store, &n, err);

	if (r < 0)
		return r;
	if (n < PAGE_FROM)
		return put_page(w, "", "products.json", err);
	return put_pages(w, n == PAGE_FROM ? NULL : product, err);
}

int render_products(struct work *w, struct error *err)
{
	int r = put_products(w, NULL, err);

	return r < 0 ? r : outbox_pages(w, "", err);
}

int render_hardware(struct work *w, const json_t *ids, struct error *err)
{
	json_t *id;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		CLEANUP(json_decrefp) json_t *products = json_array();
		CLEANUP(json_decrefp) json_t *file = NULL;
		const char *name = json_string_value(id);
		char path[PATH_SIZE];
		int r;

		(void)snprintf(path, sizeof(path), "hardware/%s.json", name ? name : "");
		if (!name || !file_path_ok(path) || strchr(name, '/'))
			continue; /* no file of that name: found through products.json alone */
		r = store_hardware_products(w->store, name, add_text, products, err);
		if (r < 0)
			return r;
		file = json_pack("{s:s, s:s, s:O}", "format", "bequest-hardware/1", "hardware",
				 name, "products", products);
		r = file ? put_json(w, path, file, err) : error_nomem(err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The name in the latest product statement, or the id. */
static int product_name(struct work *w, const char *product, json_t **out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct document_row row = {.type = "product"};
	struct error none;
	int r;

	(void)snprintf(row.product, sizeof(row.product), "%s", product);
	r = store_document_latest(w->store, &row, &bytes, &none);
	if (r == 0)
		r = envelope_parse(bytes.data, bytes.len, "product.json", &doc, &none);
	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	/* a text: shared as it is */
	*out = doc ? json_incref(json_object_get(envelope_signed(doc), "name"))
		   : json_string(product);
	return *out ? 0 : error_nomem(err);
}

static int listing_text(struct work *w, const json_t *index, const char *product, char **out,
			struct error *err)
{
	CLEANUP(json_decrefp) json_t *hardware = json_array();
	CLEANUP(json_decrefp) json_t *name = NULL;
	CLEANUP(json_decrefp) json_t *entry = NULL;
	int r = product_name(w, product, &name, err);

	if (r == 0)
		r = store_hardware_ids(w->store, product, add_text, hardware, err);
	if (r < 0)
		return r;
	entry = json_pack("{s:s, s:O, s:O, s:O, s:O, s:O}", "id", product, "name", name, "state",
			  json_object_get(index, "state"), "root_version",
			  json_object_get(index, "root_version"), "publisher",
			  json_object_get(index, "publisher"), "hardware", hardware);
	*out = entry ? json_dumps(entry, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	return *out ? 0 : error_nomem(err);
}

static int render_one(struct work *w, const char *product, struct error *err)
{
	CLEANUP(json_decrefp) json_t *index = NULL;
	CLEANUP(freep) char *listing = NULL;
	char path[PATH_SIZE];
	bool changed = false;
	int r = render_index(w->store, product, &index, err);

	(void)snprintf(path, sizeof(path), "p/%s/index.json", product);
	if (r == 0)
		r = put_json(w, path, index, err);
	if (r == 0)
		r = listing_text(w, index, product, &listing, err);
	if (r == 0)
		r = outbox_pages(w, product, err);
	if (r == 0)
		r = store_product_listing(w->store, product, listing, &changed, err);
	if (r < 0 || !changed)
		return r;
	r = put_products(w, product, err);
	return r < 0 ? r : outbox_pages(w, "", err);
}

int render_touched(struct work *w, struct error *err)
{
	for (size_t i = 0; i < w->ntouched; i++) {
		struct product_row row;
		struct error none;
		int r = store_product(w->store, w->touched[i], &row, &none);

		/* A job that was undone may have touched what is not there. */
		if (r == E_NOTFOUND || (r == 0 && row.root == 0))
			continue;
		if (r < 0)
			return error_set(err, r, "%s", none.text);
		r = render_one(w, w->touched[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
