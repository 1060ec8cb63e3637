/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open - from the trustees' shares to public sources
 *
 * registry_share() (registry/registry.h) keeps a share only when the release
 * policy says yes on logged evidence, in a 0600 file below DIR/shares/<deposit>/.
 * Once k of them are there, open_pending() has a worker process open the
 * deposit's public compartment, checks and publishes what came out, has the
 * `release` signed and logged, and wipes the shares. Every step may be cut
 * short anywhere: the next call does it again.
 */
#ifndef REGISTRY_OPEN_OPEN_H
#define REGISTRY_OPEN_OPEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/compiler.h"

struct error;
struct registry;

/*
 * Open what has its shares and is not open yet. *failed counts deposits that
 * could not be; they were logged and stay for the next call. Takes as long as
 * the opening does: call it from a thread of its own. Once *stop is true it ends soon.
 */
MUSTCHECK int open_pending(struct registry *r, const atomic_bool *stop, size_t *failed,
			   struct error *err);

#endif
