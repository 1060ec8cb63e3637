/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge - the root that waits in a deposit
 *
 * Root N+1, signed by the vendor, with the root role given to the stewards. It
 * must be useless on its own: no steward has signed it, its online keys belong
 * to nobody, and whoever opens the deposit is not at once who can sign for it.
 */
#ifndef ESCROW_BRIDGE_H
#define ESCROW_BRIDGE_H

#include "lib/tuf/role.h"

struct error;

/*
 * Is `bridge` a bridge from `root`, signed by the vendor and by too few
 * stewards? E_USAGE says what is wrong: it is the vendor's own file.
 */
MUSTCHECK int bridge_check(const struct tuf_root *root, const struct tuf_root *bridge,
			   struct error *err);

/*
 * Could `k` of these trustees, who open the deposit, also sign the bridge as its
 * stewards? Then two locks have one key. E_DENIED names how many are both.
 */
MUSTCHECK int bridge_two_locks(const struct tuf_root *bridge, const struct role_keys *trustees,
			       struct error *err);

#endif
