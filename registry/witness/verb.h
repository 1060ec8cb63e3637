/* SPDX-License-Identifier: Apache-2.0 */
/* witness: make one, say which logs it knows, run it. */
#ifndef REGISTRY_WITNESS_VERB_H
#define REGISTRY_WITNESS_VERB_H

#include "lib/base/cli.h"

struct error;

struct witness_options {
	const char *data, *listen, *name;
	bool init, show, detach;
	struct cli_list logs;
};
extern const struct cli_option witness_options[];

MUSTCHECK int witness_verb(const struct cli_call *call, struct error *err);

#endif
