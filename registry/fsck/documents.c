/* SPDX-License-Identifier: Apache-2.0 */
/* Every document: bytes, signatures, its file in the tree. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/sign/envelope.h"
#include "lib/tuf/delegation.h"
#include "lib/tuf/role.h"
#include "policies/statement.h"
#include "registry/fsck/fsck.h"
#include "registry/tree/metadata.h"
#include "registry/tree/outbox.h"

/* The bytes are what the row says. */
static int check_bytes(const struct document_row *row, const struct buf *bytes,
		       struct envelope **out, struct error *err)
{
	int r = envelope_parse(bytes->data, bytes->len, row->type, out, err);

	if (r < 0)
		return r;
	if (strcmp(envelope_id(*out), row->id) != 0)
		return error_set(err, E_UNTRUSTED, "its id is %s", envelope_id(*out));
	if (strcmp(envelope_sha256(*out), row->sha256) != 0)
		return error_set(err, E_UNTRUSTED, "its digest is %s", envelope_sha256(*out));
	if (strcmp(envelope_type(*out), row->type) != 0 || envelope_version(*out) != row->version)
		return error_set(err, E_UNTRUSTED, "it is %s %" PRId64, envelope_type(*out),
				 envelope_version(*out));
	return 0;
}

static int check_root(struct fsck *f, const struct document_row *row, const struct buf *bytes,
		      struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *from = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;
	int r;

	if (row->version == 1) {
		r = tuf_root_parse(bytes->data, bytes->len, "root", &to, err);
		return r < 0 ? r : tuf_root_self_signed(to, err);
	}
	r = load_root(f->w->store, row->product, row->version - 1, &from, err);
	return r < 0 ? r : tuf_root_step(from, bytes->data, bytes->len, "root", &to, err);
}

/* Top-level targets are signed as some root of their tenure asks. */
static int check_targets(struct fsck *f, const struct document_row *row, const struct envelope *doc,
			 struct error *err)
{
	struct product_row product = {0};
	struct tenure_row tenure = {0};
	int64_t last;
	int r = store_tenure(f->w->store, row->product, row->tenure, &tenure, err);

	if (r == 0)
		r = store_product(f->w->store, row->product, &product, err);
	if (r < 0)
		return r;
	last = tenure.last_root ? tenure.last_root : product.root;
	r = error_set(err, E_UNTRUSTED, "its tenure has no root");
	for (int64_t v = tenure.first_root; r < 0 && v <= last; v++) {
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;

		r = load_root(f->w->store, row->product, v, &root, err);
		if (r == 0)
			r = envelope_verify(doc, &root->role[TUF_TARGETS], "the targets role", err);
	}
	return r;
}

/* "<product> <tenure> <role>": no product id has a space. */
static int delegated_key(const struct document_row *row, const char *role, struct buf *out,
			 struct error *err)
{
	return buf_printf(out, err, "%s %" PRId64 " %s", row->product, row->tenure, role);
}

/* Remember what targets delegate, for those that come after them. */
static int note_delegations(struct fsck *f, const struct document_row *row,
			    const struct envelope *doc, struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	json_t *object = json_object_get(envelope_signed(doc), "delegations");
	int r = delegations_for(object, NULL, &list, err);

	for (const struct delegation *d = list; r == 0 && d; d = d->next) {
		CLEANUP(json_decrefp)
		json_t *one = json_pack("{s:O, s:O, s:I}", "keys", d->keys, "keyids", d->keyids,
					"threshold", (json_int_t)d->threshold);
		CLEANUP(buf_clear) struct buf key = {0};
		json_t *all, *is;
		bool known = false;
		size_t i;

		r = delegated_key(row, d->name, &key, err);
		if (r < 0)
			return r;
		all = json_object_get(f->delegated, key.data);
		json_array_foreach(all, i, is)
		{
			known = known || json_equal(is, one);
		}
		if (!all) {
			all = json_array();
			if (!all || json_object_set_new(f->delegated, key.data, all) < 0)
				return error_nomem(err);
		}
		if (!one || (!known && json_array_append(all, one) < 0))
			return error_nomem(err);
	}
	return r;
}

