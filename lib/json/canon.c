/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/canon.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/error.h"

struct member {
	const char *key;
	const json_t *value;
};

enum { MEMBERS_FEW = 32, INT_SIZE = 24 };

/* buf_add() for the many small pieces: most of them fit into what is there. */
static int put(struct buf *out, const char *data, size_t len, struct error *err)
{
	if (out->cap - out->len <= len)
		return buf_add(out, data, len, err);
	memcpy(out->data + out->len, data, len);
	out->len += len;
	out->data[out->len] = '\0';
	return 0;
}

/* The byte order of UTF-8 is the order of code points. */
static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Everything raw, control characters too: only quote and backslash are escaped. */
static int write_string(const char *s, size_t len, struct buf *out, struct error *err)
{
	int r = put(out, "\"", 1, err);

	while (r == 0 && len > 0) {
		size_t plain = strcspn(s, "\"\\"); /* ends at a NUL, too: jansson puts one after */

		r = put(out, s, plain, err);
		if (r == 0 && plain < len) {
			const char escaped[] = {'\\', s[plain]};
			size_t skip = s[plain] == '\0';

			r = put(out, escaped + skip, sizeof(escaped) - skip, err);
			plain++;
		}
		s += plain;
		len -= plain;
	}
	return r < 0 ? r : put(out, "\"", 1, err);
}

static int write_value(const json_t *v, struct buf *out, struct error *err);

static int write_array(const json_t *v, struct buf *out, struct error *err)
{
	int r = put(out, "[", 1, err);

	for (size_t i = 0; r == 0 && i < json_array_size(v); i++) {
		r = i ? put(out, ",", 1, err) : 0;
		if (r == 0)
			r = write_value(json_array_get(v, i), out, err);
	}
	return r < 0 ? r : put(out, "]", 1, err);
}

/* The members in the order of their keys, into room for all of them; how many there are. */
static size_t sort_members(const json_t *v, struct member *members)
{
	json_t *o = (json_t *)(uintptr_t)v; /* the iterator wants it so, and modifies nothing */
	bool sorted = true;                 /* what we write ourselves is */
	size_t n = 0;

	for (void *at = json_object_iter(o); at; at = json_object_iter_next(o, at), n++) {
		members[n] = (struct member){json_object_iter_key(at), json_object_iter_value(at)};
		sorted = sorted && (n == 0 || by_key(&members[n - 1], &members[n]) < 0);
	}
	if (!sorted)
		qsort(members, n, sizeof(*members), by_key);
	return n;
}

static int write_members(const struct member *members, size_t n, struct buf *out, struct error *err)
{
	int r = put(out, "{", 1, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = i ? put(out, ",", 1, err) : 0;
		if (r == 0)
			r = write_string(members[i].key, strlen(members[i].key), out, err);
		if (r == 0)
			r = put(out, ":", 1, err);
		if (r == 0)
			r = write_value(members[i].value, out, err);
	}
	return r < 0 ? r : put(out, "}", 1, err);
}

static int write_object(const json_t *v, struct buf *out, struct error *err)
{
	size_t room = json_object_size(v);
	CLEANUP(freep) struct member *many = NULL;
	struct member few[MEMBERS_FEW], *members = few;

	if (room > MEMBERS_FEW) {
		many = calloc(room, sizeof(*many));
		if (!many)
			return error_nomem(err);
		members = many;
	}
	return write_members(members, sort_members(v, members), out, err);
}

static int write_int(json_int_t v, struct buf *out, struct error *err)
{
	char text[INT_SIZE];
	int n = snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, v);

	return put(out, text, (size_t)n, err);
}

static int write_value(const json_t *v, struct buf *out, struct error *err)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return write_object(v, out, err);
	case JSON_ARRAY: return write_array(v, out, err);
	case JSON_STRING:
		return write_string(json_string_value(v), json_string_length(v), out, err);
	case JSON_INTEGER: return write_int(json_integer_value(v), out, err);
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
