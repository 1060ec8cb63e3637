/* SPDX-License-Identifier: Apache-2.0 */
/*
 * objects - is every object of a pack what it should be?
 *
 * Every tree, commit and tag is read and each thing it refers to must be there
 * and of the right type: in the pack, or in the repository that the pack is to
 * join, whose objects passed the same check. So what is reachable is complete.
 * Trees are also measured as a checkout would unfold them.
 */
#ifndef REGISTRY_SOURCES_OBJECTS_H
#define REGISTRY_SOURCES_OBJECTS_H

#include "registry/sources/gitlib.h"
#include "registry/sources/sources.h"

/*
 * Check all objects of the pack whose index is the file `index`. `repo` sees them
 * and those they build on. E_INVALID: the text names the object.
 */
MUSTCHECK int objects_check(git_repository *repo, const char *index, const char *name,
			    const struct sources_limits *limits, struct error *err);

/* One entry of a raw tree, borrowed from it. */
struct tree_entry {
	unsigned mode;
	const char *name;
	size_t len;
	git_oid id;
};

enum { MODE_TREE = 0040000, MODE_LINK = 0120000, MODE_SUBMODULE = 0160000, MODE_KIND = 0170000 };

/* Take the next entry off the front of *data; false: malformed. */
bool tree_next(const unsigned char **data, size_t *len, struct tree_entry *out);

#endif
