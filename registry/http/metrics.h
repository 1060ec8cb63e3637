/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - what a server counts, as Prometheus reads it (text format 0.0.4)
 */
#ifndef REGISTRY_HTTP_METRICS_H
#define REGISTRY_HTTP_METRICS_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct error;

enum { METRICS_STATUS_MIN = 100, METRICS_STATUS_MAX = 599 };

struct metrics {
	int64_t started; /* seconds since the Unix epoch */
	_Atomic uint64_t status[METRICS_STATUS_MAX - METRICS_STATUS_MIN + 1];
	_Atomic uint64_t timeouts, refused; /* connections */
	_Atomic uint64_t received;          /* bytes of request bodies */
	_Atomic uint64_t documents;         /* taken, in whatever state */
};

void metrics_count(struct metrics *m, unsigned status);

/* What is not counted here but asked for at the moment of the report. */
struct metrics_now {
	int64_t now;
	unsigned connections;
	uint64_t log_size; /* leaves */
};

MUSTCHECK int metrics_write(struct metrics *m, const struct metrics_now *now, struct buf *out,
			    struct error *err);

#endif
