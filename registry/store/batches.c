/* SPDX-License-Identifier: Apache-2.0 */
/* Batches that wait, blobs, the outbox. */
#include <stdio.h>

#include "lib/base/error.h"
#include "registry/store/db.h"
#include "registry/store/store.h"

int store_batch(struct store *s, int64_t n, struct batch_row *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCH, &st, err, "i", n);

	if (r == 0)
		r = db_row(s, st, "no such batch", err);
	if (r < 0)
		return r;
	out->n = sqlite3_column_int64(st, 0);
	db_text_to(st, 1, out->product);
	db_text_to(st, 2, out->state);
	out->received = sqlite3_column_int64(st, 3);
	db_text_to(st, 4, out->reason);
	return 0;
}

int store_batch_add(struct store *s, const char *product, const char *state, int64_t now,
		    int64_t *n, struct error *err)
{
	int r = db_run(s, Q_BATCH_ADD, err, "tti", product, state, now);

	if (r == 0)
		*n = sqlite3_last_insert_rowid(s->db);
	return r;
}

int store_batch_document_add(struct store *s, int64_t batch, int64_t pos,
			     const struct batch_document *d, const struct buf *bytes,
			     struct error *err)
{
	return db_run(s, Q_BATCH_DOCUMENT_ADD, err, "iitttiiib", batch, pos, d->id, d->sha256,
		      d->type, d->version, d->have, d->need, bytes->data, bytes->len);
}

int store_batch_blob_add(struct store *s, int64_t batch, const char *sha256, int64_t size,
			 struct error *err)
{
	return db_run(s, Q_BATCH_BLOB_ADD, err, "iti", batch, sha256, size);
}

int store_batch_refuse(struct store *s, int64_t n, const char *reason, struct error *err)
{
	return db_run(s, Q_BATCH_REFUSE, err, "it", n, reason);
}

int store_batch_drop(struct store *s, int64_t n, struct error *err)
{
	return db_run(s, Q_BATCH_DROP, err, "i", n);
}

int store_batches_expire(struct store *s, int64_t before, struct error *err)
{
	return db_run(s, Q_BATCHES_EXPIRE, err, "i", before);
}

int store_batch_count(struct store *s, const char *product, int64_t *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCH_COUNT, &st, err, "t", product);

	if (r == 0)
		r = db_row(s, st, "count", err);
	if (r == 0)
		*out = sqlite3_column_int64(st, 0);
	return r;
}

int store_batch_find(struct store *s, const char *id, int64_t *n, struct buf *bytes,
		     struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCH_FIND, &st, err, "t", id);

	if (r == 0)
		r = db_row(s, st, "no such document", err);
	if (r == 0 && bytes)
		r = db_blob(st, 1, bytes, err);
	if (r == 0)
		*n = sqlite3_column_int64(st, 0);
	return r;
}

int store_batch_documents(struct store *s, int64_t batch, store_batch_document_fn each, void *ctx,
			  struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCH_DOCUMENTS, &st, err, "i", batch);

	while (r == 0) {
		struct batch_document d;
		bool more = false;

		r = db_next(s, st, &more, err);
		if (r < 0 || !more)
			return r;
		db_text_to(st, 0, d.id);
		db_text_to(st, 1, d.sha256);
		db_text_to(st, 2, d.type);
		d.version = sqlite3_column_int64(st, 3);
		d.have = sqlite3_column_int64(st, 4);
		d.need = sqlite3_column_int64(st, 5);
		r = each(ctx, &d, sqlite3_column_blob(st, 6), (size_t)sqlite3_column_bytes(st, 6),
			 err);
	}
	return r;
}

static int each_number(struct store *s, sqlite3_stmt *st, store_number_fn each, void *ctx,
		       struct error *err)
{
	for (;;) {
		bool more = false;
		int r = db_next(s, st, &more, err);

		if (r < 0 || !more)
			return r;
		r = each(ctx, sqlite3_column_int64(st, 0), err);
		if (r != 0)
			return r;
	}
}

