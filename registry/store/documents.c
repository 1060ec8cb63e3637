/* SPDX-License-Identifier: Apache-2.0 */
/* Documents, targets roles, online metadata, deposits. */
#include <stdio.h>

#include "lib/base/error.h"
#include "registry/store/db.h"
#include "registry/store/store.h"

enum { COLUMN_BYTES = 13 }; /* of the queries for one document */

static void read_document(sqlite3_stmt *st, struct document_row *out)
{
	db_text_to(st, 0, out->id);
	db_text_to(st, 1, out->sha256);
	db_text_to(st, 2, out->product);
	db_text_to(st, 3, out->type);
	db_text_to(st, 4, out->role);
	db_text_to(st, 5, out->signer);
	out->tenure = sqlite3_column_int64(st, 6);
	out->version = sqlite3_column_int64(st, 7);
	out->issued = sqlite3_column_int64(st, 8);
	out->received = sqlite3_column_int64(st, 9);
	db_text_to(st, 10, out->deposit);
	out->index = sqlite3_column_int64(st, 11);
	out->seq = sqlite3_column_int64(st, 12);
}

static int one_document(struct store *s, sqlite3_stmt *st, struct document_row *out,
			struct buf *bytes, struct error *err)
{
	struct document_row row;
	int r = db_row(s, st, "no such document", err);

	if (r < 0)
		return r;
	read_document(st, &row);
	if (bytes)
		r = db_blob(st, COLUMN_BYTES, bytes, err);
	if (r == 0)
		*out = row;
	return r;
}

int store_document(struct store *s, const char *id, struct document_row *out, struct buf *bytes,
		   struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_DOCUMENT, &st, err, "t", id);

	return r < 0 ? r : one_document(s, st, out, bytes, err);
}

int store_document_find(struct store *s, struct document_row *row, struct buf *bytes,
			struct error *err)
{
	struct document_row key = *row; /* what is bound must outlive the read */
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_DOCUMENT_FIND, &st, err, "ttttii", key.product, key.type, key.role,
			key.signer, key.tenure, key.version);

	return r < 0 ? r : one_document(s, st, row, bytes, err);
}

int store_document_latest(struct store *s, struct document_row *row, struct buf *bytes,
			  struct error *err)
{
	struct document_row key = *row;
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_DOCUMENT_LATEST, &st, err, "tttti", key.product, key.type, key.role,
			key.signer, key.tenure);

	return r < 0 ? r : one_document(s, st, row, bytes, err);
}

int store_document_add(struct store *s, const struct document_row *d, const struct buf *bytes,
		       struct error *err)
{
	return db_run(s, Q_DOCUMENT_ADD, err, "ttttttiiiitb", d->id, d->sha256, d->product, d->type,
		      d->role, d->signer, d->tenure, d->version, d->issued, d->received, d->deposit,
		      bytes->data, bytes->len);
}

int store_documents(struct store *s, const char *product, store_document_fn each, void *ctx,
		    struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = product ? db_bind(s, Q_PRODUCT_DOCUMENTS, &st, err, "t", product)
			: db_bind(s, Q_DOCUMENTS, &st, err, "");

	while (r == 0) {
		struct document_row row;
		bool more = false;

		r = db_next(s, st, &more, err);
		if (r < 0 || !more)
			return r;
		read_document(st, &row);
		r = each(ctx, &row, err);
	}
	return r;
}

static int read_count(struct store *s, sqlite3_stmt *st, int64_t *out, struct error *err)
{
	int r = db_row(s, st, "count", err);

	if (r == 0)
		*out = sqlite3_column_int64(st, 0);
	return r;
}

int store_deposit_count(struct store *s, const char *deposit, const char *type, int64_t *out,
			struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_DEPOSIT_COUNT, &st, err, "tt", deposit, type);

	return r < 0 ? r : read_count(s, st, out, err);
}

int store_signer_count(struct store *s, const char *deposit, const char *signer, int64_t *out,
		       struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_SIGNER_COUNT, &st, err, "tt", deposit, signer);

	return r < 0 ? r : read_count(s, st, out, err);
}

