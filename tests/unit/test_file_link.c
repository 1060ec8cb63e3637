/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

/* A temporary folder: its path, and a descriptor. */
struct place {
	char *path;
	int dir;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p || file_temp_dir(false, &p->path, NULL) < 0)
		return -1;
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	int r = file_remove_tree(AT_FDCWD, p->path, NULL);

	closep(&p->dir);
	free(p->path);
	free(p);
	return r;
}

static void put(int dir, const char *path, const char *text)
{
	assert_int_equal(file_write(dir, path, text, strlen(text), 0644, NULL), 0);
}

static void assert_file(int dir, const char *path, const char *text)
{
	CLEANUP(buf_clear) struct buf b = {0};

	assert_int_equal(file_read(dir, path, 100, &b, NULL), 0);
	assert_string_equal(b.data, text);
}

static size_t count(int dir, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dir, path, &st, 0), 0);
	return st.st_nlink;
}

static void link_makes_folders_and_copies_nothing(void **state)
{
	const struct place *p = *state;

	put(p->dir, "a", "one");
	assert_int_equal(file_link(p->dir, "a", p->dir, "x/y/b", NULL), 0);
	assert_file(p->dir, "x/y/b", "one");
	assert_int_equal(count(p->dir, "a"), 2);
}

static void link_done_twice_leaves_no_third_name(void **state)
{
	const struct place *p = *state;

	put(p->dir, "a", "one");
	assert_int_equal(file_link(p->dir, "a", p->dir, "b", NULL), 0);
	assert_int_equal(file_link(p->dir, "a", p->dir, "b", NULL), 0);
	assert_int_equal(count(p->dir, "a"), 2);
}

static void link_replaces_and_reports_what_is_missing(void **state)
{
	const struct place *p = *state;
	struct error err = {0};

	put(p->dir, "a", "one");
	put(p->dir, "b", "two");
	assert_int_equal(file_link(p->dir, "a", p->dir, "b", NULL), 0);
	assert_file(p->dir, "b", "one");
	assert_error(file_link(p->dir, "none", p->dir, "b", &err), E_NOTFOUND, &err, "none");
	assert_file(p->dir, "b", "one");
}

static void link_tree_has_every_file_and_exchange_swaps_the_folders(void **state)
{
	const struct place *p = *state;

	assert_int_equal(file_mkdir(p->dir, "m/held/1", 0755, NULL), 0);
	put(p->dir, "m/f", "old");
	put(p->dir, "m/held/1/g", "kept");
	put(p->dir, "m/.tmp-0123", "left by a crash");
	assert_int_equal(file_link_tree(p->dir, "m", "n", NULL), 0);
	assert_file(p->dir, "n/held/1/g", "kept");
	assert_false(file_exists(p->dir, "n/.tmp-0123"));
	put(p->dir, "n/f", "new");
	assert_file(p->dir, "m/f", "old"); /* a new name, not a write into the old file */
	assert_int_equal(file_exchange(p->dir, "n", "m", NULL), 0);
	assert_file(p->dir, "m/f", "new");
	assert_file(p->dir, "n/f", "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(link_makes_folders_and_copies_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(link_done_twice_leaves_no_third_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(link_replaces_and_reports_what_is_missing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			link_tree_has_every_file_and_exchange_swaps_the_folders, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
