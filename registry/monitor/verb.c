/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/monitor/verb.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/net/http.h"
#include "lib/net/url.h"
#include "policies/statement.h"
#include "registry/monitor/monitor.h"

enum {
	HOUR_S = 3600,
	EVENTS_A_REPORT = 1000, /* the rest comes with the next one */
	PATIENCE_S = 30,
	STALL_S = 20,
	EVERY_S = 300,
	LOOK_S = 3600,
	LEAVES_MAX_A_LOOK = 100000000,
};

#define OPT(member, kind, name, arg, help) \
	CLI_OPT(struct monitor_options, member, kind, name, arg, help)
#define RANGE(member, max, name, arg, help) \
	CLI_RANGE(struct monitor_options, member, 1, max, name, arg, help)

const struct cli_option monitor_options[] = {
	CLI_NEED(struct monitor_options, urls, CLI_LIST, "url", "URL",
		 "the registry; may be repeated for further vantage points"),
	OPT(checkpoints, CLI_LIST, "checkpoint", "URL",
	    "a checkpoint of the log to compare, such as a witness's; may be repeated"),
	CLI_NEED(struct monitor_options, state, CLI_TEXT, "state", "DIR",
		 "where to remember what was seen; made if it is not there"),
	OPT(products, CLI_LIST, "product", "ID", "only this product; may be repeated (all)"),
	OPT(vkey, CLI_TEXT, "vkey", "VKEY", "the log's key (as registry.json has it at first)"),
	OPT(policy, CLI_TEXT, "policy", "FILE",
	    "the log and the witnesses to ask for, as C2SP tlog-policy (registry.json's)"),
	OPT(follow, CLI_FLAG, "follow", NULL, "look again and again, until SIGTERM"),
	RANGE(every, 86400, "every", "SECONDS", "with --follow: between two looks (300)"),
	OPT(all, CLI_FLAG, "all", NULL, "report updates, heartbeats and rebuilds, too"),
	RANGE(warn_root, 3650, "warn-root", "DAYS", "before a root expires (60)"),
	RANGE(warn_targets, 3650, "warn-targets", "DAYS", "before targets expire (14)"),
	RANGE(warn_snapshot, 87600, "warn-snapshot", "HOURS", "before a snapshot expires (72)"),
	RANGE(warn_timestamp, 87600, "warn-timestamp", "HOURS", "before a timestamp expires (6)"),
	RANGE(grace, 31536000, "grace", "SECONDS",
	      "for what is logged or served, but not both yet (3600)"),
	RANGE(remind, 87600, "remind", "HOURS", "before a standing trouble is told again (24)"),
	RANGE(leaves, LEAVES_MAX_A_LOOK, "leaves", "N", "new leaves at most in one look (1000000)"),
	RANGE(seconds, 604800, "seconds", "N", "that one look may take (3600)"),
	OPT(allow_http, CLI_FLAG, "allow-http", NULL,
	    "let plain HTTP go beyond this machine: nothing that comes is believed anyway"),
	OPT(ca_file, CLI_TEXT, "ca-file", "FILE", "certificates for TLS (the system's)"),
	{0},
};

/* Everything that lives as long as the verb. */
struct session {
	const struct monitor_options *o;
	struct monitor m;
	struct memory *memory; /* owned, as the rest */
	struct tlog_policy *policy;
	struct http *http;
	int dir, lock;
	struct timespec end; /* of this look, by CLOCK_MONOTONIC */
	sigset_t signals;
	struct source {
		struct session *s;
		const char *url;
		bool bare; /* the URL is of the one file that there is */
	} source[VANTAGES_MAX];
};

static void session_clear(struct session *s)
{
	monitor_clear(&s->m);
	tlog_policy_free(s->policy);
	memory_close(s->memory);
	http_free(s->http);
	closep(&s->lock);
	closep(&s->dir);
}

/* --- reading ---------------------------------------------------------------------------- */

