/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs - a few threads for work that would hold up the network threads
 *
 * A place in the queue is reserved first and used later, so that who has suspended a
 * connection never finds the queue full.
 */
#ifndef REGISTRY_HTTP_JOBS_H
#define REGISTRY_HTTP_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/compiler.h"

struct error;
struct jobs;

typedef void (*job_fn)(void *ctx);

/* At most `places` jobs wait or run at any time. */
MUSTCHECK int jobs_new(size_t threads, size_t places, struct jobs **out, struct error *err);

bool jobs_reserve(struct jobs *j); /* false: all places are taken, or it is closed */
void jobs_put(struct jobs *j, job_fn fn,
	      void *ctx); /* into a reserved place; frees it at the end */

/* Take no more, finish what waits or has a place, end the threads. */
void jobs_close(struct jobs *j);

/* The same, and release it. NULL is a no-op. */
void jobs_free(struct jobs *j);
DEFINE_CLEANUP(struct jobs *, jobs_free)

#endif
