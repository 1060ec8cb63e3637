/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/server.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "registry/http/api.h"
#include "registry/http/cork.h"
#include "registry/http/files.h"
#include "registry/http/git_http.h"
#include "registry/http/jobs.h"
#include "registry/http/metrics.h"
#include "registry/http/respond.h"
#include "registry/http/witness_http.h"

enum {
	CONNECTION_MEMORY = 8 * 1024, /* for headers; the default takes five times as much in all */
	SILENCE_S = 120,              /* a client that takes nothing of an answer */
	WRITERS = 4,                  /* job threads; writes are serialised in the core anyway */
	WRITES_WAITING = 256,
	GITS = 4,
	GITS_WAITING = 64,
	STOP_MS = 30000,
	STOP_STEP_MS = 20,
	SPARE_DESCRIPTORS = 256, /* of the process: for files, the database, children */
	THREADS_MAX = 64,
	CHECKPOINT_MAX = 64 * 1024,
};

/* Bodies held in memory, of all requests together. */
#define BODIES_MAX (UINT64_C(256) * 1024 * 1024)

struct server {
	struct MHD_Daemon *daemon;
	struct files *files;
	struct conns *conns;
	struct jobs *writes, *gits;
	struct registry *registry;
	struct witness *witness;
	int tree, work;
	struct metrics metrics;
	_Atomic uint64_t bodies; /* bytes of them in memory */
};

/* What *con_cls points to while a plain file is asked for: those need no state of their own. */
static const char file_request = 0;

/* And once its answer is under way with its header held back. */
static const char held_answer = 0;

