/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaves - a mirror's leaf chain of our product, in bounded memory
 *
 * The file is read as it arrives and every leaf checked, but of updates in a row
 * only the first and the last are kept: nothing that a device decides depends on the others.
 * What the device saw before is compared on the way.
 */
#ifndef CLIENT_LEAVES_H
#define CLIENT_LEAVES_H

#include "client/source.h"
#include "client/state.h"
#include "policies/leaf.h"

struct error;

/* Leaves that are kept at most: some 7 MiB. */
enum { LEAVES_KEPT_MAX = 16384 };

/*
 * Read leaves.jsonl. E_NOTFOUND: there is none. E_UNTRUSTED: the chain is broken, has fewer
 * leaves than were seen before, or another one in place of the last that was seen. E_INVALID:
 * malformed, or too many leaves to keep.
 */
MUSTCHECK int leaves_read(const struct source *from, const char *product, const struct state *st,
			  struct leaf_chain *out, struct error *err);

/*
 * Remember the chain up to `last`, which a proof reached (not saved). Nobody signs a
 * chain: what no proof reaches may be any mirror's invention, and must not bind.
 */
void leaves_remember(const struct leaf *last, struct state *st);

#endif
