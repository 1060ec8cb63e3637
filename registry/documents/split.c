/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/split.h"

#include <stdbool.h>

#include "lib/base/error.h"

struct scan {
	const char *at, *end;
};

static void skip_space(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static void skip_string(struct scan *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\' && s->at + 1 < s->end)
			s->at++;
	if (s->at < s->end)
		s->at++;
}

/* From '{' to behind the '}' that fits it; false: there is none. */
static bool skip_object(struct scan *s)
{
	size_t depth = 0;

	while (s->at < s->end) {
		switch (*s->at) {
		case '"': skip_string(s); continue;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']': depth--; break;
		default: break;
		}
		s->at++;
		if (depth == 0)
			return true;
	}
	return false;
}

static int take(struct scan *s, struct slice *out, size_t i, struct error *err)
{
	const char *start;

	skip_space(s);
	start = s->at;
	if (s->at == s->end || *s->at != '{' || !skip_object(s))
		return error_set(err, E_INVALID, "body[%zu]: want a JSON object", i);
	*out = (struct slice){start, (size_t)(s->at - start)};
	skip_space(s);
	return 0;
}

static int take_array(struct scan *s, struct slice out[SPLIT_MAX], size_t *n, struct error *err)
{
	for (*n = 0;; s->at++) {
		if (*n == SPLIT_MAX)
			return error_set(err, E_INVALID, "body: want at most %d documents",
					 SPLIT_MAX);
		int r = take(s, &out[*n], *n, err);
		if (r < 0)
			return r;
		++*n;
		if (s->at < s->end && *s->at == ']')
			break;
		if (s->at == s->end || *s->at != ',')
			return error_set(err, E_INVALID, "body[%zu]: want a comma or ] behind it",
					 *n - 1);
	}
	s->at++;
	skip_space(s);
	return 0;
}

int split_documents(const void *body, size_t len, struct slice out[SPLIT_MAX], size_t *n,
		    struct error *err)
{
	struct scan s = {body, (const char *)body + len};
	int r;

	skip_space(&s);
	if (s.at < s.end && *s.at == '[') {
		s.at++;
		r = take_array(&s, out, n, err);
	} else {
		r = take(&s, &out[0], 0, err);
		*n = 1;
	}
	if (r == 0 && s.at != s.end)
		return error_set(err, E_INVALID, "body: want nothing behind the documents");
	return r;
}
