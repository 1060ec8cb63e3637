/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/facts.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static int new_facts(void **state)
{
	struct facts *f = NULL;

	assert_int_equal(facts_new(&f, NULL), 0);
	*state = f;
	return 0;
}

static int free_facts(void **state)
{
	facts_free(*state);
	return 0;
}

static struct fact_value get(struct facts *f, const char *name)
{
	const struct fact_info *fact = fact_find(name);

	assert_non_null(fact);
	return facts_get(f, fact);
}

static void what_was_never_set_is_unknown(void **state)
{
	for (const struct fact_info *fact = fact_table; fact->name; fact++) {
		assert_false(facts_get(*state, fact).known);
		assert_ptr_equal(fact_find(fact->name), fact);
		if (fact->since)
			assert_int_equal(fact_find(fact->since)->type, FACT_TIME);
		if (fact->until)
			assert_int_equal(fact_find(fact->until)->type, FACT_TIME);
	}
	assert_null(fact_find("eol"));
	assert_null(fact_find(""));
	assert_null(fact_find(NULL));
}

static void a_fact_has_value_and_source(void **state)
{
	struct facts *f = *state;

	assert_int_equal(facts_set_bool(f, "eol.final", true, "abc", NULL), 0);
	assert_int_equal(facts_set_int(f, "silence.days", -3, NULL, NULL), 0);
	assert_int_equal(facts_set_int(f, "now", 1893456000, NULL, NULL), 0);
	assert_int_equal(facts_set_text(f, "notice.ground", "order", "def", NULL), 0);
	assert_true(get(f, "eol.final").flag);
	assert_string_equal(get(f, "eol.final").source, "abc");
	assert_int_equal(get(f, "silence.days").number, -3);
	assert_null(get(f, "silence.days").source);
	assert_int_equal(get(f, "now").number, 1893456000);
	assert_string_equal(get(f, "notice.ground").text, "order");
	/* set again: the new value, the new source */
	assert_int_equal(facts_set_bool(f, "eol.final", false, NULL, NULL), 0);
	assert_false(get(f, "eol.final").flag);
	assert_null(get(f, "eol.final").source);
}

static void a_set_grows_and_can_be_empty(void **state)
{
	struct facts *f = *state;

	assert_int_equal(facts_set_empty(f, "approvals", NULL, NULL), 0);
	assert_true(get(f, "approvals").known);
	assert_int_equal(json_array_size(get(f, "approvals").set), 0);
	assert_int_equal(facts_add(f, "approvals", "ann", NULL, NULL), 0);
	assert_int_equal(facts_add(f, "approvals", "bob", NULL, NULL), 0);
	assert_int_equal(facts_add(f, "approvals", "ann", NULL, NULL), 0);
	assert_int_equal(json_array_size(get(f, "approvals").set), 2);
	assert_int_equal(facts_add(f, "refusals", "eve", "id", NULL), 0);
	assert_null(get(f, "refusals").source); /* of a member, not of the set */
}

static void each_member_of_a_set_has_its_source(void **state)
{
	struct facts *f = *state;
	CLEANUP(json_decrefp) json_t *wanted = NULL;

	assert_int_equal(facts_add(f, "approvals", "ann", "a1", NULL), 0);
	assert_int_equal(facts_add(f, "approvals", "bob", NULL, NULL), 0);
	assert_int_equal(facts_add(f, "approvals", "ann", "a2", NULL), 0); /* there already */
	assert_int_equal(facts_add(f, "approvals", "eve", "e1", NULL), 0);
	assert_int_equal(facts_locate(f, "e1", 7, NULL), 0);
	wanted = json_pack("[{s:s, s:s}, {s:s, s:s, s:i}]", "member", "ann", "source", "a1",
			   "member", "eve", "source", "e1", "index", 7);
	assert_true(json_equal(get(f, "approvals").from, wanted));
	/* set again: nothing is left of it */
	assert_int_equal(facts_set_empty(f, "approvals", NULL, NULL), 0);
	assert_null(get(f, "approvals").from);
}

static void a_source_has_its_place_in_the_log(void **state)
{
	struct facts *f = *state;

	assert_int_equal(facts_set_bool(f, "eol.final", true, "abc", NULL), 0);
	assert_int_equal(facts_set_int(f, "eol.at", 5, "abc", NULL), 0);
	assert_int_equal(facts_set_int(f, "life.at", 6, "def", NULL), 0);
	assert_int_equal(facts_set_int(f, "targets.at", 6, NULL, NULL), 0);
	assert_int_equal(get(f, "eol.at").index, -1);
	assert_int_equal(facts_locate(f, "abc", 0, NULL), 0);
	assert_int_equal(get(f, "eol.final").index, 0);
	assert_int_equal(get(f, "eol.at").index, 0);
	assert_int_equal(get(f, "life.at").index, -1);
	assert_int_equal(get(f, "targets.at").index, -1);
	assert_int_equal(facts_set_bool(f, "eol.final", true, "xyz", NULL), 0);
	assert_int_equal(get(f, "eol.final").index, -1);
}

