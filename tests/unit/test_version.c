/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/version.h"

#include "tests/unit/unit.h"

static void versions_are_ordered_by_number_not_by_text(void **state)
{
	static const char *const rising[] = {
		"0",
		"0.9",
		"1.0-a",
		"1.0-a.b",
		"1.0-b",
		"1.0-rc.2",
		"1.0-rc.10",
		"1.0",
		"1.0.1",
		"1.9",
		"1.10",
		"2.0~beta",
		"2.0",
		"2.0.0.0.1",
		"10",
		"2026.1",
		"20260101",
		"99999999999999999999",
		"100000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
		for (size_t j = 0; j < ARRAY_LEN(rising); j++) {
			int r = version_compare(rising[i], rising[j]);

			if (i < j)
				assert_true(r < 0);
			else if (i > j)
				assert_true(r > 0);
			else
				assert_int_equal(r, 0);
		}
	}
}

static void versions_that_are_spelled_differently_are_equal(void **state)
{
	static const char *const same[][2] = {{"1", "1.0.0"},
					      {"v1.2", "1.2"},
					      {"1.02", "1.2"},
					      {"2.0+debian", "2.0+other"},
					      {"1-rc1+x", "1.0-rc1"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_int_equal(version_compare(same[i][0], same[i][1]), 0);
		assert_int_equal(version_compare(same[i][1], same[i][0]), 0);
	}
}

static void version_takes_64_bytes_and_begins_with_a_digit(void **state)
{
	static const char longest[] =
		"1.34567890123456789012345678901234567890123456789012345678901234";
	char longer[sizeof(longest) + 1];

	(void)state;
	memcpy(longer, longest, sizeof(longest));
	memcpy(longer + sizeof(longest) - 1, "5", 2);
	assert_true(version_ok(longest));
	assert_false(version_ok(longer));
	assert_true(version_ok("v1"));
	assert_true(version_ok("1.0~rc_1+b-2"));
	assert_false(version_ok(NULL));
	assert_false(version_ok(""));
	assert_false(version_ok("v"));
	assert_false(version_ok("latest"));
	assert_false(version_ok("1 0"));
	assert_false(version_ok("1/0"));
	assert_false(version_ok("1\n"));
}

static void version_rule_holds_when_every_comparison_does(void **state)
{
	static const struct {
		const char *rule;
		bool fits;
	} cases[] = {{">=1.4.0", true}, {">=1.4", true},          {">1.4", false},
		     {"=1.4.0", true},  {"=1.5", false},          {"<=1.4", true},
		     {"<1.4", false},   {" >= 1.0 , < 2 ", true}, {">=1.0,<1.4", false},
		     {">=1.4.1", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error err = {0};
		bool fits = !cases[i].fits;

		assert_int_equal(version_fits("1.4.0", cases[i].rule, &fits, &err), 0);
		assert_int_equal(fits, cases[i].fits);
	}
}

static void version_rule_of_another_form_is_refused(void **state)
{
	static const char *const bad[] = {"",       "1.4",   ">=",   ">=x",  "~1.4",
					  ">=1.4,", "=>1.4", ",>=1", "> =1", ">=1.4 1.5"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error err = {0};
		bool fits;

		assert_error(version_fits("1.4.0", bad[i], &fits, &err), E_INVALID, &err,
			     "want a comparison");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_ordered_by_number_not_by_text),
		cmocka_unit_test(versions_that_are_spelled_differently_are_equal),
		cmocka_unit_test(version_takes_64_bytes_and_begins_with_a_digit),
		cmocka_unit_test(version_rule_holds_when_every_comparison_does),
		cmocka_unit_test(version_rule_of_another_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
