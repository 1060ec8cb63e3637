/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life - what shows that a vendor lives, verified
 *
 * A leaf alone is nobody's word. A heartbeat counts by root N's threshold; targets by root N's
 * targets role; a delegated role by the keys that such targets, or a role below them, give it
 * before. What is signed otherwise is nothing, and what could not be looked at, or
 * not any more, leaves it unknown whether there is a sign of life.
 */
#ifndef POLICIES_LIFE_H
#define POLICIES_LIFE_H

#include "policies/ledger.h"

/* Targets that are looked at in one gathering, to find the last update and who delegated to it. */
enum { LIFE_UPDATES_MAX = 256 };

/* List the leaves that may be signs of life; what they are worth is seen when it matters. */
MUSTCHECK int life_list(struct ledger *h, struct error *err);

#endif
