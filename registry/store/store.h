/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - what the registry remembers, in one SQLite file
 *
 * WAL and synchronous FULL: what a commit said is there after a power cut. One
 * thread at a time. Rows come back in structs of fixed size or as appended
 * bytes; nothing is borrowed from the database. E_NOTFOUND: no such row.
 * E_FULL: no space; the transaction is undone. E_BUSY: another process writes.
 */
#ifndef REGISTRY_STORE_STORE_H
#define REGISTRY_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/sign/key.h"
#include "lib/tlog/merkle.h"

struct error;
struct store;

enum { PRODUCT_SIZE = 64, TYPE_SIZE = 33, ROLE_SIZE = 129, PATH_SIZE = 1024 };

/* Open or make; E_INVALID: not ours, or made by a newer program. */
MUSTCHECK int store_open(const char *path, struct store **out, struct error *err);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/* One transaction; inside it any number of savepoints, one after the other. */
MUSTCHECK int store_begin(struct store *s, struct error *err);
MUSTCHECK int store_commit(struct store *s, struct error *err);
void store_rollback(struct store *s);
MUSTCHECK int store_savepoint(struct store *s, struct error *err);
MUSTCHECK int store_release(struct store *s, struct error *err); /* keep what it did */
MUSTCHECK int store_undo(struct store *s, struct error *err);    /* forget what it did */

/* --- products --- */

struct product_row {
	char id[PRODUCT_SIZE];
	int64_t root;   /* version of the current root; 0: none yet */
	int64_t tenure; /* 0: none yet */
	char head[41];  /* of source.git; "" */
};
MUSTCHECK int store_product(struct store *s, const char *id, struct product_row *out,
			    struct error *err);
MUSTCHECK int store_product_add(struct store *s, const char *id, int64_t now, struct error *err);
MUSTCHECK int store_product_root(struct store *s, const char *id, int64_t root, int64_t tenure,
				 struct error *err);
MUSTCHECK int store_product_head(struct store *s, const char *id, const char *head,
				 struct error *err);
/* *changed: it was another one before. */
MUSTCHECK int store_product_listing(struct store *s, const char *id, const char *listing,
				    bool *changed, struct error *err);

struct tenure_row {
	char product[PRODUCT_SIZE];
	int64_t n;
	char publisher[PRODUCT_SIZE];
	int64_t epoch, first_root, anchor;
	int64_t last_root; /* 0: it lasts */
};
MUSTCHECK int store_tenure(struct store *s, const char *product, int64_t n, struct tenure_row *out,
			   struct error *err);
MUSTCHECK int store_tenure_add(struct store *s, const struct tenure_row *t, struct error *err);
MUSTCHECK int store_tenure_end(struct store *s, const char *product, int64_t n, int64_t last_root,
			       struct error *err);
MUSTCHECK int store_tenure_anchor(struct store *s, const char *product, int64_t n, int64_t anchor,
				  struct error *err);
/* How many tenures this publisher has had. */
MUSTCHECK int store_tenure_count(struct store *s, const char *product, const char *publisher,
				 int64_t *out, struct error *err);

/* Hardware ids of a product, replaced as a whole; `each` in order. */
MUSTCHECK int store_hardware_clear(struct store *s, const char *product, struct error *err);
MUSTCHECK int store_hardware_add(struct store *s, const char *product, const char *id,
				 struct error *err);

/* Called for each row with one text column; stop by returning non-zero. */
typedef int (*store_text_fn)(void *ctx, const char *text, struct error *err);
MUSTCHECK int store_hardware_ids(struct store *s, const char *product, store_text_fn each,
				 void *ctx, struct error *err);
MUSTCHECK int store_hardware_products(struct store *s, const char *hardware, store_text_fn each,
				      void *ctx, struct error *err);
/* Listings of the products whose id begins with `prefix`, in order of their ids. */
MUSTCHECK int store_listings(struct store *s, const char *prefix, store_text_fn each, void *ctx,
			     struct error *err);
MUSTCHECK int store_listing_count(struct store *s, int64_t *out, struct error *err);
MUSTCHECK int store_products(struct store *s, store_text_fn each, void *ctx, struct error *err);

/* --- documents --- */

struct document_row {
	char id[SHA256_HEX_SIZE], sha256[SHA256_HEX_SIZE];
	char product[PRODUCT_SIZE], type[TYPE_SIZE], role[ROLE_SIZE], signer[KEYID_MAX + 1];
	int64_t tenure, version, issued, received;
	char deposit[SHA256_HEX_SIZE]; /* "" */
	int64_t index, seq;            /* in the log; filled by the reading functions */
};

/* `bytes` (appended to) may be NULL in the functions below. */
MUSTCHECK int store_document(struct store *s, const char *id, struct document_row *out,
			     struct buf *bytes, struct error *err);
/* By product, type, role, signer, tenure and version, as *row has them; fills the rest. */
MUSTCHECK int store_document_find(struct store *s, struct document_row *row, struct buf *bytes,
				  struct error *err);
