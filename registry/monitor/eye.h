/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eye - one product, looked at as its devices see it now
 */
#ifndef REGISTRY_MONITOR_EYE_H
#define REGISTRY_MONITOR_EYE_H

#include "policies/publisher.h"
#include "registry/monitor/watched.h"

struct error;

struct eye {
	struct monitor *m;
	struct watched w;
	struct tuf_root *root;        /* in force; owned */
	struct publisher *who;        /* of the root; owned */
	char scope[MEMORY_NAME_SIZE]; /* of the last eye_about() */
};

/* A trouble of this product; `part` tells it from others of its kind. Good until the next one. */
struct happening eye_about(struct eye *e, enum level level, const char *kind, const char *part);

/* It is over, if it was. */
MUSTCHECK int eye_fine(struct eye *e, const char *kind, const char *part, struct error *err);

/* A file below metadata/: 0: here it is. 1: it is not there; 2: nobody knows. */
MUSTCHECK int eye_read(struct eye *e, const char *name, size_t max, struct buf *out,
		       struct error *why);

/* A warning if no more than `limit` seconds are left, an alarm if none. `what` is told. */
struct validity {
	const char *part, *what;
	int64_t expires, limit;
};
MUSTCHECK int eye_expiry(struct eye *e, const struct validity *v, struct error *err);

/*
 * Timestamp, snapshot and all targets that a device may come to: signed, unexpired, and the
 * very files that were logged last.
 */
MUSTCHECK int eye_served(struct eye *e, struct error *err);

#endif
