/* SPDX-License-Identifier: Apache-2.0 */
/* From a request body to documents in force, in wait, or refused. */
#include "registry/documents/submit.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tuf/role.h"
#include "policies/statement.h"
#include "registry/documents/reply.h"
#include "registry/tree/metadata.h"

enum { BATCHES_MAX = 256 }; /* that one product may have waiting */

static size_t size_max(const struct envelope *doc)
{
	return strcmp(envelope_type(doc), "targets") == 0 ? TUF_TARGETS_MAX : STATEMENT_MAX;
}

/* What error texts call it: "root 2"; a delegated role by its name, if it gives it. */
static void name_item(struct item *it)
{
	const json_t *x = json_object_get(envelope_signed(it->doc), "x-bequest");
	const char *type = envelope_type(it->doc);
	const char *role = json_string_value(json_object_get(x, "role"));

	if (strcmp(type, "targets") == 0 && role && file_name_ok(role))
		type = role;
	(void)snprintf(it->name, sizeof(it->name), "%.32s %" PRId64, type,
		       envelope_version(it->doc));
}

/* Parse one document; the batch is for the product that the first one names. */
static int add_item(struct batch *b, const void *data, size_t len, struct error *err)
{
	struct item *it = &b->items[b->n];
	const char *product;
	char name[32];
	int r;

	(void)snprintf(name, sizeof(name), "document %zu", b->n);
	if (len > TUF_TARGETS_MAX)
		return error_set(err, E_INVALID, "%s: want at most %d bytes", name,
				 TUF_TARGETS_MAX);
	r = envelope_parse(data, len, name, &it->doc, err);
	if (r < 0)
		return r;
	b->n++;
	name_item(it);
	if (len > size_max(it->doc))
		return error_set(err, E_INVALID, "%s: want at most %zu bytes", it->name,
				 size_max(it->doc));
	product = json_string_value(json_object_get(envelope_signed(it->doc), "product"));
	if (!product_id_ok(product))
		return error_set(err, E_INVALID, "%s: signed.product: want a product id", it->name);
	if (b->n == 1)
		(void)snprintf(b->product, sizeof(b->product), "%s", product);
	else if (strcmp(product, b->product) != 0)
		return error_set(err, E_INVALID, "%s: signed.product: want %s, as in document 0",
				 it->name, b->product);
	return 0;
}

static int check_repeats(const struct batch *b, struct error *err)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(envelope_id(b->items[i].doc), envelope_id(b->items[k].doc)) == 0)
				return error_set(err, E_INVALID, "%s: is in the array twice",
						 b->items[i].name);
	return 0;
}

/* --- signatures and documents of earlier proposals --- */

static int remember_merged(struct batch *b, int64_t n, struct error *err)
{
	for (size_t i = 0; i < b->nmerged; i++)
		if (b->merged[i] == n)
			return 0;
	if (b->nmerged == MERGED_MAX)
		return error_set(err, E_DENIED, "document: is in more than %d batches that wait",
				 MERGED_MAX);
	b->merged[b->nmerged++] = n;
	return 0;
}

/*
 * What was kept has only signatures that count: so it comes first, and what a
 * stranger adds under the same key ids displaces nothing.
 */
static int merge_item(struct batch *b, struct item *it, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *kept = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct batch_row row = {0};
	struct error none;
	int64_t n = 0;
	int r = store_batch_find(b->w->store, envelope_id(it->doc), &n, &bytes, &none);

	if (r == E_NOTFOUND)
		return 0;
	if (r == 0)
		r = store_batch(b->w->store, n, &row, &none);
	if (r == 0 && strcmp(row.state, "refused") == 0)
		return 0;
	if (r == 0)
		r = envelope_parse(bytes.data, bytes.len, it->name, &kept, &none);
	if (r == 0)
		r = envelope_merge(kept, it->doc, &none);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	envelope_free(it->doc);
	it->doc = steal(kept);
	it->merged = true;
	return remember_merged(b, n, err);
}

static int add_companion(void *ctx, const struct batch_document *d, const void *bytes, size_t len,
			 struct error *err)
{
	struct batch *b = ctx;

