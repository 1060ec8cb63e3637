/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tuf_expect - what a test expects of a client of tuf_sim, in one line
 *
 * One that fails prints what the client said.
 */
#ifndef TESTS_TUF_EXPECT_H
#define TESTS_TUF_EXPECT_H

#include "tests/support/tuf_sim.h"

/* A refresh succeeds; ends in an error of `code` whose text has `part`. */
void assert_refreshes(struct tuf_sim *s);
void assert_refuses(struct tuf_sim *s, int code, const char *part);

/* The versions that the client has of the top-level roles; 0: none. */
void assert_trusts(struct tuf_sim *s, int root, int timestamp, int snapshot, int targets);

/* A search for the target `path` ends in the role `where`; in an error, likewise. */
void assert_finds(struct tuf_sim *s, const char *path, const char *where);
void assert_misses(struct tuf_sim *s, const char *path, int code, const char *part);

#endif
