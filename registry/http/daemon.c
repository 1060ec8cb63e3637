/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/base/cli.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

#define PID_FILE "serve.pid"
#define LOG_FILE "serve.log"

enum { STOP_WAIT_MS = 60000 };

void daemon_url(const char *address, unsigned port, char url[DAEMON_URL_SIZE])
{
	(void)snprintf(url, DAEMON_URL_SIZE, "http://%.*s:%u",
		       address[0] == ':' ? 9 : (int)(strrchr(address, ':') - address),
		       address[0] == ':' ? "127.0.0.1" : address, port);
}

static void say_ready(const char *url, bool json, int fd)
{
	char line[DAEMON_URL_SIZE + 32];
	int n = snprintf(line, sizeof(line),
			 json ? "{\"ok\": true, \"url\": \"%s\"}\n" : "listening %s\n", url);

	(void)!write(fd, line, (size_t)n);
}

/* The caller keeps these blocked in all threads; they come here only. */
static void wait_for_signal(void)
{
	sigset_t end;
	int got;

	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	(void)sigaddset(&end, SIGINT);
	(void)sigwait(&end, &got);
}

static void block_signals(void)
{
	sigset_t end;

	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	(void)sigaddset(&end, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &end, NULL);
}

/* In the background, from when it is ready: nobody reads our output any more. */
static int to_log(int data, struct error *err)
{
	CLEANUP(closep)
	int log = openat(data, LOG_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	CLEANUP(closep) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (log < 0 || null < 0)
		return error_errno(err, errno, LOG_FILE);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		return error_errno(err, errno, LOG_FILE);
	return 0;
}

/* `ready` is where to say so: standard output, or the pipe to whoever detached us. */
static int serve(const struct daemon *d, int ready, struct error *err)
{
	char url[DAEMON_URL_SIZE], pid[24];
	int data = -1, n, r;

	block_signals();
	r = d->start(d->ctx, &data, url, err);
	if (r < 0)
		return r;
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	r = file_write(data, PID_FILE, pid, (size_t)n, 0644, err);
	if (r == 0 && d->detach)
		r = to_log(data, err);
	if (r < 0)
		return r;
	say_ready(url, d->json, ready);
	if (d->detach)
		closep(&ready);
	log_line(LOG_INFO, "serve url=%s pid=%ld", url, (long)getpid());
	wait_for_signal();
	log_line(LOG_INFO, "stop pid=%ld", (long)getpid());
	return file_remove(data, PID_FILE, err);
}

static int serve_and_stop(const struct daemon *d, int ready, struct error *err)
{
	int r = serve(d, ready, err);

	d->stop(d->ctx);
	return r;
}

/* Copy what the child says when it is ready. Its end before that is ours. */
static int wait_until_ready(pid_t child, int from, struct error *err)
{
	char line[DAEMON_URL_SIZE + 32];
	ssize_t n;
	int status;

	do
		n = read(from, line, sizeof(line));
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		if (fwrite(line, 1, (size_t)n, stdout) != (size_t)n)
			return error_errno(err, errno, "standard output");
		return EXIT_OK;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "wait");
	/* It has told why, on the standard error that we share. */
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

static int detach(const struct daemon *d, struct error *err)
{
	CLEANUP(closep) int from = -1;
	CLEANUP(closep) int to = -1;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "pipe");
	from = ends[0];
	to = ends[1];
	child = fork();
	if (child < 0)
		return error_errno(err, errno, "fork");
	if (child == 0) {
		(void)setsid();
		closep(&from);
		from = -1;
		return serve_and_stop(d, steal_fd(&to), err);
	}
	closep(&to);
	to = -1;
	return wait_until_ready(child, from, err);
}

int daemon_run(const struct daemon *d, struct error *err)
{
	return d->detach ? detach(d, err) : serve_and_stop(d, STDOUT_FILENO, err);
}

/* The server's process; 0: none runs. E_NOTFOUND: no such data folder. */
static int find_server(const char *data, pid_t *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(closep) int dir = -1;
	CLEANUP(closep) int lock = -1;
	struct error unused;
	long pid;
	int r = file_open_dir(AT_FDCWD, data, false, &dir, err);

	if (r < 0)
		return r;
	*out = 0;
	/* Who has the data folder open holds its lock: else the file is of one that died. */
	if (file_lock(dir, "lock", false, &lock, &unused) != E_BUSY)
		return 0;
	r = file_read(dir, PID_FILE, sizeof("2147483647\n"), &text, err);
	if (r < 0)
		return r == E_NOTFOUND
			       ? error_set(err, E_BUSY, "%s: in use, but not by a server", data)
			       : r;
	pid = strtol(text.data, NULL, 10);
	if (pid <= 1)
		return error_set(err, E_INVALID, "%s/" PID_FILE ": no process id", data);
	*out = (pid_t)pid;
	return 0;
}

int daemon_stop(const char *data, bool *stopped, struct error *err)
{
	CLEANUP(closep) int fd = -1;
	pid_t pid;
	struct pollfd p;
	int n, r = find_server(data, &pid, err);

	*stopped = false;
	if (r < 0 || !pid)
		return r;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return errno == ESRCH ? 0 : error_errno(err, errno, "process %ld", (long)pid);
	if (syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		return error_errno(err, errno, "process %ld", (long)pid);
	p = (struct pollfd){.fd = fd, .events = POLLIN};
	do
		n = poll(&p, 1, STOP_WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return error_set(err, E_BUSY, "process %ld does not end", (long)pid);
	*stopped = true;
	return 0;
}