int store_type_count(struct store *s, const char *product, const char *type, const char *since,
		     int64_t *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_TYPE_COUNT, &st, err, "ttt", product, type, since);

	return r < 0 ? r : read_count(s, st, out, err);
}

static void read_role(sqlite3_stmt *st, struct role_row *out)
{
	db_text_to(st, 0, out->name);
	out->version = sqlite3_column_int64(st, 1);
	db_text_to(st, 2, out->document);
}

int store_role(struct store *s, const char *product, int64_t tenure, const char *name,
	       struct role_row *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_ROLE, &st, err, "tit", product, tenure, name);

	if (r == 0)
		r = db_row(s, st, "no such role", err);
	if (r == 0)
		read_role(st, out);
	return r;
}

int store_role_set(struct store *s, const char *product, int64_t tenure, const struct role_row *row,
		   struct error *err)
{
	return db_run(s, Q_ROLE_SET, err, "titit", product, tenure, row->name, row->version,
		      row->document);
}

int store_roles(struct store *s, const char *product, int64_t tenure, store_role_fn each, void *ctx,
		struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_ROLES, &st, err, "ti", product, tenure);

	while (r == 0) {
		struct role_row row;
		bool more = false;

		r = db_next(s, st, &more, err);
		if (r < 0 || !more)
			return r;
		read_role(st, &row);
		r = each(ctx, &row, err);
	}
	return r;
}

static void read_online(sqlite3_stmt *st, struct online_row *out)
{
	db_text_to(st, 0, out->product);
	out->tenure = sqlite3_column_int64(st, 1);
	db_text_to(st, 2, out->type);
	out->version = sqlite3_column_int64(st, 3);
	out->renew = sqlite3_column_int64(st, 4);
}

int store_online(struct store *s, struct online_row *row, struct buf *bytes, struct error *err)
{
	struct online_row key = *row;
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_ONLINE, &st, err, "tit", key.product, key.tenure, key.type);

	if (r == 0)
		r = db_row(s, st, "no such online metadata", err);
	if (r == 0 && bytes)
		r = db_blob(st, 5, bytes, err);
	if (r == 0)
		read_online(st, row);
	return r;
}

int store_online_set(struct store *s, const struct online_row *row, const struct buf *bytes,
		     struct error *err)
{
	return db_run(s, Q_ONLINE_SET, err, "titiib", row->product, row->tenure, row->type,
		      row->version, row->renew, bytes->data, bytes->len);
}

int store_online_due(struct store *s, int64_t now, struct online_row *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_ONLINE_DUE, &st, err, "i", now);

	if (r == 0)
		r = db_row(s, st, "nothing is due", err);
	if (r == 0)
		read_online(st, out);
	return r;
}

static void read_deposit(sqlite3_stmt *st, struct deposit_row *out)
{
	db_text_to(st, 0, out->id);
	db_text_to(st, 1, out->product);
	db_text_to(st, 2, out->follows);
	db_text_to(st, 3, out->bridge);
	db_text_to(st, 4, out->release);
}

int store_deposit(struct store *s, const char *id, struct deposit_row *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_DEPOSIT, &st, err, "t", id);

	if (r == 0)
		r = db_row(s, st, "no such deposit", err);
	if (r == 0)
		read_deposit(st, out);
	return r;
}

int store_deposit_add(struct store *s, const struct deposit_row *row, struct error *err)
{
	return db_run(s, Q_DEPOSIT_ADD, err, "tttt", row->id, row->product, row->follows,
		      row->bridge);
}

int store_deposit_release(struct store *s, const char *id, const char *release, struct error *err)
{
	return db_run(s, Q_DEPOSIT_RELEASE, err, "tt", id, release);
}

int store_deposits(struct store *s, const char *product, const char *follows, store_deposit_fn each,
		   void *ctx, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_DEPOSITS, &st, err, "tt", product, follows);

	while (r == 0) {
		struct deposit_row row;
		bool more = false;

		r = db_next(s, st, &more, err);
		if (r < 0 || !more)
			return r;
		read_deposit(st, &row);
		r = each(ctx, &row, err);
	}
	return r;
}
