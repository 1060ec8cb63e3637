/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

/* Each test has a folder of its own. */
struct place {
	char *path;
	int dir;
};

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	if (!p || file_temp_dir(false, &p->path, NULL) < 0)
		return -1;
	return file_open_dir(AT_FDCWD, p->path, false, &p->dir, NULL);
}

static int leave(void **state)
{
	struct place *p = *state;
	int r = file_remove_tree(AT_FDCWD, p->path, NULL);

	(void)close(p->dir);
	free(p->path);
	free(p);
	return r;
}

static int dir_of(void *const *state)
{
	return ((const struct place *)*state)->dir;
}

/* How many entries a folder has, temporary ones included. */
static int entries(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	int n = -2; /* . and .. */

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static void assert_content(int dir, const char *path, const char *want)
{
	CLEANUP(buf_clear) struct buf b = {0};

	assert_int_equal(file_read(dir, path, 1 << 20, &b, NULL), 0);
	assert_string_equal(b.data, want);
}

static void what_is_written_is_read(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};
	int dir = dir_of(state);
	struct stat st;

	assert_int_equal(file_write(dir, "a", "text", 4, 0640, NULL), 0);
	assert_int_equal(buf_puts(&b, "> ", NULL), 0);
	assert_int_equal(file_read(dir, "a", 4, &b, NULL), 0);
	assert_string_equal(b.data, "> text");
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(file_write(dir, "a", "", 0, 0600, NULL), 0);
	assert_content(dir, "a", "");
	assert_int_equal(entries(dir, "."), 1); /* nothing temporary stays */
}

static void reading_is_bounded(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};
	CLEANUP(freep) char *big = calloc(1, 300000);
	struct error err = {0};
	int dir = dir_of(state);

	assert_int_equal(file_write(dir, "big", big, 300000, 0600, NULL), 0);
	assert_int_equal(buf_puts(&b, "before", NULL), 0);
	assert_error(file_read(dir, "big", 299999, &b, &err), E_INVALID, &err,
		     "big: larger than 299999 bytes");
	assert_string_equal(b.data, "before");
	assert_int_equal(b.len, 6);
	assert_int_equal(file_read(dir, "big", 300000, &b, NULL), 0);
	assert_int_equal(b.len, 300006);
}

static void only_regular_files_are_read(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};
	struct error err = {0};
	int dir = dir_of(state);

	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_error(file_read(dir, "fifo", 10, &b, &err), E_INVALID, &err, "regular");
	assert_error(file_read(dir, ".", 10, &b, &err), E_INVALID, &err, "regular");
	assert_error(file_read(dir, "none", 10, &b, &err), E_NOTFOUND, &err, "none: No such file");
	assert_null(b.data);
}

static void out_of_memory_leaves_the_buf_as_it_was(void **state)
{
	CLEANUP(freep) char *big = calloc(1, 300000);
	int dir = dir_of(state);
	long n = 0;

	assert_int_equal(file_write(dir, "big", big, 300000, 0600, NULL), 0);
	for (;; n++) {
		CLEANUP(buf_clear) struct buf b = {0};
		int r;

		assert_int_equal(buf_puts(&b, "before", NULL), 0);
		oom_after(n);
		r = file_read(dir, "big", 1 << 20, &b, NULL);
		if (!oom_fired())
			break;
		assert_int_equal(r, E_NOMEM);
		assert_string_equal(b.data, "before");
		assert_int_equal(b.len, 6);
	}
	assert_true(n >= 3);
}

static void writing_replaces_whole_files_only(void **state)
{
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	int dir = dir_of(state);

	assert_int_equal(file_write(dir, "a", "old", 3, 0600, NULL), 0);
	assert_int_equal(file_new_open(dir, "a", 0600, &f, NULL), 0);
	assert_memory_equal(f.temp, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX));
	assert_int_equal(file_write_all(f.fd, "new", 3, "a", NULL), 0);
	assert_content(dir, "a", "old");
	assert_int_equal(file_new_commit(&f, NULL), 0);
	assert_content(dir, "a", "new");
	assert_int_equal(f.fd, -1);
	assert_int_equal(entries(dir, "."), 1);
}

