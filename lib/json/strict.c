/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/strict.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"

enum {
	SIZE_DEFAULT_MAX = 4096, /* of texts, objects and arrays whose field says none */
	PATH_SHOWN_MAX = 200,    /* bytes of a path in an error text */
};
#define INT_DEFAULT_MAX ((INT64_C(1) << 53) - 1) /* what every JSON reader holds exactly */

/* Where a value is, as a list from the inside out that lives on the stack of the walk. */
struct place {
	const struct place *up;
	const char *key; /* NULL: an element of an array */
	size_t index;
	int depth;
};

/* Write "signed.roles[3]" into `out`, cutting what does not fit. */
static void place_text(const struct place *at, char *out, size_t size)
{
	size_t len;

	if (!at || size <= 1) {
		*out = '\0';
		return;
	}
	place_text(at->up, out, size);
	len = strlen(out);
	if (!at->key)
		(void)snprintf(out + len, size - len, "[%zu]", at->index);
	else
		(void)snprintf(out + len, size - len, "%s%s", len ? "." : "", at->key);
}

static int refuse(const struct place *at, const char *want, struct error *err)
{
	char path[PATH_SHOWN_MAX];

	place_text(at, path, sizeof(path));
	return error_set(err, E_INVALID, "%s%s%s", path, *path ? ": " : "", want);
}

