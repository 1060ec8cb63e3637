/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/serve_verb.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "registry/http/listen.h"
#include "registry/http/server.h"
#include "registry/open/open.h"
#include "registry/registry.h"

#define PID_FILE "serve.pid"
#define LOG_FILE "serve.log"
#define WORK "work" /* for what is spooled, below the data folder */

enum {
	TICK_MS = 250, /* the log is batched at least this often */
	SWEEP_TICKS = 4,
	OPEN_MS = 500,
	OPEN_AFTER_FAILURE = 120, /* times OPEN_MS */
	STOP_WAIT_MS = 60000,
	URL_MAX = 64,
};

const struct cli_option serve_options[] = {
	CLI_NEED(struct serve_options, data, CLI_TEXT, "data", "DIR", "the data folder"),
	CLI_OPT(struct serve_options, listen, CLI_TEXT, "listen", "ADDRESS:PORT",
		"where to listen (127.0.0.1:8080); port 0: any"),
	CLI_OPT(struct serve_options, detach, CLI_FLAG, "detach", NULL,
		"go on in the background, logging to DIR/serve.log"),
	CLI_RANGE(struct serve_options, threads, 1, 64, "threads", "N",
		  "network threads (one for each CPU)"),
	CLI_RANGE(struct serve_options, connections, 1, 100000, "connections", "N",
		  "connections at most"),
	CLI_RANGE(struct serve_options, per_address, 1, 100000, "per-address", "N",
		  "connections of one address at most, loopback excepted (512)"),
	{0},
};

const struct cli_option stop_options[] = {
	CLI_NEED(struct stop_options, data, CLI_TEXT, "data", "DIR", "the data folder"),
	{0},
};

/* Everything that runs while we serve. */
struct service {
	struct registry *registry;
	struct server *server;
	int work;
	atomic_bool stopping;
	pthread_t timer, opener;
	bool has_timer, has_opener;
};

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

/* Renewals and the log's batches, and clients that are late. */
static void *run_timer(void *arg)
{
	struct service *s = arg;
	bool complained = false;

	for (unsigned n = 1; !atomic_load(&s->stopping); n++) {
		struct error err = {0};
		int r = registry_tick(s->registry, utc_now(), &err);

		if (r < 0 && !complained)
			log_line(LOG_ERROR, "tick error=%s", err.text);
		complained = r < 0;
		if (n % SWEEP_TICKS == 0)
			server_sweep(s->server);
		pause_ms(TICK_MS);
	}
	return NULL;
}

/* Deposits whose shares are here. What fails is tried again, but not at once. */
static void *run_opener(void *arg)
{
	struct service *s = arg;
	unsigned wait = 0;

	while (!atomic_load(&s->stopping)) {
		struct error err = {0};
		size_t failed = 0;

		if (!wait) {
			int r = open_pending(s->registry, &s->stopping, &failed, &err);

			if (r < 0)
				log_line(LOG_ERROR, "open error=%s", err.text);
			wait = r < 0 || failed ? OPEN_AFTER_FAILURE : 0;
		} else {
			wait--;
		}
		pause_ms(OPEN_MS);
	}
	return NULL;
}

static void service_stop(struct service *s)
{
	atomic_store(&s->stopping, true);
	/* It sweeps the server, so it ends first. */
	if (s->has_timer)
		(void)pthread_join(s->timer, NULL);
	server_stop(s->server);
	if (s->has_opener)
		(void)pthread_join(s->opener, NULL);
	registry_close(s->registry);
	closep(&s->work);
}

static int start_threads(struct service *s, struct error *err)
{
	int why = pthread_create(&s->timer, NULL, run_timer, s);

	s->has_timer = why == 0;
	if (why == 0)
		why = pthread_create(&s->opener, NULL, run_opener, s);
	s->has_opener = s->has_timer && why == 0;
	return why ? error_errno(err, why, "thread") : 0;
}