static void what_is_not_committed_is_dropped(void **state)
{
	struct file_new f = FILE_NEW_NONE;
	int dir = dir_of(state);

	file_new_drop(&f);
	assert_int_equal(file_write(dir, "a", "old", 3, 0600, NULL), 0);
	assert_int_equal(file_new_open(dir, "a", 0600, &f, NULL), 0);
	assert_int_equal(file_write_all(f.fd, "new", 3, "a", NULL), 0);
	assert_int_equal(entries(dir, "."), 2);
	file_new_drop(&f);
	assert_content(dir, "a", "old");
	assert_int_equal(entries(dir, "."), 1);
}

static void many_get_their_names_one_after_the_other(void **state)
{
	CLEANUP(file_new_drop) struct file_new a = FILE_NEW_NONE;
	CLEANUP(file_new_drop) struct file_new b = FILE_NEW_NONE;
	int dir = dir_of(state);

	assert_int_equal(file_new_again(dir, "a", 0600, 1, &a, NULL), 0);
	assert_int_equal(file_new_again(dir, "b", 0600, UINT64_MAX, &b, NULL), 0);
	assert_int_equal(file_write_all(a.fd, "1", 1, "a", NULL), 0);
	assert_int_equal(file_write_all(b.fd, "2", 1, "b", NULL), 0);
	assert_int_equal(file_sync_all(dir, NULL), 0);
	assert_int_equal(entries(dir, "."), 2);
	assert_int_equal(file_new_place(&a, NULL), 0);
	assert_content(dir, "a", "1");
	assert_false(file_exists(dir, "b"));
	assert_int_equal(file_new_place(&b, NULL), 0);
	assert_content(dir, "b", "2");
	assert_int_equal(entries(dir, "."), 2);
	assert_int_equal(file_sync_all(-1, NULL), E_SYS);
}

static void what_a_crash_left_is_taken_over(void **state)
{
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	int dir = dir_of(state);

	assert_int_equal(
		file_write(dir, FILE_TEMP_PREFIX "000000000000000a", "half", 4, 0600, NULL), 0);
	assert_int_equal(file_new_again(dir, "a", 0600, 10, &f, NULL), 0);
	assert_int_equal(file_write_all(f.fd, "all", 3, "a", NULL), 0);
	assert_int_equal(file_new_commit(&f, NULL), 0);
	assert_content(dir, "a", "all");
	assert_int_equal(entries(dir, "."), 1);
}

static void a_commit_that_fails_leaves_nothing(void **state)
{
	struct file_new f = FILE_NEW_NONE;
	struct error err = {0};
	int dir = dir_of(state);

	assert_int_equal(file_mkdir(dir, "a/b", 0700, NULL), 0);
	assert_int_equal(file_new_open(dir, "a", 0600, &f, NULL), 0);
	assert_error(file_new_commit(&f, &err), E_SYS, &err, "a: Is a directory");
	assert_int_equal(entries(dir, "."), 1);
	assert_error(file_write(dir, "none/x", "", 0, 0600, &err), E_NOTFOUND, &err, "none/x");
}

static void a_full_disk_is_named(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct error err = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_error(file_write_all(fd, "x", 1, "image.bin", &err), E_FULL, &err,
		     "image.bin: No space left");
	assert_int_equal(file_write_all(fd, NULL, 0, "x", NULL), 0);
	(void)close(fd);
	assert_error(file_write_all(-1, "x", 1, "y", &err), E_SYS, &err, "y: ");
}