int store_batches(struct store *s, const char *product, store_number_fn each, void *ctx,
		  struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCHES, &st, err, "t", product);

	return r < 0 ? r : each_number(s, st, each, ctx, err);
}

int store_batches_ready(struct store *s, const char *sha256, store_number_fn each, void *ctx,
			struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCHES_READY, &st, err, "t", sha256);

	return r < 0 ? r : each_number(s, st, each, ctx, err);
}

int store_batches_complete(struct store *s, store_number_fn each, void *ctx, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCHES_COMPLETE, &st, err, "");

	return r < 0 ? r : each_number(s, st, each, ctx, err);
}

static int each_blob(struct store *s, sqlite3_stmt *st, store_blob_fn each, void *ctx,
		     struct error *err)
{
	for (;;) {
		char sha256[SHA256_HEX_SIZE];
		bool more = false;
		int r = db_next(s, st, &more, err);

		if (r < 0 || !more)
			return r;
		db_text_to(st, 0, sha256);
		r = each(ctx, sha256, sqlite3_column_int64(st, 1), err);
		if (r != 0)
			return r;
	}
}

int store_batch_missing(struct store *s, int64_t batch, store_blob_fn each, void *ctx,
			struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BATCH_MISSING, &st, err, "i", batch);

	return r < 0 ? r : each_blob(s, st, each, ctx, err);
}

static int blob_size(struct store *s, enum query q, const char *sha256, int64_t *size,
		     struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, q, &st, err, "t", sha256);

	if (r == 0)
		r = db_row(s, st, "no document lists this blob", err);
	if (r == 0)
		*size = sqlite3_column_int64(st, 0);
	return r;
}

int store_blob(struct store *s, const char *sha256, int64_t *size, struct error *err)
{
	return blob_size(s, Q_BLOB, sha256, size, err);
}

int store_blob_wanted(struct store *s, const char *sha256, int64_t *size, struct error *err)
{
	return blob_size(s, Q_BLOB_WANTED, sha256, size, err);
}

int store_blob_add(struct store *s, const char *sha256, int64_t size, int64_t now,
		   struct error *err)
{
	return db_run(s, Q_BLOB_ADD, err, "tii", sha256, size, now);
}

int store_blobs(struct store *s, store_blob_fn each, void *ctx, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BLOBS, &st, err, "");

	return r < 0 ? r : each_blob(s, st, each, ctx, err);
}

int store_blobs_wanted(struct store *s, store_blob_fn each, void *ctx, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_BLOBS_WANTED, &st, err, "");

	return r < 0 ? r : each_blob(s, st, each, ctx, err);
}

int store_outbox_add(struct store *s, const struct outbox_row *row, const void *content, size_t len,
		     struct error *err)
{
	return db_run(s, Q_OUTBOX_ADD, err, "ittb", row->stage, row->kind, row->path, content, len);
}

int store_outbox_next(struct store *s, struct outbox_row *row, struct buf *content,
		      struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_OUTBOX_NEXT, &st, err, "ii", row->stage, row->n);

	if (r == 0)
		r = db_row(s, st, "nothing is left to do", err);
	if (r == 0)
		r = db_blob(st, 4, content, err);
	if (r < 0)
		return r;
	row->n = sqlite3_column_int64(st, 0);
	row->stage = sqlite3_column_int64(st, 1);
	db_text_to(st, 2, row->kind);
	db_text_to(st, 3, row->path);
	return 0;
}

int store_outbox_superseded(struct store *s, const struct outbox_row *row, bool *out,
			    struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_OUTBOX_SUPERSEDED, &st, err, "ttii", row->path, row->kind, row->stage,
			row->n);

	if (r == 0)
		r = db_row(s, st, "count", err);
	if (r == 0)
		*out = sqlite3_column_int64(st, 0) > 0;
	return r;
}

int store_outbox_done(struct store *s, const struct outbox_row *upto, struct error *err)
{
	return db_run(s, Q_OUTBOX_DONE, err, "ii", upto->stage, upto->n);
}
