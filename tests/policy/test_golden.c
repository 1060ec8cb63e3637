/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases (tests/support/policy_cases.h): each comes out as written, to the byte
 * on every machine, and together they notice any change of a shipped policy.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "policies/policy.h"
#include "policies/shipped.h"
#include "tests/support/policy_cases.h"

#define VERDICTS "tests/policy/verdicts.sha256"

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/*
 * Every reason has its parts, a composite one the reasons of its parts; what is not
 * as it has to be says what it needs, unless nobody can change it.
 */
static void check_shape(const json_t *why, const char *want)
{
	const char *rule = text_of(why, "rule"), *answer = text_of(why, "answer");
	const json_t *of = json_object_get(why, "of");
	const struct fact_info *fact = fact_find(text_of(why, "fact"));
	bool lacks, timed = json_object_get(why, "when") || json_object_get(why, "not_before");

	assert_non_null(rule);
	assert_non_null(answer);
	assert_non_null(text_of(why, "text"));
	lacks = strcmp(answer, want) != 0;
	assert_true(lacks || !timed);
	assert_true(!json_object_get(why, "when") || !json_object_get(why, "not_before"));
	assert_int_equal(of != NULL, fact == NULL);
	if (fact)
		assert_int_equal(lacks && !(fact->given && json_object_get(why, "value")),
				 json_object_get(why, "needs") != NULL);
	else
		assert_null(json_object_get(why, "needs"));
	if (strcmp(rule, "not") == 0)
		want = strcmp(want, "yes") == 0 ? "no" : "yes";
	for (size_t i = 0; i < json_array_size(of); i++)
		check_shape(json_array_get(of, i), want);
}

static void check_reasons(const char *path, const json_t *wanted, const json_t *why)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	if (policy_explain(why, true, &text, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		const char *part = json_string_value(json_array_get(wanted, i));

		if (!strstr(text.data, part))
			fail_msg("%s: no \"%s\" in\n%s", path, part, text.data);
	}
}

