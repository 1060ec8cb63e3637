/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of reasons as text, of whatever origin; the decisions themselves: tests/policy. */
#include <jansson.h>

#include "lib/base/error.h"
#include "policies/facts.h"
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

#define RULE(rule, answer, more) "{\"rule\":\"" rule "\",\"answer\":\"" answer "\"," more "}"
#define YES(t) RULE("fact", "yes", "\"text\":\"" t "\"")
#define NO(t) RULE("fact", "no", "\"text\":\"" t "\",\"needs\":\"" t "!\"")
#define GIVEN(t) RULE("fact", "no", "\"text\":\"" t "\"")
#define OF(parts) "\"text\":\"t\",\"of\":[" parts "]"

/* The words of whole decisions are in the golden cases, tests/policy/language. */
static void what_would_make_it_a_yes_is_told(void **state)
{
	static const struct {
		const char *tree, *text;
	} cases[] = {
		{YES("a"), ""},
		{NO("a"), "needs a!"},
		{GIVEN("a"), "needs a, which nobody can change"},
		{RULE("all", "no", OF(YES("a") "," NO("b") "," NO("c"))), "needs b! and c!"},
		{RULE("any", "yes", OF(YES("a") "," NO("b"))), ""},
		{RULE("any", "no", OF(GIVEN("a") "," NO("b"))), "needs b!"},
		{RULE("any", "no", OF(GIVEN("a") "," GIVEN("b"))),
		 "needs a, which nobody can change and b, which nobody can change"},
		{RULE("all", "no", OF(NO("a") "," GIVEN("b"))), "needs b, which nobody can change"},
		{RULE("elapsed", "unknown", "\"text\":\"d\",\"needs\":\"n\",\"when\":\"W\""),
		 "needs n (by itself at W)"},
		{RULE("elapsed", "no", "\"text\":\"d\",\"needs\":\"n\",\"not_before\":\"W\""),
		 "needs n (not before W)"},
		{RULE("elapsed", "no", "\"text\":\"d\",\"needs\":\"at W\",\"when\":\"W\""),
		 "needs at W"},
		/* a tree that contradicts itself */
		{RULE("all", "no", OF(YES("a"))), "needs "},
		{RULE("any", "yes", OF(NO("a"))), ""},
		/* time costs less than people */
		{RULE("any", "no",
		      OF(NO("a") "," RULE("elapsed", "no",
					  "\"text\":\"d\",\"needs\":\"n\","
					  "\"when\":\"W\""))),
		 "needs n (by itself at W); or a!"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_clear) struct buf out = {0};

		assert_int_equal(lacking(cases[i].tree, &out, NULL), 0);
		assert_string_equal(out.data ? out.data : "", cases[i].text);
	}
}

static void a_line_names_source_and_place_in_the_log(void **state)
{
	static const char tree[] = RULE(
		"fact", "yes", "\"text\":\"t\",\"source\":\"0123456789abcdef0123\",\"index\":7");
	CLEANUP(json_decrefp) json_t *why = json_loads(tree, 0, NULL);
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	assert_int_equal(policy_explain(why, false, &out, NULL), 0);
	assert_string_equal(out.data, "yes      t [0123456789abcdef, log 7]\n");
}

static void what_is_no_tree_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"rule\":\"fact\",\"answer\":\"no\"}",
		"{\"rule\":\"fact\",\"text\":\"t\"}",
		"{\"answer\":\"no\",\"text\":\"t\"}",
		RULE("fact", "maybe", "\"text\":\"t\""),
		RULE("all", "no", OF("1")),
		RULE("all", "no", OF("")),
		RULE("fact", "no", OF(NO("a"))),
		RULE("at_least", "no", OF(NO("a"))),
		RULE("at_least", "no", "\"at_least\":2," OF(NO("a"))),
		RULE("at_least", "no", "\"at_least\":0," OF(NO("a"))),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		CLEANUP(json_decrefp) json_t *why = json_loads(bad[i], 0, NULL);
		struct error err = {0};

		assert_error(lacking(bad[i], &out, &err), E_INVALID, &err, "reasons");
		assert_error(policy_explain(why, false, &out, &err), E_INVALID, &err, "reasons");
	}
}

/* From a file of a device that was tampered with: no depth, no width is without end. */
static void a_tree_has_limits(void **state)
{
	static const int widths[] = {POLICY_NODES_MAX, POLICY_NODES_MAX + 1};

	(void)state;
	for (int depth = POLICY_DEPTH_MAX - 1; depth <= POLICY_DEPTH_MAX + 1; depth++) {
		CLEANUP(json_decrefp) json_t *why = json_loads(NO("a"), 0, NULL);
		CLEANUP(buf_clear) struct buf out = {0};

		for (int i = 0; i < depth; i++)
			why = json_pack("{s:s, s:s, s:s, s:[o]}", "rule", "all", "answer", "no",
					"text", "t", "of", why);
		assert_int_equal(policy_explain(why, false, &out, NULL),
				 depth <= POLICY_DEPTH_MAX ? 0 : E_INVALID);
	}
	for (size_t k = 0; k < ARRAY_LEN(widths); k++) {
		CLEANUP(json_decrefp) json_t *why = json_loads(RULE("any", "no", OF("")), 0, NULL);
		CLEANUP(buf_clear) struct buf out = {0};

		for (int i = 0; i < widths[k]; i++)
			assert_int_equal(json_array_append_new(json_object_get(why, "of"),
							       json_loads(NO("a"), 0, NULL)),
					 0);
		assert_int_equal(policy_lacking(why, &out, NULL), k ? E_INVALID : 0);
	}
}

/* A policy of which a part was left out would ask for less. */
static void a_policy_is_copied_whole_or_not_at_all(void **state)
{
	static const char text[] =
		"{\"policy\": \"p\", \"version\": 1, \"allow\": {\"all\": ["
		"{\"fact\": \"eol.final\"}, {\"not\": {\"fact\": \"objection\"}}, "
		"{\"fact\": \"support.ended\"}]}}";
	CLEANUP(json_decrefp) json_t *src = json_loads(text, 0, NULL);
	CLEANUP(facts_freep) struct facts *f = NULL;
	bool fired = true;

	(void)state;
	assert_non_null(src);
	assert_int_equal(facts_new(&f, NULL), 0);
	assert_int_equal(facts_set_bool(f, "eol.final", true, NULL, NULL), 0);
	assert_int_equal(facts_set_bool(f, "objection", false, NULL, NULL), 0);
	assert_int_equal(facts_set_bool(f, "support.ended", false, NULL, NULL), 0);
	json_set_alloc_funcs(oom_malloc, free);
	for (long n = 0; fired; n++) {
		CLEANUP(policy_freep) struct policy *p = NULL;
		enum answer answer;

		oom_after(n);
		int r = policy_parse(src, "p", &p, NULL);
		fired = oom_fired();
		if (r == 0)
			r = policy_decide(p, f, &answer, NULL, NULL);
		if (r == 0 && answer != ANSWER_NO)
			fail_msg("a yes when allocation %ld failed", n);
		assert_true(r == 0 || r == E_NOMEM || r == E_INVALID);
	}
	json_set_alloc_funcs(malloc, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_would_make_it_a_yes_is_told),
		cmocka_unit_test(a_line_names_source_and_place_in_the_log),
		cmocka_unit_test(what_is_no_tree_is_refused),
		cmocka_unit_test(a_tree_has_limits),
		cmocka_unit_test(a_policy_is_copied_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
