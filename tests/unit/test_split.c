/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/split.h"
#include "tests/unit/unit.h"

static int split(const char *body, struct slice out[SPLIT_MAX], size_t *n, struct error *err)
{
	return split_documents(body, strlen(body), out, n, err);
}

static void slices_are_the_bytes_as_they_came(void **state)
{
	static const char *const want[] = {"{ \"a\" : \"]},{\\\"\" }", "{\"b\":[{},[1]]}"};
	struct slice out[SPLIT_MAX];
	size_t n = 0;

	(void)state;
	assert_int_equal(
		split(" [ { \"a\" : \"]},{\\\"\" } ,\n{\"b\":[{},[1]]}\t]\n", out, &n, NULL), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(out[i].len, strlen(want[i]));
		assert_memory_equal(out[i].data, want[i], out[i].len);
	}
	assert_int_equal(split("  {\"x\":1} ", out, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(out[0].len, 7);
}

static void whatever_is_no_list_of_objects_is_refused(void **state)
{
	static const struct {
		const char *body, *complaint;
	} bad[] = {
		{"", "body[0]: want a JSON object"},
		{"[]", "body[0]: want a JSON object"},
		{"[1]", "body[0]: want a JSON object"},
		{"[{},]", "body[1]: want a JSON object"},
		{"{", "body[0]: want a JSON object"},
		{"{\"a\":\"}", "body[0]: want a JSON object"},
		{"[{} {}]", "body[0]: want a comma or ] behind it"},
		{"[{}", "body[0]: want a comma or ] behind it"},
		{"{} {}", "want nothing behind the documents"},
		{"[{}] x", "want nothing behind the documents"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct slice out[SPLIT_MAX];
		struct error err = {0};
		size_t n = 0;

		assert_error(split(bad[i].body, out, &n, &err), E_INVALID, &err, bad[i].complaint);
	}
}

static void array_has_at_most_64_documents(void **state)
{
	char body[4 * SPLIT_MAX + 8] = "[{}";
	struct slice out[SPLIT_MAX];
	struct error err = {0};
	size_t n = 0;

	(void)state;
	for (size_t i = 1; i < SPLIT_MAX; i++)
		strcat(body, ",{}");
	strcat(body, "]");
	assert_int_equal(split(body, out, &n, &err), 0);
	assert_int_equal(n, SPLIT_MAX);
	body[strlen(body) - 1] = '\0';
	strcat(body, ",{}]");
	assert_error(split(body, out, &n, &err), E_INVALID, &err, "want at most 64 documents");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_the_bytes_as_they_came),
		cmocka_unit_test(whatever_is_no_list_of_objects_is_refused),
		cmocka_unit_test(array_has_at_most_64_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
