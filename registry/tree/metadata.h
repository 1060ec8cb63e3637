/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata - a product's TUF repository in the public tree
 *
 * Roots and targets are written as they came; snapshot and timestamp are made
 * here with the publisher's online keys. Their versions go on rising when the
 * publisher changes, so that no versioned file is ever another one.
 */
#ifndef REGISTRY_TREE_METADATA_H
#define REGISTRY_TREE_METADATA_H

#include "registry/internal.h"

struct error;

/* What a batch of accepted documents changed in one product's repository. */
struct publication {
	const char *product;
	int64_t first_root, last_root; /* versions of the new roots; 0: none */
	int64_t ended;                 /* the tenure that ended; 0: none */
	const struct document_row *targets;
	size_t ntargets;
};

/* Ask for all of it to be written: at once for a reader, whatever the moment. */
MUSTCHECK int metadata_publish(struct work *w, const struct publication *p, struct error *err);

/* Renew what is due; *more: there may be more. */
MUSTCHECK int metadata_renew(struct work *w, bool *more, struct error *err);

/* Where a document is, below p/<product>/. */
MUSTCHECK int metadata_path(struct store *s, const struct document_row *doc, char out[PATH_SIZE],
			    struct error *err);

#endif
