/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - this device: its configuration, its slots, and whom it trusts
 *
 * The state folder holds
 *
 *	metadata/root.json ...   the trusted metadata under plain names, nothing else
 *	anchor.json              the last root that init or the owner's consent accepted
 *	state.json               everything else (client/state.h)
 *	journal, history.jsonl, why.json, lock
 *
 * Opening a device brings it into one consistent state, whatever was cut short:
 *
 * - state.json or root.json lost or unreadable: back to the factory root, never
 *   to trust on first use;
 * - root.json is the one that a recorded consent names: the change of publisher
 *   happened, and what belongs to it is done (the rename of root.json *is* the
 *   change; before it the old publisher is trusted, after it the new one);
 * - a slot that was to be tried has no attempts left and does not run: it failed.
 */
#ifndef CLIENT_DEVICE_H
#define CLIENT_DEVICE_H

#include "client/clock.h"
#include "client/conf.h"
#include "client/install/backend.h"
#include "client/journal.h"
#include "client/state.h"
#include "lib/tuf/role.h"

struct error;

struct device {
	struct conf conf;
	struct state st;
	struct backend *backend;
	struct backend_state boot;
	struct journal journal;
	struct tuf_root *root;   /* trusted now */
	struct tuf_root *anchor; /* the last one accepted by init or consent */
	int dir, metadata; /* descriptors of state/ and state/metadata/; -1 when only looking */
	int lock;
	int64_t clock; /* the system's, read once */
	bool changing;
};
#define DEVICE_NONE \
	((struct device){.conf.dir = -1, .journal.fd = -1, .dir = -1, .metadata = -1, .lock = -1})

/* To look: nothing is written, no lock taken. To change: one process at a time (E_BUSY). */
enum device_mode { DEVICE_LOOK, DEVICE_CHANGE };

/* `conf` NULL: the default file. E_USAGE: the configuration. */
MUSTCHECK int device_open(const char *conf, enum device_mode mode, struct device *out,
			  struct error *err);
void device_close(struct device *d);

MUSTCHECK int device_save(const struct device *d, struct error *err); /* state.json */

/* Append to the history, with the system's clock. */
MUSTCHECK int device_note(const struct device *d, const char *event, struct error *err,
			  const char *fmt, ...) PRINTF(4, 5);

/* Trust the next root of the same publisher: durable when it returns. `to_take` is taken. */
MUSTCHECK int device_advance(struct device *d, struct tuf_root *to_take, struct error *err);

/*
 * Change hands: `consent` is made durable first, then root.json is replaced,
 * which is the change, then what belonged to the old publisher goes.
 * `to_take` must be the root that the consent names, and is taken.
 */
MUSTCHECK int device_switch(struct device *d, const struct consent *consent,
			    struct tuf_root *to_take, struct error *err);

/* The slot that runs, and what is recorded of it. */
const struct slot_record *device_installed(const struct device *d);

/* What this device can know of the time (client/clock.h). */
struct clock_view device_clock(const struct device *d);

/* The root that this device was set up with; the caller owns *out. */
MUSTCHECK int device_factory_root(const struct device *d, struct tuf_root **out, struct error *err);

/* Begin again from the factory root; what is recorded of the slots stays. */
MUSTCHECK int device_reset(struct device *d, struct error *err);

#endif