/* The same but for the version: the highest there is. */
MUSTCHECK int store_document_latest(struct store *s, struct document_row *row, struct buf *bytes,
				    struct error *err);
MUSTCHECK int store_document_add(struct store *s, const struct document_row *row,
				 const struct buf *bytes, struct error *err);

typedef int (*store_document_fn)(void *ctx, const struct document_row *row, struct error *err);
/* In log order. `product` NULL: of all. */
MUSTCHECK int store_documents(struct store *s, const char *product, store_document_fn each,
			      void *ctx, struct error *err);
/* Statements that name a deposit, of one type. */
MUSTCHECK int store_deposit_count(struct store *s, const char *deposit, const char *type,
				  int64_t *out, struct error *err);

/* A trustee's notices, approvals and refusals; statements of one type since a document of the same
 * product. */
MUSTCHECK int store_signer_count(struct store *s, const char *deposit, const char *signer,
				 int64_t *out, struct error *err);
MUSTCHECK int store_type_count(struct store *s, const char *product, const char *type,
			       const char *since, int64_t *out, struct error *err);

struct role_row {
	char name[ROLE_SIZE];
	int64_t version;
	char document[SHA256_HEX_SIZE];
};
MUSTCHECK int store_role(struct store *s, const char *product, int64_t tenure, const char *name,
			 struct role_row *out, struct error *err);
MUSTCHECK int store_role_set(struct store *s, const char *product, int64_t tenure,
			     const struct role_row *row, struct error *err);
typedef int (*store_role_fn)(void *ctx, const struct role_row *row, struct error *err);
MUSTCHECK int store_roles(struct store *s, const char *product, int64_t tenure, store_role_fn each,
			  void *ctx, struct error *err);

struct online_row {
	char product[PRODUCT_SIZE];
	int64_t tenure;
	char type[TYPE_SIZE]; /* "snapshot" or "timestamp" */
	int64_t version, renew;
};
MUSTCHECK int store_online(struct store *s, struct online_row *row, struct buf *bytes,
			   struct error *err);
MUSTCHECK int store_online_set(struct store *s, const struct online_row *row,
			       const struct buf *bytes, struct error *err);
/* One that is due at `now`; E_NOTFOUND: none. */
MUSTCHECK int store_online_due(struct store *s, int64_t now, struct online_row *out,
			       struct error *err);

struct deposit_row {
	char id[SHA256_HEX_SIZE], product[PRODUCT_SIZE];
	char follows[SHA256_HEX_SIZE], bridge[SHA256_HEX_SIZE];
	char release[SHA256_HEX_SIZE]; /* id of the release statement; "" */
};
MUSTCHECK int store_deposit(struct store *s, const char *id, struct deposit_row *out,
			    struct error *err);
MUSTCHECK int store_deposit_add(struct store *s, const struct deposit_row *row, struct error *err);
MUSTCHECK int store_deposit_release(struct store *s, const char *id, const char *release,
				    struct error *err);
typedef int (*store_deposit_fn)(void *ctx, const struct deposit_row *row, struct error *err);
/* `follows` NULL: whatever root they follow. In the order they were accepted. */
MUSTCHECK int store_deposits(struct store *s, const char *product, const char *follows,
			     store_deposit_fn each, void *ctx, struct error *err);

/* --- the log --- */

MUSTCHECK int store_log_size(struct store *s, uint64_t *out, struct error *err);
MUSTCHECK int store_leaf_add(struct store *s, uint64_t index, const struct document_row *doc,
			     const struct hash *hash, const struct buf *data, struct error *err);
/* The last leaf of a product: seq 0 and 64 zeros if there is none. */
MUSTCHECK int store_leaf_last(struct store *s, const char *product, int64_t *seq, struct hash *hash,
			      struct error *err);
struct leaf_row {
	uint64_t index;
	char product[PRODUCT_SIZE], document[SHA256_HEX_SIZE];
	struct hash hash;
	const void *data; /* borrowed, for the time of the call */
	size_t len;
};
typedef int (*store_leaf_fn)(void *ctx, const struct leaf_row *row, struct error *err);
/* Those with from <= index < to; or all of one product, if that is not NULL. */
MUSTCHECK int store_leaves(struct store *s, uint64_t from, uint64_t to, store_leaf_fn each,
			   void *ctx, struct error *err);
MUSTCHECK int store_product_leaves(struct store *s, const char *product, store_leaf_fn each,
				   void *ctx, struct error *err);
MUSTCHECK int store_tile(struct store *s, unsigned level, uint64_t n, unsigned width,
			 struct hash *out, struct error *err);
MUSTCHECK int store_tile_set(struct store *s, unsigned level, uint64_t n, unsigned width,
			     const struct hash *hashes, struct error *err);
MUSTCHECK int store_checkpoint(struct store *s, uint64_t *size, struct buf *note,
			       struct error *err);
MUSTCHECK int store_checkpoint_set(struct store *s, uint64_t size, const struct buf *note,
				   struct error *err);

