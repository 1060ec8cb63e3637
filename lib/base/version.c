/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/version.h"

#include <string.h>

#include "lib/base/error.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool version_ok(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len < 1 || len > VERSION_MAX)
		return false;
	if (text[0] == 'v')
		text++;
	return is_digit(text[0]) && strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-+~_") == strlen(text);
}

/* Compare two runs of digits as numbers of any length. */
static int compare_digits(const char *a, size_t na, const char *b, size_t nb)
{
	for (; na && *a == '0'; a++)
		na--;
	for (; nb && *b == '0'; b++)
		nb--;
	if (na != nb)
		return na < nb ? -1 : 1;
	return memcmp(a, b, na);
}

static int compare_part(const char *a, size_t na, const char *b, size_t nb)
{
	bool number_a = strspn(a, "0123456789") >= na;
	bool number_b = strspn(b, "0123456789") >= nb;
	int r;

	if (number_a && number_b)
		return compare_digits(a, na, b, nb);
	if (number_a != number_b)
		return number_a ? -1 : 1;
	r = memcmp(a, b, na < nb ? na : nb);
	if (r || na == nb)
		return r;
	return na < nb ? -1 : 1;
}

/* Compare parts joined by dots; where one list ends, `missing` stands for its next part. */
static int compare_parts(const char *a, const char *enda, const char *b, const char *endb,
			 const char *missing)
{
	while (a < enda || b < endb) {
		const char *pa = a < enda ? a : missing;
		const char *pb = b < endb ? b : missing;
		size_t na = 0, nb = 0;

		while (pa[na] && pa + na != enda && pa[na] != '.')
			na++;
		while (pb[nb] && pb + nb != endb && pb[nb] != '.')
			nb++;

		int r = compare_part(pa, na, pb, nb);
		if (r)
			return r;
		a = a < enda ? a + na + (a + na < enda) : enda;
		b = b < endb ? b + nb + (b + nb < endb) : endb;
	}
	return 0;
}

int version_compare(const char *a, const char *b)
{
	int r;

	a += a[0] == 'v';
	b += b[0] == 'v';

	const char *main_a = a + strcspn(a, "-~+");
	const char *main_b = b + strcspn(b, "-~+");
	bool pre_a = *main_a == '-' || *main_a == '~';
	bool pre_b = *main_b == '-' || *main_b == '~';

	r = compare_parts(a, main_a, b, main_b, "0");
	if (r || (!pre_a && !pre_b))
		return r;
	if (pre_a != pre_b)
		return pre_a ? -1 : 1;
	main_a++;
	main_b++;
	return compare_parts(main_a, main_a + strcspn(main_a, "+"), main_b,
			     main_b + strcspn(main_b, "+"), "");
}

/* One comparison, `len` bytes at `rule`. */
static int fits_one(const char *version, const char *rule, size_t len, bool *out, struct error *err)
{
	char than[VERSION_MAX + 1];
	bool greater = len && rule[0] == '>';
	bool less = len && rule[0] == '<';
	size_t at = greater || less;
	bool equal = at < len && rule[at] == '=';
	int order;

	at += equal;
	while (at < len && rule[at] == ' ')
		at++;
	while (len > at && rule[len - 1] == ' ')
		len--;
	if ((greater || less || equal) && len - at <= VERSION_MAX) {
		memcpy(than, rule + at, len - at);
		than[len - at] = '\0';
		if (version_ok(than)) {
			order = version_compare(version, than);
			*out = (greater && order > 0) || (less && order < 0) ||
			       (equal && order == 0);
			return 0;
		}
	}
	return error_set(err, E_INVALID, "%.*s: want a comparison such as >=1.4.0", (int)len, rule);
}

int version_fits(const char *version, const char *rule, bool *out, struct error *err)
{
	bool all = true;

	for (;;) {
		size_t len;
		bool one = false;
		int r;

		rule += strspn(rule, " ");
		len = strcspn(rule, ",");
		r = fits_one(version, rule, len, &one, err);
		if (r < 0)
			return r;
		all = all && one;
		if (!rule[len])
			break;
		rule += len + 1;
	}
	*out = all;
	return 0;
}
