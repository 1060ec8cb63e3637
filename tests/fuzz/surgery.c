/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/surgery.h"

#include <stdbool.h>

#include "lib/base/compiler.h"

enum { DEEPEST = 12, COPIES_MAX = 64, GO_ON = 0x80 };

uint8_t feed_byte(struct feed *f)
{
	return f->at < f->end ? *f->at++ : 0;
}

static size_t size_of(const json_t *v)
{
	return json_is_object(v) ? json_object_size(v) : json_array_size(v);
}

static const char *key_at(json_t *object, size_t i)
{
	void *at = json_object_iter(object);

	while (at && i-- > 0)
		at = json_object_iter_next(object, at);
	return at ? json_object_iter_key(at) : "";
}

static json_t *child(json_t *v, size_t i)
{
	return json_is_object(v) ? json_object_get(v, key_at(v, i)) : json_array_get(v, i);
}

/* Numbers and texts at which something is decided somewhere. */
static json_t *odd_value(struct feed *f)
{
	static const json_int_t numbers[] = {0,
					     1,
					     -1,
					     2,
					     3,
					     64,
					     65,
					     255,
					     256,
					     4096,
					     65536,
					     INT32_MAX,
					     INT64_C(1) << 53,
					     (INT64_C(1) << 53) - 1,
					     INT64_MAX,
					     INT64_MIN};
	static const char *const texts[] = {
		"",
		"a",
		"root",
		"targets",
		"../x",
		"a/b",
		"*",
		"ed25519",
		"eddsa",
		"pgp+eddsa-ed25519",
		"vendor",
		"stewards",
		"2030-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
		"1970-01-01T00:00:00Z",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"\xc3\xa9\n\"\\",
		"1.0.31",
		"%2e%2e%2f",
	};
	uint8_t which = feed_byte(f);

	switch (which % 8) {
	case 0: return json_null();
	case 1: return json_true();
	case 2: return json_false();
	case 3: return json_object();
	case 4: return json_array();
	case 5:
	case 6: return json_integer(numbers[which / 8 % ARRAY_LEN(numbers)]);
	default: return json_string(texts[which / 8 % ARRAY_LEN(texts)]);
	}
}

static void put(json_t *v, size_t i, json_t *value_take)
{
	if (json_is_object(v))
		(void)json_object_set_new(v, key_at(v, i), value_take);
	else
		(void)json_array_set_new(v, i, value_take);
}

static void cut_out(json_t *v, size_t i)
{
	if (json_is_object(v))
		(void)json_object_del(v, key_at(v, i));
	else
		(void)json_array_remove(v, i);
}

/* Once more: an element behind the last, a member under another name. */
static void repeat(json_t *v, size_t i, uint8_t how)
{
	json_t *copy = json_deep_copy(child(v, i));
	char name[] = {'k', (char)('a' + how % 26), '\0'};

	if (json_is_object(v))
		(void)json_object_set_new(v, how & 0x40 ? name : key_at(v, how), copy);
	else
		(void)json_array_append_new(v, copy);
	for (int n = 1; json_is_array(v) && how > 0xf0 && n < COPIES_MAX; n++)
		(void)json_array_append(v, copy);
}

static void nudge(json_t *v, size_t i, uint8_t by)
{
	json_t *old = child(v, i);
	const char *text = json_string_value(old);
	size_t len = json_string_length(old);

	if (json_is_integer(old)) {
		uint64_t sum = (uint64_t)json_integer_value(old) + by - 8;

		put(v, i, json_integer((json_int_t)sum));
	} else if (text && len > 0 && by < 128) {
		put(v, i, json_stringn_nocheck(text, len - 1)); /* may cut a character in two */
	} else if (text && len > 0) {
		char *changed = strndup(text, len);

		changed[by % len] = (char)('0' + by % 75);
		put(v, i, json_string(changed));
		free(changed);
	}
}

static void operate(json_t *v, size_t i, struct feed *f)
{
	uint8_t how = feed_byte(f);

	switch (how % 6) {
	case 0: cut_out(v, i); break;
	case 1: put(v, i, odd_value(f)); break;
	case 2: repeat(v, i, feed_byte(f)); break;
	case 3: put(v, i, json_deep_copy(child(v, feed_byte(f) % size_of(v)))); break;
	default: nudge(v, i, feed_byte(f));
	}
}

void surgery(json_t *root, struct feed *f)
{
	json_t *v = root;

	for (int depth = 0; depth < DEEPEST && size_of(v) > 0; depth++) {
		uint8_t b = feed_byte(f);
		size_t i = (b & ~(unsigned)GO_ON) % size_of(v);
		json_t *inner = child(v, i);

		if (!(b & GO_ON) || size_of(inner) == 0) {
			operate(v, i, f);
			return;
		}
		v = inner;
	}
}