/*
 * The checkpoint that the public tree shows: leaves below `proved` have their proofs there, too.
 * All 0 while there is none; `note` may be NULL.
 */
struct published_row {
	uint64_t size, proved;
};
MUSTCHECK int store_published(struct store *s, struct published_row *out, struct buf *note,
			      struct error *err);
MUSTCHECK int store_published_set(struct store *s, const struct published_row *row,
				  const struct buf *note, struct error *err);

/* --- batches and blobs --- */

struct batch_row {
	int64_t n;
	char product[PRODUCT_SIZE], state[TYPE_SIZE];
	int64_t received;
	char reason[512]; /* "" */
};
struct batch_document {
	char id[SHA256_HEX_SIZE], sha256[SHA256_HEX_SIZE], type[TYPE_SIZE];
	int64_t version, have, need;
};
MUSTCHECK int store_batch(struct store *s, int64_t n, struct batch_row *out, struct error *err);
/* *n: the new batch's number. */
MUSTCHECK int store_batch_add(struct store *s, const char *product, const char *state, int64_t now,
			      int64_t *n, struct error *err);
MUSTCHECK int store_batch_document_add(struct store *s, int64_t batch, int64_t pos,
				       const struct batch_document *d, const struct buf *bytes,
				       struct error *err);
MUSTCHECK int store_batch_blob_add(struct store *s, int64_t batch, const char *sha256, int64_t size,
				   struct error *err);
MUSTCHECK int store_batch_refuse(struct store *s, int64_t n, const char *reason, struct error *err);
MUSTCHECK int store_batch_drop(struct store *s, int64_t n, struct error *err);
MUSTCHECK int store_batches_expire(struct store *s, int64_t before, struct error *err);
MUSTCHECK int store_batch_count(struct store *s, const char *product, int64_t *out,
				struct error *err);
/* The newest batch that has this document; its bytes there (may be NULL). */
MUSTCHECK int store_batch_find(struct store *s, const char *id, int64_t *n, struct buf *bytes,
			       struct error *err);
typedef int (*store_batch_document_fn)(void *ctx, const struct batch_document *d, const void *bytes,
				       size_t len, struct error *err);
MUSTCHECK int store_batch_documents(struct store *s, int64_t batch, store_batch_document_fn each,
				    void *ctx, struct error *err);
typedef int (*store_number_fn)(void *ctx, int64_t n, struct error *err);
MUSTCHECK int store_batches(struct store *s, const char *product, store_number_fn each, void *ctx,
			    struct error *err);
/* Waiting batches that list this blob and have all of their blobs now. */
MUSTCHECK int store_batches_ready(struct store *s, const char *sha256, store_number_fn each,
				  void *ctx, struct error *err);
/* All waiting batches that have all of their blobs: a crash left them. */
MUSTCHECK int store_batches_complete(struct store *s, store_number_fn each, void *ctx,
				     struct error *err);
typedef int (*store_blob_fn)(void *ctx, const char *sha256, int64_t size, struct error *err);
/* What a batch still waits for. */
MUSTCHECK int store_batch_missing(struct store *s, int64_t batch, store_blob_fn each, void *ctx,
				  struct error *err);

/* A blob that is here; and one that a waiting batch lists. */
MUSTCHECK int store_blob(struct store *s, const char *sha256, int64_t *size, struct error *err);
MUSTCHECK int store_blob_wanted(struct store *s, const char *sha256, int64_t *size,
				struct error *err);
MUSTCHECK int store_blob_add(struct store *s, const char *sha256, int64_t size, int64_t now,
			     struct error *err);
MUSTCHECK int store_blobs(struct store *s, store_blob_fn each, void *ctx, struct error *err);
/* Those that waiting batches list and that are not here, as far as we know. */
MUSTCHECK int store_blobs_wanted(struct store *s, store_blob_fn each, void *ctx, struct error *err);

/* --- the outbox --- */

/* Stages are done in this order, whatever the order in which they were asked for. */
enum outbox_stage {
	STAGE_FILES,    /* statements, deposits, target files: nothing refers to them yet */
	STAGE_LOG,      /* tiles, checkpoint, proofs, leaf chains */
	STAGE_METADATA, /* roots, targets, snapshot, timestamp */
	STAGE_INDEX,    /* convenience: index.json, products.json, pages */
};
struct outbox_row {
	int64_t n, stage;
	char kind[8]; /* "put", "link", "stage", "swap", "pages" */
	char path[PATH_SIZE];
};
MUSTCHECK int store_outbox_add(struct store *s, const struct outbox_row *row, const void *content,
			       size_t len, struct error *err);
/* The first one behind (stage, n); start from zeros. E_NOTFOUND: no more. */
MUSTCHECK int store_outbox_next(struct store *s, struct outbox_row *row, struct buf *content,
				struct error *err);
/* Will a later row write the same path? */
MUSTCHECK int store_outbox_superseded(struct store *s, const struct outbox_row *row, bool *out,
				      struct error *err);
MUSTCHECK int store_outbox_done(struct store *s, const struct outbox_row *upto, struct error *err);

#endif
