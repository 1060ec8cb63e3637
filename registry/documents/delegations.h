/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegations - whose a product's roles are, and how much of them there may be
 *
 * A delegated role belongs to the first delegation to it, as clients look for it: level by level
 * from the top. Nobody but those above it can delegate to it from elsewhere, so no
 * delegate gets a say in another's role; and what one of them uses up of the limits
 * is never held against another who has less than an equal share.
 */
#ifndef REGISTRY_DOCUMENTS_DELEGATIONS_H
#define REGISTRY_DOCUMENTS_DELEGATIONS_H

#include "lib/tuf/lineage.h"
#include "registry/documents/batch.h"

struct error;

enum {
	DELEGATIONS_MAX = 256, /* of one document; of a product */
	/* Bytes of a product's delegated roles in force: each version has all of them looked at. */
	DELEGATED_BYTES_MAX = 8 * 1024 * 1024,
	/*
	 * Names of delegated roles in a tenure, for the snapshot has to list them to its end: so
	 * many may be made by delegates, and twice as many in all.
	 */
	DELEGATED_NAMES_MAX = 1024,
};

/* The roles of a tenure, from the store. */
struct source {
	struct batch *b;
	int64_t tenure;
};

/* The role in force, and its document. E_NOTFOUND. */
MUSTCHECK int source_role(const struct source *from, const char *name, struct role_row *row,
			  struct envelope **out, struct error *err);

/* `from` is borrowed by the lineage. */
MUSTCHECK int source_lineage(struct source *from, struct lineage **out, struct error *err);

/*
 * Before a version of `role` is in force: may it delegate to those to whom the version
 * before it (NULL: none) did not? Notes in the item what grows. E_INVALID, E_DENIED.
 */
MUSTCHECK int delegations_new(struct source *from, struct item *it, const char *role,
			      const struct envelope *previous, struct error *err);

/* May a role of this name be new? `by_top`: the top-level role delegates to it. E_DENIED. */
MUSTCHECK int delegations_name(const struct source *from, const struct item *it, bool by_top,
			       struct error *err);

/*
 * Once all of a batch is in force: each role that is delegated to is published, signed as its
 * delegation asks, found by clients, and no more than there may be.
 */
MUSTCHECK int delegations_whole(struct source *from, struct error *err);

/*
 * A file is named after a role, for everybody who copies the tree, whatever their file
 * system: so it is one component, not hidden, and with no other separator.
 */
bool delegations_role_ok(const char *name);

#endif
