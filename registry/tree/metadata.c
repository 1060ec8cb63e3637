/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tree/metadata.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/tuf/chain.h"
#include "lib/tuf/repo.h"
#include "registry/tree/outbox.h"
#include "registry/tree/rehearsal.h"

enum {
	/* Online roles are renewed when half of their time is over. */
	SNAPSHOT_RENEW_S = TUF_SNAPSHOT_DAYS * DAY_S / 2,
	TIMESTAMP_RENEW_S = TUF_TIMESTAMP_DAYS * DAY_S / 2,
	FOLDER_SIZE = 128,
};

/* A folder of metadata, and in whose name its online roles are signed. */
struct place {
	struct work *w;
	const char *product;
	struct tenure_row tenure;
	char folder[FOLDER_SIZE]; /* below public/ */
};

static int put(const struct place *at, const struct buf *content, struct error *err,
	       const char *fmt, ...) PRINTF(4, 5);
static int put(const struct place *at, const struct buf *content, struct error *err,
	       const char *fmt, ...)
{
	char name[PATH_SIZE / 2], path[PATH_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	(void)snprintf(path, sizeof(path), "%s/%s", at->folder, name);
	return outbox_put(at->w, STAGE_METADATA, path, content, err);
}

static int place_tenure(struct place *at, struct work *w, const char *product, int64_t n,
			struct error *err)
{
	at->w = w;
	at->product = product;
	return store_tenure(w->store, product, n, &at->tenure, err);
}

/* Wrap and sign with the tenure's key for `type`, append the bytes. */
static int sign_online(const struct place *at, enum tuf_type type, json_t *signed_take,
		       struct buf *out, struct error *err)
{
	const struct key_use use = {at->product, at->tenure.publisher, at->tenure.epoch};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(signer_freep) struct signer *signer = NULL;
	int r = envelope_new(signed_take, &doc, err);

	if (r == 0)
		r = keys_product(at->w->r->keys, &use, tuf_type_name(type), &signer, err);
	if (r == 0)
		r = signer_sign_envelope(signer, doc, err);
	if (r == 0)
		r = buf_add(out, envelope_bytes(doc)->data, envelope_bytes(doc)->len, err);
	return r;
}

/* The version after the last one of this online role, in this tenure or the one before. */
static int next_version(const struct place *at, enum tuf_type type, int64_t *out, struct error *err)
{
	*out = 1;
	for (int64_t n = at->tenure.n; n >= 1; n--) {
		struct online_row row = {.tenure = n};
		struct error none;
		int r;

		(void)snprintf(row.product, sizeof(row.product), "%s", at->product);
		(void)snprintf(row.type, sizeof(row.type), "%s", tuf_type_name(type));
		r = store_online(at->w->store, &row, NULL, &none);
		if (r == 0) {
			*out = row.version + 1;
			return 0;
		}
		if (r != E_NOTFOUND)
			return error_set(err, r, "%s", none.text);
	}
	return 0;
}

static int remember(const struct place *at, enum tuf_type type, int64_t version, int64_t renew_s,
		    const struct buf *bytes, struct error *err)
{
	struct online_row row = {
		.tenure = at->tenure.n, .version = version, .renew = at->w->now + renew_s};

	(void)snprintf(row.product, sizeof(row.product), "%s", at->product);
	(void)snprintf(row.type, sizeof(row.type), "%s", tuf_type_name(type));
	return store_online_set(at->w->store, &row, bytes, err);
}

struct meta {
	struct store *store;
	json_t *role;       /* borrowed */
	const json_t *last; /* what the last snapshot of this tenure lists; NULL: there is none */
};

static int add_meta(void *ctx, const struct role_row *row, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct meta *m = ctx;
	struct document_row doc;
	char file[ROLE_SIZE + 8];
	json_t *same;
	int r;

	(void)snprintf(file, sizeof(file), "%s.json", row->name);
	same = json_object_get(m->last, file);
	if (same && json_integer_value(json_object_get(same, "version")) == row->version)
		return json_object_set(json_object_get(m->role, "meta"), file, same) < 0
			       ? error_nomem(err)
			       : 0;
	r = store_document(m->store, row->document, &doc, &bytes, err);
	if (r < 0)
		return r;
	return repo_meta_set(m->role, file, row->version, bytes.data, bytes.len, err);
}

/* The last snapshot of this tenure; NULL: there is none. */
static int last_snapshot(const struct place *at, struct envelope **out, struct error *err)
{
	struct online_row row = {.tenure = at->tenure.n, .type = "snapshot"};
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error none;
	int r;

	(void)snprintf(row.product, sizeof(row.product), "%s", at->product);
	r = store_online(at->w->store, &row, &bytes, &none);
	if (r == E_NOTFOUND)
		return 0;
	return r < 0 ? error_set(err, r, "%s", none.text)
		     : envelope_parse(bytes.data, bytes.len, "snapshot.json", out, err);
}

/* Make the next snapshot over the roles in force; a version once listed stays what it is. */
static int make_snapshot(const struct place *at, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *last = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(json_decrefp) json_t *role = NULL;
	int64_t version = 0;
	int r = next_version(at, TUF_SNAPSHOT, &version, err);

	if (r == 0)
		r = last_snapshot(at, &last, err);
	if (r == 0)
		r = repo_signed_new(TUF_SNAPSHOT, at->product, version, at->w->now, &role, err);
	if (r < 0)
		return r;

	struct meta m = {at->w->store, role,
			 last ? json_object_get(envelope_signed(last), "meta") : NULL};
	r = store_roles(at->w->store, at->product, at->tenure.n, add_meta, &m, err);
	if (r == 0)
		r = sign_online(at, TUF_SNAPSHOT, steal(role), &bytes, err);
	if (r == 0)
		r = remember(at, TUF_SNAPSHOT, version, SNAPSHOT_RENEW_S, &bytes, err);
	return r < 0 ? r : put(at, &bytes, err, "%" PRId64 ".snapshot.json", version);
}

/* Make the next timestamp for the last snapshot. It is what readers start from: call it last. */
static int make_timestamp(const struct place *at, struct error *err)
{
	struct online_row snapshot = {.tenure = at->tenure.n, .type = "snapshot"};
	CLEANUP(buf_clear) struct buf covered = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(json_decrefp) json_t *role = NULL;
	int64_t version = 0;
	int r;

	(void)snprintf(snapshot.product, sizeof(snapshot.product), "%s", at->product);
	r = store_online(at->w->store, &snapshot, &covered, err);
	if (r == 0)
		r = next_version(at, TUF_TIMESTAMP, &version, err);
	if (r == 0)
		r = repo_signed_new(TUF_TIMESTAMP, at->product, version, at->w->now, &role, err);
	if (r == 0)
		r = repo_meta_set(role, "snapshot.json", snapshot.version, covered.data,
				  covered.len, err);
	if (r == 0)
		r = sign_online(at, TUF_TIMESTAMP, steal(role), &bytes, err);
	if (r == 0)
		r = remember(at, TUF_TIMESTAMP, version, TIMESTAMP_RENEW_S, &bytes, err);
	return r < 0 ? r : put(at, &bytes, err, "timestamp.json");
}

/* One accepted document by id, as it is in the store, under a name of its own. */
static int put_document(const struct place *at, const char *id, const char *name, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct document_row doc;
	int r = store_document(at->w->store, id, &doc, &bytes, err);

	return r < 0 ? r : put(at, &bytes, err, "%s", name);
}

static int put_role(void *ctx, const struct role_row *row, struct error *err)
{
	char name[ROLE_SIZE + 32];

	(void)snprintf(name, sizeof(name), "%" PRId64 ".%s.json", row->version, row->name);
	return put_document(ctx, row->document, name, err);
}

/* The last files of a tenure that ended, in held/<its last root>/ of `folder`. */
static int put_held(struct work *w, const struct publication *p, const char *folder,
		    struct error *err)
{
	static const char *const types[] = {"snapshot", "timestamp"};
	struct place at;
	int r = place_tenure(&at, w, p->product, p->ended, err);

	if (r < 0)
		return r;
	(void)snprintf(at.folder, sizeof(at.folder), "%.100s/held/%" PRId64, folder,
		       at.tenure.last_root);
	r = store_roles(w->store, p->product, p->ended, put_role, &at, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(types); i++) {
		CLEANUP(buf_clear) struct buf bytes = {0};
		struct online_row row = {.tenure = p->ended};
		struct error none;

		(void)snprintf(row.product, sizeof(row.product), "%s", p->product);
		(void)snprintf(row.type, sizeof(row.type), "%s", types[i]);
		r = store_online(w->store, &row, &bytes, &none);
		if (r == E_NOTFOUND) /* the vendor never published anything */
			return 0;
		if (r < 0)
			return error_set(err, r, "%s", none.text);
		r = i == 0 ? put(&at, &bytes, err, "%" PRId64 ".snapshot.json", row.version)
			   : put(&at, &bytes, err, "timestamp.json");
	}
	return r;
}

/* Is there a file of this role and version by another, earlier tenure? Keep it where that is held.
 */
static int keep_older(const struct place *at, const struct document_row *doc, const char *folder,
		      struct error *err)
{
	for (int64_t n = doc->tenure - 1; n >= 1; n--) {
		CLEANUP(buf_clear) struct buf bytes = {0};
		struct document_row older = *doc;
		struct place held = *at;
		struct error none;
		int r;

		older.tenure = n;
		r = store_document_find(at->w->store, &older, &bytes, &none);
		if (r == E_NOTFOUND)
			continue;
		if (r == 0)
			r = store_tenure(at->w->store, doc->product, n, &held.tenure, &none);
		if (r < 0)
			return error_set(err, r, "%s", none.text);
		(void)snprintf(held.folder, sizeof(held.folder), "%.100s/held/%" PRId64, folder,
			       held.tenure.last_root);
		r = put(&held, &bytes, err, "%" PRId64 ".%s.json", older.version, older.role);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_targets(const struct place *at, const struct publication *p, struct error *err)
{
	for (size_t i = 0; i < p->ntargets; i++) {
		const struct document_row *doc = &p->targets[i];
		char name[ROLE_SIZE + 32];
		int r = keep_older(at, doc, at->folder, err);

		(void)snprintf(name, sizeof(name), "%" PRId64 ".%s.json", doc->version, doc->role);
		if (r == 0)
			r = put_document(at, doc->id, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_chain_line(struct work *w, const char *product, int64_t version, struct buf *out,
			  struct error *err)
{
	struct document_row doc = {.type = "root", .role = "root", .version = version};
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r;

	(void)snprintf(doc.product, sizeof(doc.product), "%s", product);
	r = store_document_find(w->store, &doc, &bytes, err);
	return r < 0 ? r : tuf_chain_line(version, bytes.data, bytes.len, out, err);
}

/*
 * New roots, the last one first: whoever walks the chain one by one never finds
 * a bridge at its end.
 */
static int put_roots(const struct place *at, const struct publication *p, struct error *err)
{
	CLEANUP(buf_clear) struct buf chain = {0};
	int r = 0;

	for (int64_t v = p->last_root; r == 0 && v >= p->first_root; v--) {
		struct document_row doc = {.type = "root", .role = "root", .version = v};
		CLEANUP(buf_clear) struct buf bytes = {0};

		(void)snprintf(doc.product, sizeof(doc.product), "%s", p->product);
		r = store_document_find(at->w->store, &doc, &bytes, err);
		if (r == 0)
			r = put(at, &bytes, err, "%" PRId64 ".root.json", v);
	}
	for (int64_t v = 1; r == 0 && v <= p->last_root; v++)
		r = add_chain_line(at->w, p->product, v, &chain, err);
	return r < 0 ? r : put(at, &chain, err, "root-chain.jsonl");
}

/* Has the current tenure a targets role in force? */
static int has_targets(const struct place *at, bool *out, struct error *err)
{
	struct role_row role;
	struct error none;
	int r = store_role(at->w->store, at->product, at->tenure.n, "targets", &role, &none);

	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	*out = r == 0;
	return 0;
}

static int put_all(const struct place *at, const struct publication *p, struct error *err)
{
	int r = put_targets(at, p, err);

	if (r == 0 && p->ended)
		r = put_held(at->w, p, at->folder, err);
	if (r == 0 && p->first_root)
		r = put_roots(at, p, err);
	if (r < 0 || p->ntargets == 0)
		return r;
	r = make_snapshot(at, err);
	if (r == 0)
		r = make_timestamp(at, err);
	return r < 0 ? r : rehearse(at->w, at->tenure.n, p, err);
}

int metadata_publish(struct work *w, const struct publication *p, struct error *err)
{
	struct product_row product;
	struct place at;
	bool swap = false;
	int r = store_product(w->store, p->product, &product, err);

	if (r == 0)
		r = place_tenure(&at, w, p->product, product.tenure, err);
	if (r == 0)
		r = has_targets(&at, &swap, err);
	if (r < 0)
		return r;
	swap = swap && p->first_root > 1;
	(void)snprintf(at.folder, sizeof(at.folder), "p/%s/%s", p->product,
		       swap ? TREE_STAGED : "metadata");
	r = swap ? outbox_stage(w, p->product, err) : 0;
	if (r == 0)
		r = put_all(&at, p, err);
	if (r == 0 && swap)
		r = outbox_swap(w, p->product, err);
	return r;
}

int metadata_renew(struct work *w, bool *more, struct error *err)
{
	struct online_row due;
	struct error none;
	struct place at;
	int r = store_online_due(w->store, w->now, &due, &none);

	*more = r == 0;
	if (r == E_NOTFOUND)
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	r = place_tenure(&at, w, due.product, due.tenure, err);
	if (r < 0)
		return r;
	if (at.tenure.last_root)
		(void)snprintf(at.folder, sizeof(at.folder), "p/%s/metadata/held/%" PRId64,
			       due.product, at.tenure.last_root);
	else
		(void)snprintf(at.folder, sizeof(at.folder), "p/%s/metadata", due.product);
	if (strcmp(due.type, "snapshot") == 0)
		r = make_snapshot(&at, err);
	return r < 0 ? r : make_timestamp(&at, err);
}

/* Is this targets file of an ended tenure to be read in held/<last root>/? */
static int is_held(struct store *s, const struct document_row *doc, int64_t current, bool *out,
		   struct error *err)
{
	struct role_row last;
	struct error none;
	int r = store_role(s, doc->product, doc->tenure, doc->role, &last, &none);

	if (r < 0)
		return error_set(err, r, "%s", none.text);
	*out = strcmp(last.document, doc->id) == 0;
	for (int64_t n = doc->tenure + 1; !*out && n <= current; n++) {
		struct document_row newer = *doc;

		newer.tenure = n;
		r = store_document_find(s, &newer, NULL, &none);
		if (r < 0 && r != E_NOTFOUND)
			return error_set(err, r, "%s", none.text);
		*out = r == 0;
	}
	return 0;
}

int metadata_path(struct store *s, const struct document_row *doc, char out[PATH_SIZE],
		  struct error *err)
{
	struct product_row product;
	struct tenure_row tenure;
	bool held = false;
	int r;

	if (!doc->role[0]) {
		(void)snprintf(out, PATH_SIZE, "statements/%s.json", doc->id);
		return 0;
	}
	(void)snprintf(out, PATH_SIZE, "metadata/%" PRId64 ".%s.json", doc->version, doc->role);
	if (strcmp(doc->type, "targets") != 0)
		return 0;
	r = store_product(s, doc->product, &product, err);
	if (r < 0 || product.tenure == doc->tenure)
		return r;
	r = store_tenure(s, doc->product, doc->tenure, &tenure, err);
	if (r == 0)
		r = is_held(s, doc, product.tenure, &held, err);
	if (r == 0 && held)
		(void)snprintf(out, PATH_SIZE, "metadata/held/%" PRId64 "/%" PRId64 ".%s.json",
			       tenure.last_root, doc->version, doc->role);
	return r;
}
