/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/open/sharebox.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct place {
	char *path;
	int data;
};

static int start(void **state)
{
	static struct place p;
	struct error err = {0};

	assert_int_equal(file_temp_dir(false, &p.path, &err), 0);
	assert_int_equal(file_open_dir(AT_FDCWD, p.path, false, &p.data, &err), 0);
	*state = &p;
	return 0;
}

static int stop(void **state)
{
	struct place *p = *state;
	struct error err = {0};

	closep(&p->data);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, &err), 0);
	free(p->path);
	return 0;
}

static struct share share_of(int number)
{
	struct share s = {.product = "a.b", .deposit = ID, .approval = ID, .number = number};

	memset(s.bytes, number, sizeof(s.bytes));
	return s;
}

static void shares_come_back_as_they_were_put(void **state)
{
	struct place *p = *state;
	struct share one = share_of(255), two = share_of(1);
	struct share_list got = {0};
	struct error err = {0};
	char(*ids)[SHA256_HEX_SIZE] = NULL;
	size_t n;

	assert_int_equal(sharebox_put(p->data, &one, &err), 0);
	assert_int_equal(sharebox_put(p->data, &two, &err), 0);
	assert_int_equal(sharebox_put(p->data, &two, &err), 0);
	assert_int_equal(sharebox_read(p->data, ID, &got, &err), 0);
	assert_int_equal(got.n, 2);
	assert_memory_equal(got.list[0].bytes, two.bytes, SHARE_LEN);
	assert_memory_equal(got.list[1].bytes, one.bytes, SHARE_LEN);
	assert_int_equal(got.list[1].number, 255);
	assert_string_equal(got.list[0].product, "a.b");
	assert_string_equal(got.list[0].approval, ID);
	share_list_clear(&got);
	assert_int_equal(sharebox_deposits(p->data, &ids, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(ids[0], ID);
	free(ids);
}

static void nobody_else_can_read_them(void **state)
{
	struct place *p = *state;
	struct share one = share_of(1);
	struct error err = {0};
	struct stat st;

	assert_int_equal(sharebox_put(p->data, &one, &err), 0);
	assert_int_equal(fstatat(p->data, "shares", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstatat(p->data, "shares/" ID "/1", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void wiped_shares_are_overwritten_and_gone(void **state)
{
	struct place *p = *state;
	struct share one = share_of(1);
	struct share_list got = {0};
	struct error err = {0};
	char text[256];
	ssize_t len;
	int fd;

	assert_int_equal(sharebox_put(p->data, &one, &err), 0);
	fd = openat(p->data, "shares/" ID "/1", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(sharebox_wipe(p->data, ID, &err), 0);
	len = pread(fd, text, sizeof(text), 0); /* the file itself, which has no name any more */
	assert_true(len > SHARE_LEN);
	for (ssize_t i = 0; i < len; i++)
		assert_int_equal(text[i], 0);
	closep(&fd);
	assert_int_equal(sharebox_read(p->data, ID, &got, &err), 0);
	assert_int_equal(got.n, 0);
	share_list_clear(&got);
	assert_int_equal(sharebox_wipe(p->data, ID, &err), 0);
}

static void none_at_all_is_an_empty_list(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char(*ids)[SHA256_HEX_SIZE] = NULL;
	size_t n = 1;

	assert_int_equal(sharebox_deposits(p->data, &ids, &n, &err), 0);
	assert_int_equal(n, 0);
	free(ids);
}

static void damaged_file_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "{}", "{\"product\":\"a\",\"approval\":\"" ID "\",\"share\":\"AAAA\"}",
		"{\"product\":\"a\",\"approval\":\"1\",\"share\":\"AAAA\"}"};
	struct place *p = *state;
	struct share one = share_of(1);
	struct error err = {0};

	assert_int_equal(sharebox_put(p->data, &one, &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct share_list got = {0};

		assert_int_equal(
			file_write(p->data, "shares/" ID "/1", bad[i], strlen(bad[i]), 0600, &err),
			0);
		assert_int_equal(sharebox_read(p->data, ID, &got, &err), E_INVALID);
		assert_null(got.list);
	}
}

#define each(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(shares_come_back_as_they_were_put),
		each(nobody_else_can_read_them),
		each(wiped_shares_are_overwritten_and_gone),
		each(none_at_all_is_an_empty_list),
		each(damaged_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
