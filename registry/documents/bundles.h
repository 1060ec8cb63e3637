/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundles - a maintainer's sources, which come as targets named source/x.bundle
 *
 * They join the product's source repository before the targets version that
 * lists them is judged, so that the policy finds the commits that its images
 * are built from. Adding one is idempotent: a version that is refused after it
 * leaves commits behind that a threshold of the role has signed for.
 */
#ifndef REGISTRY_DOCUMENTS_BUNDLES_H
#define REGISTRY_DOCUMENTS_BUNDLES_H

#include "registry/documents/publishing.h"

/* Is this the path of a source bundle? */
bool bundles_is(const char *path);

/*
 * Add those of the offer that the version before did not list. *missing: one of
 * them is not uploaded yet, and none was added. E_INVALID, E_DENIED: as
 * sources_add_bundle() says.
 */
MUSTCHECK int bundles_add(const struct offer *o, bool *missing, struct error *err);

#endif
