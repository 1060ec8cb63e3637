/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/precond.h"

#include "tests/unit/unit.h"

#define TAG "\"0123\""

static void etag_is_found_in_a_list(void **state)
{
	static const char *const yes[] = {TAG,   "W/" TAG,    "\"a\", " TAG, "*",
					  " * ", "\"\"," TAG, TAG ",\"b\"",  "\"a\" ,\t" TAG " "};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(etag_listed(yes[i], TAG));
}

static void other_etags_and_nonsense_match_nothing(void **state)
{
	static const char *const no[] = {"",           "0123", "\"012\"", "\"01234\"",  "\"0123",
					 "\"a\" " TAG, "*x",   "W/",      "\"a\"x" TAG, "w/" TAG};

	(void)state;
	assert_false(etag_listed(NULL, TAG));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(etag_listed(no[i], TAG));
}

static void range_gives_the_bytes_both_ends_included(void **state)
{
	static const struct {
		const char *range;
		uint64_t first, len;
	} good[] = {
		{"bytes=0-0", 0, 1},     {"bytes=0-99", 0, 100},
		{"bytes=99-", 99, 1},    {"bytes=99-99", 99, 1},
		{"bytes=10-19", 10, 10}, {"bytes=0-1000", 0, 100},
		{"bytes=-1", 99, 1},     {"bytes=-100", 0, 100},
		{"bytes=-1000", 0, 100}, {"bytes=5-99999999999999999999999", 5, 95},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t first = 7777, len = 7777;

		assert_int_equal(range_parse(good[i].range, NULL, TAG, 100, &first, &len),
				 RANGE_PART);
		assert_int_equal(first, good[i].first);
		assert_int_equal(len, good[i].len);
	}
}

static void range_beyond_the_end_is_416(void **state)
{
	uint64_t first, len;

	(void)state;
	assert_int_equal(range_parse("bytes=100-", NULL, TAG, 100, &first, &len), RANGE_BEYOND);
	assert_int_equal(
		range_parse("bytes=99999999999999999999999-", NULL, TAG, 100, &first, &len),
		RANGE_BEYOND);
	assert_int_equal(range_parse("bytes=-0", NULL, TAG, 100, &first, &len), RANGE_BEYOND);
	assert_int_equal(range_parse("bytes=0-", NULL, TAG, 0, &first, &len), RANGE_BEYOND);
}

static void malformed_and_multiple_ranges_are_ignored(void **state)
{
	static const char *const bad[] = {"bytes=",        "bytes=-",   "bytes=a-b", "bytes=2-1",
					  "bytes=0-0,2-3", "lines=0-1", "0-1",       "bytes=1",
					  "bytes=1--2",    "bytes=--1", "bytes=1-2x"};
	uint64_t first, len;

	(void)state;
	assert_int_equal(range_parse(NULL, NULL, TAG, 100, &first, &len), RANGE_NONE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(range_parse(bad[i], NULL, TAG, 100, &first, &len), RANGE_NONE);
}

static void if_range_of_another_version_ignores_the_range(void **state)
{
	uint64_t first, len;

	(void)state;
	assert_int_equal(range_parse("bytes=0-0", TAG, TAG, 100, &first, &len), RANGE_PART);
	assert_int_equal(range_parse("bytes=0-0", "W/" TAG, TAG, 100, &first, &len), RANGE_NONE);
	assert_int_equal(range_parse("bytes=0-0", "\"x\"", TAG, 100, &first, &len), RANGE_NONE);
}

static void offset_is_a_number_of_63_bits(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "0x1",
					  "9223372036854775808",
					  "10000000000000000000000"};
	uint64_t v = 7;

	(void)state;
	assert_false(offset_parse(NULL, &v));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(offset_parse(bad[i], &v));
	assert_int_equal(v, 7);
	assert_true(offset_parse("0", &v) && v == 0);
	assert_true(offset_parse("9223372036854775807", &v) && v == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(etag_is_found_in_a_list),
		cmocka_unit_test(offset_is_a_number_of_63_bits),
		cmocka_unit_test(other_etags_and_nonsense_match_nothing),
		cmocka_unit_test(range_gives_the_bytes_both_ends_included),
		cmocka_unit_test(range_beyond_the_end_is_416),
		cmocka_unit_test(malformed_and_multiple_ranges_are_ignored),
		cmocka_unit_test(if_range_of_another_version_ignores_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
