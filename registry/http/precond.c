/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/precond.h"

#include <string.h>

enum { OFFSET_DIGITS = 19 }; /* of 2^63 - 1 */

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

bool etag_listed(const char *if_none_match, const char *etag)
{
	size_t len = strlen(etag);
	const char *p = if_none_match;

	if (!p)
		return false;
	p = skip_blanks(p);
	if (*p == '*')
		return *skip_blanks(p + 1) == '\0';
	while (*p) {
		const char *end;

		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (*p != '"')
			return false;
		end = strchr(p + 1, '"');
		if (!end)
			return false;
		if ((size_t)(end + 1 - p) == len && memcmp(p, etag, len) == 0)
			return true;
		p = skip_blanks(end + 1);
		if (*p && *p != ',')
			return false;
		p += strspn(p, ", \t");
	}
	return false;
}

/* Decimal digits into *out, saturating; returns what follows, or NULL if there are none. */
static const char *digits(const char *p, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = strspn(p, "0123456789");

	if (!n)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		uint64_t d = (uint64_t)(p[i] - '0');

		v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d;
	}
	*out = v;
	return p + n;
}

/* "-N": the last N bytes. */
static enum range_kind suffix(const char *p, uint64_t size, uint64_t *first, uint64_t *len)
{
	uint64_t n;

	p = digits(p, &n);
	if (!p || *skip_blanks(p))
		return RANGE_NONE;
	if (n == 0 || size == 0)
		return RANGE_BEYOND;
	*len = n < size ? n : size;
	*first = size - *len;
	return RANGE_PART;
}

enum range_kind range_parse(const char *range, const char *if_range, const char *etag,
			    uint64_t size, uint64_t *first, uint64_t *len)
{
	static const char unit[] = "bytes=";
	uint64_t from, to = UINT64_MAX;
	const char *p = range;

	if (!p || strncmp(p, unit, sizeof(unit) - 1) != 0)
		return RANGE_NONE;
	if (if_range && strcmp(if_range, etag) != 0)
		return RANGE_NONE;
	p = skip_blanks(p + sizeof(unit) - 1);
	if (*p == '-')
		return suffix(p + 1, size, first, len);
	p = digits(p, &from);
	if (!p || *p != '-')
		return RANGE_NONE;
	p++;
	if (*p >= '0' && *p <= '9')
		p = digits(p, &to);
	if (!p || *skip_blanks(p) || to < from)
		return RANGE_NONE;
	if (from >= size)
		return RANGE_BEYOND;
	*first = from;
	*len = (to < size ? to + 1 : size) - from;
	return RANGE_PART;
}

bool offset_parse(const char *text, uint64_t *out)
{
	uint64_t v = 0;

	if (!text || !*text || strlen(text) > OFFSET_DIGITS ||
	    strspn(text, "0123456789") != strlen(text))
		return false;
	for (const char *p = text; *p; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	if (v > INT64_MAX)
		return false;
	*out = v;
	return true;
}
