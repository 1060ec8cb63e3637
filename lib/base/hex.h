/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hex - bytes as text: lower-case hexadecimal and base64 (RFC 4648 §4)
 *
 * Decoders are strict: no white space, no upper-case hex, no missing or wrong
 * padding, no stray bits at the end of base64. One text, one meaning.
 */
#ifndef LIB_BASE_HEX_H
#define LIB_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/compiler.h"

struct buf;
struct error;

#define HEX_LEN(bytes) (2 * (size_t)(bytes))
#define BASE64_LEN(bytes) (((size_t)(bytes) + 2) / 3 * 4)

/* Write 2 * len digits and a NUL to `out`. */
void hex_encode(const void *data, size_t len, char *out);

/* Is `text` exactly `digits` lower-case hex digits? NULL is not. */
bool hex_is(const char *text, size_t digits);

/* Decode exactly `len` bytes from a text of exactly 2 * len digits; false: it is not that. */
bool hex_decode(const char *text, void *out, size_t len);

/* Append the encoded or decoded bytes. E_INVALID, E_NOMEM. */
MUSTCHECK int base64_encode(const void *data, size_t len, struct buf *out, struct error *err);
MUSTCHECK int base64_decode(const char *text, size_t len, struct buf *out, struct error *err);

#endif
