/* SPDX-License-Identifier: Apache-2.0 */
/* Products, their tenures and hardware ids. */
#include <stdio.h>

#include "lib/base/error.h"
#include "registry/store/db.h"
#include "registry/store/store.h"

int store_product(struct store *s, const char *id, struct product_row *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_PRODUCT, &st, err, "t", id);

	if (r == 0)
		r = db_row(s, st, "no such product", err);
	if (r < 0)
		return r;
	db_text_to(st, 0, out->id);
	out->root = sqlite3_column_int64(st, 1);
	out->tenure = sqlite3_column_int64(st, 2);
	db_text_to(st, 3, out->head);
	return 0;
}

int store_product_add(struct store *s, const char *id, int64_t now, struct error *err)
{
	return db_run(s, Q_PRODUCT_ADD, err, "ti", id, now);
}

int store_product_root(struct store *s, const char *id, int64_t root, int64_t tenure,
		       struct error *err)
{
	return db_run(s, Q_PRODUCT_ROOT, err, "tii", id, root, tenure);
}

int store_product_head(struct store *s, const char *id, const char *head, struct error *err)
{
	return db_run(s, Q_PRODUCT_HEAD, err, "tt", id, head);
}

int store_product_listing(struct store *s, const char *id, const char *listing, bool *changed,
			  struct error *err)
{
	int r = db_run(s, Q_PRODUCT_LISTING, err, "tt", id, listing);

	if (r == 0)
		*changed = sqlite3_changes(s->db) > 0;
	return r;
}

int store_tenure(struct store *s, const char *product, int64_t n, struct tenure_row *out,
		 struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_TENURE, &st, err, "ti", product, n);

	if (r == 0)
		r = db_row(s, st, "no such tenure", err);
	if (r < 0)
		return r;
	(void)snprintf(out->product, sizeof(out->product), "%s", product);
	out->n = sqlite3_column_int64(st, 0);
	db_text_to(st, 1, out->publisher);
	out->epoch = sqlite3_column_int64(st, 2);
	out->first_root = sqlite3_column_int64(st, 3);
	out->anchor = sqlite3_column_int64(st, 4);
	out->last_root = sqlite3_column_int64(st, 5);
	return 0;
}

int store_tenure_add(struct store *s, const struct tenure_row *t, struct error *err)
{
	return db_run(s, Q_TENURE_ADD, err, "titiii", t->product, t->n, t->publisher, t->epoch,
		      t->first_root, t->anchor);
}

int store_tenure_end(struct store *s, const char *product, int64_t n, int64_t last_root,
		     struct error *err)
{
	return db_run(s, Q_TENURE_END, err, "tii", product, n, last_root);
}

int store_tenure_anchor(struct store *s, const char *product, int64_t n, int64_t anchor,
			struct error *err)
{
	return db_run(s, Q_TENURE_ANCHOR, err, "tii", product, n, anchor);
}

int store_tenure_count(struct store *s, const char *product, const char *publisher, int64_t *out,
		       struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_TENURE_COUNT, &st, err, "tt", product, publisher);

	if (r == 0)
		r = db_row(s, st, "count", err);
	if (r == 0)
		*out = sqlite3_column_int64(st, 0);
	return r;
}

int store_hardware_clear(struct store *s, const char *product, struct error *err)
{
	return db_run(s, Q_HARDWARE_CLEAR, err, "t", product);
}

int store_hardware_add(struct store *s, const char *product, const char *id, struct error *err)
{
	return db_run(s, Q_HARDWARE_ADD, err, "tt", id, product);
}

/* Give the first column of each row to `each`. */
static int each_text(struct store *s, sqlite3_stmt *st, store_text_fn each, void *ctx,
		     struct error *err)
{
	for (;;) {
		bool more = false;
		int r = db_next(s, st, &more, err);

		if (r < 0 || !more)
			return r;
		r = each(ctx, (const char *)sqlite3_column_text(st, 0), err);
		if (r != 0)
			return r;
	}
}

int store_hardware_ids(struct store *s, const char *product, store_text_fn each, void *ctx,
		       struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_HARDWARE_IDS, &st, err, "t", product);

	return r < 0 ? r : each_text(s, st, each, ctx, err);
}

int store_hardware_products(struct store *s, const char *hardware, store_text_fn each, void *ctx,
			    struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_HARDWARE_PRODUCTS, &st, err, "t", hardware);

	return r < 0 ? r : each_text(s, st, each, ctx, err);
}

int store_listings(struct store *s, const char *prefix, store_text_fn each, void *ctx,
		   struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_LISTINGS, &st, err, "t", prefix);

	return r < 0 ? r : each_text(s, st, each, ctx, err);
}

int store_listing_count(struct store *s, int64_t *out, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_LISTING_COUNT, &st, err, "");

	if (r == 0)
		r = db_row(s, st, "count", err);
	if (r == 0)
		*out = sqlite3_column_int64(st, 0);
	return r;
}

int store_products(struct store *s, store_text_fn each, void *ctx, struct error *err)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	int r = db_bind(s, Q_PRODUCTS, &st, err, "");

	return r < 0 ? r : each_text(s, st, each, ctx, err);
}
