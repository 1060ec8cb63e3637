/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/scratch.h"

enum { WAIT_STEPS = 500, STEP_MS = 10, WRITES = 20000 };

static void folder_is_private_and_gone_after_close(void **state)
{
	CLEANUP(scratch_close) struct scratch s = SCRATCH_NONE;
	CLEANUP(freep) char *path = NULL;
	struct error err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(scratch_open(NULL, &s, &err), 0);
	assert_int_equal(scratch_path(&s, "a", &path, &err), 0);
	assert_int_equal(file_write(AT_FDCWD, path, "x", 1, 0600, &err), 0);
	assert_int_equal(fstat(s.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	scratch_close(&s);
	assert_false(file_exists(AT_FDCWD, path));
	assert_null(s.path);
}

static void kept_folder_stays_under_its_new_name(void **state)
{
	CLEANUP(scratch_close) struct scratch outer = SCRATCH_NONE;
	CLEANUP(scratch_close) struct scratch s = SCRATCH_NONE;
	CLEANUP(freep) char *to = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(scratch_open(NULL, &outer, &err), 0);
	assert_int_equal(scratch_open(outer.path, &s, &err), 0);
	assert_int_equal(scratch_path(&outer, "kept", &to, &err), 0);
	assert_int_equal(scratch_keep(&s, to, &err), 0);
	assert_null(s.path);
	assert_true(file_exists(AT_FDCWD, to));
	assert_int_equal(scratch_open(outer.path, &s, &err), 0);
	assert_error(scratch_keep(&s, to, &err), E_EXISTS, &err, "kept");
}

static void who_cleans_up_holds_nothing_else_open(void **state)
{
	CLEANUP(scratch_close) struct scratch s = SCRATCH_NONE;
	struct error err = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(scratch_open(NULL, &s, &err), 0);
	closep(&ends[1]);
	struct pollfd p = {.fd = ends[0], .events = POLLIN};
	assert_int_equal(poll(&p, 1, WAIT_STEPS * STEP_MS), 1);
	assert_true(p.revents & POLLHUP);
	closep(&ends[0]);
}

/* A process with a scratch folder, whose path it tells; killed before this returns. */
static void open_and_be_killed(char path[256])
{
	struct error err = {0};
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct scratch s = SCRATCH_NONE;

		if (scratch_open(NULL, &s, &err) < 0)
			_exit(1);
		(void)!write(ends[1], s.path, strlen(s.path));
		(void)close(ends[1]);
		(void)pause();
		_exit(0);
	}
	(void)close(ends[1]);
	assert_true(read(ends[0], path, 255) > 0);
	(void)close(ends[0]);
	assert_true(file_exists(AT_FDCWD, path));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void wait_until_gone(const char *path)
{
	for (int i = 0; i < WAIT_STEPS && file_exists(AT_FDCWD, path); i++)
		(void)poll(NULL, 0, STEP_MS);
	assert_false(file_exists(AT_FDCWD, path));
}

/* A process that is killed cannot clean up; somebody must. */
static void folder_is_gone_after_sigkill(void **state)
{
	char path[256] = "";

	(void)state;
	open_and_be_killed(path);
	wait_until_gone(path);
}

static void write_on(int fd)
{
	for (int i = 0; fd >= 0 && i < WRITES; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		closep(&(int){openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)});
	}
}

/* What the killed process had started may write on for a moment. */
static void folder_is_gone_though_somebody_still_writes(void **state)
{
	char path[256] = "";

	(void)state;
	open_and_be_killed(path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_on(fd);
	closep(&fd);
	wait_until_gone(path);
}

/* An agent that is about to end removes its own: what is gone is gone. */
static void close_goes_on_though_somebody_else_removes(void **state)
{
	CLEANUP(scratch_close) struct scratch s = SCRATCH_NONE;
	CLEANUP(freep) char *path = NULL;
	struct error err = {0};
	pid_t pid;

	(void)state;
	assert_int_equal(scratch_open(NULL, &s, &err), 0);
	path = strdup(s.path);
	write_on(s.fd);
	pid = fork();
	if (pid == 0) {
		closep(&s.guard);
		_exit(file_remove_tree(AT_FDCWD, s.path, NULL) < 0);
	}
	assert_true(pid > 0);
	assert_int_equal(file_remove_tree(AT_FDCWD, s.path, &err), 0);
	scratch_close(&s);
	assert_false(file_exists(AT_FDCWD, path));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folder_is_private_and_gone_after_close),
		cmocka_unit_test(kept_folder_stays_under_its_new_name),
		cmocka_unit_test(who_cleans_up_holds_nothing_else_open),
		cmocka_unit_test(folder_is_gone_after_sigkill),
		cmocka_unit_test(folder_is_gone_though_somebody_still_writes),
		cmocka_unit_test(close_goes_on_though_somebody_else_removes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
