/* SPDX-License-Identifier: Apache-2.0 */
/* The verb `monitor`: follow any registry by HTTP and report. */
#ifndef REGISTRY_MONITOR_VERB_H
#define REGISTRY_MONITOR_VERB_H

#include "lib/base/cli.h"

struct error;

struct monitor_options {
	struct cli_list urls, checkpoints, products;
	const char *state, *vkey, *policy, *ca_file;
	int64_t every, seconds, leaves;
	int64_t warn_root, warn_targets, warn_snapshot, warn_timestamp, grace, remind;
	bool follow, all, allow_http;
};
extern const struct cli_option monitor_options[];

MUSTCHECK int monitor_verb(const struct cli_call *call, struct error *err);

#endif
