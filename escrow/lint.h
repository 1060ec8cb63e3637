/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint - what is missing, stale, or will help nobody
 *
 * No verdict on trust: a signed root or deposit may be perfectly valid and still
 * leave its owners alone. Each finding has a level, the name of its rule and a
 * sentence.
 */
#ifndef ESCROW_LINT_H
#define ESCROW_LINT_H

#include <jansson.h>

#include "lib/tuf/role.h"
#include "policies/deposit.h"

struct error;

enum lint_level { LINT_ERROR, LINT_WARNING, LINT_NOTE };

struct lint {
	json_t *findings; /* owned array of {"level", "rule", "text"} */
	size_t errors;
	int64_t now;
};

MUSTCHECK int lint_init(struct lint *l, int64_t now, struct error *err);
void lint_clear(struct lint *l);

MUSTCHECK int lint_root(struct lint *l, const struct tuf_root *root, struct error *err);

/*
 * A product statement, and whether it keeps what its class must at least promise:
 * `device_class`, or the one that it names. `root` NULL: not known.
 */
MUSTCHECK int lint_product(struct lint *l, const struct statement *about,
			   const struct tuf_root *root, const char *device_class,
			   struct error *err);

/* `root` is the product's root today; NULL: not known. */
MUSTCHECK int lint_deposit(struct lint *l, const struct deposit *d, const struct tuf_root *root,
			   struct error *err);

#endif
