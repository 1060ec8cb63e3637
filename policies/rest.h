/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest - what a log took in behind a leaf, up to the end of the tree that its proof is in
 *
 * A leaf chain shows what came before a leaf, and not what came after: whoever serves it may cut
 * it short. But the proof of a leaf has all that is left of it in the tree, so together with
 * the log's entries from there on it gives the tree's root, or else is not of that tree.
 */
#ifndef POLICIES_REST_H
#define POLICIES_REST_H

#include "policies/ledger.h"

/* Entries of a log that are read behind one leaf; by an honest log these are minutes. */
enum { REST_MAX = 4096 };

/*
 * Read them. *whole is set if the chain has every leaf of the product that is in the tree; then
 * *end is after the last one that is. It stays false if the entries could not be had, or are too
 * many, or the chain is behind. E_UNTRUSTED: they are not those of the tree, or have another leaf
 * than the chain.
 */
MUSTCHECK int rest_read(struct ledger *h, const struct leaf *leaf, const struct shown *shown,
			size_t *end, bool *whole, struct error *err);

#endif
