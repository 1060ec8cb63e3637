/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/promise.h"

#include "lib/base/error.h"
#include "tests/unit/unit.h"

/* Five years, one of them a leap year: 1826 days. */
#define PRODUCT \
	"{\"updatable\": true, \"update_method\": \"network\", \"notify\": \"mail\", " \
	"\"support_start\": \"2025-01-01T00:00:00Z\", " \
	"\"support_until\": \"2030-01-01T00:00:00Z\", " \
	"\"after_eol\": \"works\", \"options_after_eol\": [\"reflash\"]}"
#define ROOT \
	"{\"roles\": {\"root\": {\"threshold\": 2}}, " \
	"\"x-bequest\": {\"logs\": [{}], \"witnesses\": {\"threshold\": 3}}}"

static json_t *parse(const char *text)
{
	json_t *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return j;
}

static struct fact_value get(const struct facts *f, const char *name)
{
	return facts_get(f, fact_find(name));
}

static void the_facts_are_what_the_documents_say(void **state)
{
	CLEANUP(json_decrefp) json_t *product = parse(PRODUCT), *root = parse(ROOT);
	CLEANUP(facts_freep) struct facts *f = NULL;

	(void)state;
	assert_int_equal(facts_new(&f, NULL), 0);
	assert_int_equal(promise_facts(product, root, f, NULL), 0);
	assert_true(get(f, "product.updatable").flag);
	assert_string_equal(get(f, "product.update_method").text, "network");
	assert_int_equal(get(f, "product.support_days").number, 1826);
	assert_string_equal(get(f, "product.after_eol").text, "works");
	assert_true(get(f, "product.notify").flag);
	assert_int_equal(get(f, "product.options").number, 1);
	assert_int_equal(get(f, "product.logs").number, 1);
	assert_int_equal(get(f, "product.witnesses").number, 3);
	assert_int_equal(get(f, "root.threshold").number, 2);
}

/* No options and no way to be told are known; what else is not said is not. */
static void what_is_not_said_is_unknown(void **state)
{
	static const char *const unknown[] = {"product.updatable",    "product.update_method",
					      "product.support_days", "product.after_eol",
					      "product.logs",         "root.threshold"};
	CLEANUP(json_decrefp) json_t *product = parse("{\"updatable\": null}");
	CLEANUP(facts_freep) struct facts *f = NULL;

	(void)state;
	assert_int_equal(facts_new(&f, NULL), 0);
	assert_int_equal(promise_facts(product, NULL, f, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_false(get(f, unknown[i]).known);
	assert_true(get(f, "product.notify").known && !get(f, "product.notify").flag);
	assert_true(get(f, "product.options").known && get(f, "product.options").number == 0);
}

static void each_class_asks_for_its_own(void **state)
{
	static const struct {
		const char *name, *key, *value; /* what is set in the statement; NULL: nothing */
		enum answer answer;
	} cases[] = {
		{"router", NULL, NULL, ANSWER_YES},
		{"appliance", NULL, NULL, ANSWER_YES},
		{"toy", NULL, NULL, ANSWER_YES},
		{"router", "support_until", "2029-12-31T00:00:00Z", ANSWER_NO},
		{"toy", "support_until", "2027-01-01T00:00:00Z", ANSWER_YES},
		{"toy", "support_until", "2026-12-31T00:00:00Z", ANSWER_NO},
		{"router", "after_eol", "degraded", ANSWER_YES},
		{"toy", "after_eol", "degraded", ANSWER_NO},
		{"appliance", "after_eol", "stops", ANSWER_NO},
		{"router", "support_start", "soon", ANSWER_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(json_decrefp) json_t *product = parse(PRODUCT), *root = parse(ROOT);
		CLEANUP(json_decrefp) json_t *why = NULL;
		enum answer answer;

		if (cases[i].key)
			assert_int_equal(json_object_set_new(product, cases[i].key,
							     json_string(cases[i].value)),
					 0);
		assert_int_equal(promise_judge(cases[i].name, product, root, &answer, &why, NULL),
				 0);
		assert_string_equal(answer_name(answer), answer_name(cases[i].answer));
	}
}

static void no_class_is_no_answer(void **state)
{
	enum answer answer;
	struct error err = {0};

	(void)state;
	assert_error(promise_judge("teapot", NULL, NULL, &answer, NULL, &err), E_NOTFOUND, &err,
		     "class/teapot");
	/* a path leads nowhere */
	assert_int_equal(promise_judge("../release/declared", NULL, NULL, &answer, NULL, &err),
			 E_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_facts_are_what_the_documents_say),
		cmocka_unit_test(what_is_not_said_is_unknown),
		cmocka_unit_test(each_class_asks_for_its_own),
		cmocka_unit_test(no_class_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
