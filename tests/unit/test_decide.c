/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision tells people on one line; the decisions themselves: tests/policy. */
#include <jansson.h>

#include "lib/base/error.h"
#include "policies/policy.h"
#include "tests/unit/unit.h"

static int lacking(const char *tree, struct buf *out, struct error *err)
{
	json_t *why = json_loads(tree, 0, NULL);
	int r;

	assert_non_null(why);
	r = policy_lacking(why, out, err);
	json_decref(why);
	return r;
}

#define YES(text) "{\"rule\":\"fact\",\"answer\":\"yes\",\"text\":\"" text "\"}"
#define NO(text) "{\"rule\":\"fact\",\"answer\":\"no\",\"text\":\"" text "\",\"needs\":\"more\"}"

static void only_what_stands_against_it_is_told(void **state)
{
	static const struct {
		const char *tree, *text;
	} cases[] = {
		{YES("a"), ""},
		{NO("a"), "no: a, needs more"},
		{"{\"rule\":\"all\",\"answer\":\"no\",\"text\":\"t\",\"of\":[" YES("a") "," NO(
			 "b") "," NO("c") "]}",
		 "no: b, needs more; no: c, needs more"},
		{"{\"rule\":\"any\",\"answer\":\"yes\",\"text\":\"t\",\"of\":[" YES("a") "," NO(
			 "b") "]}",
		 ""},
		{"{\"rule\":\"not\",\"answer\":\"no\",\"text\":\"not this\",\"of\":[" YES("a") "]}",
		 "no: not this"},
		{"{\"rule\":\"elapsed\",\"answer\":\"unknown\",\"text\":\"days\",\"when\":\"W\"}",
		 "unknown: days, in time by itself at W"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_clear) struct buf out = {0};

		assert_int_equal(lacking(cases[i].tree, &out, NULL), 0);
		assert_string_equal(out.data ? out.data : "", cases[i].text);
	}
}

static void what_is_no_tree_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"rule\":\"fact\",\"answer\":\"no\"}",
		"{\"rule\":\"fact\",\"text\":\"t\"}",
		"{\"answer\":\"no\",\"text\":\"t\"}",
		"{\"rule\":\"all\",\"answer\":\"no\",\"text\":\"t\",\"of\":[1]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_error(lacking(bad[i], &out, &err), E_INVALID, &err, "reasons");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_stands_against_it_is_told),
		cmocka_unit_test(what_is_no_tree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
