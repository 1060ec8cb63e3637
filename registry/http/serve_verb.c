/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/serve_verb.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "registry/http/daemon.h"
#include "registry/http/listen.h"
#include "registry/http/server.h"
#include "registry/log/cosign.h"
#include "registry/open/open.h"
#include "registry/registry.h"

#define WORK "work" /* for what is spooled, below the data folder */

enum {
	TICK_MS = 250, /* the log is batched at least this often */
	SWEEP_TICKS = 4,
	OPEN_MS = 500,
	OPEN_AFTER_FAILURE = 120, /* times OPEN_MS */
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
	const struct serve_options *options; /* borrowed */
	struct registry *registry;
	struct cosign *cosign;
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

static void service_stop(void *ctx)
{
	struct service *s = ctx;

	atomic_store(&s->stopping, true);
	/* It sweeps the server, so it ends first. */
	if (s->has_timer)
		(void)pthread_join(s->timer, NULL);
	server_stop(s->server);
	if (s->has_opener)
		(void)pthread_join(s->opener, NULL);
	cosign_stop(s->cosign);
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

static int service_start(void *ctx, int *data, char url[DAEMON_URL_SIZE], struct error *err)
{
	struct service *s = ctx;
	const struct serve_options *o = s->options;
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
		r = cosign_start(s->registry, &s->cosign, err);
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
	*data = registry_data_dir(s->registry);
	daemon_url(address, port, url);
	return r;
}

int serve_verb(const struct cli_call *call, struct error *err)
{
	const struct serve_options *o = call->opt;
	struct service s = {.options = o, .work = -1};
	const struct daemon d = {&s, service_start, service_stop, o->detach, call->json};

	return daemon_run(&d, err);
}

int stop_verb(const struct cli_call *call, struct error *err)
{
	const struct stop_options *o = call->opt;
	bool stopped = false;
	int r = daemon_stop(o->data, &stopped, err);

	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:b}", "ok", 1, "stopped", stopped), err);
	(void)puts(stopped ? "stopped" : "no server runs");
	return 0;
}
