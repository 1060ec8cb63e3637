/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch - documents that are taken all or none
 *
 * Each document in turn is judged against what the store says and, if it may,
 * put into the store, where the next one finds it: so a bridge, the root after
 * it and its first targets are checked like any others. The whole runs in a
 * savepoint and is undone if one is refused, lacks signatures, or lists blobs
 * that are not here.
 */
#ifndef REGISTRY_DOCUMENTS_BATCH_H
#define REGISTRY_DOCUMENTS_BATCH_H

#include "lib/tuf/role.h"
#include "registry/documents/split.h"
#include "registry/internal.h"

struct error;

enum {
	STATEMENT_MAX = 512 * 1024, /* bytes */
	MERGED_MAX = 2 * SPLIT_MAX, /* earlier batches that one batch takes up */
	KEY_SETS = 2,               /* of one document: a root is signed under two */
};

enum item_state { ITEM_NEW, ITEM_PUBLISHED, ITEM_PROPOSAL };

struct item {
	struct envelope *doc; /* owned */
	char name[96];        /* "root 2", for error texts */
	enum item_state state;
	bool merged;                     /* it has signatures of an earlier proposal */
	bool wider, longer;              /* than the version before: more delegations; more bytes */
	int64_t have, need;              /* signatures that count, of the keys that lack most */
	struct role_keys sets[KEY_SETS]; /* owned: whose signatures count */
	size_t nsets;
	struct document_row row; /* once it is in the store */
};

struct batch {
	struct work *w;
	char product[PRODUCT_SIZE];
	struct item items[SPLIT_MAX];
	size_t n;
	json_t *missing;                      /* [{"sha256", "size"}], owned */
	int64_t first_root, last_root, ended; /* as in struct publication */
	bool bridge_open;                     /* the last root taken is a bridge */
	int64_t merged[MERGED_MAX];           /* numbers of batches to drop */
	size_t nmerged;
};

void batch_clear(struct batch *b);

/* --- for the judges of single documents --- */

/*
 * Count the signatures under one set of keys; the set is taken. Too few: the
 * item becomes a proposal; none at all: E_UNTRUSTED, for nothing that a stranger
 * sends is kept. `alone` false: another set of the item already had one.
 */
MUSTCHECK int item_count(struct item *it, struct role_keys *by_take, const char *whose, bool alone,
			 struct error *err);

/* The keys of a root's role, to be counted and kept. */
MUSTCHECK int copy_role_keys(const struct tuf_root *root, enum tuf_type type, struct role_keys *out,
			     struct error *err);

/* Into the store and the log; row->id, sha256, product, type, version, received are filled here. */
MUSTCHECK int batch_accept(struct batch *b, struct item *it, struct error *err);

/* A blob that must be here under this name below public/, or be waited for. */
MUSTCHECK int batch_blob(struct batch *b, const char *path, const char *sha256, int64_t size,
			 struct error *err);

/* The document that an id names, from this batch, from the store or from what waits. */
MUSTCHECK int batch_find(struct batch *b, const char *id, struct envelope **out, struct error *err);

/* Does this document of the batch still lack signatures? It will have them before it is published.
 */
bool batch_is_proposal(const struct batch *b, const char *id);

/* The bridge that a final eol under the root of this id named; "" if there is none. */
MUSTCHECK int batch_final_bridge(const struct batch *b, const char *root, char out[SHA256_HEX_SIZE],
				 struct error *err);

/* The judges. */
MUSTCHECK int judge_root(struct batch *b, struct item *it, struct error *err);
MUSTCHECK int judge_targets(struct batch *b, struct item *it, struct error *err);
MUSTCHECK int judge_statement(struct batch *b, struct item *it, struct error *err);

/* After the last document: is what is in force now a whole? */
MUSTCHECK int judge_whole(struct batch *b, struct error *err);

#endif
