/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version - which of two releases is newer
 *
 * Numbers joined by dots, as long as you like, then perhaps "-" and the name
 * of a pre-release, then perhaps "+" and a build name that does not count:
 * 1.9 < 1.10 = 1.10.0 < 2.0.0-rc.1 < 2.0.0-rc.2 < 2.0.0 = 2.0.0+debian. A
 * leading "v" is not a part of it.
 */
#ifndef LIB_BASE_VERSION_H
#define LIB_BASE_VERSION_H

#include <stdbool.h>

#include "lib/base/compiler.h"

struct error;

enum { VERSION_MAX = 64 };

/* May this text be a version: as above, of 1 to VERSION_MAX letters, digits and ".-+~_"? */
bool version_ok(const char *text);

/* Below 0, 0 or above 0, as a is older than, the same as, or newer than b. Both are version_ok. */
int version_compare(const char *a, const char *b);

/*
 * Does `version` fit a rule such as ">=1.4.0" or ">= 1.4, < 3"? Operators: > >= < <= =.
 * E_INVALID: the rule is none of that.
 */
MUSTCHECK int version_fits(const char *version, const char *rule, bool *out, struct error *err);

#endif
