/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry - what the service does, apart from HTTP
 *
 * Owns the data folder: registry.db, keys/, blobs/, uploads/, public/, lock.
 * Every call that changes something returns only when the change is durable
 * (SQL commit) and the public tree follows by an idempotent step. All calls may
 * come from any thread; writers are serialised inside.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct error;
struct registry;

struct registry_init {
	const char *name;   /* for people */
	const char *origin; /* of the log */
	bool open_admission;
	const char *const *witnesses; /* "VKEY=URL" */
	size_t nwitnesses, threshold;
};

MUSTCHECK int registry_init(const char *data, const struct registry_init *o, struct error *err);

/* Open, take the lock, finish whatever a crash left undone. E_BUSY: another process has it. */
MUSTCHECK int registry_open(const char *data, struct registry **out, struct error *err);
void registry_close(struct registry *r);
DEFINE_CLEANUP(struct registry *, registry_close)

int registry_public_dir(const struct registry *r); /* descriptor of public/; borrowed */
int registry_data_dir(const struct registry *r);   /* descriptor of the data folder; borrowed */

/* POST /v1/documents. *reply is the JSON of lib/net/api.h, owned by the caller. */
MUSTCHECK int registry_submit(struct registry *r, const void *body, size_t len, json_t **reply,
			      struct error *err);
MUSTCHECK int registry_document(struct registry *r, const char *id, json_t **reply,
				struct error *err);
MUSTCHECK int registry_proposals(struct registry *r, const char *product, json_t **reply,
				 struct error *err);
MUSTCHECK int registry_online_keys(struct registry *r, const char *product, const char *publisher,
				   json_t **reply, struct error *err);
MUSTCHECK int registry_share(struct registry *r, const void *body, size_t len, json_t **reply,
			     struct error *err);
MUSTCHECK int registry_product(struct registry *r, const char *product, json_t **reply,
			       struct error *err);

/*
 * For registry/open, after the opened items and source.git are in the tree. The
 * caller gives the fields that are special to a `release` (`fields_take`, taken in
 * any case: deposit, items, shares, approvals, refs); here the rest is added
 * (product, version, issued, root), it is signed with the product's online key,
 * logged and published, and the deposit's state becomes "open". E_EXISTS: this
 * deposit has its release already.
 */
MUSTCHECK int registry_release(struct registry *r, const char *product, json_t *fields_take,
			       struct error *err);

/* index.json is to show source.git with this head (a commit); idempotent. */
MUSTCHECK int registry_source_changed(struct registry *r, const char *product, const char *head,
				      struct error *err);

/*
 * An upload in progress. begin: E_NOTFOUND if no accepted document lists this
 * digest; *size is what it lists, *have what is here (== size: complete).
 */
struct upload;
MUSTCHECK int registry_blob_status(struct registry *r, const char *sha256, uint64_t *size,
				   uint64_t *have, struct error *err);
MUSTCHECK int registry_blob_begin(struct registry *r, const char *sha256, uint64_t offset,
				  struct upload **out, struct error *err);
MUSTCHECK int registry_blob_write(struct upload *u, const void *data, size_t len,
				  struct error *err);
/* The end of one request: keep what came; if complete, verify, store, publish what waited for it.
 */
MUSTCHECK int registry_blob_end(struct upload *u_take, bool *complete, struct error *err);

/* Renew timestamps and snapshots that are half-way to their expiry, batch the log; from a timer. */
MUSTCHECK int registry_tick(struct registry *r, int64_t now, struct error *err);

/*
 * Recheck everything; with `repair`, write files of the public tree again where
 * the store has them. *report is the caller's, also on E_UNTRUSTED, which says
 * that something is wrong and was not repaired: {"ok", "documents", "leaves",
 * "blobs", "repaired", "problems": [{"where", "what", "repaired"}]}.
 */
MUSTCHECK int registry_fsck(struct registry *r, bool repair, json_t **report, struct error *err);

#endif
