/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case - one deposit and what was logged about it, from the public tree
 */
#ifndef REGISTRY_OPEN_CASE_H
#define REGISTRY_OPEN_CASE_H

#include <stdbool.h>

#include "policies/deposit.h"
#include "policies/evidence.h"

struct error;

struct deposit_case {
	int tree; /* the public tree; borrowed */
	const char *product;
	struct envelope *doc;
	struct deposit deposit;
};

/* E_NOTFOUND: no such deposit of this product. `product` is borrowed. */
MUSTCHECK int case_open(int tree, const char *product, const char *deposit,
			struct deposit_case *out, struct error *err);
void case_close(struct deposit_case *c);

/*
 * Does the release policy say yes, on logged evidence? *out is for the caller
 * to clear. E_DENIED, E_NOTYET: no, or not known; the text says what is missing.
 */
MUSTCHECK int case_released(const struct deposit_case *c, struct evidence *out, struct error *err);

/*
 * Is `approval` the id of this seat's approval of this deposit, logged and not
 * taken back since by a refusal? E_DENIED.
 */
MUSTCHECK int case_approved(const struct deposit_case *c, const struct leaf_chain *chain,
			    const struct seat *seat, const char *approval, struct error *err);

/* Is this an `eol` in the log? It covers the vendor's passphrase, once released. E_DENIED. */
MUSTCHECK int case_declared(const struct leaf_chain *chain, const char *eol, struct error *err);

/* Is a `release` of this deposit logged? */
MUSTCHECK int case_is_open(const struct deposit_case *c, const struct leaf_chain *chain, bool *out,
			   struct error *err);

#endif
