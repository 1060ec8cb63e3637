/* SPDX-License-Identifier: Apache-2.0 */
/*
 * precond - conditional and partial requests (RFC 9110, sections 8.8.3, 13, 14)
 */
#ifndef REGISTRY_HTTP_PRECOND_H
#define REGISTRY_HTTP_PRECOND_H

#include <stdbool.h>
#include <stdint.h>

/* `"` + 32 hex digits + `"` and a NUL. All our entity tags are strong ones. */
enum { ETAG_SIZE = 35 };

/*
 * Does an If-None-Match value name `etag`, by the weak comparison that the
 * header asks for? NULL: the header is absent. What is no list of tags matches nothing.
 */
bool etag_listed(const char *if_none_match, const char *etag);

enum range_kind {
	RANGE_NONE,  /* no header, or one to be ignored: answer with all of it */
	RANGE_PART,  /* 206 */
	RANGE_BEYOND /* 416 */
};

/*
 * One range of bytes out of `size`. Several ranges, other units and malformed
 * values are ignored, as the RFC allows. `if_range` (may be NULL) must be
 * exactly `etag`, otherwise the range is ignored. *first and *len are set for RANGE_PART.
 */
enum range_kind range_parse(const char *range, const char *if_range, const char *etag,
			    uint64_t size, uint64_t *first, uint64_t *len);

/* The value of an Upload-Offset: digits, at most 2^63 - 1. NULL, no header, is none. */
bool offset_parse(const char *text, uint64_t *out);

#endif
