/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/canon.h"

#include <stdint.h>

#include "lib/base/error.h"

struct member {
	const char *key;
	const json_t *value;
};

/* The byte order of UTF-8 is the order of code points. */
static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Everything raw, control characters too: only quote and backslash are escaped. */
static int write_string(const char *s, size_t len, struct buf *out, struct error *err)
{
	int r = buf_add(out, "\"", 1, err);

	while (r == 0 && len > 0) {
		size_t plain = 0;

		while (plain < len && s[plain] != '"' && s[plain] != '\\')
			plain++;
		r = buf_add(out, s, plain, err);
		if (r == 0 && plain < len) {
			char escaped[] = {'\\', s[plain++]};

			r = buf_add(out, escaped, sizeof(escaped), err);
		}
		s += plain;
		len -= plain;
	}
	return r < 0 ? r : buf_add(out, "\"", 1, err);
}

static int write_value(const json_t *v, struct buf *out, struct error *err);

static int write_array(const json_t *v, struct buf *out, struct error *err)
{
	int r = buf_add(out, "[", 1, err);

	for (size_t i = 0; r == 0 && i < json_array_size(v); i++) {
		r = i ? buf_add(out, ",", 1, err) : 0;
		if (r == 0)
			r = write_value(json_array_get(v, i), out, err);
	}
	return r < 0 ? r : buf_add(out, "]", 1, err);
}

static int write_object(const json_t *v, struct buf *out, struct error *err)
{
	size_t n = json_object_size(v), filled = 0;
	CLEANUP(freep) struct member *members = calloc(n ? n : 1, sizeof(*members));
	json_t *o = (json_t *)(uintptr_t)v; /* the iterator wants it so, and modifies nothing */
	int r = members ? buf_add(out, "{", 1, err) : error_nomem(err);

	if (r < 0)
		return r;
	for (void *at = json_object_iter(o); at; at = json_object_iter_next(o, at))
		members[filled++] =
			(struct member){json_object_iter_key(at), json_object_iter_value(at)};
	qsort(members, filled, sizeof(*members), by_key);
	for (size_t i = 0; r == 0 && i < filled; i++) {
		r = i ? buf_add(out, ",", 1, err) : 0;
		if (r == 0)
			r = write_string(members[i].key, strlen(members[i].key), out, err);
		if (r == 0)
			r = buf_add(out, ":", 1, err);
		if (r == 0)
			r = write_value(members[i].value, out, err);
	}
	return r < 0 ? r : buf_add(out, "}", 1, err);
}

static int write_value(const json_t *v, struct buf *out, struct error *err)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return write_object(v, out, err);
	case JSON_ARRAY: return write_array(v, out, err);
	case JSON_STRING:
		return write_string(json_string_value(v), json_string_length(v), out, err);
	case JSON_INTEGER:
		return buf_printf(out, err, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	case JSON_TRUE: return buf_puts(out, "true", err);
	case JSON_FALSE: return buf_puts(out, "false", err);
	case JSON_NULL: return buf_puts(out, "null", err);
	default: return error_set(err, E_INVALID, "canonical JSON: a number that is no integer");
	}
}

int canon_write(const json_t *v, struct buf *out, struct error *err)
{
	size_t start = out->len;
	int r = write_value(v, out, err);

	if (r < 0 && out->data) {
		out->len = start;
		out->data[start] = '\0';
	}
	return r;
}