static int service_start(struct service *s, const struct serve_options *o, char url[URL_MAX],
			 struct error *err)
{
	const char *address = o->listen ? o->listen : "127.0.0.1:8080";
	struct server_options so = {.listener = -1,
				    .threads = (unsigned)o->threads,
				    .connections = (unsigned)o->connections,
				    .limits = conns_defaults};
	unsigned port = 0;
	int r = registry_open(o->data, &s->registry, err);

	if (r == 0)
		r = file_mkdir(registry_data_dir(s->registry), WORK, 0700, err);
	if (r == 0)
		r = file_open_dir(registry_data_dir(s->registry), WORK, false, &s->work, err);
	if (r == 0)
		r = listen_on(address, &so.listener, &port, err);
	if (r < 0)
		return r;
	if (o->per_address)
		so.limits.per_address = (unsigned)o->per_address;
	so.tree = registry_public_dir(s->registry);
	so.work = s->work;
	so.registry = s->registry;
	r = server_start(&so, &s->server, err);
	if (r == 0)
		r = start_threads(s, err);
	(void)snprintf(url, URL_MAX, "http://%.*s:%u",
		       address[0] == ':' ? 9 : (int)(strrchr(address, ':') - address),
		       address[0] == ':' ? "127.0.0.1" : address, port);
	return r;
}

static void say_ready(const char *url, bool json, int fd)
{
	char line[URL_MAX + 32];
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
static int serve(const struct serve_options *o, bool json, int ready, struct error *err)
{
	CLEANUP(service_stop) struct service s = {.work = -1};
	char url[URL_MAX], pid[24];
	int r, n, data;

	block_signals();
	r = service_start(&s, o, url, err);
	if (r < 0)
		return r;
	data = registry_data_dir(s.registry);
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	r = file_write(data, PID_FILE, pid, (size_t)n, 0644, err);
	if (r == 0 && o->detach)
		r = to_log(data, err);
	if (r < 0)
		return r;
	say_ready(url, json, ready);
	if (o->detach)
		closep(&ready);
	log_line(LOG_INFO, "serve url=%s pid=%ld", url, (long)getpid());
	wait_for_signal();
	log_line(LOG_INFO, "stop pid=%ld", (long)getpid());
	return file_remove(data, PID_FILE, err);
}

/* Copy what the child says when it is ready. Its end before that is ours. */
static int wait_until_ready(pid_t child, int from, struct error *err)
{
	char line[URL_MAX + 32];
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

static int detach(const struct serve_options *o, bool json, struct error *err)
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
		return serve(o, json, steal_fd(&to), err);
	}
	closep(&to);
	to = -1;
	return wait_until_ready(child, from, err);
}

int serve_verb(const struct cli_call *call, struct error *err)
{
	const struct serve_options *o = call->opt;

	if (o->detach)
		return detach(o, call->json, err);
	return serve(o, call->json, STDOUT_FILENO, err);
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

int stop_verb(const struct cli_call *call, struct error *err)
{
	const struct stop_options *o = call->opt;
	CLEANUP(closep) int fd = -1;
	pid_t pid;
	struct pollfd p;
	int n, r = find_server(o->data, &pid, err);

	if (r < 0)
		return r;
	if (pid) {
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (fd < 0 && errno != ESRCH)
			return error_errno(err, errno, "process %ld", (long)pid);
	}
	if (fd >= 0) {
		if (syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
			return error_errno(err, errno, "process %ld", (long)pid);
		p = (struct pollfd){.fd = fd, .events = POLLIN};
		do
			n = poll(&p, 1, STOP_WAIT_MS);
		while (n < 0 && errno == EINTR);
		if (n != 1)
			return error_set(err, E_BUSY, "process %ld does not end", (long)pid);
	}
	(void)printf(call->json ? "{\"ok\": true, \"stopped\": %s}\n" : "%s\n",
		     call->json ? (fd >= 0 ? "true" : "false")
				: (fd >= 0 ? "stopped" : "no server runs"));
	return 0;
}
