/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ed25519 - bare Ed25519 (RFC 8032), by libcrypto, with the keys it should refuse refused
 */
#ifndef LIB_SIGN_ED25519_H
#define LIB_SIGN_ED25519_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/compiler.h"

struct error;

enum { ED25519_LEN = 32, ED25519_SIG_LEN = 64 }; /* keys and seeds; signatures */

/*
 * Is it the one encoding of a point that is not of low order? For the others
 * anybody can make signatures, or one key has two spellings.
 */
bool ed25519_usable(const unsigned char pub[ED25519_LEN]);

/* Does `sig` hold under `pub`? False for a key that is not usable, too. */
bool ed25519_verify(const unsigned char pub[ED25519_LEN], const void *data, size_t len,
		    const unsigned char sig[ED25519_SIG_LEN]);

/* From a private key, which is its 32-byte seed. E_SYS: libcrypto would not. */
MUSTCHECK int ed25519_sign(const unsigned char seed[ED25519_LEN], const void *data, size_t len,
			   unsigned char out[ED25519_SIG_LEN], struct error *err);
MUSTCHECK int ed25519_public(const unsigned char seed[ED25519_LEN], unsigned char out[ED25519_LEN],
			     struct error *err);

#endif
