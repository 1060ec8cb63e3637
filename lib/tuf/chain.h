/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain - many steps of a root chain in one file, walked as it arrives
 *
 *	{"version": 2, "root": "<base64 of 2.root.json>"}
 *
 * One line a root, in order. However long the file is, no more than one line
 * and two roots are in memory. Each step is verified as tuf_root_step() does
 * and handed out before the next is looked at, so what was reached stays
 * reached if the transfer breaks.
 */
#ifndef LIB_TUF_CHAIN_H
#define LIB_TUF_CHAIN_H

#include "lib/tuf/role.h"

struct error;
struct tuf_chain;

/* One verified step. A negative return ends the walk before this step counts, and is returned. */
typedef int (*tuf_chain_fn)(void *ctx, const struct tuf_root *root, struct error *err);

/* `from` is the trusted root; borrowed, as `ctx` is, until tuf_chain_free(). */
MUSTCHECK int tuf_chain_new(const struct tuf_root *from, tuf_chain_fn each, void *ctx,
			    struct tuf_chain **out, struct error *err);
void tuf_chain_free(struct tuf_chain *c);
DEFINE_CLEANUP(struct tuf_chain *, tuf_chain_free)

/* Before the first byte: take no root of more than `max` bytes, for who has less memory. */
void tuf_chain_limit(struct tuf_chain *c, size_t max);

/*
 * Take in the next bytes of the file; fits as `take` of an http_sink. Roots up to
 * the trusted one are skipped. E_INVALID: a malformed or too long line, a gap in
 * the versions, more than TUF_ROOTS_MAX steps; E_UNTRUSTED. After a failure
 * every further call fails too.
 */
MUSTCHECK int tuf_chain_feed(void *chain, const void *data, size_t len, struct error *err);

/* The file is at its end. E_INVALID: within a line. */
MUSTCHECK int tuf_chain_end(struct tuf_chain *c, struct error *err);

/* The last root that counted: `from`, or one that lives as long as the chain or until it grows. */
const struct tuf_root *tuf_chain_root(const struct tuf_chain *c);

/* Append the line of one root, the exact bytes of its file. */
MUSTCHECK int tuf_chain_line(int64_t version, const void *root, size_t len, struct buf *out,
			     struct error *err);

#endif
