/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest - SHA-256 (FIPS 180-4), at once or as bytes stream past
 */
#ifndef LIB_BASE_DIGEST_H
#define LIB_BASE_DIGEST_H

#include <stddef.h>

#include "lib/base/compiler.h"

struct error;
struct digest; /* a running SHA-256; one thread at a time */

enum { SHA256_LEN = 32, SHA256_HEX = 64, SHA256_HEX_SIZE = 65 };

/* Cannot fail: libcrypto's default provider always has SHA-256, and this asserts it. */
void sha256(const void *data, size_t len, unsigned char out[SHA256_LEN]);
void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE]);

/* The same over two pieces, `b` after `a`. */
void sha256_pair(const void *a, size_t a_len, const void *b, size_t b_len,
		 unsigned char out[SHA256_LEN]);

MUSTCHECK int digest_new(struct digest **out, struct error *err);
void digest_add(struct digest *d, const void *data, size_t len);

/* The digest of all that was added; the object starts again from nothing. */
void digest_finish(struct digest *d, unsigned char out[SHA256_LEN]);
void digest_finish_hex(struct digest *d, char out[SHA256_HEX_SIZE]);

void digest_free(struct digest *d); /* NULL is a no-op */
DEFINE_CLEANUP(struct digest *, digest_free)

/* Hash `size` bytes of an open file from its start (size -1: to its end), by pread. E_SYS. Not in
 * the small library. */
MUSTCHECK int digest_fd(int fd, long long size, char out[SHA256_HEX_SIZE], struct error *err);

#endif
