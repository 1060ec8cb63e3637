/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebuild - who else got these bits out of that source?
 *
 * A `rebuild` statement says that a commit, built by a recipe, gives a digest. It
 * counts if it is of the very image and commit, signed by a rebuilder whom the
 * current root lists, and logged under that root's logs and witnesses.
 */
#ifndef POLICIES_REBUILD_H
#define POLICIES_REBUILD_H

#include "lib/tuf/role.h"
#include "policies/facts.h"
#include "policies/logs.h"

struct error;

struct rebuild_query {
	const char *product;
	const struct tuf_root *root; /* the current one */
	const char *sha256;          /* of the image, as hex */
	const char *commit; /* that its metadata names; NULL or "": nobody can know which */
};

/*
 * Set `rebuilds` and `rebuilds.threshold`. What cannot be found out stays unknown
 * and says why: no rebuilders are listed, the chain or a statement is not served.
 * What is there already is enough if it reaches the threshold. E_UNTRUSTED: the chain is broken,
 * has another root, or a file is another document than was logged.
 */
MUSTCHECK int rebuild_facts(const struct evidence_source *s, const struct rebuild_query *q,
			    struct facts *f, struct error *err);

#endif
