/* SPDX-License-Identifier: Apache-2.0 */
/* The files of policies/ that ship, embedded at build time by embed.awk. */
#ifndef POLICIES_SHIPPED_H
#define POLICIES_SHIPPED_H

struct shipped {
	const char *name; /* "release/standard"; NULL ends the table */
	const char *text;
};

extern const struct shipped shipped[];

#endif
