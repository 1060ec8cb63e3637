/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck - recheck everything that a registry says and has
 *
 * Nothing is taken from the store unchecked: ids and digests are computed from
 * the bytes, root chains walked, statements and targets verified, leaves
 * compared with their documents, the tree of the log made anew from the leaves,
 * blobs hashed, and the files of the public tree compared.
 */
#ifndef REGISTRY_FSCK_FSCK_H
#define REGISTRY_FSCK_FSCK_H

#include <jansson.h>

#include "registry/internal.h"

struct error;

struct fsck {
	struct work *w;
	bool repair;       /* write tree files again from what the store has */
	json_t *problems;  /* [{"where", "what", "repaired"}], borrowed */
	json_t *delegated; /* so far, by "<product> <tenure> <role>": [{"keys", "keyids",
			      "threshold"}] */
	int64_t documents, leaves, blobs, repaired;
};

/* Note a problem. */
MUSTCHECK int fsck_problem(struct fsck *f, const char *where, const char *what, bool repaired,
			   struct error *err);

/* Each fails only if it cannot go on looking. */
MUSTCHECK int fsck_documents(struct fsck *f, struct error *err);
MUSTCHECK int fsck_log(struct fsck *f, struct error *err);
MUSTCHECK int fsck_blobs(struct fsck *f, struct error *err);

#endif
