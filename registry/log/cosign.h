/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign - has the log's witnesses cosign its checkpoints, and shows those that enough have
 *
 * One thread for each witness, and one that leads. A round is about one checkpoint,
 * the latest that was signed: all are asked at once, and when a quorum has
 * cosigned, it is published and the next round begins. Lines that come later are
 * added while the checkpoint is still the latest. Witnesses that are down are asked
 * again, less and less often; nobody waits for them but the round that lacks
 * a quorum. What is published is asked for again every hour, so that it has a
 * recent time.
 *
 * A witness that shows a checkpoint by our key which our store does not know of
 * proves that the store is an old copy: then nothing more is logged.
 */
#ifndef REGISTRY_LOG_COSIGN_H
#define REGISTRY_LOG_COSIGN_H

#include "registry/internal.h"

struct error;

/*
 * Look at what the witnesses cosigned last (they have three seconds to say), then
 * start asking. *out is NULL if the registry has none. E_UNTRUSTED: one of them
 * has seen more of our log than we have.
 */
MUSTCHECK int cosign_start(struct registry *r, struct cosign **out, struct error *err);
void cosign_stop(struct cosign *c); /* within a second or so; NULL is a no-op */
DEFINE_CLEANUP(struct cosign *, cosign_stop)

/* There may be a new checkpoint. */
void cosign_wake(struct cosign *c);

/*
 * Wait until the proofs of the first `size` leaves are in the tree; false: they
 * are not, within two seconds, or it is not worth waiting: the last one who did
 * waited in vain, or enough threads do.
 */
bool cosign_await(struct registry *r, uint64_t size);

#endif
