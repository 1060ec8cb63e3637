/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/treename.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/base/compiler.h"

enum {
	FOLDED_MAX = 16, /* longer than any spelling of ".git" that is left after folding */
	NAME_BYTES_MAX = 255,
};

/* The length of a UTF-8 sequence that HFS+ ignores when it compares names; 0: none. */
static size_t ignorable(const char *p, size_t len)
{
	unsigned char a, b, c;

	if (len < 3)
		return 0;
	a = (unsigned char)p[0];
	b = (unsigned char)p[1];
	c = (unsigned char)p[2];
	if (a == 0xe2 && b == 0x80) /* U+200C..200F, U+202A..202E */
		return (c >= 0x8c && c <= 0x8f) || (c >= 0xaa && c <= 0xae) ? 3 : 0;
	if (a == 0xe2 && b == 0x81) /* U+206A..206F */
		return c >= 0xaa && c <= 0xaf ? 3 : 0;
	return a == 0xef && b == 0xbb && c == 0xbf ? 3 : 0; /* U+FEFF */
}

/* What is left when file systems have dropped what they drop; too long is no matter. */
static void fold(const char *name, size_t len, char out[FOLDED_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len && name[i] != ':' && n < FOLDED_MAX - 1;) {
		size_t skip = ignorable(name + i, len - i);

		if (!skip)
			out[n++] = name[i++];
		i += skip;
	}
	while (n && (out[n - 1] == '.' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
}

static bool is_git(const char *name, size_t len)
{
	char folded[FOLDED_MAX] = "";

	fold(name, len, folded);
	if (strcasecmp(folded, ".git") == 0)
		return true;
	return strncasecmp(folded, "git~", 4) == 0 && folded[4] &&
	       strspn(folded + 4, "0123456789") == strlen(folded + 4);
}

const char *treename_fault(const char *name, size_t len)
{
	if (len == 0)
		return "an empty name";
	if (len > NAME_BYTES_MAX)
		return "a name that no file system takes";
	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return "a name that means a folder above";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '/' || c == '\\')
			return "a name with a slash or backslash";
		if (c < 0x20 || c == 0x7f)
			return "a name with a control character";
	}
	return is_git(name, len) ? "a name that is .git somewhere" : NULL;
}
