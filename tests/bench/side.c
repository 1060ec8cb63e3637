/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/side.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUND_NS = 5000000, CALLS_MAX = 100000, NS_IN_S = 1000000000 };

int64_t side_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * NS_IN_S + t.tv_nsec;
}

void side_must(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static int64_t take(side_fn fn, void *ctx, int calls)
{
	int64_t start = side_now_ns();

	for (int i = 0; i < calls; i++)
		fn(ctx);
	return (side_now_ns() - start) / calls;
}

void side_by_side(const char *what, side_fn ours, side_fn peer, void *ctx, int rounds)
{
	int64_t once = take(ours, ctx, 1); /* and whatever is done only the first time */
	int calls;

	once = take(ours, ctx, 1);
	calls = once > 0 ? (int)(ROUND_NS / once) : CALLS_MAX;
	calls = calls < 1 ? 1 : calls > CALLS_MAX ? CALLS_MAX : calls;
	for (int i = 0; i < rounds; i++) {
		int64_t a, b = 0;

		if (peer && i % 2 == 0)
			b = take(peer, ctx, calls);
		a = take(ours, ctx, calls);
		if (peer && i % 2 == 1)
			b = take(peer, ctx, calls);
		(void)printf("%s\t%" PRId64 "\t%" PRId64 "\n", what, a, b);
	}
}
