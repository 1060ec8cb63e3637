/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/header.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What follows `name` in a header line, or NULL. Lines end in '\n', so reading stops there. */
static const char *value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0)
		return NULL;
	while (line[n] == ' ' || line[n] == '\t')
		n++;
	return line + n;
}

static bool number(const char **at, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*out = strtoull(*at, &end, 10);
	*at = end;
	return errno == 0;
}

/* The start of "bytes 100-199/200", which goes to the end; of any other range HEADER_NOWHERE. */
static uint64_t range_start(const char *at)
{
	uint64_t start, last, size;

	for (const char *unit = "bytes "; *unit; unit++) {
		if (*at++ != *unit)
			return HEADER_NOWHERE;
	}
	if (!number(&at, &start) || *at++ != '-' || !number(&at, &last) || *at++ != '/' ||
	    !number(&at, &size) || last >= size || last + 1 != size)
		return HEADER_NOWHERE;
	return start;
}

void http_header_clear(struct http_header *h)
{
	*h = (struct http_header){.start = HEADER_NOWHERE, .upload_offset = -1};
}

void http_header_line(struct http_header *h, const char *line, size_t len)
{
	const char *at = value(line, len, "Content-Length:");
	uint64_t v;

	if (at && number(&at, &v))
		h->length = v;
	at = value(line, len, "Content-Range:");
	if (at)
		h->start = range_start(at);
	at = value(line, len, "Upload-Offset:");
	if (at && number(&at, &v) && v <= INT64_MAX)
		h->upload_offset = (int64_t)v;
}
