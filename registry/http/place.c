/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/place.h"

#include <string.h>

#include "lib/base/compiler.h"
#include "lib/base/file.h"

#define FOR_EVER "public, max-age=31536000, immutable"
#define A_MINUTE "public, max-age=60"
#define FIVE_MINUTES "public, max-age=300"

#define TEXT "text/plain; charset=utf-8"
#define BYTES "application/octet-stream"

/* The value of one hex digit, either case; -1: it is none. */
static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undo %XX. An escaped '/' would change what the path means, a NUL where it ends. */
static bool decode(const char *p, char out[PLACE_MAX], size_t *len)
{
	size_t n = 0;

	while (*p) {
		char c = *p++;

		if (c == '%') {
			int high = nibble(p[0]);
			int low = high < 0 ? -1 : nibble(p[1]);

			if (low < 0)
				return false;
			c = (char)(high * 16 + low);
			p += 2;
			if (c == '/' || c == '\0')
				return false;
		}
		if (n + 1 == PLACE_MAX)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	*len = n;
	return true;
}

bool place_of(const char *url, char out[PLACE_MAX])
{
	static const char index[] = "index.html";
	size_t len;

	if (*url != '/' || !decode(url + 1, out, &len))
		return false;
	if (len == 0 || out[len - 1] == '/') {
		if (len + sizeof(index) > PLACE_MAX)
			return false;
		memcpy(out + len, index, sizeof(index));
	}
	if (!file_path_ok(out))
		return false;
	for (const char *p = out; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0)
			return false;
	}
	return true;
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool ends(const char *s, const char *with)
{
	size_t len = strlen(s), n = strlen(with);

	return len >= n && strcmp(s + len - n, with) == 0;
}

/* What a depositor or publisher named: it is data, whatever the name says. */
static bool foreign(const char *inner)
{
	return starts(inner, "targets/") || starts(inner, "deposits/");
}

static const char *content_type(const char *path, const char *inner)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{".json", "application/json"},
		{".jsonl", "application/jsonl"},
		{".tlog-proof", TEXT},
		{"/checkpoint", TEXT},
		{".css", "text/css"},
		{".svg", "image/svg+xml"},
		{".txt", TEXT},
		{".asc", TEXT},
		{"/HEAD", TEXT},
		{"/info/refs", TEXT},
		{"/objects/info/packs", TEXT},
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript"},
	};
	static const char *const active[] = {".html", ".svg", ".css", ".js"};

	if (inner && foreign(inner))
		for (size_t i = 0; i < ARRAY_LEN(active); i++)
			if (ends(path, active[i]))
				return BYTES;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (ends(path, types[i].end))
			return types[i].type;
	return BYTES;
}

/* A repository's packs and objects are named by digest; what points at them changes. */
static const char *git_cache(const char *inner)
{
	if (starts(inner, "objects/") && strcmp(inner, "objects/info/packs") != 0)
		return FOR_EVER;
	return A_MINUTE;
}

/* `inner` is the path below p/<product>/. */
static const char *product_cache(const char *inner)
{
	static const char *const changing[] = {"index.json", "leaves.jsonl",
					       "metadata/root-chain.jsonl"};

	if (starts(inner, "source.git/"))
		return git_cache(inner + strlen("source.git/"));
	if (strcmp(inner, "index.html") == 0)
		return FIVE_MINUTES;
	if (starts(inner, "metadata/") && ends(inner, "/timestamp.json"))
		return A_MINUTE;
	for (size_t i = 0; i < ARRAY_LEN(changing); i++)
		if (strcmp(inner, changing[i]) == 0)
			return A_MINUTE;
	return FOR_EVER;
}

struct place_kind place_kind(const char *path)
{
	const char *inner = starts(path, "p/") ? strchr(path + 2, '/') : NULL;
	struct place_kind kind = {.cache_control = A_MINUTE};

	inner = inner ? inner + 1 : NULL;
	kind.content_type = content_type(path, inner);
	if (inner)
		kind.cache_control = product_cache(inner);
	else if (starts(path, "log/tile/"))
		kind.cache_control = FOR_EVER;
	else if (ends(path, ".html") || ends(path, ".css"))
		kind.cache_control = FIVE_MINUTES;
	kind.page = starts(kind.content_type, "text/html");
	return kind;
}