static void mark(void **state, const char *what)
{
	memcpy(state, &what, sizeof(what));
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct conn *conn_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static const struct sockaddr *address_of(struct MHD_Connection *c)
{
	return MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

static void request_free(struct request *q)
{
	if (!q)
		return;
	api_abandon(q);
	(void)atomic_fetch_sub(&q->server->bodies, q->body.cap);
	buf_wipe(&q->body); /* it may have been a trustee's share */
	buf_clear(&q->text);
	json_decref(q->reply);
	closep(&q->fd);
	free(q);
}

static void finish(struct request *q, unsigned status)
{
	char took[24];

	metrics_count(&q->server->metrics, status);
	if (!q->route.writes && status < MHD_HTTP_INTERNAL_SERVER_ERROR)
		return;
	(void)snprintf(took, sizeof(took), "%" PRId64, now_ms() - q->began_ms);
	log_line(LOG_INFO, "request route=%s about=%s status=%u ms=%s%s%s",
		 route_name(q->route.kind), q->route.arg[0] ? q->route.arg : "-", status, took,
		 q->r < 0 ? " error=" : "", q->r < 0 ? q->err.text : "");
}

/* Answer with an error that has nothing to do with the registry. */
static enum MHD_Result refuse(struct request *q, unsigned status, int code, const char *why)
{
	q->r = error_set(&q->err, code, "%s", why);
	finish(q, status);
	return respond_error(q->connection, status, &q->err);
}

static uint64_t declared_length(struct MHD_Connection *c)
{
	const char *text =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	/* libmicrohttpd has refused what is no number of 64 bits. */
	return text ? strtoull(text, NULL, 10) : UINT64_MAX;
}

static bool is_upload(const struct request *q)
{
	return q->route.kind == ROUTE_BLOB_APPEND || q->route.kind == ROUTE_BLOB_PUT;
}

static bool is_git(const struct request *q)
{
	return q->route.kind == ROUTE_GIT_ADVERTISE || q->route.kind == ROUTE_GIT_PACK;
}

static enum MHD_Result refuse_route(struct request *q)
{
	if (q->route.kind == ROUTE_NONE)
		return refuse(q, MHD_HTTP_NOT_FOUND, E_NOTFOUND, "no such call");
	return refuse(q, MHD_HTTP_METHOD_NOT_ALLOWED, E_INVALID, "not by this method");
}

/* Checks on the headers alone. Not 0: *result is the answer, and the body is not wanted. */
static bool refused_early(struct request *q, enum MHD_Result *result)
{
	struct server *s = q->server;
	struct error err = {0};
	unsigned status = 0;

	if (q->route.writes && !conns_may_write(s->conns, address_of(q->connection), q->began_ms)) {
		*result = refuse(q, MHD_HTTP_TOO_MANY_REQUESTS, E_BUSY,
				 "too many writes from this address");
		return true;
	}
	if (q->declared != UINT64_MAX && q->declared > q->route.body_max) {
		if (q->route.kind == ROUTE_NONE || q->route.kind == ROUTE_METHOD)
			*result = refuse_route(q);
		else
			*result = refuse(q, MHD_HTTP_CONTENT_TOO_LARGE, E_INVALID,
					 "the body is too large");
		return true;
	}
	if (!is_upload(q))
		return false;
	q->r = s->registry ? api_upload_begin(q, s->registry, &status, &err)
			   : error_set(&err, E_NOTFOUND, "no registry here, only its files");
	if (q->r == 0)
		return false;
	q->err = err;
	status = status ? status : respond_status(err.code);
	finish(q, status);
	*result = respond_error(q->connection, status, &q->err);
	return true;
}

static enum MHD_Result begin(struct server *s, struct MHD_Connection *c, const char *url,
			     const char *method, void **state)
{
	struct conn *k = conn_of(c);
	const char *service = NULL;
	enum MHD_Result result;
	struct request *q;
	struct route route;

	if (!k || !conn_request(k))
		return MHD_NO;
	if (route_is_info_refs(url))
		service = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "service");
	route = route_of(method, url, service);
	if (route.kind == ROUTE_FILE) {
		mark(state, &file_request);
		return MHD_YES;
	}
	q = calloc(1, sizeof(*q));
	if (!q)
		return MHD_NO;
	q->server = s;
	q->connection = c;
	q->route = route;
	q->fd = -1;
	q->began_ms = now_ms();
	q->declared = declared_length(c);
	*state = q;
	if (is_git(q))
		git_http_begin(q);
	if (refused_early(q, &result))
		return result;
	conn_body(k, q->began_ms);
	return MHD_YES;
}

/* Some of the body. What is too much is read and dropped, so that an answer can be given. */
static enum MHD_Result take(struct request *q, const char *data, size_t len)
{
	struct server *s = q->server;
	size_t before = q->body.cap;

	conn_received(conn_of(q->connection), len);
	(void)atomic_fetch_add_explicit(&s->metrics.received, len, memory_order_relaxed);
	q->received += len;
	if (is_upload(q)) {
		if (q->upload && q->r == 0)
			q->r = registry_blob_write(q->upload, data, len, &q->err);
		q->too_large = q->r == E_INVALID; /* its only reason */
		return MHD_YES;
	}
	if (q->too_large && q->received / 2 > q->route.body_max)
		return MHD_NO; /* it does not end */
	if (q->too_large || q->received > q->route.body_max ||
	    atomic_load(&s->bodies) > BODIES_MAX) {
		q->too_large = true;
		return MHD_YES;
	}
	if (buf_add(&q->body, data, len, &q->err) < 0)
		return MHD_NO;
	(void)atomic_fetch_add(&s->bodies, q->body.cap - before);
	return MHD_YES;
}

static void work(void *ctx)
{
	struct request *q = ctx;
	struct server *s = q->server;

	if (is_git(q))
		git_http_work(q, s->tree, s->work);
	else if (q->route.kind == ROUTE_WITNESS)
		witness_http_work(q, s->witness);
	else
		api_work(q, s->registry);
	q->worked = true;
	MHD_resume_connection(q->connection);
}

/* All of the body is here: to the job threads. */
static enum MHD_Result hand_over(struct request *q)
{
	struct server *s = q->server;
	struct jobs *jobs = is_git(q) ? s->gits : s->writes;

	if (q->too_large && !is_upload(q))
		return refuse(q, MHD_HTTP_CONTENT_TOO_LARGE, E_INVALID, "the body is too large");
	if (q->route.kind == ROUTE_WITNESS && !s->witness)
		return refuse(q, MHD_HTTP_NOT_FOUND, E_NOTFOUND, "no witness here");
	if (q->route.kind != ROUTE_WITNESS && !is_git(q) && !s->registry)
		return refuse(q, MHD_HTTP_NOT_FOUND, E_NOTFOUND,
			      "no registry here, only its files");
	if (!jobs_reserve(jobs))
		return refuse(q, MHD_HTTP_SERVICE_UNAVAILABLE, E_BUSY, "too much to do just now");
	MHD_suspend_connection(q->connection);
	jobs_put(jobs, work, q);
	return MHD_YES;
}

static enum MHD_Result answer(struct request *q)
{
	unsigned status = 0;
	enum MHD_Result ok;

	if (is_git(q))
		ok = git_http_answer(q, &status);
	else if (q->route.kind == ROUTE_WITNESS)
		ok = witness_http_answer(q, &status);
	else
		ok = api_answer(q, &status);

	if (q->route.kind == ROUTE_SUBMIT && q->r == 0)
		(void)atomic_fetch_add(&q->server->metrics.documents,
				       json_array_size(json_object_get(q->reply, "documents")));
	finish(q, status);
	return ok;
}

/* The second line of log/checkpoint; 0 if there is none. */
static uint64_t log_size(int tree)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};
	const char *line;

	if (file_read(tree, "log/checkpoint", CHECKPOINT_MAX, &text, &err) < 0)
		return 0;
	line = strchr(text.data, '\n');
	return line ? strtoull(line + 1, NULL, 10) : 0;
}

