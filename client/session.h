/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - a refresh of TUF metadata under the root that this device trusts
 *
 * The root chain is not its business (client/trust.h). Metadata past its
 * expiry, of which no newer is to be had, is *stale*: still true, perhaps not all there
 * is. What may be done with it is for the owner's policy to say.
 */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "client/device.h"
#include "client/source.h"
#include "lib/tuf/client.h"

struct error;

struct session {
	struct tuf *tuf; /* NULL: the publisher has published no targets yet */
	struct {
		const struct source *from; /* borrowed */
		int metadata;              /* borrowed descriptor */
		char folder[64];           /* "metadata/" or "metadata/held/N/" */
		bool missing;              /* there is no timestamp.json */
	} io;
	int64_t stale_days; /* since the first expiry, rounded up; 0: nothing is stale */
	char stale[STATE_STALE_MAX + 1]; /* which file, since when, and who can mend it */
};

/*
 * Open and refresh; `held`: read what was kept under our root while a handover
 * waits. `out` must stay where it is until session_close(). E_UNTRUSTED, E_INVALID,
 * E_NET, E_BUSY: as the mirror deserves.
 */
MUSTCHECK int session_open(const struct device *d, const struct source *from, bool held,
			   struct session *out, struct error *err);
void session_close(struct session *s);

/*
 * Bring stale_days and stale up to date with what was read since: a channel's role is read
 * when its targets are first asked for.
 */
void session_judge(struct session *s, const struct device *d);

#endif
