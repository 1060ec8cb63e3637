/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding - a logged document that was fetched, on its way to being judged
 */
#ifndef REGISTRY_MONITOR_FINDING_H
#define REGISTRY_MONITOR_FINDING_H

#include "policies/statement.h"
#include "registry/monitor/watched.h"

struct finding {
	struct watched w; /* saved by whoever judges, if it returns 0 */
	struct leaf leaf;
	struct envelope *doc;  /* owned */
	struct tuf_root *root; /* in force at the leaf; owned; NULL: none yet */
	bool late;             /* other leaves of the product were judged before this one */
};

/*
 * Each tells what the document means, and an alarm if it may not be there. Within a step: what
 * they return is for failures of ours only.
 */
MUSTCHECK int finding_root(struct monitor *m, struct finding *f, struct error *err);
MUSTCHECK int finding_targets(struct monitor *m, struct finding *f, struct error *err);
MUSTCHECK int finding_statement(struct monitor *m, struct finding *f, struct error *err);

/* Is this failure the document's fault, and not ours? */
bool finding_fault(int code);

/* What all events of a finding have in common. */
struct happening finding_event(const struct finding *f, enum level level, const char *kind);

/*
 * Is the version new, and above all before it of the same kind and `whose`? Alarms if not: *fresh
 * says so.
 */
MUSTCHECK int finding_version(struct monitor *m, const struct finding *f, const char *whose,
			      bool *fresh, struct error *err);

#endif
