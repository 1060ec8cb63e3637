/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearsal - would a client take what is about to be published?
 *
 * The client of lib/tuf runs over a product's metadata as it will be, from the
 * store and inside the transaction, as a client that has what is public now. What it
 * refuses is not published: the job is undone, and whoever posted is told.
 */
#ifndef REGISTRY_TREE_REHEARSAL_H
#define REGISTRY_TREE_REHEARSAL_H

#include "registry/tree/metadata.h"

struct error;

/*
 * Refresh, then each delegated role of `p`. Nothing is asked while the product has no
 * targets. E_DENIED: a client refuses it, and why.
 */
MUSTCHECK int rehearse(struct work *w, int64_t tenure, const struct publication *p,
		       struct error *err);

#endif
