/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shamir - a secret in n shares, any k of which give it back
 *
 * GF(2^8) modulo 0x11d, byte by byte, by libgfshare: what is made here opens
 * with `gfcombine`. Shares have no integrity of their own: a wrong one gives a
 * wrong secret and no error. Who combines checks each share's digest before,
 * and the secret's after. All secrets here are wiped by their owners.
 */
#ifndef ESCROW_SHAMIR_H
#define ESCROW_SHAMIR_H

#include <stddef.h>

#include "lib/base/compiler.h"

struct error;

enum {
	SHARE_LEN = 64, /* a passphrase, 32 random bytes as lower-case hex */
	SHARES_MAX = 255,
};

struct share {
	int number; /* x, 1 to 255 */
	unsigned char data[SHARE_LEN];
};

/*
 * Fill shares[0..n-1], numbered 1..n; 2 <= k <= n <= 255. The coefficients are
 * the system's CSPRNG's. E_SYS if that fails, E_NOMEM: `shares` holds nothing.
 */
MUSTCHECK int shamir_split(const unsigned char secret[SHARE_LEN], size_t k, size_t n,
			   struct share *shares, struct error *err);

/*
 * Combine k shares. E_INVALID: a number out of range or given twice, which
 * libgfshare itself would take.
 */
MUSTCHECK int shamir_combine(const struct share *shares, size_t k, unsigned char out[SHARE_LEN],
			     struct error *err);

#endif
