/* SPDX-License-Identifier: Apache-2.0 */
#include "client/history.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

struct place {
	char path[32];
	int dir;
};

static int set_up(void **state)
{
	static struct place p;
	struct error err = {0};

	p = (struct place){.path = "/tmp/bequest-test-XXXXXX", .dir = -1};
	if (!mkdtemp(p.path) || file_open_dir(AT_FDCWD, p.path, false, &p.dir, &err) < 0)
		return -1;
	*state = &p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct error err = {0};

	closep(&p->dir);
	return file_remove_tree(AT_FDCWD, p->path, &err);
}

static json_t *all(int dir)
{
	struct error err = {0};
	json_t *list = NULL;

	assert_int_equal(history_read(dir, &list, &err), 0);
	return list;
}

static void events_come_back_in_order_and_harmless(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	json_t *list = all(p->dir);

	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	assert_int_equal(history_add(p->dir, 0, "init", &err, "root %d", 1), 0);
	assert_int_equal(history_add(p->dir, 86400, "installed", &err, "\033[2J\xff\""), 0);
	list = all(p->dir);
	assert_int_equal(json_array_size(list), 2);

	const json_t *second = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(second, "at")),
			    "1970-01-02T00:00:00Z");
	assert_string_equal(json_string_value(json_object_get(second, "text")), "?[2J?\"");
	json_decref(list);
}

static void a_torn_line_costs_only_itself(void **state)
{
	static const char torn[] = "{\"at\": \"2020-01-01T00:0";
	struct place *p = *state;
	struct error err = {0};
	json_t *list;

	assert_int_equal(file_write(p->dir, "history.jsonl", torn, strlen(torn), 0600, &err), 0);
	assert_int_equal(history_add(p->dir, 0, "init", &err, "x"), 0);
	list = all(p->dir);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
}

/* What a file system may leave at the end of a file when the power goes. */
static void zeros_cost_only_themselves(void **state)
{
	static const char torn[] = "{\"at\": 1}\n{\"at\": \0\0\0\0";
	struct place *p = *state;
	struct error err = {0};
	json_t *list;

	assert_int_equal(file_write(p->dir, "history.jsonl", torn, sizeof(torn) - 1, 0600, &err),
			 0);
	assert_int_equal(history_add(p->dir, 0, "init", &err, "x"), 0);
	list = all(p->dir);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
}

static void the_file_stays_below_its_limit_and_keeps_the_newest(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char padding[400];
	json_t *list;

	memset(padding, 'x', sizeof(padding) - 1);
	padding[sizeof(padding) - 1] = '\0';
	for (int i = 0; i < 700; i++)
		assert_int_equal(history_add(p->dir, i, "event", &err, "%d %s", i, padding), 0);

	CLEANUP(buf_clear) struct buf text = {0};
	assert_int_equal(file_read(p->dir, "history.jsonl", HISTORY_MAX, &text, &err), 0);
	list = all(p->dir);
	size_t n = json_array_size(list);
	assert_true(n > 100 && n < 400);
	assert_int_equal(
		strncmp(json_string_value(json_object_get(json_array_get(list, n - 1), "text")),
			"699 ", 4),
		0);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_come_back_in_order_and_harmless, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_torn_line_costs_only_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zeros_cost_only_themselves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_file_stays_below_its_limit_and_keeps_the_newest,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
