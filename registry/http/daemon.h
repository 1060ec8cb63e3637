/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon - a service from its start to the signal that ends it
 *
 * In front or detached; either way one line says where it listens, and
 * DIR/serve.pid names the process for the verb `stop`.
 */
#ifndef REGISTRY_HTTP_DAEMON_H
#define REGISTRY_HTTP_DAEMON_H

#include <stdbool.h>

#include "lib/base/compiler.h"

struct error;

enum { DAEMON_URL_SIZE = 320 };

struct daemon {
	void *ctx;
	/*
	 * Start, with SIGTERM and SIGINT blocked in all threads; *data is the
	 * descriptor of the data folder, which lives until stop().
	 */
	int (*start)(void *ctx, int *data, char url[DAEMON_URL_SIZE], struct error *err);
	/* End it all; called after a start that failed, too. */
	void (*stop)(void *ctx);
	bool detach, json;
};

/* Run until SIGTERM or SIGINT. Detached, the caller returns when it serves. */
MUSTCHECK int daemon_run(const struct daemon *d, struct error *err);

/* "http://127.0.0.1:8080" of what the command line says and the port it got. */
void daemon_url(const char *address, unsigned port, char url[DAEMON_URL_SIZE]);

/*
 * End the service of a data folder, and wait for it. *stopped: there was one.
 * E_NOTFOUND: no such folder. E_BUSY: it does not end, or something else has the folder.
 */
MUSTCHECK int daemon_stop(const char *data, bool *stopped, struct error *err);

#endif