	for (size_t i = 0; i < b->n; i++)
		if (strcmp(envelope_id(b->items[i].doc), d->id) == 0)
			return 0;
	if (b->n == SPLIT_MAX)
		return error_set(err, E_INVALID, "body: want at most %d documents", SPLIT_MAX);
	return add_item(b, bytes, len, err);
}

struct order {
	const struct batch *b;
	struct item sorted[SPLIT_MAX];
	size_t n;
};

static int place(void *ctx, const struct batch_document *d, const void *bytes, size_t len,
		 struct error *err)
{
	struct order *o = ctx;

	(void)bytes;
	(void)len;
	(void)err;
	for (size_t i = 0; i < o->b->n; i++)
		if (strcmp(envelope_id(o->b->items[i].doc), d->id) == 0)
			o->sorted[o->n++] = o->b->items[i];
	return 0;
}

/* One document of an array that waits brings the others, in the array's order. */
static int take_companions(struct batch *b, struct error *err)
{
	struct order *o;
	int r;

	if (b->n != 1 || b->nmerged != 1)
		return 0;
	r = store_batch_documents(b->w->store, b->merged[0], add_companion, b, err);
	if (r < 0)
		return r;
	o = calloc(1, sizeof(*o));
	if (!o)
		return error_nomem(err);
	o->b = b;
	r = store_batch_documents(b->w->store, b->merged[0], place, o, err);
	if (r == 0)
		memcpy(b->items, o->sorted, b->n * sizeof(b->items[0]));
	free(o);
	return r;
}

static int merge_all(struct batch *b, struct error *err)
{
	for (size_t i = 0; i < b->n; i++) {
		int r = b->items[i].state == ITEM_PUBLISHED ? 0 : merge_item(b, &b->items[i], err);

		if (r < 0)
			return r;
	}
	return take_companions(b, err);
}

/* --- judging --- */

static bool has_signature(const struct envelope *doc, const char *keyid)
{
	for (size_t i = 0; i < envelope_signatures(doc); i++)
		if (strcmp(envelope_signature(doc, i).keyid, keyid) == 0)
			return true;
	return false;
}

/*
 * Of a statement that one person signs the published file is that person's. The
 * same words by another would vanish in it: they have to differ somewhere.
 */
static int check_same_signer(const struct item *it, const struct buf *bytes, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *published = NULL;
	int r;

	if (!it->row.signer[0])
		return 0;
	r = envelope_parse(bytes->data, bytes->len, it->name, &published, err);
	for (size_t i = 0; r == 0 && i < envelope_signatures(it->doc); i++)
		if (!has_signature(published, envelope_signature(it->doc, i).keyid))
			r = error_set(err, E_EXISTS,
				      "%s: the same words are published with another's signature: "
				      "give yours another version, or any member of its own",
				      it->name);
	return r;
}

static int find_published(struct batch *b, bool *all, struct error *err)
{
	*all = true;
	for (size_t i = 0; i < b->n; i++) {
		CLEANUP(buf_clear) struct buf bytes = {0};
		struct item *it = &b->items[i];
		struct error none;
		int r = store_document(b->w->store, envelope_id(it->doc), &it->row, &bytes, &none);

		if (r < 0 && r != E_NOTFOUND)
			return error_set(err, r, "%s", none.text);
		if (r == 0 && check_same_signer(it, &bytes, err) < 0)
			return E_EXISTS;
		if (r == 0) {
			it->state = ITEM_PUBLISHED;
			it->have = it->need = (int64_t)envelope_signatures(it->doc);
		} else {
			*all = false;
		}
	}
	return 0;
}

static int judge(struct batch *b, struct item *it, struct error *err)
{
	const char *type = envelope_type(it->doc);
	enum statement_type st;

	if (strcmp(type, "root") == 0)
		return judge_root(b, it, err);
	if (strcmp(type, "targets") == 0)
		return judge_targets(b, it, err);
	if (strcmp(type, "snapshot") == 0 || strcmp(type, "timestamp") == 0)
		return error_set(err, E_DENIED, "%s: is made by the registry itself", it->name);
	if (!statement_type_of(type, &st))
		return error_set(err, E_INVALID, "%s: signed._type: unknown", it->name);
	return judge_statement(b, it, err);
}