/* What jansson accepts and we do not: depth, and numbers that are not integers. */
static int check(json_t *v, const struct place *at, struct error *err)
{
	struct place inner = {.up = at, .depth = at ? at->depth + 1 : 1};
	const char *key;
	json_t *member;

	if (json_is_real(v))
		return refuse(at, "want an integer, got a number with fraction or exponent", err);
	if (!json_is_object(v) && !json_is_array(v))
		return 0;
	if (inner.depth > JSON_DEPTH_MAX)
		return refuse(at, "nested too deeply", err);
	json_object_foreach(v, key, member)
	{
		inner.key = key;
		int r = check(member, &inner, err);

		if (r < 0)
			return r;
	}
	inner.key = NULL;
	json_array_foreach(v, inner.index, member)
	{
		int r = check(member, &inner, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Jansson's words name its own flags here, which say nothing to who sent the text. */
static const char *why_text(const json_error_t *why)
{
	return json_error_code(why) == json_error_null_character ? "NUL in a string" : why->text;
}

/*
 * What values take at most, in jansson 2.14 under glibc, with 8 bytes of the allocator's for each
 * allocation and its rounding to 16, where a pointer has 8 bytes. Taken for all machines, so that
 * all accept the same documents.
 */
enum {
	COST_OBJECT = 224, /* itself, and a table of eight buckets */
	COST_ARRAY = 128,  /* itself, and a table of eight elements */
	COST_TEXT = 80,    /* beside its bytes: a member's name, or a string */
	COST_ATOM = 32,    /* a number */
	COST_NEXT = 48,    /* one more in an object or array, whose table is just being doubled */
};

/* The number of bytes of a string from its first to its last quote. */
static size_t text_len(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

/* At least the heap that the tree of a text takes; the text need not be JSON. */
static uint64_t weigh(const char *text, size_t len)
{
	uint64_t sum = 0;
	bool in_atom = false;

	for (size_t i = 0; i < len;) {
		bool was = in_atom;
		size_t step = 1;

		in_atom = false;
		switch (text[i]) {
		case '{': sum += COST_OBJECT; break;
		case '[': sum += COST_ARRAY; break;
		case ',': sum += COST_NEXT; break;
		case '"':
			step = text_len(text + i, len - i);
			sum += COST_TEXT + step;
			break;
		case ' ':
		case '\t':
		case '\r':
		case '\n':
		case ':':
		case ']':
		case '}': break;
		default:
			in_atom = true;
			sum += was ? 0 : COST_ATOM;
			break;
		}
		i += step;
	}
	return sum;
}

static int check_weight(const char *text, size_t len, struct error *err)
{
	uint64_t most = JSON_TREE_FREE + (uint64_t)JSON_TREE_FACTOR * len;
	uint64_t sum = weigh(text, len);

	if (sum > most)
		return error_set(err, E_INVALID,
				 "so many small values that they take %" PRIu64
				 " bytes of memory, want at most %" PRIu64,
				 sum, most);
	return 0;
}

static int parse(const void *data, size_t len, json_t **out, struct error *err)
{
	json_error_t why = {0};
	json_t *v = NULL;
	int r = check_weight(data, len, err);

	if (r < 0)
		return r;
	v = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);

	/* Jansson leaves the code at "unknown" where an allocation failed below its parser. */
	if (!v && (json_error_code(&why) == json_error_out_of_memory ||
		   json_error_code(&why) == json_error_unknown))
		return error_nomem(err);
	if (!v)
		return error_set(err, E_INVALID, "line %d: %s", why.line, why_text(&why));

	r = check(v, NULL, err);
	if (r < 0) {
		json_decref(v);
		return r;
	}
	*out = v;
	return 0;
}

int strict_parse(const void *data, size_t len, const char *name, json_t **out, struct error *err)
{
	int r = parse(len ? data : "", len, out, err);

	return r < 0 && name ? error_prefix(err, r, "%s", name) : r;
}

static const char *type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "an array";
	case JSON_STRING: return "a string";
	case JSON_INTEGER: return "an integer";
	case JSON_REAL: return "a real number";
	case JSON_TRUE:
	case JSON_FALSE: return "a boolean";
	default: return "null";
	}
}

/* One field being read. */
struct reader {
	const char *where;
	const struct field *f;
	struct error *err;
};

static int wrong(const struct reader *rd, const char *want, const json_t *got)
{
	return error_set(rd->err, E_INVALID, "%s%s%s: want %s, got %s", rd->where,
			 *rd->where ? "." : "", rd->f->key, want, type_name(got));
}

/* The same for a text that is not of the form wanted: show it. */
static int wrong_text(const struct reader *rd, const char *want, const json_t *got)
{
	if (!json_is_string(got))
		return wrong(rd, want, got);
	return error_set(rd->err, E_INVALID, "%s%s%s: want %s, got \"%.40s\"", rd->where,
			 *rd->where ? "." : "", rd->f->key, want, json_string_value(got));
}

static int out_of_range(const struct reader *rd, int64_t min, int64_t max, const char *unit,
			int64_t got)
{
	return error_set(rd->err, E_INVALID,
			 "%s%s%s: want %" PRId64 " to %" PRId64 "%s, got %" PRId64, rd->where,
			 *rd->where ? "." : "", rd->f->key, min, max, unit, got);
}

/* Is the size of a text, an object or an array within its field's bounds? */
static int check_size(const struct reader *rd, size_t size, const char *unit)
{
	int64_t max = rd->f->max ? rd->f->max : SIZE_DEFAULT_MAX;

	if ((int64_t)size < rd->f->min || (int64_t)size > max)
		return out_of_range(rd, rd->f->min, max, unit, (int64_t)size);
	return 0;
}

static int read_text(const struct reader *rd, const json_t *v, const char **out)
{
	int r;

	if (!json_is_string(v))
		return wrong(rd, "a string", v);
	r = check_size(rd, json_string_length(v), " bytes");
	if (r < 0)
		return r;
	*out = json_string_value(v);
	return 0;
}

static int read_int(const struct reader *rd, const json_t *v, int64_t *out)
{
	bool free_range = rd->f->min == 0 && rd->f->max == 0;
	int64_t max = free_range ? INT_DEFAULT_MAX : rd->f->max;

	if (!json_is_integer(v))
		return wrong(rd, "an integer", v);
	if (json_integer_value(v) < rd->f->min || json_integer_value(v) > max)
		return out_of_range(rd, rd->f->min, max, "", json_integer_value(v));
	*out = json_integer_value(v);
	return 0;
}

static int read_time(const struct reader *rd, const json_t *v, int64_t *out)
{
	if (!json_is_string(v) || !utc_parse(json_string_value(v), out))
		return wrong_text(rd, "a time such as 2030-01-31T00:00:00Z", v);
	return 0;
}

static int read_hex(const struct reader *rd, const json_t *v, const char **out)
{
	char want[64];

	if (!hex_is(json_string_value(v), (size_t)rd->f->max)) {
		(void)snprintf(want, sizeof(want), "%" PRId64 " lower-case hex digits", rd->f->max);
		return wrong_text(rd, want, v);
	}
	*out = json_string_value(v);
	return 0;
}

static int read_name(const struct reader *rd, const json_t *v, int *out)
{
	const char *text = json_string_value(v);
	char want[PATH_SHOWN_MAX] = "one of";

	for (int i = 0; text && rd->f->names[i]; i++)
		if (strcmp(rd->f->names[i], text) == 0) {
			*out = i;
			return 0;
		}
	for (int i = 0; rd->f->names[i]; i++) {
		size_t len = strlen(want);

		(void)snprintf(want + len, sizeof(want) - len, "%s%s", i ? ", " : " ",
			       rd->f->names[i]);
	}
	return wrong_text(rd, want, v);
}

static int read_field(const struct reader *rd, json_t *v, char *member)
{
	json_t **any = (json_t **)(void *)member;

	switch (rd->f->kind) {
	case FIELD_TEXT: return read_text(rd, v, (const char **)(void *)member);
	case FIELD_INT: return read_int(rd, v, (int64_t *)(void *)member);
	case FIELD_TIME: return read_time(rd, v, (int64_t *)(void *)member);
	case FIELD_HEX: return read_hex(rd, v, (const char **)(void *)member);
	case FIELD_NAME: return read_name(rd, v, (int *)(void *)member);
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return wrong(rd, "true or false", v);
		*(bool *)(void *)member = json_is_true(v);
		return 0;
	case FIELD_OBJECT:
		if (!json_is_object(v))
			return wrong(rd, "an object", v);
		*any = v;
		return check_size(rd, json_object_size(v), " members");
	case FIELD_ARRAY:
		if (!json_is_array(v))
			return wrong(rd, "an array", v);
		*any = v;
		return check_size(rd, json_array_size(v), " elements");
	default: *any = v; return 0;
	}
}

/* Refuse members that the table does not have. */
static int check_closed(const json_t *object, const char *where, const struct field_table *table,
			struct error *err)
{
	json_t *o = (json_t *)(uintptr_t)object; /* the iterator wants it so; modifies nothing */
	const char *key;
	json_t *member;

	json_object_foreach(o, key, member)
	{
		size_t i = 0;

		while (i < table->n && strcmp(table->fields[i].key, key) != 0)
			i++;
		if (i == table->n)
			return error_set(err, E_INVALID, "%s%s%.64s: unknown field", where,
					 *where ? "." : "", key);
	}
	return 0;
}

int strict_read_table(const json_t *object, const char *where, const struct field_table *table,
		      void *out, struct error *err)
{
	if (!json_is_object(object))
		return error_set(err, E_INVALID, "%s%swant an object, got %s", where,
				 *where ? ": " : "", object ? type_name(object) : "nothing");
	for (size_t i = 0; i < table->n; i++) {
		const struct field *f = &table->fields[i];
		struct reader rd = {.where = where, .f = f, .err = err};
		json_t *v = json_object_get(object, f->key);

		if (f->optional && (!v || json_is_null(v)))
			continue;
		if (!v)
			return error_set(err, E_INVALID, "%s%s%s: missing", where,
					 *where ? "." : "", f->key);

		int r = read_field(&rd, v, (char *)out + f->offset);
		if (r < 0)
			return r;
	}
	return table->flags == STRICT_CLOSED ? check_closed(object, where, table, err) : 0;
}
