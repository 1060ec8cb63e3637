/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/error.h"

enum { FIRST_CAP = 256 };

int buf_reserve(struct buf *b, size_t more, struct error *err)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	char *data;

	if (more >= SIZE_MAX / 2 - b->len)
		return error_nomem(err);
	if (b->cap > b->len + more)
		return 0;
	while (cap <= b->len + more)
		cap *= 2;
	/* Not realloc(): it may leave a copy behind of bytes that buf_wipe() must reach. */
	data = malloc(cap);
	if (!data)
		return error_nomem(err);
	if (b->len)
		memcpy(data, b->data, b->len);
	data[b->len] = '\0';
	if (b->data)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len, struct error *err)
{
	int r = buf_reserve(b, len, err);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_puts(struct buf *b, const char *text, struct error *err)
{
	return buf_add(b, text, strlen(text), err);
}

int buf_printf(struct buf *b, struct error *err, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return error_set(err, E_SYS, "format: %s", fmt);
	r = buf_reserve(b, (size_t)n, err);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void buf_cut(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

void buf_clear(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}

char *buf_steal(struct buf *b)
{
	char *data = b->data;

	*b = (struct buf){0};
	return data;
}
