/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/json/strict.h"
#include "tests/support/policy_cases.h"

#define CASES "tests/policy"

json_t *case_load(const char *path)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};
	json_t *src = NULL;

	if (file_read(AT_FDCWD, path, POLICY_MAX, &text, &err) < 0 ||
	    strict_parse(text.data, text.len, path, &src, &err) < 0)
		fail_msg("%s", err.text);
	return src;
}

int case_policy(json_t *src, struct policy **out, struct error *err)
{
	const char *shipped_name = json_string_value(src);

	return shipped_name ? policy_shipped(shipped_name, out, err)
			    : policy_parse(src, "case", out, err);
}

/* The case itself, and then each variant over its facts. */
static void add_case(json_t *all, json_t *c, const char *path)
{
	json_t *variants = json_object_get(c, "variants"), *variant;
	size_t i;

	assert_non_null(json_string_value(json_object_get(c, "rule")));
	assert_int_equal(json_object_set_new(c, "path", json_string(path)), 0);
	assert_int_equal(json_array_append(all, c), 0);
	json_array_foreach(variants, i, variant)
	{
		json_t *one = json_deep_copy(variant);
		json_t *facts = json_deep_copy(json_object_get(c, "facts"));

		assert_true(json_is_object(json_object_get(variant, "with")));
		assert_int_equal(json_object_update(facts, json_object_get(variant, "with")), 0);
		assert_int_equal(json_object_set_new(one, "facts", facts), 0);
		assert_int_equal(json_object_set(one, "policy", json_object_get(c, "policy")), 0);
		json_t *name = json_sprintf("%s, variant %zu", path, i);
		assert_int_equal(json_object_set_new(one, "path", name), 0);
		assert_int_equal(json_array_append_new(all, one), 0);
	}
}

/* The order of bytes, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_json(const struct dirent *e)
{
	return strstr(e->d_name, ".json") != NULL;
}

static void add_folder(json_t *all, const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, is_json, by_name);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		json_t *c = case_load(path);
		add_case(all, c, path);
		json_decref(c);
		free(names[i]);
	}
	free(names);
}

json_t *cases_load(void)
{
	static const char *const sets[] = {"change",  "handover", "language", "other",
					   "publish", "refused",  "release"};
	json_t *all = json_array();

	assert_non_null(all);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		char folder[64];

		(void)snprintf(folder, sizeof(folder), CASES "/%s", sets[i]);
		add_folder(all, folder);
	}
	return all;
}