static void folders_are_made_with_those_above(void **state)
{
	int dir = dir_of(state), fd = -1;
	struct error err = {0};
	struct stat st;

	assert_int_equal(file_mkdir(dir, "a/b/c", 0700, NULL), 0);
	assert_int_equal(file_mkdir(dir, "a/b/c", 0755, NULL), 0); /* is there: fine */
	assert_int_equal(fstatat(dir, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_open_dir(dir, "a/x/y", true, &fd, NULL), 0);
	assert_int_equal(file_write(fd, "f", "1", 1, 0600, NULL), 0);
	(void)close(fd);
	assert_content(dir, "a/x/y/f", "1");
	assert_error(file_open_dir(dir, "a/none", false, &fd, &err), E_NOTFOUND, &err, "a/none");
	assert_error(file_mkdir(dir, "a/x/y/f", 0700, &err), E_EXISTS, &err, "is no folder");
	assert_error(file_mkdir(dir, "a/x/y/f/g", 0700, &err), E_SYS, &err, "Not a directory");
}

static void copies_are_whole(void **state)
{
	CLEANUP(freep) char *big = calloc(1, 200001);
	CLEANUP(buf_clear) struct buf b = {0};
	struct error err = {0};
	int dir = dir_of(state);

	memset(big, 'x', 200000);
	assert_int_equal(file_write(dir, "a", big, 200000, 0600, NULL), 0);
	assert_int_equal(file_write(dir, "b", "old", 3, 0600, NULL), 0);
	assert_int_equal(file_copy(dir, "a", dir, "b", 0600, NULL), 0);
	assert_content(dir, "b", big);
	assert_error(file_copy(dir, "none", dir, "b", 0600, &err), E_NOTFOUND, &err, "none");
	assert_error(file_copy(dir, ".", dir, "b", 0600, &err), E_SYS, &err, "directory");
	assert_content(dir, "b", big);
	assert_int_equal(entries(dir, "."), 2);
}

static void removing_what_is_not_there_is_done(void **state)
{
	int dir = dir_of(state);
	struct error err = {0};

	assert_int_equal(file_remove(dir, "none", NULL), 0);
	assert_int_equal(file_remove_tree(dir, "none", NULL), 0);
	assert_int_equal(file_write(dir, "a", "", 0, 0600, NULL), 0);
	assert_int_equal(file_remove(dir, "a", NULL), 0);
	assert_false(file_exists(dir, "a"));
	assert_int_equal(file_write(dir, "a", "", 0, 0600, NULL), 0);
	assert_int_equal(file_remove_tree(dir, "a", NULL), 0);
	assert_false(file_exists(dir, "a"));
	assert_int_equal(file_mkdir(dir, "d", 0700, NULL), 0);
	assert_error(file_remove(dir, "d", &err), E_SYS, &err, "directory");
}

static void removing_a_tree_follows_no_link(void **state)
{
	int dir = dir_of(state);

	assert_int_equal(file_mkdir(dir, "kept", 0700, NULL), 0);
	assert_int_equal(file_write(dir, "kept/f", "1", 1, 0600, NULL), 0);
	assert_int_equal(file_mkdir(dir, "tree/a/b", 0700, NULL), 0);
	assert_int_equal(file_write(dir, "tree/a/f", "1", 1, 0600, NULL), 0);
	assert_int_equal(symlinkat("../../kept", dir, "tree/a/link"), 0);
	assert_int_equal(symlinkat("kept", dir, "link"), 0);
	assert_int_equal(file_remove_tree(dir, "tree", NULL), 0);
	assert_int_equal(file_remove_tree(dir, "link", NULL), 0);
	assert_false(file_exists(dir, "tree"));
	assert_int_equal(faccessat(dir, "link", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_content(dir, "kept/f", "1");
}

static void sizes_are_those_of_files(void **state)
{
	int dir = dir_of(state), fds[2], fd;
	int64_t size = 0;
	struct error err = {0};

	assert_int_equal(file_write(dir, "a", "12345", 5, 0600, NULL), 0);
	fd = openat(dir, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_size(fd, "a", &size, NULL), 0);
	assert_int_equal(size, 5);
	(void)close(fd);
	assert_int_equal(pipe(fds), 0);
	assert_error(file_size(fds[0], "pipe", &size, &err), E_INVALID, &err, "neither a file");
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(file_size(-1, "x", &size, NULL), E_SYS);
	assert_int_equal(size, 5);
}

static void a_lock_is_held_until_it_is_closed(void **state)
{
	int dir = dir_of(state), first = -1, second = -1;
	struct error err = {0};

	assert_int_equal(file_lock(dir, "lock", false, &first, NULL), 0);
	assert_error(file_lock(dir, "lock", false, &second, &err), E_BUSY, &err, "lock: in use");
	assert_int_equal(second, -1);
	(void)close(first);
	assert_int_equal(file_lock(dir, "lock", true, &second, NULL), 0);
	(void)close(second);
	assert_error(file_lock(dir, "none/lock", false, &second, &err), E_NOTFOUND, &err, "none");
}

static void temporary_folders_are_private(void **state)
{
	CLEANUP(freep) char *path = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(file_temp_dir(true, &path, NULL), 0);
	assert_memory_equal(path, "/tmp/", 5);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_remove_tree(AT_FDCWD, path, NULL), 0);
}

static void tmpdir_is_where_long_paths_may_be(void **state)
{
	const struct place *p = *state;
	const char *before = getenv("TMPDIR");
	CLEANUP(freep) char *kept = before ? strdup(before) : NULL;
	CLEANUP(freep) char *path = NULL;
	struct error err = {0};

	assert_int_equal(setenv("TMPDIR", p->path, 1), 0);
	assert_int_equal(file_temp_dir(false, &path, NULL), 0);
	assert_memory_equal(path, p->path, strlen(p->path));
	assert_int_equal(setenv("TMPDIR", "/none", 1), 0);
	assert_error(file_temp_dir(false, &path, &err), E_NOTFOUND, &err, "/none/");
	assert_int_equal(kept ? setenv("TMPDIR", kept, 1) : unsetenv("TMPDIR"), 0);
}

static void names_from_outside_are_one_component(void **state)
{
	static const char *const good[] = {"a", "a.b", "...", ".a", "a b", "\xc3\xa4", "~", "-x"};
	static const char *const bad[] = {"", ".", "..", "a/b", "/", "a\n", "\x1f", "a\x7f"};
	char longest[258];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(file_name_ok(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(file_name_ok(bad[i]));
	assert_false(file_name_ok(NULL));
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_false(file_name_ok(longest));
	longest[255] = '\0';
	assert_true(file_name_ok(longest));
}

static void paths_from_outside_stay_below(void **state)
{
	static const char *const good[] = {"a", "a/b/c", "a/.../b", ".a/..b"};
	static const char *const bad[] = {"",    "/",     "/a",    "a/",     "a//b",
					  "..",  "../a",  "a/..",  "a/../b", ".",
					  "./a", "a/./b", "a/b\n", "a/.",    "a/\x01/b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(file_path_ok(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(file_path_ok(bad[i]));
	assert_false(file_path_ok(NULL));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(what_is_written_is_read),
		IN_PLACE(reading_is_bounded),
		IN_PLACE(only_regular_files_are_read),
		IN_PLACE(out_of_memory_leaves_the_buf_as_it_was),
		IN_PLACE(writing_replaces_whole_files_only),
		IN_PLACE(what_is_not_committed_is_dropped),
		IN_PLACE(many_get_their_names_one_after_the_other),
		IN_PLACE(what_a_crash_left_is_taken_over),
		IN_PLACE(a_commit_that_fails_leaves_nothing),
		cmocka_unit_test(a_full_disk_is_named),
		IN_PLACE(folders_are_made_with_those_above),
		IN_PLACE(copies_are_whole),
		IN_PLACE(removing_what_is_not_there_is_done),
		IN_PLACE(removing_a_tree_follows_no_link),
		IN_PLACE(sizes_are_those_of_files),
		IN_PLACE(a_lock_is_held_until_it_is_closed),
		cmocka_unit_test(temporary_folders_are_private),
		IN_PLACE(tmpdir_is_where_long_paths_may_be),
		cmocka_unit_test(names_from_outside_are_one_component),
		cmocka_unit_test(paths_from_outside_stay_below),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
