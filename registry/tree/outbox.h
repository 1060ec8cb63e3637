/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox - from what was decided to what the world sees
 *
 * A job says what to write; the rows are committed with the decision and done
 * afterwards, stage by stage (registry/store/store.h), each by an atomic rename.
 * Rows are struck off once all they wrote is durable, which files that come one after
 * the other wait for together. After a crash they are done again: writing the same
 * bytes twice is harmless, and a name that a later row writes too is written once, by
 * that row.
 *
 * A product whose metadata changes in more than one file that readers hold
 * against each other (a new root and what it signs) is written into a copy of
 * its metadata folder, which then trades places with the real one at once.
 */
#ifndef REGISTRY_TREE_OUTBOX_H
#define REGISTRY_TREE_OUTBOX_H

#include "registry/internal.h"

struct error;

/* The name of the copy below p/<product>/. */
#define TREE_STAGED ".tmp-metadata"

/* Write bytes to `path` below public/, or link a blob that is here to it. */
MUSTCHECK int outbox_put(struct work *w, enum outbox_stage stage, const char *path,
			 const struct buf *content, struct error *err);
MUSTCHECK int outbox_link(struct work *w, const char *path, const char *sha256, struct error *err);

/* Begin a copy of the product's metadata; let it trade places. Puts between them name TREE_STAGED.
 */
MUSTCHECK int outbox_stage(struct work *w, const char *product, struct error *err);
MUSTCHECK int outbox_swap(struct work *w, const char *product, struct error *err);

/* Have the product's page (or, for "", the home page) made anew. */
MUSTCHECK int outbox_pages(struct work *w, const char *product, struct error *err);

/* Do all that was committed. With the store's lock held, outside of a transaction. */
MUSTCHECK int outbox_apply(struct registry *r, struct error *err);

#endif
