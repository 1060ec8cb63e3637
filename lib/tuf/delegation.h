/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegation - which further roles a targets role trusts, and for which paths
 *
 * Reads the `delegations` object in its two forms: a list of roles with path
 * patterns or path hash prefixes (TUF specification 4.5), and succinct hash
 * bins (TAP 15). A pattern is matched component by component, so `*` never
 * crosses a slash. Of Bequest's own, an entry may have "x-bequest": {"until":
 * "<time>"}: a steward for a while.
 */
#ifndef LIB_TUF_DELEGATION_H
#define LIB_TUF_DELEGATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/sign/key.h"

struct error;

/* One role that is trusted for the path that was asked about; a list in order of appearance. */
struct delegation {
	struct delegation *next;
	char *name;
	json_t *keys;   /* borrowed from the document, as the rest is: all keys that it defines */
	json_t *keyids; /* of this role */
	json_t *rule;   /* the role's own entry */
	int64_t threshold;
	int64_t until; /* from then on it counts no more, for those who ask; INT64_MAX: for good */
	bool terminating; /* nothing after it is searched */
	int bits;         /* not 0: it is one of 2^bits hash bins, the one of number `bin` */
	uint32_t bin;
};

/*
 * Is this `delegations` object well-formed? Refused are: paths and hash
 * prefixes together, or neither; a role named twice, or like a top-level role,
 * or not at all. Called once by the parser of targets; the rest relies on it.
 */
MUSTCHECK int delegations_check(const json_t *object, struct error *err);

/*
 * The roles trusted for `path`, up to and including the first terminating one;
 * or, if `path` is NULL, all roles, hash bins included if there are no more than
 * DELEGATIONS_LISTED_MAX. `object` may be NULL: none. The caller releases *out
 * (NULL: no role). E_NOMEM; E_INVALID: to compare the path takes more than DELEGATION_EFFORT.
 */
enum { DELEGATIONS_LISTED_MAX = 65536 };
MUSTCHECK int delegations_for(json_t *object, const char *path, struct delegation **out,
			      struct error *err);

/*
 * For who looks for the role `name`: all roles, but of hash bins the one that is called so or, if
 * none is, as many as a search looks into. A few bytes can stand for 2^32 of them. E_NOMEM.
 */
MUSTCHECK int delegations_towards(json_t *object, const char *name, struct delegation **out,
				  struct error *err);
void delegations_free(struct delegation *list);
DEFINE_CLEANUP(struct delegation *, delegations_free)

/*
 * How many characters may be compared to answer a question, however many rules and paths there are
 * and however they are made. What is left is counted down, and at zero nothing matches any more:
 * who was told "no" has to ask delegation_effort_left().
 */
enum { DELEGATION_EFFORT = 64 * 1024 * 1024 };
MUSTCHECK int delegation_effort_left(size_t effort, struct error *err); /* E_INVALID: none */

/* Is the role of this entry (not of a hash bin) trusted for `path`? */
bool delegation_covers(const json_t *rule, const char *path, size_t *effort);

/* The same for any delegation. */
bool delegation_trusts(const struct delegation *d, const char *path, size_t *effort);

/*
 * May a role be delegated to under this name? Not those of top-level roles, at most 200 bytes, and
 * at most 233 once all but these characters take three, as they do in the names of its files.
 */
#define TUF_UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-"
bool delegation_name_ok(const char *name);

/* The role's keys, parsed; cleared by the caller. */
MUSTCHECK int delegation_keys(const struct delegation *d, struct role_keys *out, struct error *err);

#endif