static enum MHD_Result answer_metrics(struct request *q)
{
	struct server *s = q->server;
	CLEANUP(buf_clear) struct buf text = {0};
	struct metrics_now now = {.now = utc_now(),
				  .connections = conns_count(s->conns),
				  .log_size = log_size(s->tree)};

	if (metrics_write(&s->metrics, &now, &text, &q->err) < 0)
		return MHD_NO;
	finish(q, MHD_HTTP_OK);
	return respond_text(q->connection, MHD_HTTP_OK, "text/plain; version=0.0.4", &text);
}

static enum MHD_Result answer_tus(struct request *q)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result ok = MHD_NO;

	if (!r)
		return MHD_NO;
	if (MHD_add_response_header(r, "Tus-Resumable", "1.0.0") &&
	    MHD_add_response_header(r, "Tus-Version", "1.0.0"))
		ok = MHD_queue_response(q->connection, MHD_HTTP_NO_CONTENT, r);
	MHD_destroy_response(r);
	finish(q, MHD_HTTP_NO_CONTENT);
	return ok;
}

static enum MHD_Result answer_or_hand_over(struct request *q)
{
	CLEANUP(buf_clear) struct buf text = {0};

	switch (q->route.kind) {
	case ROUTE_NONE:
	case ROUTE_METHOD: return refuse_route(q);
	case ROUTE_METRICS: return answer_metrics(q);
	case ROUTE_TUS: return answer_tus(q);
	case ROUTE_HEALTH:
		if (buf_puts(&text, "{\"ok\":true}", &q->err) < 0)
			return MHD_NO;
		finish(q, MHD_HTTP_OK);
		return respond_text(q->connection, MHD_HTTP_OK, "application/json", &text);
	default: return hand_over(q);
	}
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd dictates the parameters. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *len, void **state)
{
	struct server *s = cls;
	struct request *q = *state;

	(void)version;
	cork_forget();
	/* An answer in the first call would make it the connection's last. */
	if (!q)
		return begin(s, c, url, method, state);
	if (*state == (const void *)&file_request) {
		unsigned status = 0;
		enum MHD_Result ok;

		if (*len) /* a body with a GET */
			return MHD_NO;
		ok = files_answer(s->files, c, url, strcmp(method, MHD_HTTP_METHOD_HEAD) == 0,
				  &status);
		if (cork_holds())
			mark(state, &held_answer);
		metrics_count(&s->metrics, status);
		return ok;
	}
	if (*len) {
		enum MHD_Result ok = take(q, data, *len);

		*len = 0;
		return ok;
	}
	conn_answer(conn_of(c));
	return q->worked ? answer(q) : answer_or_hand_over(q);
}

