/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strict - reading JSON from people and machines that we do not trust
 *
 * strict_parse() takes exactly one JSON text: UTF-8, no repeated member, no
 * number that is not an integer of 64 bits, no NUL in a string, nothing
 * deeper than JSON_DEPTH_MAX, nothing after it. strict_read() then takes one
 * object apart by a table of its fields, so that every error names file, field
 * and what was wanted:
 *
 *	deposit.json: signed.trustees.threshold: want 2 to 4, got 0
 */
#ifndef LIB_JSON_STRICT_H
#define LIB_JSON_STRICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

enum { JSON_DEPTH_MAX = 32 };

/*
 * Bytes of heap that a tree may take: these, and so many times its text. Metadata takes six to nine
 * times, the densest snapshot that can be written 21 times; "[[],[],..." would take 50, and a text
 * that wants more than this is refused before it is parsed.
 */
enum { JSON_TREE_FREE = 16 * 1024, JSON_TREE_FACTOR = 24 };

/*
 * Parse `len` bytes, which the caller bounds first. `name` (a file, a URL) begins every error text
 * and may be NULL. The caller owns *out (json_decref). E_INVALID, E_NOMEM.
 */
MUSTCHECK int strict_parse(const void *data, size_t len, const char *name, json_t **out,
			   struct error *err);

enum field_kind {
	FIELD_TEXT,   /* const char *, borrowed; min..max bytes (max 0: 4096) */
	FIELD_INT,    /* int64_t; min..max (both 0: 0 to 2^53 - 1) */
	FIELD_BOOL,   /* bool */
	FIELD_TIME,   /* int64_t, from YYYY-MM-DDTHH:MM:SSZ */
	FIELD_HEX,    /* const char *, borrowed; exactly `max` lower-case hex digits */
	FIELD_NAME,   /* int, the index in `names` */
	FIELD_OBJECT, /* json_t *, borrowed; min..max members (max 0: 4096) */
	FIELD_ARRAY,  /* json_t *, borrowed; min..max elements (max 0: 4096) */
	FIELD_ANY,    /* json_t *, borrowed */
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset; /* of the member in the struct that is filled */
	bool optional; /* absent, or null: the member is left as it was */
	int64_t min, max;
	const char *const *names; /* FIELD_NAME: ended by NULL */
};

/* STRICT_CLOSED refuses a member that is not in the table. */
enum { STRICT_OPEN = 0, STRICT_CLOSED = 1 };

struct field_table {
	const struct field *fields;
	size_t n;
	int flags;
};

/*
 * Read `object` into the struct at `out` by a table. `where` is the path of
 * the object ("signed.trustees"); it may be "" for the top, and it is put
 * before the field's name. What is borrowed lives as long as `object`. On
 * failure *out is partly filled. E_INVALID, also if `object` is NULL or none.
 */
MUSTCHECK int strict_read_table(const json_t *object, const char *where,
				const struct field_table *table, void *out, struct error *err);

/* The same for a table that is only an array. */
#define strict_read(object, where, fields, n, flags, out, err) \
	strict_read_table(object, where, &(struct field_table){(fields), (n), (flags)}, out, err)

#endif
