/* SPDX-License-Identifier: Apache-2.0 */
#include "client/clock.h"

#include "lib/base/utc.h"
#include "tests/unit/unit.h"

enum { BUILT = 1700000000 };
#define YEARS_30 (INT64_C(30) * 366 * DAY_S)

static void now_is_the_latest_that_can_be_true(void **state)
{
	static const struct {
		struct clock_view view;
		int64_t now;
		const char *source;
	} cases[] = {
		{{0, true, 0, 0}, 0, "none"},
		{{BUILT - 1, true, BUILT, 0}, BUILT, "build"},
		{{BUILT, true, BUILT, 0}, BUILT, "clock"},
		{{BUILT + 5, true, BUILT, 0}, BUILT + 5, "clock"},
		{{BUILT + 5, false, BUILT, 0}, BUILT, "build"},
		{{BUILT + 5, true, BUILT, BUILT + 4}, BUILT + 5, "clock"},
		{{BUILT + 5, true, BUILT, BUILT + 6}, BUILT + 6, "witnesses"},
		{{BUILT + 5, false, BUILT, BUILT + 4}, BUILT + 4, "witnesses"},
		{{BUILT + YEARS_30, true, BUILT, BUILT + 4}, BUILT + YEARS_30, "clock"},
		{{BUILT + YEARS_30 + 1, true, BUILT, BUILT + 4}, BUILT + 4, "witnesses"},
		{{5, true, 0, 0}, 5, "clock"},
		{{5, true, 0, 6}, 6, "witnesses"},
		{{0, true, BUILT, BUILT - 4}, BUILT, "build"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *source = NULL;

		assert_int_equal(clock_now(&cases[i].view, &source), cases[i].now);
		assert_string_equal(source, cases[i].source);
	}
}

static void age_is_known_only_by_a_clock_that_can_be_true(void **state)
{
	struct clock_view v = {
		.system = BUILT + 100, .trusted = true, .built = BUILT, .witnessed = BUILT + 40};

	(void)state;
	assert_int_equal(clock_age(&v), 60);
	v.trusted = false;
	assert_int_equal(clock_age(&v), -1);
	v.trusted = true;
	v.system = BUILT + 39;
	assert_int_equal(clock_age(&v), -1);
	v.system = BUILT + 40;
	assert_int_equal(clock_age(&v), 0);
	v.witnessed = 0;
	assert_int_equal(clock_age(&v), -1);
}

static void the_build_has_a_date(void **state)
{
	(void)state;
	assert_true(clock_built() >= 0);
	assert_true(clock_built() <= utc_now() + DAY_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_the_latest_that_can_be_true),
		cmocka_unit_test(age_is_known_only_by_a_clock_that_can_be_true),
		cmocka_unit_test(the_build_has_a_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
