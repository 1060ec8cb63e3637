/* SPDX-License-Identifier: Apache-2.0 */
/*
 * side - two ways to do one thing, in turns
 *
 * Prints a line for each round: the case, nanoseconds of ours and of the peer's for
 * one call, each over as many calls as fill some milliseconds. What keeps the machine
 * busy is there for both; tests/bench/core.py takes the median of the ratios.
 */
#ifndef TESTS_BENCH_SIDE_H
#define TESTS_BENCH_SIDE_H

#include <stdint.h>

typedef void (*side_fn)(void *ctx);

int64_t side_now_ns(void); /* CPU time of this thread */

/* `peer` NULL: there is none, and 0 is printed. */
void side_by_side(const char *what, side_fn ours, side_fn peer, void *ctx, int rounds);

/* Abort with what went wrong: a benchmark of a failure says nothing. */
void side_must(int ok, const char *what);

#endif
