/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "tests/unit/unit.h"

enum { MAX = 1 << 20, SOON_MS = 5000 };

#define SH(script) ((const char *const[]){"sh", "-c", (script), NULL})

static int run(const char *const *argv, struct buf *out, struct error *err)
{
	return proc_run(argv, NULL, NULL, out, MAX, err);
}

static void output_is_collected(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	assert_int_equal(buf_puts(&out, "> ", NULL), 0);
	assert_int_equal(run(SH("echo one; echo two >&2; echo three"), &out, NULL), 0);
	assert_string_equal(out.data, "> one\nthree\n");
	assert_int_equal(run(SH("echo nobody listens"), NULL, NULL), 0);
}

static void arguments_are_not_a_shells(void **state)
{
	static const char *const argv[] = {"printf", "%s|%s", "$HOME; echo x", "*", NULL};
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	assert_int_equal(run(argv, &out, NULL), 0);
	assert_string_equal(out.data, "$HOME; echo x|*");
}

static void input_is_fed(void **state)
{
	CLEANUP(buf_clear) struct buf in = {0};
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	for (int i = 0; i < 40000; i++) /* more than a pipe holds */
		assert_int_equal(buf_puts(&in, "0123456789", NULL), 0);
	assert_int_equal(proc_run(SH("cat"), NULL, &in, &out, MAX, NULL), 0);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.data, in.data, in.len);
	/* One that does not care for its input is no failure. */
	assert_int_equal(proc_run(SH("exec <&-; echo done"), NULL, &in, &out, MAX, NULL), 0);
	buf_clear(&out);
	assert_int_equal(proc_run(SH("wc -c"), NULL, NULL, &out, MAX, NULL), 0);
	assert_int_equal(atoi(out.data), 0);
}

