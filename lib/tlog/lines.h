/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines - what the text formats of a log are made of
 *
 * Everything is borrowed from the bytes that are read.
 */
#ifndef LIB_TLOG_LINES_H
#define LIB_TLOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/tlog/merkle.h"

struct error;

struct text {
	const char *data;
	size_t len;
};

struct lines {
	const char *at, *end;
};

/* Take a line without its newline; false: none is left, or it does not end. */
bool lines_next(struct lines *l, struct text *out);

/* Take `prefix` off; false: it does not begin so. */
bool text_strip(struct text *t, const char *prefix);

bool text_is(const struct text *t, const char *what);

/* 0 to INT64_MAX, as it is written and no other way. */
bool text_decimal(const struct text *t, uint64_t *out);

/* A hash in base64. E_INVALID. */
MUSTCHECK int text_hash(const struct text *t, struct hash *out, struct error *err);

/* The hashes of a proof, one a line, up to an empty line, which is taken too. E_INVALID. */
MUSTCHECK int lines_hashes(struct lines *l, struct merkle_proof *out, struct error *err);
MUSTCHECK int text_add_hashes(const struct merkle_proof *p, struct buf *out, struct error *err);

/* Append a hash and a newline. */
MUSTCHECK int text_add_hash(const struct hash *h, struct buf *out, struct error *err);

/* The code point at `p`, of `left` bytes (at least 1), and its length; 0: it is not UTF-8. */
size_t text_code_point(const unsigned char *p, size_t left, uint32_t *out);

/* UTF-8 without control characters below 0x20, but for those in `allowed`. */
bool text_plain(const char *data, size_t len, const char *allowed);

#endif
