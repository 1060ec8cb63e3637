/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/compiler.h"

enum { FIRST_MS = 300, EVERY_MS = 200, BAR_WIDTH = 30, MS = 1000, NS_IN_MS = 1000 * 1000 };

static int64_t monotonic_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * MS + t.tv_nsec / NS_IN_MS;
}

void progress_init(struct progress *p, const char *what, bool quiet)
{
	const char *term = getenv("TERM");

	*p = (struct progress){.what = what};
	p->enabled = !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	p->next_ms = monotonic_ms() + FIRST_MS; /* quick work shows no bar at all */
}

void progress_draw(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;
	int64_t now;

	if (!p->enabled)
		return;
	now = monotonic_ms();
	if (now < p->next_ms)
		return;
	p->next_ms = now + EVERY_MS;
	p->shown = true;
	if (total) {
		int full = (int)(done >= total ? BAR_WIDTH : done * BAR_WIDTH / total);

		(void)fprintf(stderr, "\r\033[K%s [%.*s%*s] %3" PRIu64 "%%", p->what, full,
			      "##############################", BAR_WIDTH - full, "",
			      done >= total ? UINT64_C(100) : done * 100 / total);
	} else {
		(void)fprintf(stderr, "\r\033[K%s %" PRIu64, p->what, done);
	}
	(void)fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		(void)fputs("\r\033[K", stderr);
	p->shown = false;
}
