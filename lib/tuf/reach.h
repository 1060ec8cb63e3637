/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach - would a search come to a delegated role, or do those before it stand in its way?
 *
 * It does not where an earlier one is trusted for all of the same paths and terminates, or where
 * as many earlier ones are as a search looks into. Only what is certain counts: a rule that is
 * in an earlier entry, or one that is the same but for whole components `*`, or a shorter hash
 * prefix. It takes about as long as sorting all rules.
 */
#ifndef LIB_TUF_REACH_H
#define LIB_TUF_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/compiler.h"

struct delegation;
struct error;
struct reach;

/* Of all entries of one role; hash bins have none. `list` is borrowed until reach_free(). */
MUSTCHECK int reach_new(const struct delegation *list, struct reach **out, struct error *err);
void reach_free(struct reach *r);
DEFINE_CLEANUP(struct reach *, reach_free)

/*
 * Would a search for what only `text` matches, a pattern or a hash prefix of entry number `entry`,
 * come to it? 1: yes, 0: no. E_INVALID: to know that takes so many comparisons that
 * somebody means it.
 */
enum { REACH_COMPARED_MAX = 16 * 1024 * 1024 }; /* characters, of all questions together */
MUSTCHECK int reach_comes(struct reach *r, size_t entry, const char *text, bool hashed,
			  struct error *err);

#endif