static void failure_speaks_the_programs_last_line(void **state)
{
	static const struct {
		const char *script, *text;
	} bad[] = {
		{"echo first >&2; echo 'fatal: no such ref' >&2; exit 128",
		 "sh: fatal: no such ref"},
		{"printf 'no newline' >&2; exit 1", "sh: no newline"},
		{"echo 'with space after' >&2; echo >&2; exit 1", "sh: with space after"},
		{"exit 3", "sh: exit 3"},
		{"kill -9 $$", "sh: signal 9"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error err = {0};

		assert_int_equal(run(SH(bad[i].script), NULL, &err), E_SYS);
		assert_string_equal(err.text, bad[i].text);
	}
}

static void a_program_that_is_not_there_is_not_found(void **state)
{
	static const char *const argv[] = {"no-such-program-anywhere", NULL};
	static const char *const folder[] = {"/", NULL};
	struct error err = {0};
	pid_t pid = 77;

	(void)state;
	assert_error(run(argv, NULL, &err), E_NOTFOUND, &err, "no-such-program-anywhere: No such");
	assert_int_equal(proc_start(&PROC_SPEC(argv), &pid, NULL), E_NOTFOUND);
	assert_int_equal(pid, 77);
	assert_error(run(folder, NULL, &err), E_SYS, &err, "/: Permission denied");
}

static void output_is_bounded(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(proc_run(SH("printf 12345"), NULL, NULL, &out, 5, NULL), 0);
	assert_string_equal(out.data, "12345");
	buf_clear(&out);
	assert_error(proc_run(SH("printf 123456"), NULL, NULL, &out, 5, &err), E_INVALID, &err,
		     "sh: wrote more than 5 bytes");
	/* One that never ends is ended; its children with it. */
	assert_int_equal(proc_run(SH("yes | cat"), NULL, NULL, &out, 5, NULL), E_INVALID);
	/* Complaints are cut, not refused. */
	assert_int_equal(run(SH("yes | head -c 100000 >&2"), NULL, NULL), 0);
}

static void the_environment_is_added_to(void **state)
{
	static const char *const env[] = {"BEQUEST_ONE=1", "BEQUEST_TWO=a=b", NULL};
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	assert_int_equal(setenv("BEQUEST_ONE", "0", 1), 0);
	assert_int_equal(proc_run(SH("echo $BEQUEST_ONE $BEQUEST_TWO ${PATH:+path}"), env, NULL,
				  &out, MAX, NULL),
			 0);
	assert_string_equal(out.data, "1 a=b path\n");
	assert_string_equal(getenv("BEQUEST_ONE"), "0"); /* ours stays */
	assert_int_equal(unsetenv("BEQUEST_ONE"), 0);
}

/* Read what a child says on our end of a pipe until it closes it. */
static void assert_says(int fd, const char *want)
{
	char text[256] = "";
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	assert_string_equal(text, want);
}

static void a_child_runs_where_it_is_told(void **state)
{
	struct proc_spec s = PROC_SPEC(SH("pwd"));
	int ends[2];
	pid_t pid;
	struct error err = {0};

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s.out = ends[1];
	s.folder = "/usr/bin/..";
	assert_int_equal(proc_start(&s, &pid, NULL), 0);
	(void)close(ends[1]);
	assert_says(ends[0], "/usr\n");
	(void)close(ends[0]);
	assert_int_equal(proc_wait(pid, "sh", NULL), 0);
	s.out = -1;
	s.folder = "/none";
	assert_error(proc_start(&s, &pid, &err), E_NOTFOUND, &err, "sh");
}

static void a_child_gets_the_descriptors_named_and_no_other(void **state)
{
	/* Descriptors that cross over: our 0 to 3, ours at 3, or the first free one, to 0. */
	struct proc_spec s = PROC_SPEC(SH("cat; cat <&3; ls /proc/self/fd | wc -l"));
	int in[2], extra[2], out[2], kept = dup(2); /* `kept` is inheritable */
	pid_t pid;

	(void)state;
	assert_true(kept >= 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(extra, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "in ", 3), 3);
	assert_int_equal(write(extra[1], "extra ", 6), 6);
	(void)close(in[1]);
	(void)close(extra[1]);
	s.in = in[0];
	s.out = out[1];
	s.extra = extra[0];
	assert_int_equal(proc_start(&s, &pid, NULL), 0);
	(void)close(in[0]);
	(void)close(extra[0]);
	(void)close(out[1]);
	/* 0, 1, 2, 3 and the one by which ls reads the folder. */
	assert_says(out[0], "in extra 5\n");
	(void)close(out[0]);
	(void)close(kept);
	assert_int_equal(proc_wait(pid, "sh", NULL), 0);
}

static void a_child_has_no_input_unless_given(void **state)
{
	struct proc_spec s = PROC_SPEC(SH("test -z \"$(cat)\""));
	pid_t pid;
	int status = -1;

	(void)state;
	assert_int_equal(proc_start(&s, &pid, NULL), 0);
	assert_int_equal(proc_status(pid, "sh", &status, NULL), 0);
	assert_int_equal(status, 0);
}

static void signals_are_as_they_were_born(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state; /* SIGPIPE is ignored here, not in the child: yes ends by it */
	assert_int_equal(run(SH("{ yes; echo $? >&2; } 2>&1 >/dev/full | cat >/dev/null; "
				"sh -c 'kill -PIPE $$'; echo $?"),
			     &out, NULL),
			 0);
	assert_string_equal(out.data, "141\n");
}

static void a_status_can_be_had_unjudged(void **state)
{
	static const struct {
		const char *script;
		int status;
	} known[] = {{"exit 0", 0}, {"exit 7", 7}, {"exit 255", 255}, {"kill -15 $$", 143}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct proc_spec s = PROC_SPEC(SH(known[i].script));
		int status = -1;
		pid_t pid;

		assert_int_equal(proc_start(&s, &pid, NULL), 0);
		assert_int_equal(proc_status(pid, "sh", &status, NULL), 0);
		assert_int_equal(status, known[i].status);
	}
	assert_int_equal(proc_wait(getpid(), "myself", NULL), E_SYS); /* no child of ours */
}

static void killing_reaches_the_whole_group(void **state)
{
	/* The grandchild holds the pipe open: it closes only when that is dead, too. */
	struct proc_spec s = PROC_SPEC(SH("sleep 1000 & echo up; wait"));
	struct pollfd p = {.events = POLLIN};
	int ends[2];
	char text[8];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s.out = ends[1];
	assert_int_equal(proc_start(&s, &pid, NULL), 0);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof(text)), 3);
	proc_kill(pid);
	p.fd = ends[0];
	assert_int_equal(poll(&p, 1, SOON_MS), 1);
	assert_int_equal(read(ends[0], text, sizeof(text)), 0);
	(void)close(ends[0]);
}

static void out_of_memory_is_reported(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct error err = {0};

	(void)state;
	oom_after(0);
	assert_error(run(SH("echo text"), &out, &err), E_NOMEM, &err, "sh: out of memory");
	assert_int_equal(oom_fired(), 1);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_collected),
		cmocka_unit_test(arguments_are_not_a_shells),
		cmocka_unit_test(input_is_fed),
		cmocka_unit_test(failure_speaks_the_programs_last_line),
		cmocka_unit_test(a_program_that_is_not_there_is_not_found),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(the_environment_is_added_to),
		cmocka_unit_test(a_child_runs_where_it_is_told),
		cmocka_unit_test(a_child_gets_the_descriptors_named_and_no_other),
		cmocka_unit_test(a_child_has_no_input_unless_given),
		cmocka_unit_test(signals_are_as_they_were_born),
		cmocka_unit_test(a_status_can_be_had_unjudged),
		cmocka_unit_test(killing_reaches_the_whole_group),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as cli_main() does for every program */
	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
