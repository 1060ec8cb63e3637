/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roots - the roots after ours, in order, from one mirror
 *
 * The next one is asked for by its own name, which is one small request when
 * there is none. Where there is one, root-chain.jsonl brings many more in a
 * single request, in bounded memory; what it lacks comes one by one. Nothing
 * is verified here.
 */
#ifndef CLIENT_ROOTS_H
#define CLIENT_ROOTS_H

#include "client/source.h"

struct error;

struct roots {
	const struct source *from; /* borrowed */
	struct buf *ahead;         /* owned: the roots `first`, first + 1 ... */
	size_t n;
	int64_t first;
};

void roots_init(struct roots *r, const struct source *from);
void roots_clear(struct roots *r);

/* Append root `version`. E_NOTFOUND: there is none. */
MUSTCHECK int roots_get(struct roots *r, int64_t version, struct buf *out, struct error *err);

#endif
