/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/batch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "policies/statement.h"
#include "registry/log/sequencer.h"
#include "registry/tree/outbox.h"

void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		envelope_free(b->items[i].doc);
		for (size_t k = 0; k < b->items[i].nsets; k++)
			role_keys_clear(&b->items[i].sets[k]);
	}
	json_decref(b->missing);
	b->n = 0;
	b->missing = NULL;
}

int item_count(struct item *it, struct role_keys *by_take, const char *whose, bool alone,
	       struct error *err)
{
	size_t n = envelope_count(it->doc, by_take, NULL);
	struct role_keys by = *by_take;

	*by_take = (struct role_keys){0};
	if (n == 0 && alone) {
		int64_t need = by.threshold;

		role_keys_clear(&by);
		return error_set(err, E_UNTRUSTED, "%s: 0 of %" PRId64 " signatures of %s",
				 it->name, need, whose);
	}
	it->sets[it->nsets++] = by;
	if (it->nsets == 1 || (int64_t)n - by.threshold < it->have - it->need) {
		it->have = (int64_t)n;
		it->need = by.threshold;
	}
	if ((int64_t)n < by.threshold)
		it->state = ITEM_PROPOSAL;
	return 0;
}

int copy_role_keys(const struct tuf_root *root, enum tuf_type type, struct role_keys *out,
		   struct error *err)
{
	const json_t *body, *role;

	assert(root);
	body = envelope_signed(root->doc);
	role = json_object_get(json_object_get(body, "roles"), tuf_type_name(type));
	return role_keys_parse(json_object_get(body, "keys"), json_object_get(role, "keyids"),
			       root->role[type].threshold, "signed.keys", out, err);
}

int batch_accept(struct batch *b, struct item *it, struct error *err)
{
	struct document_row *row = &it->row;
	int r;

	memcpy(row->id, envelope_id(it->doc), sizeof(row->id));
	memcpy(row->sha256, envelope_sha256(it->doc), sizeof(row->sha256));
	(void)snprintf(row->product, sizeof(row->product), "%s", b->product);
	(void)snprintf(row->type, sizeof(row->type), "%s", envelope_type(it->doc));
	row->version = envelope_version(it->doc);
	row->received = b->w->now;
	r = store_document_add(b->w->store, row, envelope_bytes(it->doc), err);
	if (r == E_EXISTS)
		return error_set(err, E_EXISTS, "%s: another document has this version", it->name);
	return r < 0 ? r : log_add(b->w, row, err);
}

static int add_missing(struct batch *b, const char *sha256, int64_t size, struct error *err)
{
	const json_t *v;
	size_t i;

	if (!b->missing)
		b->missing = json_array();
	json_array_foreach(b->missing, i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "sha256")), sha256) == 0)
			return 0;
	}
	if (json_array_append_new(b->missing, json_pack("{s:s, s:I}", "sha256", sha256, "size",
							(json_int_t)size)) < 0)
		return error_nomem(err);
	return 0;
}

int batch_blob(struct batch *b, const char *path, const char *sha256, int64_t size,
	       struct error *err)
{
	struct error none;
	int64_t have = 0;
	int r = store_blob(b->w->store, sha256, &have, &none);

	if (r == E_NOTFOUND && size > 0)
		return add_missing(b, sha256, size, err);
	if (r == E_NOTFOUND) /* the empty blob is always here */
		return error_set(err, E_INVALID,
				 "want the digest of nothing for 0 bytes, got %.12s", sha256);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (have != size)
		return error_set(err, E_INVALID,
				 "want %" PRId64 " bytes, as %.12s has, got %" PRId64, have, sha256,
				 size);
	return outbox_link(b->w, path, sha256, err);
}

int batch_find(struct batch *b, const char *id, struct envelope **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct document_row row;
	int64_t n = 0;
	int r = 0;

	for (size_t i = 0; i < b->n && bytes.len == 0; i++)
		if (strcmp(envelope_id(b->items[i].doc), id) == 0)
			r = buf_add(&bytes, envelope_bytes(b->items[i].doc)->data,
				    envelope_bytes(b->items[i].doc)->len, err);
	if (r == 0 && bytes.len == 0) {
		r = store_document(b->w->store, id, &row, &bytes, err);
		if (r == E_NOTFOUND)
			r = store_batch_find(b->w->store, id, &n, &bytes, err);
	}
	return r < 0 ? r : envelope_parse(bytes.data, bytes.len, "document", out, err);
}

bool batch_is_proposal(const struct batch *b, const char *id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].state == ITEM_PROPOSAL &&
		    strcmp(envelope_id(b->items[i].doc), id) == 0)
			return true;
	return false;
}

int batch_final_bridge(const struct batch *b, const char *root, char out[SHA256_HEX_SIZE],
		       struct error *err)
{
	struct document_row row = {.type = "eol"};
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct statement st = {0};
	struct error none;
	int r;

	out[0] = '\0';
	(void)snprintf(row.product, sizeof(row.product), "%s", b->product);
	r = store_document_latest(b->w->store, &row, &bytes, &none);
	if (r == E_NOTFOUND)
		return 0;
	if (r == 0)
		r = envelope_parse(bytes.data, bytes.len, "eol", &doc, &none);
	if (r == 0)
		r = statement_read(doc, "eol", &st, &none);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (st.final_bridge && st.final_root && strcmp(st.final_root, root) == 0)
		(void)snprintf(out, SHA256_HEX_SIZE, "%s", st.final_bridge);
	return 0;
}
