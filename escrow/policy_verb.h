/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs with which anybody tries a policy out: policy check, explain, facts. */
#ifndef ESCROW_POLICY_VERB_H
#define ESCROW_POLICY_VERB_H

#include "lib/base/cli.h"

struct policy_options {
	const char *facts; /* a file; NULL: nothing is known */
	bool whole;        /* every rule, not only those that matter */
};

extern const struct cli_option policy_options[];

/* `policy check FILE`: does it load? FILE may be the name of a shipped policy. */
int policy_check_run(const struct cli_call *call, struct error *err);

/*
 * `policy explain FILE [--facts FILE] [--whole]`: the answer and its reasons. A no or an
 * unknown is a result and no failure: the status is 0.
 */
int policy_explain_run(const struct cli_call *call, struct error *err);

/* `policy facts`: every fact with its type and meaning. */
int policy_facts_run(const struct cli_call *call, struct error *err);

#endif
