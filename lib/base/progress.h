/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress - a bar for a person who waits
 *
 * Work reports (done, total) in bytes or steps through a `progress_fn`; only
 * this file draws: on standard error, if that is a terminal that can, at most
 * five times a second. Elsewhere it stays silent.
 */
#ifndef LIB_BASE_PROGRESS_H
#define LIB_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* total is 0 while it is not known. `ctx` is the caller's. */
typedef void (*progress_fn)(void *ctx, uint64_t done, uint64_t total);

struct progress {
	const char *what; /* "uploading image.bin"; borrowed */
	bool shown;       /* a bar is on the screen */
	int64_t next_ms;  /* not before this instant of the monotonic clock */
	bool enabled;
};

/* `quiet`: never draw (as with --json). */
void progress_init(struct progress *p, const char *what, bool quiet);
void progress_draw(void *p, uint64_t done, uint64_t total); /* a progress_fn; ctx is the struct */
void progress_end(struct progress *p);                      /* clear the line */

#endif
