/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/utc.h"

#include <time.h>

#include "tests/unit/unit.h"

static const struct {
	const char *text;
	int64_t at; /* by date -u -d */
} known[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"1970-01-01T00:00:01Z", 1},
	{"1970-12-31T23:59:59Z", 31535999},
	{"1972-02-29T00:00:00Z", 68169600},
	{"1999-12-31T23:59:59Z", 946684799},
	{"2000-02-29T12:00:00Z", 951825600},
	{"2038-01-19T03:14:08Z", INT64_C(2147483648)},
	{"2100-02-28T00:00:00Z", INT64_C(4107456000)},
	{"2106-02-07T06:28:16Z", INT64_C(4294967296)},
	{"9999-12-31T23:59:59Z", INT64_C(253402300799)},
};

static void known_instants_are_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		char text[UTC_SIZE];
		int64_t at = -1;

		assert_true(utc_parse(known[i].text, &at));
		assert_true(at == known[i].at);
		utc_format(known[i].at, text);
		assert_string_equal(text, known[i].text);
	}
}

static void every_day_is_the_calendars(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 366 * 450; day += 13) { /* past 2400 */
		char text[UTC_SIZE], want[UTC_SIZE];
		time_t t = (time_t)(day * DAY_S + day % DAY_S);
		struct tm tm;
		int64_t at;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm), UTC_LEN);
		utc_format((int64_t)t, text);
		assert_string_equal(text, want);
		assert_true(utc_parse(text, &at));
		assert_true(at == (int64_t)t);
	}
}

static void no_other_form_is_an_instant(void **state)
{
	static const char *const bad[] = {
		"",
		"2000-01-01",
		"2000-01-01T00:00:00",
		"2000-01-01T00:00:00z",
		"2000-01-01t00:00:00Z",
		"2000-01-01 00:00:00Z",
		"2000-01-01T00:00:00Z ",
		" 2000-01-01T00:00:00Z",
		"2000-01-01T00:00:00.0Z",
		"2000-01-01T00:00:00+00:00",
		"2000-1-01T00:00:00Z0",
		"2000/01/01T00:00:00Z",
		"2000-01-01T00.00.00Z",
		"20000101T000000Z0000",
		"+200-01-01T00:00:00Z",
		"2000-+1-01T00:00:00Z",
		"2000-01-01T00:00: 0Z",
		"200a-01-01T00:00:00Z",
		"2000-01-0xT00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t at = 77;

		assert_false(utc_parse(bad[i], &at));
		assert_int_equal(at, 77); /* untouched */
	}
	assert_false(utc_parse(NULL, &(int64_t){0}));
}

static void unreal_instants_are_refused(void **state)
{
	static const char *const bad[] = {
		"1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2000-00-01T00:00:00Z",
		"2000-13-01T00:00:00Z", "2000-01-00T00:00:00Z", "2000-01-32T00:00:00Z",
		"2000-02-30T00:00:00Z", "2001-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2000-04-31T00:00:00Z", "2000-06-31T00:00:00Z", "2000-09-31T00:00:00Z",
		"2000-11-31T00:00:00Z", "2000-01-01T24:00:00Z", "2000-01-01T00:60:00Z",
		"2000-01-01T00:00:60Z", "2000-99-99T99:99:99Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(utc_parse(bad[i], &(int64_t){0}));
}

static void out_of_range_is_written_as_the_nearest_end(void **state)
{
	char text[UTC_SIZE];

	(void)state;
	utc_format(-1, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	utc_format(INT64_MIN, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	utc_format(INT64_C(253402300800), text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	utc_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void now_is_the_systems_clock(void **state)
{
	int64_t before = (int64_t)time(NULL), now = utc_now();

	(void)state;
	assert_in_range(now, before, (int64_t)time(NULL) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants_are_read_and_written),
		cmocka_unit_test(every_day_is_the_calendars),
		cmocka_unit_test(no_other_form_is_an_instant),
		cmocka_unit_test(unreal_instants_are_refused),
		cmocka_unit_test(out_of_range_is_written_as_the_nearest_end),
		cmocka_unit_test(now_is_the_systems_clock),
	};

	return cmocka_run_group_tests_name("utc", tests, NULL, NULL);
}