static bool told_to_stop(const struct session *s)
{
	sigset_t pending;

	if (!s->o->follow || sigpending(&pending) < 0)
		return false;
	return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

static int read_url(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct source *from = ctx;
	CLEANUP(freep) char *url = NULL;
	struct timespec now = {0};
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec >= from->s->end.tv_sec)
		return error_set(err, E_NET, "%s: this look has taken its time", path);
	if (told_to_stop(from->s))
		return error_set(err, E_SYS, "told to end");
	if (from->bare)
		return http_get(from->s->http, from->url, max, out, err);
	r = http_url(from->url, path, &url, err);
	return r < 0 ? r : http_get(from->s->http, url, max, out, err);
}

/* --- reporting -------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v ? v : "";
}

static void print_event(const json_t *e)
{
	const char *whose = text_of(e, *text_of(e, "product") ? "product" : "of");

	printf("%s %s %s ", text_of(e, "at"), text_of(e, "level"), text_of(e, "kind"));
	log_escaped(stdout, *whose ? whose : "log");
	(void)fputs(": ", stdout);
	log_escaped(stdout, text_of(e, "text"));
	(void)putchar('\n');
}

struct report {
	json_t *events; /* owned */
	bool alarm, more;
	char last[MEMORY_NAME_SIZE]; /* the last event that it has; "": none */
};

static void report_clear(struct report *r)
{
	json_decref(r->events);
}

/* What was not told yet, in order. */
static int collect(struct session *s, struct report *out, struct error *err)
{
	char name[MEMORY_NAME_SIZE] = "e/";
	size_t n = 0;
	int r;

	out->events = json_array();
	if (!out->events)
		return error_nomem(err);
	while ((r = memory_next(s->memory, "e/", name, err)) == 0) {
		CLEANUP(json_decrefp) json_t *e = NULL;

		if (n++ == EVENTS_A_REPORT) {
			out->more = true;
			return 0;
		}
		r = memory_get_json(s->memory, name, &e, err);
		if (r < 0)
			return r;
		out->alarm |= strcmp(text_of(e, "level"), level_name(LEVEL_ALARM)) == 0;
		if (json_array_append(out->events, e) < 0)
			return error_nomem(err);
		(void)snprintf(out->last, sizeof(out->last), "%s", name);
	}
	return r < 0 ? r : 0;
}

static int vantages(const struct session *s, json_t **out, struct error *err)
{
	json_t *list = json_array();
	int r = list ? 0 : error_nomem(err);

	for (size_t i = 0; r == 0 && i < s->m.n; i++) {
		const struct vantage *v = &s->m.vantage[i];
		char root[SHA256_HEX_SIZE];
		json_t *o;

		hex_encode(v->head.root.b, sizeof(v->head.root.b), root);
		o = v->reached ? json_pack("{s:s, s:I, s:s, s:b}", "url", v->url, "size",
					   (json_int_t)v->head.size, "root", root, "followed",
					   v == s->m.lead)
			       : json_pack("{s:s, s:n, s:n, s:b}", "url", v->url, "size", "root",
					   "followed", 0);
		if (json_array_append_new(list, o) < 0)
			r = error_nomem(err);
	}
	if (r < 0) {
		json_decref(list);
		return r;
	}
	*out = list;
	return 0;
}

static int print_json(struct session *s, const struct report *rep, json_t *standing, bool alarm,
		      struct error *err)
{
	CLEANUP(json_decrefp) json_t *log = NULL;
	CLEANUP(json_decrefp) json_t *seen = NULL;
	int r = memory_get_json(s->memory, "log", &log, err);

	if (r >= 0)
		r = vantages(s, &seen, err);
	if (r < 0)
		return r;
	return json_print(json_pack("{s:b, s:O?, s:O, s:O, s:O, s:b, s:b}", "ok", !alarm, "log",
				    log, "vantages", seen, "events", rep->events, "standing",
				    standing, "complete", !s->m.incomplete, "more", rep->more),
			  err);
}

struct told {
	struct session *s;
	const char *last;
};