/* What people are shown is exactly this. */
static void check_lines(const char *path, const json_t *wanted, const json_t *why)
{
	CLEANUP(buf_clear) struct buf text = {0}, lines = {0};
	struct error err = {0};

	if (policy_explain(why, false, &text, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	for (size_t i = 0; i < json_array_size(wanted); i++)
		assert_int_equal(buf_printf(&lines, NULL, "%s\n",
					    json_string_value(json_array_get(wanted, i))),
				 0);
	if (wanted && strcmp(lines.data, text.data) != 0)
		fail_msg("%s: want\n%s got\n%s", path, lines.data, text.data);
}

static void check_text(const char *path, const char *what, const char *wanted, const char *got)
{
	if (strcmp(wanted ? wanted : "none", got ? got : "none") != 0)
		fail_msg("%s: want %s %s, got %s", path, what, wanted ? wanted : "none",
			 got ? got : "none");
}

static void check_lacking(const char *path, const json_t *c, const json_t *why)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};
	bool yes = strcmp(text_of(why, "answer"), "yes") == 0;

	if (policy_lacking(why, &text, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	if (yes == (text.len > 0))
		fail_msg("%s: lacks \"%s\"", path, text.data ? text.data : "");
	if (json_object_get(c, "lacking"))
		check_text(path, "lacking", text_of(c, "lacking"), text.data);
}

/* The whole tree of reasons, which the caller owns. */
static json_t *check_decision(const json_t *c, const struct policy *p)
{
	const char *path = text_of(c, "path");
	CLEANUP(facts_freep) struct facts *f = NULL;
	enum answer answer = ANSWER_NO, quick = ANSWER_NO;
	struct error err = {0};
	json_t *why = NULL;

	if (facts_from_json(json_object_get(c, "facts"), &f, &err) < 0 ||
	    policy_decide(p, f, &answer, &why, &err) < 0 ||
	    policy_decide(p, f, &quick, NULL, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	check_text(path, "answer", text_of(c, "answer"), answer_name(answer));
	check_text(path, "without reasons", answer_name(answer), answer_name(quick));
	check_text(path, "in the tree", answer_name(answer), text_of(why, "answer"));
	check_shape(why, "yes");
	check_reasons(path, json_object_get(c, "reasons"), why);
	check_lines(path, json_object_get(c, "lines"), why);
	check_lacking(path, c, why);
	check_text(path, "when", text_of(c, "when"), text_of(why, "when"));
	check_text(path, "not_before", text_of(c, "not_before"), text_of(why, "not_before"));
	return why;
}

/* The verdict, or NULL where the policy is rightly refused. */
static json_t *check_case(json_t *c)
{
	const char *path = text_of(c, "path"), *error = text_of(c, "error");
	CLEANUP(policy_freep) struct policy *p = NULL;
	struct error err = {0};
	int r = case_policy(json_object_get(c, "policy"), &p, &err);

	if (!error && r < 0)
		fail_msg("%s: %s", path, err.text);
	if (!error)
		return check_decision(c, p);
	if (r != E_INVALID || !strstr(err.text, error))
		fail_msg("%s: want \"%s\", got \"%s\"", path, error, err.text);
	return NULL;
}

static void each_case_comes_out_as_written(void **state)
{
	json_t *c;
	size_t i;

	json_array_foreach(*state, i, c) json_decref(check_case(c));
	assert_true(json_array_size(*state) > 200);
}

/*
 * The bytes of each verdict are those on record, so that two machines, of either
 * byte order, never give different reasons. A line of the file is a digest, two
 * spaces and the case; the log of a failed run has all of them as they are now.
 */
static void verdicts_are_the_same_bytes_on_every_machine(void **state)
{
	CLEANUP(buf_clear) struct buf wanted = {0}, got = {0};
	json_t *c;
	size_t i;

	assert_int_equal(file_read(AT_FDCWD, VERDICTS, 1 << 20, &wanted, NULL), 0);
	json_array_foreach(*state, i, c)
	{
		CLEANUP(json_decrefp) json_t *why = check_case(c);
		CLEANUP(freep) char *text = why ? json_dumps(why, JSON_COMPACT) : NULL;
		char hex[SHA256_HEX_SIZE];

		if (!why)
			continue;
		assert_non_null(text);
		sha256_hex(text, strlen(text), hex);
		assert_int_equal(buf_printf(&got, NULL, "%s  %s\n", hex, text_of(c, "path")), 0);
	}
	if (strcmp(wanted.data ? wanted.data : "", got.data) != 0) {
		(void)fputs(got.data, stdout); /* cmocka cuts long messages */
		fail_msg(VERDICTS ": is not what came out");
	}
}

static void every_shipped_policy_loads_under_its_name(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct shipped *s = shipped; s->name; s++, n++) {
		CLEANUP(policy_freep) struct policy *p = NULL;
		struct error err = {0};

		if (policy_shipped(s->name, &p, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(policy_name(p), s->name);
	}
	assert_true(n >= 14);
}

/* With nothing known, no shipped policy says yes. */
static void nothing_known_allows_nothing(void **state)
{
	(void)state;
	for (const struct shipped *s = shipped; s->name; s++) {
		CLEANUP(policy_freep) struct policy *p = NULL;
		CLEANUP(facts_freep) struct facts *f = NULL;
		enum answer answer = ANSWER_YES;

		assert_int_equal(policy_shipped(s->name, &p, NULL), 0);
		assert_int_equal(facts_new(&f, NULL), 0);
		assert_int_equal(policy_decide(p, f, &answer, NULL, NULL), 0);
		assert_int_equal(answer, ANSWER_UNKNOWN);
	}
}

/* --- mutants of the shipped policies -------------------------------------------------- */

/* Counts down to the change that is to be made; done: it has been. */
struct mutation {
	int left;
	bool done;
};

static bool turn(struct mutation *m)
{
	m->done = !m->done && m->left-- == 0;
	return m->done;
}

static void replace_rule(json_t *rule, json_t *by_take)
{
	assert_int_equal(json_object_clear(rule), 0);
	assert_int_equal(json_object_update(rule, by_take), 0);
	json_decref(by_take);
}

static void mutate_number(json_t *o, const char *key, struct mutation *m)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		return;
	if (turn(m))
		(void)json_integer_set(v, json_integer_value(v) + 1);
	if (!m->done && turn(m))
		(void)json_integer_set(v, json_integer_value(v) - 1);
}

static void drop_one(json_t *list, struct mutation *m)
{
	for (size_t i = 0; !m->done && json_array_size(list) > 1 && i < json_array_size(list); i++)
		if (turn(m))
			assert_int_equal(json_array_remove(list, i), 0);
}

static void mutate_fact(json_t *rule, struct mutation *m)
{
	static const char *const order[] = {"<", "<=", ">", ">="};
	const char *text = text_of(rule, "==");

	if (json_object_size(rule) == 1 && turn(m))
		assert_int_equal(json_object_set_new(rule, "==", json_false()), 0);
	if (!m->done && text && turn(m))
		assert_int_equal(json_object_set_new(rule, "==", json_sprintf("%s.", text)), 0);
	for (size_t i = 0; !m->done && i < ARRAY_LEN(order); i++)
		mutate_number(rule, order[i], m);
	if (!m->done)
		drop_one(json_object_get(rule, "in"), m);
}

static void mutate_body(json_t *rule, struct mutation *m)
{
	static const char *const counts[] = {"approvals", "signed_by", "rebuilt_by"};
	json_t *elapsed = json_object_get(rule, "elapsed");

	for (size_t i = 0; !m->done && i < ARRAY_LEN(counts); i++) {
		json_t *body = json_object_get(rule, counts[i]);

		if (body && turn(m))
			assert_int_equal(json_object_set_new(body, "at_least", json_integer(1)), 0);
		if (body && !m->done && turn(m))
			assert_int_equal(json_object_set_new(body, "at_least", json_integer(64)),
					 0);
	}
	if (!m->done && elapsed)
		mutate_number(elapsed, "at_least_days", m);
	if (!m->done && json_object_get(elapsed, "until") && turn(m))
		assert_int_equal(json_object_del(elapsed, "until"), 0);
	if (!m->done)
		drop_one(json_object_get(json_object_get(rule, "notice"), "ground"), m);
	if (!m->done && json_object_get(rule, "consent") && turn(m))
		replace_rule(rule, json_pack("{s:o}", "not", json_deep_copy(rule)));
}

static void mutate(json_t *rule, struct mutation *m)
{
	static const char *const lists[] = {"all", "any"};
	json_t *inner = json_object_get(rule, "not"), *part;
	size_t i;

	for (size_t k = 0; !m->done && k < ARRAY_LEN(lists); k++) {
		json_t *parts = json_object_get(rule, lists[k]);

		json_array_foreach(parts, i, part) if (!m->done) mutate(part, m);
		if (!m->done)
			drop_one(parts, m);
		if (!m->done && parts && turn(m)) {
			replace_rule(rule, json_pack("{s:O}", lists[1 - k], parts));
			return;
		}
	}
	if (!m->done && inner)
		mutate(inner, m);
	if (!m->done && inner && turn(m)) {
		replace_rule(rule, json_deep_copy(inner));
		return;
	}
	if (!m->done && json_object_get(rule, "fact"))
		mutate_fact(rule, m);
	if (!m->done)
		mutate_body(rule, m);
}

/* Does a case of the policy come out differently? A policy that does not load is noticed, too. */
static bool noticed(const json_t *cases, const char *name, json_t *mutant)
{
	CLEANUP(policy_freep) struct policy *p = NULL;
	json_t *c;
	size_t i;

	if (policy_parse(mutant, name, &p, NULL) < 0)
		return true;
	json_array_foreach(cases, i, c)
	{
		const char *of = json_string_value(json_object_get(c, "policy"));
		CLEANUP(facts_freep) struct facts *f = NULL;
		enum answer answer = ANSWER_NO;

		if (!of || strcmp(of, name) != 0)
			continue;
		assert_int_equal(facts_from_json(json_object_get(c, "facts"), &f, NULL), 0);
		assert_int_equal(policy_decide(p, f, &answer, NULL, NULL), 0);
		if (strcmp(answer_name(answer), text_of(c, "answer")) != 0)
			return true;
	}
	return false;
}

static void any_change_of_a_shipped_policy_is_noticed(void **state)
{
	int mutants = 0, missed = 0;

	for (const struct shipped *s = shipped; s->name; s++) {
		for (int k = 0;; k++) {
			CLEANUP(json_decrefp) json_t *mutant = policy_shipped_json(s->name);
			struct mutation m = {.left = k};

			assert_non_null(mutant);
			mutate(json_object_get(mutant, "allow"), &m);
			if (!m.done)
				break;
			mutants++;
			if (noticed(*state, s->name, mutant))
				continue;
			char *text = json_dumps(json_object_get(mutant, "allow"), JSON_COMPACT);
			print_error("%s: no case tells it from %s\n", s->name, text);
			free(text);
			missed++;
		}
	}
	assert_true(mutants > 150);
	assert_int_equal(missed, 0);
}

static void every_fact_is_documented_with_its_type(void **state)
{
	CLEANUP(buf_clear) struct buf doc = {0};

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "docs/POLICIES.md", 1 << 20, &doc, NULL), 0);
	for (const struct fact_info *f = fact_table; f->name; f++) {
		char row[160];

		(void)snprintf(row, sizeof(row), "| `%s` | %s |", f->name, fact_type_name(f->type));
		if (!strstr(doc.data, row))
			fail_msg("docs/POLICIES.md has no row \"%s\"", row);
	}
}

static int load_all(void **state)
{
	*state = cases_load();
	return 0;
}

static int free_all(void **state)
{
	json_decref(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_comes_out_as_written),
		cmocka_unit_test(verdicts_are_the_same_bytes_on_every_machine),
		cmocka_unit_test(every_shipped_policy_loads_under_its_name),
		cmocka_unit_test(nothing_known_allows_nothing),
		cmocka_unit_test(any_change_of_a_shipped_policy_is_noticed),
		cmocka_unit_test(every_fact_is_documented_with_its_type),
	};

	return cmocka_run_group_tests(tests, load_all, free_all);
}
