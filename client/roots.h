/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roots - the roots after ours, in order, from one mirror
 *
 * The next one is asked for by its own name, which is one small request when
 * there is none. Where there is one, root-chain.jsonl brings many more in a
 * single request, in bounded memory; what it lacks comes one by one. Whoever
 * takes a root from here verifies it.
 */
#ifndef CLIENT_ROOTS_H
#define CLIENT_ROOTS_H

#include "client/source.h"
#include "lib/tuf/role.h"

struct error;

struct roots {
	const struct source *from; /* borrowed */
	size_t max;                /* bytes of one root */
	struct buf *ahead;         /* owned: the roots `first`, first + 1 ... */
	size_t n;
	int64_t first;
};

void roots_init(struct roots *r, const struct source *from, size_t max);
void roots_clear(struct roots *r);

/* Append the bytes of the root after `root`. E_NOTFOUND: there is none. E_INVALID: too large. */
MUSTCHECK int roots_after(struct roots *r, const struct tuf_root *root, struct buf *out,
			  struct error *err);

#endif
