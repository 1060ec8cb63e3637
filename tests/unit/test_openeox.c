/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/openeox.h"

#include "tests/unit/unit.h"

#define SCHEMA "\"$schema\": \"https://docs.oasis-open.org/openeox/v1.0/schema/core.json\""
#define UPDATED ", \"last_updated\": \"2026-01-01T00:00:00Z\""
#define CORE(life, security, more) \
	"{" SCHEMA ", \"end_of_life\": \"" life "\", \"end_of_security_support\": \"" security \
	"\"" UPDATED more "}"
#define Y30 "2030-01-31T00:00:00Z"

static int read_text(const char *text, struct openeox *out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *src = json_loads(text, 0, NULL);

	assert_non_null(src);
	return openeox_read(src, "eox.json", out, err);
}

static void dates_are_those_of_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} good[] = {
		{"2030-01-31T00:00:00Z", 1896048000},
		{"2030-01-31T00:00:00.5Z", 1896048000},
		{"2030-01-31T05:30:00+05:30", 1896048000},
		{"2030-01-30T16:00:00.000000000000-08:00", 1896048000},
	};
	static const char *const bad[] = {
		"2030-01-31",
		"2030-01-31T00:00:00",
		"2030-01-31t00:00:00Z",
		"2030-01-31T00:00:00z",
		"2030-01-31T00:00:60Z", /* leap seconds are forbidden */
		"2030-02-30T00:00:00Z",
		"2030-01-31T00:00:00,5Z",
		"2030-01-31T00:00:00.Z",
		"2030-01-31T00:00:00+0530",
		"2030-01-31T00:00:00+24:00",
		"2030-01-31T00:00:00Z ",
		"TBA",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CLEANUP(json_decrefp)
		json_t *src = json_loads(CORE(Y30, "tba", ""), 0, NULL);
		struct openeox c;
		struct error err = {0};

		assert_int_equal(json_object_set_new(src, "end_of_life", json_string(good[i].text)),
				 0);
		assert_int_equal(openeox_read(src, "eox.json", &c, &err), 0);
		assert_int_equal(c.end_of_life.at, good[i].at);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(json_decrefp)
		json_t *src = json_loads(CORE(Y30, "tba", ""), 0, NULL);
		struct openeox c;
		struct error err = {0};

		assert_int_equal(json_object_set_new(src, "end_of_life", json_string(bad[i])), 0);
		assert_error(openeox_read(src, "eox.json", &c, &err), E_INVALID, &err,
			     "eox.json: end_of_life: want a date");
	}
}

static void what_the_specification_forbids_is_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{CORE(Y30, "2030-01-31T00:00:00.1Z", ""),
		 "end_of_security_support: want no date after end_of_life"},
		{CORE(Y30, "2030-01-31T00:00:00-00:01", ""), "want no date after end_of_life"},
		{CORE(Y30, "tba", ", \"end_of_sales\": \"2030-02-01T00:00:00Z\""),
		 "end_of_sales: want no date after end_of_life"},
		{CORE(Y30, "2020-01-01T00:00:00Z",
		      ", \"general_availability\": \"2021-01-01T00:00:00Z\""),
		 "general_availability: want no date after end_of_security_support"},
		{CORE(Y30, "tba", ", \"general_availability\": \"2027-01-01T00:00:00Z\""),
		 "general_availability: want no date after last_updated"},
		{CORE(Y30, "tba", ", \"x-more\": 1"), "x-more"},
		{"{" SCHEMA ", \"end_of_life\": \"tba\"" UPDATED "}", "end_of_security_support"},
		{"{" SCHEMA ", \"end_of_life\": \"tba\", \"end_of_security_support\": \"tba\", "
		 "\"last_updated\": \"tba\"}",
		 "last_updated: want a date"},
		{"{\"$schema\": \"https://example.org/\", \"end_of_life\": \"tba\", "
		 "\"end_of_security_support\": \"tba\"" UPDATED "}",
		 "$schema: want https://docs.oasis-open.org/"},
		{"[]", "want an object"},
		{"{\"statements\": []}", "statements: want one, got 0"},
		{"{\"statements\": [1]}", "want an object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct openeox c;
		struct error err = {0};

		assert_error(read_text(bad[i].text, &c, &err), E_INVALID, &err, bad[i].error);
	}
}

static void a_core_survives_both_ways(void **state)
{
	static const char text[] = CORE(Y30, "2029-12-31T00:00:00Z",
					", \"end_of_sales\": \"tba\", \"general_availability\": "
					"\"2020-01-01T00:00:00Z\"");
	CLEANUP(json_decrefp) json_t *src = json_loads(text, 0, NULL);
	CLEANUP(json_decrefp)
	json_t *shell = json_pack("{s:s, s:[{s:O, s:{}}]}", "$schema", "x", "statements", "core",
				  src, "product");
	CLEANUP(json_decrefp) json_t *again = NULL;
	struct openeox c, of_shell;
	struct error err = {0};

	(void)state;
	assert_int_equal(openeox_read(src, "eox.json", &c, &err), 0);
	assert_int_equal(openeox_read(shell, "eox.json", &of_shell, &err), 0);
	assert_int_equal(c.end_of_life.at, of_shell.end_of_life.at);
	assert_int_equal(openeox_write(&c, &again, &err), 0);
	assert_true(json_equal(src, again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_those_of_rfc_3339),
		cmocka_unit_test(what_the_specification_forbids_is_refused),
		cmocka_unit_test(a_core_survives_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
