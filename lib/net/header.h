/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header - what an HTTP answer's header lines say that a transfer depends on
 */
#ifndef LIB_NET_HEADER_H
#define LIB_NET_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define HEADER_NOWHERE UINT64_MAX

struct http_header {
	uint64_t length; /* Content-Length; 0: not said */
	/* Where a Content-Range that goes to the end of the file starts, or HEADER_NOWHERE. */
	uint64_t start;
	int64_t upload_offset; /* Upload-Offset, or -1 */
};

/* Nothing is said yet. */
void http_header_clear(struct http_header *h);

/* Take in one line of `len` bytes, of which the last is '\n'. What is malformed says nothing. */
void http_header_line(struct http_header *h, const char *line, size_t len);

#endif