static void completed(void *cls, struct MHD_Connection *c, void **state,
		      enum MHD_RequestTerminationCode how)
{
	struct conn *k = conn_of(c);

	(void)cls;
	(void)how;
	if (*state == (const void *)&held_answer)
		cork_release(
			MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
	else if (*state && *state != (const void *)&file_request)
		request_free(*state);
	*state = NULL;
	if (k)
		conn_idle(k, now_ms());
}

static enum MHD_Result accept_one(void *cls, const struct sockaddr *from, socklen_t len)
{
	struct server *s = cls;

	(void)len;
	if (conns_admit(s->conns, from))
		return MHD_YES;
	(void)atomic_fetch_add(&s->metrics.refused, 1);
	return MHD_NO;
}

static void connection(void *cls, struct MHD_Connection *c, void **state,
		       enum MHD_ConnectionNotificationCode what)
{
	struct server *s = cls;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

		*state = conns_add(s->conns, fd, address_of(c), now_ms());
	} else {
		conns_drop(s->conns, *state);
		*state = NULL;
	}
}

/* Escapes are for place_of(), which knows what they may not stand for. */
static size_t leave_escaped(void *cls, struct MHD_Connection *c, char *text)
{
	(void)cls;
	(void)c;
	return strlen(text);
}

/* As many descriptors as we may have; returns how many connections they allow. */
static unsigned descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return SPARE_DESCRIPTORS;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	(void)getrlimit(RLIMIT_NOFILE, &l);
	/* Each connection may have a file open as well. */
	if (l.rlim_cur / 2 <= SPARE_DESCRIPTORS)
		return SPARE_DESCRIPTORS;
	return l.rlim_cur / 2 > 100000 ? 100000 : (unsigned)(l.rlim_cur / 2 - SPARE_DESCRIPTORS);
}

static unsigned network_threads(unsigned wanted)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted == 0)
		wanted = cpus < 2 ? 2 : (unsigned)cpus;
	return wanted < THREADS_MAX ? wanted : THREADS_MAX;
}

int server_start(const struct server_options *o, struct server **out, struct error *err)
{
	CLEANUP(closep) int listener = o->listener;
	CLEANUP(server_stopp) struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_nomem(err);
	s->tree = o->tree;
	s->work = o->work;
	s->registry = o->registry;
	s->witness = o->witness;
	s->metrics.started = utc_now();
	r = files_new(o->tree, &s->files, err);
	if (r == 0)
		r = conns_new(&o->limits, &s->conns, err);
	if (r == 0)
		r = jobs_new(WRITERS, WRITES_WAITING, &s->writes, err);
	if (r == 0)
		r = jobs_new(GITS, GITS_WAITING, &s->gits, err);
	if (r < 0)
		return r;
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, accept_one, s, handle,
		s, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_THREAD_POOL_SIZE,
		network_threads(o->threads), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
		o->connections ? o->connections : descriptors(), MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)SILENCE_S, MHD_OPTION_NOTIFY_COMPLETED, completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, connection, s, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escaped, s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!s->daemon)
		return error_errno(err, errno, "HTTP server");
	(void)steal_fd(&listener); /* the daemon has it */
	*out = steal(s);
	return 0;
}

void server_sweep(struct server *s)
{
	unsigned n = conns_sweep(s->conns, now_ms());

	if (n)
		(void)atomic_fetch_add(&s->metrics.timeouts, n);
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	if (s->daemon) {
		int listener = MHD_quiesce_daemon(s->daemon);
		int64_t until = now_ms() + STOP_MS;
		struct timespec step = {0, STOP_STEP_MS * 1000000L};

		closep(&listener);
		while (conns_busy(s->conns) && now_ms() < until)
			(void)nanosleep(&step, NULL);
	}
	/* libmicrohttpd may not be stopped while a connection is suspended. */
	if (s->writes)
		jobs_close(s->writes);
	if (s->gits)
		jobs_close(s->gits);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	jobs_free(s->writes);
	jobs_free(s->gits);
	conns_free(s->conns);
	files_free(s->files);
	free(s);
}
