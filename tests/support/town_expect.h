/* SPDX-License-Identifier: Apache-2.0 */
/*
 * town_expect - what a test expects of the registry of a town, in one line
 */
#ifndef TESTS_TOWN_EXPECT_H
#define TESTS_TOWN_EXPECT_H

#include "tests/support/town.h"

/* Set-up and tear-down of a test whose state is a town with open admission. */
int open_town(void **state);
int close_town(void **state);

/* Its tree is one that readers can rely on, and fsck finds nothing. */
void assert_sound(const struct town *t);

/* Posting ends in an error of `code` whose text has `text`; the papers are used up. */
void assert_refused(struct town *t, struct paper *papers, size_t n, int code, const char *text);
void assert_refused1(struct town *t, struct paper p, int code, const char *text);

/* Change the registry's database behind its back. */
void town_sql(const struct town *t, const char *sql);

#endif
