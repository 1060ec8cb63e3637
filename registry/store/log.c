/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves, tiles and the checkpoint of the log. */
#include <stdio.h>

#include "lib/base/error.h"
#include "registry/store/db.h"
#include "registry/store/store.h"

int store_log_size(struct store *s, uint64_t *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_LOG_SIZE, &st, err, "");

	if (r == 0)
		r = db_row(s, st, "size", err);
	if (r == 0)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	return r;
}

int store_leaf_add(struct store *s, uint64_t index, const struct document_row *doc,
		   const struct hash *hash, const struct buf *data, struct error *err)
{
	return db_run(s, Q_LEAF_ADD, err, "ititbb", (int64_t)index, doc->product, doc->seq, doc->id,
		      hash->b, sizeof(hash->b), data->data, data->len);
}

/* The hash in a column; E_INVALID: the row was not written by us. */
static int read_hash(sqlite3_stmt *st, int col, struct hash *out, struct error *err)
{
	if (sqlite3_column_bytes(st, col) != SHA256_LEN)
		return error_set(err, E_INVALID, "registry.db: a hash of another length");
	memcpy(out->b, sqlite3_column_blob(st, col), SHA256_LEN);
	return 0;
}

int store_leaf_last(struct store *s, const char *product, int64_t *seq, struct hash *hash,
		    struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	bool more = false;
	int r = db_bind(s, Q_LEAF_LAST, &st, err, "t", product);

	if (r == 0)
		r = db_next(s, st, &more, err);
	if (r < 0)
		return r;
	if (!more) {
		*seq = 0;
		memset(hash, 0, sizeof(*hash));
		return 0;
	}
	r = read_hash(st, 1, hash, err);
	if (r == 0)
		*seq = sqlite3_column_int64(st, 0);
	return r;
}

static int each_leaf(struct store *s, sqlite3_stmt *st, store_leaf_fn each, void *ctx,
		     struct error *err)
{
	for (;;) {
		struct leaf_row row;
		bool more = false;
		int r = db_next(s, st, &more, err);

		if (r < 0 || !more)
			return r;
		row.index = (uint64_t)sqlite3_column_int64(st, 0);
		db_text_to(st, 1, row.product);
		db_text_to(st, 2, row.document);
		r = read_hash(st, 3, &row.hash, err);
		if (r < 0)
			return r;
		row.data = sqlite3_column_blob(st, 4);
		row.len = (size_t)sqlite3_column_bytes(st, 4);
		r = each(ctx, &row, err);
		if (r != 0)
			return r;
	}
}

int store_leaves(struct store *s, uint64_t from, uint64_t to, store_leaf_fn each, void *ctx,
		 struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_LEAVES, &st, err, "ii", (int64_t)from, (int64_t)to);

	return r < 0 ? r : each_leaf(s, st, each, ctx, err);
}

int store_product_leaves(struct store *s, const char *product, store_leaf_fn each, void *ctx,
			 struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_PRODUCT_LEAVES, &st, err, "t", product);

	return r < 0 ? r : each_leaf(s, st, each, ctx, err);
}

int store_tile(struct store *s, unsigned level, uint64_t n, unsigned width, struct hash *out,
	       struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_TILE, &st, err, "ii", (int64_t)level, (int64_t)n);

	if (r == 0)
		r = db_row(s, st, "registry.db: a tile of the log is missing", err);
	if (r < 0)
		return r;
	if ((size_t)sqlite3_column_bytes(st, 0) < width * sizeof(*out))
		return error_set(err, E_INVALID, "registry.db: a tile of the log is too short");
	memcpy(out, sqlite3_column_blob(st, 0), width * sizeof(*out));
	return 0;
}

int store_tile_set(struct store *s, unsigned level, uint64_t n, unsigned width,
		   const struct hash *hashes, struct error *err)
{
	return db_run(s, Q_TILE_SET, err, "iib", (int64_t)level, (int64_t)n, hashes,
		      width * sizeof(*hashes));
}

int store_checkpoint(struct store *s, uint64_t *size, struct buf *note, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_CHECKPOINT, &st, err, "");

	if (r == 0)
		r = db_row(s, st, "the log has no checkpoint", err);
	if (r == 0)
		r = db_blob(st, 1, note, err);
	if (r == 0)
		*size = (uint64_t)sqlite3_column_int64(st, 0);
	return r;
}

int store_checkpoint_set(struct store *s, uint64_t size, const struct buf *note, struct error *err)
{
	return db_run(s, Q_CHECKPOINT_SET, err, "ib", (int64_t)size, note->data, note->len);
}

int store_published(struct store *s, struct published_row *out, struct buf *note, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	bool more = false;
	int r = db_bind(s, Q_PUBLISHED, &st, err, "");

	if (r == 0)
		r = db_next(s, st, &more, err);
	if (r == 0 && more && note)
		r = db_blob(st, 2, note, err);
	if (r < 0)
		return r;
	*out = (struct published_row){0};
	if (more) {
		out->size = (uint64_t)sqlite3_column_int64(st, 0);
		out->proved = (uint64_t)sqlite3_column_int64(st, 1);
	}
	return 0;
}

int store_published_set(struct store *s, const struct published_row *row, const struct buf *note,
			struct error *err)
{
	return db_run(s, Q_PUBLISHED_SET, err, "iib", (int64_t)row->size, (int64_t)row->proved,
		      note->data, note->len);
}