static int judge_all(struct batch *b, bool *proposal, struct error *err)
{
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];
		int r = it->state == ITEM_PUBLISHED ? 0 : judge(b, it, err);

		if (r < 0)
			return r;
		if (it->state == ITEM_PROPOSAL)
			*proposal = true;
	}
	if (b->bridge_open && b->n == 1)
		*proposal = true;
	return judge_whole(b, err);
}

static int publish(struct batch *b, struct error *err)
{
	struct document_row targets[SPLIT_MAX];
	struct publication p = {.product = b->product,
				.first_root = b->first_root,
				.last_root = b->last_root,
				.ended = b->ended,
				.targets = targets};

	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].state == ITEM_NEW && strcmp(b->items[i].row.type, "targets") == 0)
			targets[p.ntargets++] = b->items[i].row;
	if (!p.first_root && !p.ntargets)
		return 0;
	return metadata_publish(b->w, &p, err);
}

static int drop_merged(struct batch *b, struct error *err)
{
	for (size_t i = 0; i < b->nmerged; i++) {
		int r = store_batch_drop(b->w->store, b->merged[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- what waits --- */

static bool counts(const struct item *it, const struct signature *s)
{
	const struct buf *text = envelope_canonical(it->doc);

	for (size_t i = 0; i < it->nsets; i++)
		for (size_t k = 0; k < it->sets[i].n; k++)
			if (strcmp(key_id(it->sets[i].keys[k]), s->keyid) == 0 &&
			    key_verify(it->sets[i].keys[k], text->data, text->len, s))
				return true;
	return false;
}

static json_t *signature_json(const struct signature *s)
{
	json_t *object = json_pack("{s:s, s:s}", "keyid", s->keyid, "sig", s->sig);

	if (object && s->other_headers &&
	    json_object_set_new(object, "other_headers", json_string(s->other_headers)) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* The document with the signatures that count and no others. */
static int keep_counting(const struct item *it, struct envelope **out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *kept = NULL;
	int r = envelope_new(json_incref(envelope_signed(it->doc)), &kept, err);

	for (size_t i = 0; r == 0 && i < envelope_signatures(it->doc); i++) {
		struct signature s = envelope_signature(it->doc, i);
		json_t *object;

		if (!counts(it, &s))
			continue;
		object = signature_json(&s);
		r = object ? envelope_add(kept, object, err) : error_nomem(err);
		json_decref(object);
	}
	if (r == 0)
		*out = steal(kept);
	return r;
}

static int keep_item(struct batch *b, int64_t n, size_t pos, bool proposal, struct error *err)
{
	struct item *it = &b->items[pos];
	CLEANUP(envelope_freep) struct envelope *kept = NULL;
	struct batch_document d = {
		.version = envelope_version(it->doc), .have = it->have, .need = it->need};
	int r = 0;

	/* Complete ones that wait for blobs keep their bytes: they are served as they came. */
	if (it->state != ITEM_PUBLISHED && proposal)
		r = keep_counting(it, &kept, err);
	if (r < 0)
		return r;
	const struct envelope *doc = kept ? kept : it->doc;
	memcpy(d.id, envelope_id(doc), sizeof(d.id));
	memcpy(d.sha256, envelope_sha256(doc), sizeof(d.sha256));
	(void)snprintf(d.type, sizeof(d.type), "%s", envelope_type(doc));
	return store_batch_document_add(b->w->store, n, (int64_t)pos, &d, envelope_bytes(doc), err);
}

static int keep(struct batch *b, bool proposal, struct error *err)
{
	const json_t *blob;
	int64_t n = 0, waiting = 0;
	size_t i;
	int r = drop_merged(b, err);

	if (r == 0)
		r = store_batch_count(b->w->store, b->product, &waiting, err);
	if (r == 0 && waiting >= BATCHES_MAX)
		return error_set(err, E_BUSY, "%s: %d batches wait already", b->product,
				 BATCHES_MAX);
	if (r == 0)
		r = store_batch_add(b->w->store, b->product, proposal ? "proposal" : "waiting",
				    b->w->now, &n, err);
	for (i = 0; r == 0 && i < b->n; i++)
		r = keep_item(b, n, i, proposal, err);
	json_array_foreach(b->missing, i, blob)
	{
		if (r == 0)
			r = store_batch_blob_add(
				b->w->store, n, json_string_value(json_object_get(blob, "sha256")),
				json_integer_value(json_object_get(blob, "size")), err);
	}
	return r;
}

/* Judge all and publish, or leave it undone. */
static int judge_and_publish(struct batch *b, bool *proposal, struct error *err)
{
	int r = judge_all(b, proposal, err);

	if (r < 0 || *proposal || b->missing)
		return r;
	r = publish(b, err);
	return r < 0 ? r : drop_merged(b, err);
}

/* Publish, or undo and keep what has to wait. *state: NULL, "waiting" or "proposal". */
static int decide(struct batch *b, const char **state, struct error *err)
{
	bool proposal = false;
	int r = store_savepoint(b->w->store, err);
	int result;

	if (r < 0)
		return r;
	result = judge_and_publish(b, &proposal, err);
	if (result == 0 && !proposal && !b->missing)
		return store_release(b->w->store, err);
	r = store_undo(b->w->store, result < 0 ? NULL : err);
	if (result < 0 || r < 0)
		return result < 0 ? result : r;
	*state = proposal ? "proposal" : "waiting";
	return keep(b, proposal, err);
}

static int run(struct batch *b, json_t **reply, struct error *err)
{
	const char *state = NULL;
	bool all = false;
	int r = find_published(b, &all, err);

	if (r == 0 && !all)
		r = merge_all(b, err);
	if (r == 0 && !all)
		r = find_published(b, &all, err);
	if (r == 0 && !all)
		r = decide(b, &state, err);
	return r < 0 ? r : reply_batch(b, state, reply, err);
}

int submit_body(struct work *w, void *arg, struct error *err)
{
	struct submission *s = arg;
	struct slice slices[SPLIT_MAX];
	struct batch *b = calloc(1, sizeof(*b));
	size_t n = 0;
	int r;

	if (!b)
		return error_nomem(err);
	b->w = w;
	r = split_documents(s->body, s->len, slices, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_item(b, slices[i].data, slices[i].len, err);
	if (r == 0)
		r = check_repeats(b, err);
	if (r == 0)
		r = run(b, &s->reply, err);
	batch_clear(b);
	free(b);
	return r;
}

static int load_item(void *ctx, const struct batch_document *d, const void *bytes, size_t len,
		     struct error *err)
{
	(void)d;
	return add_item(ctx, bytes, len, err);
}

int submit_again(struct work *w, void *arg, struct error *err)
{
	const int64_t *n = arg;
	CLEANUP(json_decrefp) json_t *reply = NULL;
	struct batch_row row;
	struct batch *b;
	struct error why = {0};
	int r = store_batch(w->store, *n, &row, err);

	if (r == E_NOTFOUND || (r == 0 && strcmp(row.state, "waiting") != 0))
		return 0; /* another upload was faster */
	if (r == 0)
		r = store_savepoint(w->store, err);
	if (r < 0)
		return r;
	b = calloc(1, sizeof(*b));
	if (!b)
		return error_nomem(err);
	b->w = w;
	r = store_batch_documents(w->store, *n, load_item, b, &why);
	if (r == 0)
		r = run(b, &reply, &why);
	batch_clear(b);
	free(b);
	if (r == 0)
		return store_release(w->store, err);
	if (store_undo(w->store, err) < 0 || w->again || r == E_NOMEM || r == E_FULL || r == E_SYS)
		return error_set(err, r, "%s", why.text);
	/* It stays for a while, so that who waits for it learns why. */
	return store_batch_refuse(w->store, *n, why.text, err);
}