/* A delegated role is signed as targets before it in the log ask, of its tenure. */
static int check_delegated(struct fsck *f, const struct document_row *row,
			   const struct envelope *doc, struct error *err)
{
	CLEANUP(buf_clear) struct buf key = {0};
	const json_t *one;
	size_t i;
	int r = delegated_key(row, row->role, &key, err);

	if (r < 0)
		return r;
	r = error_set(err, E_UNTRUSTED, "nobody delegated to the %s role", row->role);
	json_array_foreach(json_object_get(f->delegated, key.data), i, one)
	{
		CLEANUP(role_keys_clear) struct role_keys keys = {0};

		r = role_keys_parse(json_object_get(one, "keys"), json_object_get(one, "keyids"),
				    json_integer_value(json_object_get(one, "threshold")),
				    "signed.delegations", &keys, err);
		if (r == 0)
			r = envelope_verify(doc, &keys, "its delegated role", err);
		if (r == 0)
			return 0;
	}
	return r;
}

static int check_targets_role(struct fsck *f, const struct document_row *row,
			      const struct envelope *doc, struct error *err)
{
	int r = strcmp(row->role, "targets") == 0 ? check_targets(f, row, doc, err)
						  : check_delegated(f, row, doc, err);

	return r < 0 ? r : note_delegations(f, row, doc, err);
}

static int check_statement(struct fsck *f, const struct document_row *row,
			   const struct envelope *doc, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct document_row named;
	struct statement st;
	int r = statement_read(doc, row->type, &st, err);

	if (r < 0 || statement_signer(st.type) != BY_ROOT)
		return r;
	r = store_document(f->w->store, st.root_id, &named, &bytes, err);
	if (r == 0)
		r = tuf_root_parse(bytes.data, bytes.len, "root", &root, err);
	return r < 0 ? r : envelope_verify(doc, &root->role[TUF_ROOT], "the root role", err);
}

static int judge(struct fsck *f, const struct document_row *row, const struct buf *bytes,
		 struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	int r = check_bytes(row, bytes, &doc, err);

	if (r < 0)
		return r;
	if (strcmp(row->type, "root") == 0)
		return check_root(f, row, bytes, err);
	if (strcmp(row->type, "targets") != 0)
		return check_statement(f, row, doc, err);
	return check_targets_role(f, row, doc, err);
}

static int compare_file(struct fsck *f, const struct document_row *row, const char *path,
			const struct buf *bytes, struct error *err)
{
	CLEANUP(buf_clear) struct buf file = {0};
	struct error why = {0};
	int r = file_read(f->w->r->public, path, TUF_TARGETS_MAX, &file, &why);

	if (r == 0 && file.len == bytes->len && memcmp(file.data, bytes->data, file.len) == 0)
		return 0;
	if (r == 0)
		(void)error_set(&why, E_UNTRUSTED, "%s: has other bytes than were accepted", path);
	if (f->repair) {
		r = outbox_put(f->w, STAGE_FILES, path, bytes, err);
		if (r == 0)
			r = work_touch(f->w, row->product, err);
		if (r < 0)
			return r;
	}
	return fsck_problem(f, row->id, why.text, f->repair, err);
}

static int check_document(void *ctx, const struct document_row *row, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct fsck *f = ctx;
	struct document_row copy;
	struct error why = {0};
	char below[PATH_SIZE], path[2 * PATH_SIZE];
	int r = store_document(f->w->store, row->id, &copy, &bytes, err);

	f->documents++;
	if (r == 0)
		r = metadata_path(f->w->store, row, below, err);
	if (r < 0)
		return r;
	r = judge(f, row, &bytes, &why);
	if (r < 0)
		r = fsck_problem(f, row->id, why.text, false, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "p/%s/%s", row->product, below);
	return compare_file(f, row, path, &bytes, err);
}

int fsck_documents(struct fsck *f, struct error *err)
{
	return store_documents(f->w->store, NULL, check_document, f, err);
}
