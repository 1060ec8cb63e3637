/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/witness/verb.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "registry/http/daemon.h"
#include "registry/http/listen.h"
#include "registry/http/server.h"
#include "registry/witness/witness.h"

enum {
	TICK_MS = 250,
	SWEEP_TICKS = 4, /* late clients and a changed file of logs are seen to each second */
	WRITES_A_MINUTE = 6000,
};

const struct cli_option witness_options[] = {
	CLI_NEED(struct witness_options, data, CLI_TEXT, "data", "DIR", "the witness's folder"),
	CLI_OPT(struct witness_options, listen, CLI_TEXT, "listen", "ADDRESS:PORT",
		"where to listen (127.0.0.1:8081); port 0: any"),
	CLI_OPT(struct witness_options, init, CLI_FLAG, "init", NULL,
		"make the folder with a new key, and end"),
	CLI_OPT(struct witness_options, name, CLI_TEXT, "name", "NAME",
		"with --init: the key's name, such as witness.example.org"),
	CLI_OPT(struct witness_options, logs, CLI_LIST, "log", "VKEY",
		"make this log known, and end; may repeat"),
	CLI_OPT(struct witness_options, show, CLI_FLAG, "show", NULL,
		"show the witness's key and what it cosigned last, and end"),
	CLI_OPT(struct witness_options, detach, CLI_FLAG, "detach", NULL,
		"go on in the background, logging to DIR/serve.log"),
	{0},
};

/* --- what there is ----------------------------------------------------------- */

static int add_log(void *ctx, const char *origin, uint64_t size, int64_t time, struct error *err)
{
	json_t *log = json_pack("{s:s, s:I, s:I}", "origin", origin, "size", (json_int_t)size,
				"time", (json_int_t)time);

	return json_array_append_new(ctx, log) < 0 ? error_nomem(err) : 0;
}

static void print_logs(const json_t *logs)
{
	const json_t *log;
	size_t i;

	json_array_foreach(logs, i, log)
	{
		char at[UTC_SIZE];
		int64_t time = json_integer_value(json_object_get(log, "time"));

		(void)fputs("log ", stdout);
		log_escaped(stdout, json_string_value(json_object_get(log, "origin")));
		utc_format(time, at);
		printf("  size %" JSON_INTEGER_FORMAT "%s%s\n",
		       json_integer_value(json_object_get(log, "size")), time ? ", " : "",
		       time ? at : "");
	}
}

static int show(const struct cli_call *call, const char *data, struct error *err)
{
	CLEANUP(witness_closep) struct witness *w = NULL;
	CLEANUP(json_decrefp) json_t *logs = json_array();
	CLEANUP(buf_clear) struct buf vkey = {0};
	int r = logs ? witness_open(data, false, &w, err) : error_nomem(err);

	if (r == 0)
		r = note_key_format(witness_key(w), &vkey, err);
	if (r == 0)
		r = witness_each_log(w, add_log, logs, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:O}", "ok", 1, "data", data, "vkey",
					    vkey.data, "logs", logs),
				  err);
	printf("%s\n", vkey.data);
	print_logs(logs);
	return 0;
}

/* --- running ------------------------------------------------------------------- */

struct service {
	const struct witness_options *options; /* borrowed */
	struct witness *witness;
	struct server *server;
	atomic_bool stopping;
	pthread_t timer;
	bool has_timer;
};

static void *run_timer(void *arg)
{
	const struct timespec tick = {0, TICK_MS * 1000000L};
	struct service *s = arg;
	bool complained = false;

	for (unsigned n = 1; !atomic_load(&s->stopping); n++) {
		struct error err = {0};

		(void)nanosleep(&tick, NULL);
		if (n % SWEEP_TICKS != 0)
			continue;
		server_sweep(s->server);
		int r = witness_reload(s->witness, &err);
		if (r < 0 && !complained)
			log_line(LOG_ERROR, "logs error=%s", err.text);
		complained = r < 0;
	}
	return NULL;
}

static void stop(void *ctx)
{
	struct service *s = ctx;

	atomic_store(&s->stopping, true);
	if (s->has_timer)
		(void)pthread_join(s->timer, NULL);
	server_stop(s->server);
	witness_close(s->witness);
}

static int start(void *ctx, int *data, char url[DAEMON_URL_SIZE], struct error *err)
{
	struct service *s = ctx;
	const char *address = s->options->listen ? s->options->listen : "127.0.0.1:8081";
	struct server_options so = {.listener = -1, .limits = conns_defaults};
	unsigned port = 0;
	int r = witness_open(s->options->data, true, &s->witness, err);

	if (r == 0)
		r = listen_on(address, &so.listener, &port, err);
	if (r < 0)
		return r;
	so.limits.writes = WRITES_A_MINUTE; /* each checkpoint of a log is one */
	so.tree = witness_public_dir(s->witness);
	so.work = -1;
	so.witness = s->witness;
	r = server_start(&so, &s->server, err);
	if (r == 0) {
		int why = pthread_create(&s->timer, NULL, run_timer, s);

		s->has_timer = why == 0;
		r = why ? error_errno(err, why, "thread") : 0;
	}
	if (r < 0)
		return r;
	*data = witness_data_dir(s->witness);
	daemon_url(address, port, url);
	return 0;
}

int witness_verb(const struct cli_call *call, struct error *err)
{
	const struct witness_options *o = call->opt;
	struct service s = {.options = o};
	const struct daemon d = {&s, start, stop, o->detach, call->json};
	int r = 0;

	if (o->init != (o->name != NULL))
		return error_set(err, E_USAGE, "--init, --name: want both or neither");
	if (o->init)
		r = witness_create(o->data, o->name, err);
	if (r == E_EXISTS)
		err->code = r = E_USAGE;
	for (size_t i = 0; r == 0 && i < o->logs.n; i++)
		r = witness_know(o->data, o->logs.items[i], err);
	if (r < 0)
		return r;
	if (o->init || o->logs.n || o->show)
		return show(call, o->data, err);
	return daemon_run(&d, err);
}
