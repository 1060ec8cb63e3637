/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases: tests/policy/<set>/<case>.json, each a policy (a shipped name or
 * a whole one), facts, and what must come out of it:
 *
 *	{"rule": "what the case proves", "policy": ..., "facts": {...},
 *	 "answer": "yes" | "no" | "unknown", "when"?: "...Z", "reasons"?: ["part of a line"]}
 *	{"rule": ..., "policy": {...}, "error": "part of the text"}
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/json/strict.h"
#include "policies/policy.h"
#include "policies/shipped.h"

#define CASES "tests/policy"

static json_t *load(const char *path)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};
	json_t *src = NULL;

	if (file_read(AT_FDCWD, path, POLICY_MAX, &text, &err) < 0 ||
	    strict_parse(text.data, text.len, path, &src, &err) < 0)
		fail_msg("%s", err.text);
	return src;
}

static int make_policy(json_t *src, struct policy **out, struct error *err)
{
	const char *shipped_name = json_string_value(src);

	return shipped_name ? policy_shipped(shipped_name, out, err)
			    : policy_parse(src, "case", out, err);
}

/* Every reason has its parts, and a composite one the reasons of its parts. */
static void check_shape(const json_t *why)
{
	static const char *const logic[] = {"all", "any", "not", "at_least"};
	const char *rule = json_string_value(json_object_get(why, "rule"));
	const char *answer = json_string_value(json_object_get(why, "answer"));
	const json_t *of = json_object_get(why, "of");
	bool composite = false;

	assert_non_null(rule);
	assert_non_null(answer);
	assert_non_null(json_string_value(json_object_get(why, "text")));
	for (size_t i = 0; i < ARRAY_LEN(logic); i++)
		composite |= strcmp(logic[i], rule) == 0;
	assert_int_equal(composite, of != NULL);
	assert_int_equal(!composite, json_object_get(why, "fact") != NULL);
	if (!composite) /* a yes needs nothing; what is no yes says what it needs */
		assert_int_equal(strcmp(answer, "yes") != 0, json_object_get(why, "needs") != NULL);
	if (strcmp(answer, "yes") == 0)
		assert_null(json_object_get(why, "when"));
	for (size_t i = 0; i < json_array_size(of); i++)
		check_shape(json_array_get(of, i));
}

static void check_reasons(const char *path, const json_t *wanted, const json_t *why)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	if (policy_explain(why, &text, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		const char *part = json_string_value(json_array_get(wanted, i));

		if (!strstr(text.data, part))
			fail_msg("%s: no \"%s\" in\n%s", path, part, text.data);
	}
}

static void check_decision(const char *path, json_t *c, const struct policy *p)
{
	const char *wanted = json_string_value(json_object_get(c, "answer"));
	const char *when = json_string_value(json_object_get(c, "when"));
	CLEANUP(facts_freep) struct facts *f = NULL;
	CLEANUP(json_decrefp) json_t *why = NULL;
	enum answer answer = ANSWER_NO, quick = ANSWER_NO;
	struct error err = {0};

	if (facts_from_json(json_object_get(c, "facts"), &f, &err) < 0 ||
	    policy_decide(p, f, &answer, &why, &err) < 0 ||
	    policy_decide(p, f, &quick, NULL, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	if (!wanted || strcmp(answer_name(answer), wanted) != 0 || quick != answer)
		fail_msg("%s: want %s, got %s", path, wanted ? wanted : "an answer",
			 answer_name(answer));
	check_shape(why);
	check_reasons(path, json_object_get(c, "reasons"), why);

	const char *got = json_string_value(json_object_get(why, "when"));
	if (strcmp(when ? when : "never", got ? got : "never") != 0)
		fail_msg("%s: want when %s, got %s", path, when ? when : "never",
			 got ? got : "never");
}

static void check_case(const char *path)
{
	CLEANUP(json_decrefp) json_t *c = load(path);
	const char *error = json_string_value(json_object_get(c, "error"));
	CLEANUP(policy_freep) struct policy *p = NULL;
	struct error err = {0};

	assert_non_null(json_string_value(json_object_get(c, "rule")));
	int r = make_policy(json_object_get(c, "policy"), &p, &err);
	if (!error && r < 0)
		fail_msg("%s: %s", path, err.text);
	if (!error) {
		check_decision(path, c, p);
		return;
	}
	if (r != E_INVALID || !strstr(err.text, error))
		fail_msg("%s: want \"%s\", got \"%s\"", path, error, err.text);
}

static size_t check_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[512];

		if (!strstr(e->d_name, ".json"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		check_case(path);
		n++;
	}
	(void)closedir(d);
	return n;
}

static void each_case_comes_out_as_written(void **state)
{
	static const char *const sets[] = {"language", "refused",  "release", "change",
					   "publish",  "handover", "other"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		char folder[64];

		(void)snprintf(folder, sizeof(folder), CASES "/%s", sets[i]);
		assert_true(check_folder(folder) > 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_comes_out_as_written),
		cmocka_unit_test(every_shipped_policy_loads_under_its_name),
		cmocka_unit_test(nothing_known_allows_nothing),
		cmocka_unit_test(every_fact_is_documented_with_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