static int drop_told(struct monitor *m, void *arg, struct error *err)
{
	const struct told *t = arg;
	char name[MEMORY_NAME_SIZE] = "e/";
	int r;

	while ((r = memory_next(m->memory, "e/", name, err)) == 0) {
		if (strcmp(name, t->last) > 0)
			return 0;
		r = memory_drop(m->memory, name, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

/* Tell what is new, then forget that it was. *status: what the process should say. */
static int report(struct session *s, bool json, int *status, struct error *err)
{
	CLEANUP(report_clear) struct report rep = {0};
	CLEANUP(json_decrefp) json_t *standing = NULL;
	struct told t = {s, rep.last};
	enum level worst = LEVEL_INFO;
	const json_t *e;
	bool alarm;
	size_t i;
	int r = memory_sync(s->memory, err);

	if (r == 0)
		r = collect(s, &rep, err);
	if (r == 0)
		r = monitor_standing(&s->m, &standing, &worst, err);
	if (r < 0)
		return r;
	alarm = rep.alarm || worst == LEVEL_ALARM;
	if (json) {
		r = print_json(s, &rep, standing, alarm, err);
		if (r < 0)
			return r;
	} else {
		json_array_foreach(rep.events, i, e) print_event(e);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_errno(err, errno, "standard output");
	*status = alarm ? EXIT_UNTRUSTED : s->m.incomplete || rep.more ? EXIT_RETRY : EXIT_OK;
	return rep.last[0] ? monitor_step(&s->m, drop_told, &t, err) : 0;
}

/* --- the verb --------------------------------------------------------------------------- */

static int64_t given_or(int64_t given, int64_t unit_s, int64_t otherwise)
{
	return given ? given * unit_s : otherwise;
}

static void set_limits(const struct monitor_options *o, struct monitor_limits *l)
{
	*l = monitor_defaults;
	l->root = given_or(o->warn_root, DAY_S, l->root);
	l->targets = given_or(o->warn_targets, DAY_S, l->targets);
	l->snapshot = given_or(o->warn_snapshot, HOUR_S, l->snapshot);
	l->timestamp = given_or(o->warn_timestamp, HOUR_S, l->timestamp);
	l->grace = given_or(o->grace, 1, l->grace);
	l->remind = given_or(o->remind, HOUR_S, l->remind);
	l->leaves = given_or(o->leaves, 1, l->leaves);
}

/* First those of whole trees. */
static const char *url_at(const struct monitor_options *o, size_t i)
{
	return i < o->urls.n ? o->urls.items[i] : o->checkpoints.items[i - o->urls.n];
}

static int check_options(const struct monitor_options *o, struct error *err)
{
	if (o->urls.n + o->checkpoints.n > VANTAGES_MAX)
		return error_set(err, E_USAGE, "--url, --checkpoint: want at most %d, got %zu",
				 VANTAGES_MAX, o->urls.n + o->checkpoints.n);
	for (size_t i = 0; i < o->urls.n + o->checkpoints.n; i++) {
		const char *url = url_at(o, i);

		if (!url_ok(url))
			return error_set(err, E_USAGE, "%s: want a URL of http, https or file",
					 url);
		for (size_t k = 0; k < i; k++)
			if (strcmp(url, url_at(o, k)) == 0)
				return error_set(err, E_USAGE, "%s: is given twice", url);
	}
	for (size_t i = 0; i < o->products.n; i++)
		if (!product_id_ok(o->products.items[i]))
			return error_set(err, E_USAGE, "--product: %s: is no product id",
					 o->products.items[i]);
	if (o->every && !o->follow)
		return error_set(err, E_USAGE, "--every: goes with --follow");
	return 0;
}

/* A file that the person edits. */
static int load_policy(struct session *s, const char *path, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r;

	if (!path)
		return 0;
	r = file_read(AT_FDCWD, path, TLOG_POLICY_MAX, &text, err);
	if (r == 0)
		r = tlog_policy_parse(text.data ? text.data : "", text.len, &s->policy, err);
	if (r == E_INVALID || r == E_NOTFOUND) {
		err->code = E_USAGE;
		return error_prefix(err, E_USAGE, "--policy: %s", path);
	}
	return r;
}

static int open_state(struct session *s, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = file_open_dir(AT_FDCWD, s->o->state, true, &s->dir, err);

	if (r == 0)
		r = file_lock(s->dir, "lock", false, &s->lock, err);
	if (r == 0)
		r = buf_printf(&path, err, "%s/monitor.db", s->o->state);
	return r < 0 ? r : memory_open(path.data, &s->memory, err);
}

static int open_session(struct session *s, const struct monitor_options *o, struct error *err)
{
	const struct http_options net = {.allow_plain = o->allow_http,
					 .ca_file = o->ca_file,
					 .stall_s = STALL_S,
					 .patience_s = PATIENCE_S};
	struct monitor *m = &s->m;
	int r = check_options(o, err);

	s->o = o;
	if (r == 0)
		r = load_policy(s, o->policy, err);
	if (r == 0)
		r = open_state(s, err);
	if (r == 0)
		r = http_new(&net, &s->http, err);
	if (r < 0)
		return r;
	m->memory = s->memory;
	m->dir = s->dir;
	m->products = o->products.n ? o->products.items : NULL;
	m->nproducts = o->products.n;
	m->all = o->all;
	m->vkey = o->vkey;
	m->policy = s->policy;
	set_limits(o, &m->limits);
	m->n = o->urls.n + o->checkpoints.n;
	for (size_t i = 0; i < m->n; i++) {
		s->source[i] = (struct source){s, url_at(o, i), i >= o->urls.n};
		m->vantage[i] = (struct vantage){.url = s->source[i].url,
						 .ctx = &s->source[i],
						 .read = read_url,
						 .bare = s->source[i].bare};
	}
	return 0;
}

/* Look once, and tell. What was found before a failure is told all the same. */
static int look(struct session *s, bool json, int *status, struct error *err)
{
	struct error later = {0};
	int r, told;

	s->m.now = utc_now();
	(void)clock_gettime(CLOCK_MONOTONIC, &s->end);
	s->end.tv_sec += (time_t)given_or(s->o->seconds, 1, LOOK_S);
	r = monitor_look(&s->m, err);
	if (r < 0 && json) /* the one object says why; the events come with the next report */
		return r;
	told = report(s, json, status, &later);
	if (r == 0 && told < 0)
		return error_set(err, told, "%s", later.text);
	return r;
}

/* Is this a failure that another look may not meet? */
static bool passing(int code)
{
	return code == E_NET || code == E_BUSY || code == E_INVALID || code == E_UNTRUSTED;
}

static int follow(struct session *s, bool json, struct error *err)
{
	const struct timespec pause = {.tv_sec = (time_t)given_or(s->o->every, 1, EVERY_S)};
	int status = EXIT_OK;

	for (;;) {
		struct error why = {0};
		int r = look(s, json, &status, &why);

		if (told_to_stop(s))
			return 0;
		if (r < 0 && !passing(r))
			return error_set(err, r, "%s", why.text);
		if (r < 0)
			log_line(LOG_WARNING, "look failed error=%s text=%s", error_name(r),
				 why.text);
		if (sigtimedwait(&s->signals, NULL, &pause) > 0)
			return 0;
	}
}

int monitor_verb(const struct cli_call *call, struct error *err)
{
	CLEANUP(freep) struct session *s = calloc(1, sizeof(*s));
	int status = EXIT_OK, r;

	if (!s)
		return error_nomem(err);
	s->dir = s->lock = -1;
	r = open_session(s, call->opt, err);
	if (r == 0 && s->o->follow) {
		(void)sigemptyset(&s->signals);
		(void)sigaddset(&s->signals, SIGTERM);
		(void)sigaddset(&s->signals, SIGINT);
		(void)sigprocmask(SIG_BLOCK, &s->signals, NULL);
		r = follow(s, call->json, err);
	} else if (r == 0) {
		r = look(s, call->json, &status, err);
	}
	session_clear(s);
	return r < 0 ? r : status;
}
