/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>

#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "tests/unit/unit.h"

/* Parse `text`, write it canonically. */
static int canon(const char *text, struct buf *out, struct error *err)
{
	json_t *v = NULL;
	int r = strict_parse(text, strlen(text), NULL, &v, err);

	if (r < 0)
		return r;
	r = canon_write(v, out, err);
	json_decref(v);
	return r;
}

/* What securesystemslib writes for the same text, measured; tests/integration asks it again. */
static void canon_is_what_securesystemslib_writes(void **state)
{
	static const struct {
		const char *in, *out;
	} same[] = {
		{"{ }", "{}"},
		{"[ ]", "[]"},
		{"{\"b\": [1, true, false, null], \"a\": {}}",
		 "{\"a\":{},\"b\":[1,true,false,null]}"},
		{"[-0, 0, -1]", "[0,0,-1]"},
		{"[9007199254740993]", "[9007199254740993]"},
		{"[9223372036854775807, -9223372036854775808]",
		 "[9223372036854775807,-9223372036854775808]"},
		{"[\"a\\nb\\tc\\u0001\\u001f\\u007f\"]", "[\"a\nb\tc\x01\x1f\x7f\"]"},
		{"[\"\\\\ \\\" \\/ /\"]", "[\"\\\\ \\\" / /\"]"},
		{"[\"\\u00e9 e\\u0301 \\ud83d\\ude00\"]",
		 "[\"\xc3\xa9 e\xcc\x81 \xf0\x9f\x98\x80\"]"},
		{"{\"\\ud83d\\ude00\":1,\"\\ufb01\":2}",
		 "{\"\xef\xac\x81\":2,\"\xf0\x9f\x98\x80\":1}"},
		{"{\"ab\":1,\"a\":2,\"\":3,\"aB\":4}", "{\"\":3,\"a\":2,\"aB\":4,\"ab\":1}"},
		{"{\"10\":1,\"9\":2,\"1\":3}", "{\"1\":3,\"10\":1,\"9\":2}"},
		{"{\"a\\\"\\n\":1}", "{\"a\\\"\n\":1}"},
		{"[[],[[]],{\"a\":[{}]}]", "[[],[[]],{\"a\":[{}]}]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		CLEANUP(buf_clear) struct buf out = {0};

		assert_int_equal(canon(same[i].in, &out, NULL), 0);
		assert_string_equal(out.data, same[i].out);
		assert_int_equal(out.len, strlen(same[i].out));
	}
}

/* The rows of the edge table where there is no canonical form that all agree on. */
static void canon_has_no_form_for_disputed_texts(void **state)
{
	static const char *const bad[] = {
		"[1.0]",
		"[1e2]",
		"[9223372036854775808]",
		"[\"\\ud800\"]",
		"[\"\xff\"]",
		"[\"\\u0000\"]",
		"{\"a\":1,\"a\":2}",
		"\xef\xbb\xbf[]",
		"[]x",
		"[NaN]",
		"[01]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_int_equal(canon(bad[i], &out, &err), E_INVALID);
		assert_int_equal(out.len, 0);
	}
}

static void canon_refuses_a_real_and_takes_back_what_it_wrote(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct error err = {0};
	json_t *v = json_pack("[s, f]", "before", 1.5);

	(void)state;
	assert_int_equal(buf_puts(&out, "kept", NULL), 0);
	assert_error(canon_write(v, &out, &err), E_INVALID, &err, "no integer");
	assert_string_equal(out.data, "kept");
	json_decref(v);
}

static void canon_sorts_many_members_as_it_does_few(void **state)
{
	(void)state;
	for (int n = 31; n <= 34; n++) {
		CLEANUP(buf_clear) struct buf out = {0};
		CLEANUP(buf_clear) struct buf want = {0};
		CLEANUP(json_decrefp) json_t *v = json_object();

		assert_int_equal(buf_puts(&want, "{", NULL), 0);
		for (int i = 0; i < n; i++) {
			char key[] = {'a', (char)('0' + (n - 1 - i) / 10),
				      (char)('0' + (n - 1 - i) % 10), '\0'};

			assert_int_equal(json_object_set_new(v, key, json_integer(n - 1 - i)), 0);
			assert_int_equal(
				buf_printf(&want, NULL, "%s\"a%02d\":%d", i ? "," : "", i, i), 0);
		}
		assert_int_equal(buf_puts(&want, "}", NULL), 0);
		assert_int_equal(canon_write(v, &out, NULL), 0);
		assert_string_equal(out.data, want.data);
	}
}

/* The parser lets none in; a program that makes its own text might. */
static void canon_writes_a_nul_as_it_is(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	CLEANUP(json_decrefp) json_t *v = json_stringn("a\0\"\0\\", 5);

	(void)state;
	assert_int_equal(canon_write(v, &out, NULL), 0);
	assert_int_equal(out.len, 9);
	assert_memory_equal(out.data, "\"a\0\\\"\0\\\\\"", 9);
}

static void canon_of_canon_is_itself(void **state)
{
	static const char text[] =
		"{\"z\":[{\"b\":\"\\\\\",\"a\":-5}],\"\xc3\xa9\":{},\"a\":\"\\\"\"}";
	CLEANUP(buf_clear) struct buf once = {0};
	CLEANUP(buf_clear) struct buf twice = {0};

	(void)state;
	assert_int_equal(canon(text, &once, NULL), 0);
	assert_int_equal(canon(once.data, &twice, NULL), 0);
	assert_string_equal(once.data, twice.data);
}

static void canon_reports_every_failed_allocation(void **state)
{
	json_t *v = json_pack("{s:[i,s],s:{s:b}}", "b", 1, "two\"", "a", "c", 1);

	(void)state;
	for (long n = 0;; n++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		oom_after(n);
		int r = canon_write(v, &out, &err);
		if (!oom_fired()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_error(r, E_NOMEM, &err, "memory");
		assert_int_equal(out.len, 0);
	}
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canon_is_what_securesystemslib_writes),
		cmocka_unit_test(canon_has_no_form_for_disputed_texts),
		cmocka_unit_test(canon_refuses_a_real_and_takes_back_what_it_wrote),
		cmocka_unit_test(canon_sorts_many_members_as_it_does_few),
		cmocka_unit_test(canon_writes_a_nul_as_it_is),
		cmocka_unit_test(canon_of_canon_is_itself),
		cmocka_unit_test(canon_reports_every_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
