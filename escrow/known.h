/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known - the products that a trustee has met, by their first root
 *
 * A registry shows roots, and nothing in them says that they are the true ones: it
 * could make up a product of the same name, with a release, around a share that is
 * real. So the first root that a trustee acts upon is kept, in the GnuPG home that
 * has the trustee's key, and no share leaves it for any other.
 */
#ifndef ESCROW_KNOWN_H
#define ESCROW_KNOWN_H

#include "lib/base/compiler.h"

struct error;

/*
 * Is `id` the first root of `product` as it was met before? `home` may be NULL: GnuPG's
 * own. E_UNTRUSTED: it is another; E_NOTFOUND: none was met.
 */
MUSTCHECK int known_check(const char *home, const char *product, const char *id, struct error *err);

/* The same, but one that was not met before is met now. */
MUSTCHECK int known_meet(const char *home, const char *product, const char *id, struct error *err);

#endif
