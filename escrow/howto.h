/* SPDX-License-Identifier: Apache-2.0 */
/*
 * howto - HOWTO.txt: how a stranger opens this very deposit, in twenty years,
 * with gpg, gfcombine, tar, sha256sum and git
 *
 * A line that begins with four blanks and "$ " is a command; the test suite
 * takes them from real deposits and runs them as they stand.
 */
#ifndef ESCROW_HOWTO_H
#define ESCROW_HOWTO_H

#include "escrow/plan.h"

struct error;

/* Append the text for a plan whose compartments are sealed. */
MUSTCHECK int howto_write(const struct plan *p, struct buf *out, struct error *err);

#endif
