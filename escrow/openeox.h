/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openeox - end of life as others write it: the core of OpenEoX 1.0
 *
 * {"$schema", "end_of_life", "end_of_security_support", "last_updated", "end_of_sales"?,
 * "general_availability"?}, and nothing else: dates as in RFC 3339 with any time zone, or "tba".
 * Checked by hand-written rules, which are those of the specification's section 7.1; the
 * drafts of its schemas point to nowhere.
 */
#ifndef ESCROW_OPENEOX_H
#define ESCROW_OPENEOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

enum { OPENEOX_MAX = 64 * 1024 }; /* bytes of a file */

struct openeox_date {
	bool present, tba;
	int64_t at; /* seconds since the Unix epoch; if neither absent nor tba */
	int nano;
};

struct openeox {
	struct openeox_date end_of_life, end_of_security_support, last_updated, end_of_sales,
		general_availability;
};

/*
 * Read a core, or a shell that has exactly one. E_INVALID: a form, a member or an order of dates
 * that the specification forbids; `name` begins the text.
 */
MUSTCHECK int openeox_read(json_t *src, const char *name, struct openeox *out, struct error *err);

/* The caller owns *out. E_INVALID: the dates are in an order that is forbidden. */
MUSTCHECK int openeox_write(const struct openeox *core, json_t **out, struct error *err);

#endif
