/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_verb - `bequest-registry serve` and `bequest-registry stop`
 */
#ifndef REGISTRY_HTTP_SERVE_VERB_H
#define REGISTRY_HTTP_SERVE_VERB_H

#include "lib/base/cli.h"

struct serve_options {
	const char *data, *listen;
	bool detach;
	int64_t threads, connections, per_address;
};

struct stop_options {
	const char *data;
};

extern const struct cli_option serve_options[], stop_options[];

/* Serve until SIGTERM or SIGINT. E_BUSY: another process serves this data folder. */
MUSTCHECK int serve_verb(const struct cli_call *call, struct error *err);

/* End the server of a data folder and wait until it is gone. None is there: nothing to do. */
MUSTCHECK int stop_verb(const struct cli_call *call, struct error *err);

#endif
