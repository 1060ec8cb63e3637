/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/reply.h"

#include <stdio.h>

#include "lib/base/error.h"

/* What is known of one document; text is borrowed. */
struct outcome {
	const char *id, *sha256, *type, *state;
	const char *product; /* published: whose proof; NULL: it is not */
	int64_t version, have, need;
	int64_t index; /* published: in the log */
	bool proved;   /* the proof is there: witnesses have cosigned */
};

static json_t *outcome_json(const struct outcome *o, json_t *missing)
{
	char proof[PATH_SIZE];
	json_t *json;

	(void)snprintf(proof, sizeof(proof), "p/%s/proofs/%s.tlog-proof",
		       o->product ? o->product : "", o->id);
	json = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:I, s:I, s:o}", "id", o->id, "sha256",
			 o->sha256, "type", o->type, "version", (json_int_t)o->version, "state",
			 o->state, "missing", missing ? json_incref(missing) : json_array(), "have",
			 (json_int_t)o->have, "need", (json_int_t)o->need, "proof",
			 o->product && o->proved ? json_string(proof) : json_null());
	if (json && o->product &&
	    json_object_set_new(json, "log_index", json_integer(o->index)) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

int reply_batch(const struct batch *b, const char *state, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();
	struct published_row shown;
	int r = store_published(b->w->store, &shown, NULL, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < b->n; i++) {
		const struct item *it = &b->items[i];
		bool published = !state || it->state == ITEM_PUBLISHED;
		const struct outcome o = {
			.id = envelope_id(it->doc),
			.sha256 = envelope_sha256(it->doc),
			.type = envelope_type(it->doc),
			.version = envelope_version(it->doc),
			.state = published ? "published" : state,
			.product = published ? b->product : NULL,
			.have = it->have,
			.need = it->need,
			.index = it->row.index,
			/* Where nobody is waited for, it comes with the commit. */
			.proved = !b->w->r->config.threshold ||
				  (uint64_t)it->row.index < shown.proved};

		if (json_array_append_new(list, outcome_json(&o, state ? b->missing : NULL)) < 0)
			return error_nomem(err);
	}
	*out = json_pack("{s:O}", "documents", list);
	return *out ? 0 : error_nomem(err);
}

static int published(struct store *s, const char *id, json_t **out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct published_row shown = {0};
	struct document_row row;
	int r = store_document(s, id, &row, &bytes, err);

	if (r == 0)
		r = store_published(s, &shown, NULL, err);
	if (r == 0)
		r = envelope_parse(bytes.data, bytes.len, "document", &doc, err);
	if (r < 0)
		return r;

	const int64_t n = (int64_t)envelope_signatures(doc);
	const struct outcome o = {.id = row.id,
				  .sha256 = row.sha256,
				  .type = row.type,
				  .version = row.version,
				  .state = "published",
				  .product = row.product,
				  .have = n,
				  .need = n,
				  .index = row.index,
				  .proved = (uint64_t)row.index < shown.proved};
	*out = outcome_json(&o, NULL);
	return *out ? 0 : error_nomem(err);
}

static int add_blob(void *ctx, const char *sha256, int64_t size, struct error *err)
{
	if (json_array_append_new(
		    ctx, json_pack("{s:s, s:I}", "sha256", sha256, "size", (json_int_t)size)) < 0)
		return error_nomem(err);
	return 0;
}

struct pending {
	const char *id; /* wanted; NULL: all */
	const struct batch_row *batch;
	json_t *missing; /* borrowed */
	json_t *found;   /* array, borrowed */
	bool documents;  /* with the documents themselves */
};

/* Key ids of the signatures that a waiting document has: only those that count were kept. */
static int add_signers(json_t *entry, const struct envelope *doc, struct error *err)
{
	json_t *who = json_array();

	for (size_t i = 0; i < envelope_signatures(doc); i++)
		if (json_array_append_new(who, json_string(envelope_signature(doc, i).keyid)) < 0) {
			json_decref(who);
			return error_nomem(err);
		}
	return json_object_set_new(entry, "signed_by", who) < 0 ? error_nomem(err) : 0;
}

static int add_document(json_t *entry, const void *bytes, size_t len, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	int r = envelope_parse(bytes, len, "proposal", &doc, err);
	json_t *whole;

	if (r == 0)
		r = add_signers(entry, doc, err);
	if (r < 0)
		return r;
	whole = json_loadb(bytes, len, 0, NULL);
	return json_object_set_new(entry, "document", whole) < 0 ? error_nomem(err) : 0;
}

static int add_pending(void *ctx, const struct batch_document *d, const void *bytes, size_t len,
		       struct error *err)
{
	const struct pending *p = ctx;
	const struct outcome o = {.id = d->id,
				  .sha256 = d->sha256,
				  .type = d->type,
				  .version = d->version,
				  .state = p->batch->state,
				  .have = d->have,
				  .need = d->need};
	json_t *entry;

	if (p->id && strcmp(p->id, d->id) != 0)
		return 0;
	entry = outcome_json(&o, p->missing);
	if (json_array_append_new(p->found, entry) < 0)
		return error_nomem(err);
	if (p->batch->reason[0] &&
	    json_object_set_new(entry, "reason", json_string(p->batch->reason)) < 0)
		return error_nomem(err);
	if (json_object_set_new(entry, "batch", json_integer(p->batch->n)) < 0)
		return error_nomem(err);
	return p->documents ? add_document(entry, bytes, len, err) : 0;
}

static int list_batch(struct store *s, int64_t n, struct pending *p, struct error *err)
{
	CLEANUP(json_decrefp) json_t *missing = json_array();
	struct batch_row row;
	int r = store_batch(s, n, &row, err);

	if (r < 0 || (p->documents && strcmp(row.state, "proposal") != 0))
		return r;
	p->batch = &row;
	p->missing = missing;
	r = store_batch_missing(s, n, add_blob, missing, err);
	if (r == 0)
		r = store_batch_documents(s, n, add_pending, p, err);
	p->batch = NULL;
	p->missing = NULL;
	return r;
}

int reply_document(struct store *s, const char *id, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *found = json_array();
	struct pending p = {.id = id, .found = found};
	int64_t n = 0;
	int r = published(s, id, out, err);

	if (r != E_NOTFOUND)
		return r;
	r = store_batch_find(s, id, &n, NULL, err);
	if (r == 0)
		r = list_batch(s, n, &p, err);
	if (r < 0)
		return r;
	*out = json_incref(json_array_get(found, 0));
	return *out ? 0 : error_nomem(err);
}

struct listing {
	struct store *s;
	struct pending p;
};

static int list_proposal(void *ctx, int64_t n, struct error *err)
{
	struct listing *l = ctx;

	return list_batch(l->s, n, &l->p, err);
}

int reply_proposals(struct work *w, const char *product, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *found = json_array();
	struct listing l = {w->store, {.found = found, .documents = true}};
	struct product_row row;
	struct error none;
	int r = store_batches(w->store, product, list_proposal, &l, err);

	if (r < 0)
		return r;
	if (json_array_size(found) == 0 && store_product(w->store, product, &row, &none) < 0)
		return error_set(err, E_NOTFOUND, "%s: no such product", product);
	*out = json_pack("{s:s, s:O}", "product", product, "proposals", found);
	return *out ? 0 : error_nomem(err);
}