static void lack_of_memory_leaves_facts_whole(void **state)
{
	bool fired = true;

	(void)state;
	json_set_alloc_funcs(oom_malloc, free);
	for (long n = 0; fired; n++) {
		CLEANUP(facts_freep) struct facts *f = NULL;

		assert_true(n < 1000);
		oom_after(n);
		int r = facts_new(&f, NULL);
		if (r == 0)
			r = facts_set_bool(f, "eol.final", true, "abc", NULL);
		if (r == 0)
			r = facts_add(f, "approvals", "ann", "abc", NULL);
		if (r == 0)
			r = facts_locate(f, "abc", 3, NULL);
		fired = oom_fired();
		/* The library does not tell a text that is no UTF-8 from one it has no room for. */
		assert_true(fired ? r == E_NOMEM || r == E_INVALID : r == 0);
	}
	json_set_alloc_funcs(malloc, free);
}

static void unknown_says_why(void **state)
{
	struct facts *f = *state;

	assert_int_equal(facts_set_int(f, "now", 5, "x", NULL), 0);
	assert_int_equal(facts_set_unknown(f, "now", "no witness", NULL), 0);
	assert_false(get(f, "now").known);
	assert_string_equal(get(f, "now").why_not, "no witness");
	assert_int_equal(facts_set_int(f, "now", 5, NULL, NULL), 0);
	assert_null(get(f, "now").why_not);
}

static void texts_and_sets_have_limits(void **state)
{
	struct facts *f = *state;
	char longest[FACT_TEXT_MAX + 2] = {0};
	struct error err = {0};

	memset(longest, 'a', FACT_TEXT_MAX);
	assert_int_equal(facts_set_text(f, "action", longest, NULL, NULL), 0);
	longest[FACT_TEXT_MAX] = 'a';
	assert_error(facts_set_text(f, "action", longest, NULL, &err), E_INVALID, &err,
		     "action: want at most 4096 bytes");
	assert_error(facts_set_text(f, "action", "\xff", NULL, &err), E_INVALID, &err,
		     "action: want UTF-8");
	for (int i = 0; i <= FACT_MEMBERS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "k%d", i);
		int r = facts_add(f, "signers", name, NULL, &err);
		assert_int_equal(r, i < FACT_MEMBERS_MAX ? 0 : E_INVALID);
	}
}

static void facts_of_another_type_are_refused(void **state)
{
	static const struct {
		const char *json, *complaint;
	} bad[] = {
		{"[]", "facts: want an object"},
		{"{\"x\": 1}", "\"x\" is no fact"},
		{"{\"eol.final\": 1}", "eol.final: want a boolean"},
		{"{\"silence.days\": true}", "silence.days: want a integer"},
		{"{\"silence.days\": \"1\"}", "silence.days: want a integer"},
		{"{\"now\": 1}", "now: want a date"},
		{"{\"now\": \"2030-01-01\"}", "now: want a date"},
		{"{\"action\": []}", "action: want a text"},
		{"{\"change\": \"name\"}", "change: want a set"},
		{"{\"change\": [\"name\", 1]}", "change[1]: want text"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(json_decrefp) json_t *src = json_loads(bad[i].json, 0, NULL);
		struct facts *f = NULL;
		struct error err = {0};

		assert_error(facts_from_json(src, &f, &err), E_INVALID, &err, bad[i].complaint);
		assert_null(f);
	}
}

static void facts_go_to_json_and_back(void **state)
{
	static const char text[] = "{\"now\": \"2030-01-01T00:00:00Z\", \"eol.final\": false, "
				   "\"approvals\": [\"ann\"], \"silence.days\": 7}";
	CLEANUP(json_decrefp) json_t *src = json_loads(text, 0, NULL);
	CLEANUP(json_decrefp) json_t *out = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;

	(void)state;
	assert_int_equal(facts_from_json(src, &f, NULL), 0);
	assert_int_equal(facts_to_json(f, &out, NULL), 0);
	assert_true(json_equal(src, out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_never_set_is_unknown, new_facts,
						free_facts),
		cmocka_unit_test_setup_teardown(a_fact_has_value_and_source, new_facts, free_facts),
		cmocka_unit_test_setup_teardown(a_set_grows_and_can_be_empty, new_facts,
						free_facts),
		cmocka_unit_test_setup_teardown(each_member_of_a_set_has_its_source, new_facts,
						free_facts),
		cmocka_unit_test_setup_teardown(a_source_has_its_place_in_the_log, new_facts,
						free_facts),
		cmocka_unit_test(lack_of_memory_leaves_facts_whole),
		cmocka_unit_test_setup_teardown(unknown_says_why, new_facts, free_facts),
		cmocka_unit_test_setup_teardown(texts_and_sets_have_limits, new_facts, free_facts),
		cmocka_unit_test(facts_of_another_type_are_refused),
		cmocka_unit_test(facts_go_to_json_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
