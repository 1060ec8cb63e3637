/* SPDX-License-Identifier: Apache-2.0 */
/* The files of registry/store/sql/, embedded at build time by embed.awk. */
#ifndef REGISTRY_STORE_MIGRATIONS_H
#define REGISTRY_STORE_MIGRATIONS_H

extern const char *const migrations[]; /* [i] takes the schema from version i to i + 1 */
extern const int migrations_len;

#endif
