/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover - tell a person who takes over, why, and what was checked
 */
#ifndef CLIENT_HANDOVER_H
#define CLIENT_HANDOVER_H

#include "client/trust.h"

struct error;

/*
 * Describe a change of publisher that is present: a new object with "from", "to", "bridge",
 * "after", "change", "deposit", "documents", "released", "allowed", "refused", "reason".
 */
MUSTCHECK int handover_describe(const struct device *d, const struct handover *h, json_t **out,
				struct error *err);

/* The same for people, to standard output. */
MUSTCHECK int handover_print(const struct device *d, const struct handover *h, struct error *err);

#endif
