/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - bytes that grow
 *
 * data[len] is always a NUL that is not counted, so that text in a buf is a C
 * string; data is NULL only while nothing was ever added. Start from
 * `struct buf b = {0}` and release with buf_clear(), or CLEANUP(buf_clear).
 * A buf that held a secret is released with buf_wipe().
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include <stddef.h>

#include "lib/base/compiler.h"

struct error;

struct buf {
	char *data;
	size_t len;
	size_t cap; /* bytes allocated, the NUL included; 0 if data is NULL */
};

/* Append. E_NOMEM: the buf is as it was. `data` may be NULL if `len` is 0. */
MUSTCHECK int buf_add(struct buf *b, const void *data, size_t len, struct error *err);
MUSTCHECK int buf_puts(struct buf *b, const char *text, struct error *err);
MUSTCHECK int buf_printf(struct buf *b, struct error *err, const char *fmt, ...) PRINTF(3, 4);

/* Make room for `more` bytes beyond len without changing len. */
MUSTCHECK int buf_reserve(struct buf *b, size_t more, struct error *err);

/* Forget what comes after the first `len` bytes; `len` is at most b->len. */
void buf_cut(struct buf *b, size_t len);

void buf_clear(struct buf *b); /* free, and leave an empty buf */
void buf_wipe(struct buf *b);  /* the same, overwriting the bytes first */

/* Hand the bytes over to the caller, who frees them; NULL only if nothing was added. */
char *buf_steal(struct buf *b);

#endif
