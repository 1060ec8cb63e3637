/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/proc.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/error.h"

enum {
	CHUNK = 64 * 1024,
	COMPLAINT_MAX = 4096,
	EXIT_SIGNAL = 128,
	EXIT_NOEXEC = 127,
	FD_EXTRA = 3,
	FDS_OLD_KERNEL = 4096,
	WAIT_STEP_MS = 200,
};

/* In the child: whatever else is open, inherited from who started us too, is not passed on. */
static void hide_from(int first)
{
	if (close_range((unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = first; fd < FDS_OLD_KERNEL; fd++) /* before Linux 5.11 */
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* In the child: bring the descriptors into place, then become the program. */
static void become(const struct proc_spec *s, int null, int report)
{
	const int want[] = {s->in < 0 ? null : s->in, s->out < 0 ? null : s->out,
			    s->err < 0 ? STDERR_FILENO : s->err};
	int moved[ARRAY_LEN(want) + 1];
	int extra = s->extra;
	sigset_t none;

	(void)setpgid(0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	/* First out of the way (above 9), then down: no target may overwrite another's source. */
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		moved[i] = fcntl(want[i], F_DUPFD_CLOEXEC, 10);
	moved[ARRAY_LEN(want)] = extra < 0 ? -1 : fcntl(extra, F_DUPFD_CLOEXEC, 10);
	report = fcntl(report, F_DUPFD_CLOEXEC, 10);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (moved[i] < 0 || dup2(moved[i], (int)i) < 0)
			_exit(EXIT_NOEXEC);
	if (extra >= 0 && dup2(moved[ARRAY_LEN(want)], FD_EXTRA) < 0)
		_exit(EXIT_NOEXEC);
	hide_from(extra >= 0 ? FD_EXTRA + 1 : FD_EXTRA);
	if (!s->folder || chdir(s->folder) == 0) {
		char **args;

		/* execvp() takes char *const[] for history's sake and writes to nothing. */
		memcpy(&args, &s->argv, sizeof(args));
		for (const char *const *e = s->env; e && *e; e++) {
			char *pair = strdup(*e);

			if (!pair || putenv(pair) != 0)
				_exit(EXIT_NOEXEC);
		}
		(void)execvp(args[0], args);
	}
	int why = errno;
	(void)!write(report, &why, sizeof(why));
	_exit(EXIT_NOEXEC);
}

int proc_start(const struct proc_spec *spec, pid_t *out, struct error *err)
{
	CLEANUP(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP(closep) int heard = -1;
	CLEANUP(closep) int report = -1;
	int ends[2], why = 0;
	pid_t pid;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "%s", spec->argv[0]);
	heard = ends[0];
	report = ends[1];
	pid = fork();
	if (pid < 0)
		return error_errno(err, errno, "%s: fork", spec->argv[0]);
	if (pid == 0)
		become(spec, null, report);
	closep(&report);
	report = -1;

	ssize_t n;
	do
		n = read(heard, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(why)) {
		proc_kill(pid);
		return error_errno(err, why, "%s", spec->argv[0]);
	}
	*out = pid;
	return 0;
}

int proc_status(pid_t pid, const char *name, int *out, struct error *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "%s: wait", name);
	*out = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
	return 0;
}

int proc_wait(pid_t pid, const char *name, struct error *err)
{
	int status = 0;
	int r = proc_status(pid, name, &status, err);

	if (r < 0 || status == 0)
		return r;
	if (status > EXIT_SIGNAL)
		return error_set(err, E_SYS, "%s: signal %d", name, status - EXIT_SIGNAL);
	return error_set(err, E_SYS, "%s: exit %d", name, status);
}

/* Has it ended within one step? A pidfd becomes readable at the end of its process. */
static bool ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, WAIT_STEP_MS) > 0;
}

int proc_wait_for(pid_t pid, const char *name, int64_t timeout_ms, const atomic_bool *stop,
		  struct error *err)
{
	CLEANUP(closep) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct timespec start, now;
	int64_t waited = 0;

	if (fd < 0) {
		int why = errno;

		proc_kill(pid);
		return error_errno(err, why, "%s: wait", name);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	while (!ended(fd)) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		waited = (now.tv_sec - start.tv_sec) * INT64_C(1000) +
			 (now.tv_nsec - start.tv_nsec) / 1000000;
		if (waited < timeout_ms && !(stop && atomic_load(stop)))
			continue;
		proc_kill(pid);
		return error_set(err, E_BUSY, "%s: ended after %" PRId64 " s", name, waited / 1000);
	}
	return proc_wait(pid, name, err);
}

void proc_kill(pid_t pid)
{
	assert(pid > 0); /* 0 and -1 are more than one child */
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The parent's ends of the pipes of proc_run(). */
struct talk {
	int in, out, err;
	size_t fed;
	struct buf complaint;
};

static void talk_end(struct talk *t)
{
	closep(&t->in);
	closep(&t->out);
	closep(&t->err);
	buf_clear(&t->complaint);
}

static void shut(int *fd)
{
	closep(fd);
	*fd = -1;
}

/* Read once; at the end of the stream, or past `max` if `strict`, it says so. */
static int drain(int *fd, struct buf *out, size_t max, bool strict, struct error *err)
{
	char chunk[CHUNK];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR ? 0 : error_errno(err, errno, "read");
	if (n == 0) {
		shut(fd);
		return 0;
	}
	if (out->len + (size_t)n > max) {
		if (strict)
			return error_set(err, E_INVALID, "wrote more than %zu bytes", max);
		n = (ssize_t)(max - out->len);
	}
	return buf_add(out, chunk, (size_t)n, err);
}

static int feed(struct talk *t, const struct buf *in, struct error *err)
{
	ssize_t n = write(t->in, in->data + t->fed, in->len - t->fed);

	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		int why = errno;

		shut(&t->in);
		return why == EPIPE ? 0 : error_errno(err, why, "write");
	}
	t->fed += n > 0 ? (size_t)n : 0;
	if (t->fed == in->len)
		shut(&t->in);
	return 0;
}

static int converse(struct talk *t, const struct buf *in, struct buf *out, size_t max,
		    struct error *err)
{
	if (!in->len)
		shut(&t->in);
	while (t->out >= 0 || t->err >= 0) {
		struct pollfd p[] = {{.fd = t->in, .events = POLLOUT},
				     {.fd = t->out, .events = POLLIN},
				     {.fd = t->err, .events = POLLIN}};
		int r = 0;

		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return error_errno(err, errno, "poll");
		if (p[0].revents)
			r = feed(t, in, err);
		if (r == 0 && p[1].revents)
			r = drain(&t->out, out, max, true, err);
		if (r == 0 && p[2].revents)
			r = drain(&t->err, &t->complaint, COMPLAINT_MAX, false, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Prepend the program's own last line: it knows best what was wrong. */
static int complain(const struct buf *said, const char *name, int r, struct error *err)
{
	size_t end = said->len, start;

	while (end && said->data[end - 1] == '\n')
		end--;
	for (start = end; start && said->data[start - 1] != '\n';)
		start--;
	if (end == start)
		return r;
	return error_set(err, r, "%s: %.*s", name, (int)(end - start), said->data + start);
}

static void spec_close(const struct proc_spec *s)
{
	closep(&s->in);
	closep(&s->out);
	closep(&s->err);
}

/* Start the program with our ends of its pipes in `t`; its own are closed here. */
static int talk_start(struct talk *t, const char *const *argv, const char *const *env, pid_t *out,
		      struct error *err)
{
	CLEANUP(spec_close) struct proc_spec spec = PROC_SPEC(argv);
	int ends[2];

	spec.env = env;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "%s", argv[0]);
	spec.in = ends[0];
	t->in = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "%s", argv[0]);
	t->out = ends[0];
	spec.out = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "%s", argv[0]);
	t->err = ends[0];
	spec.err = ends[1];
	return proc_start(&spec, out, err);
}

int proc_run(const char *const *argv, const char *const *env, const struct buf *in, struct buf *out,
	     size_t max, struct error *err)
{
	CLEANUP(talk_end) struct talk t = {.in = -1, .out = -1, .err = -1};
	CLEANUP(buf_clear) struct buf unused = {0};
	const struct buf nothing = {0};
	pid_t pid = 0;
	int r = talk_start(&t, argv, env, &pid, err);

	if (r != 0)
		return r;
	(void)fcntl(t.in, F_SETFL, O_NONBLOCK);
	r = converse(&t, in ? in : &nothing, out ? out : &unused, max, err);
	if (r < 0) {
		proc_kill(pid);
		return error_prefix(err, r, "%s", argv[0]);
	}
	r = proc_wait(pid, argv[0], err);
	return r < 0 ? complain(&t.complaint, argv[0], r, err) : 0;
}
