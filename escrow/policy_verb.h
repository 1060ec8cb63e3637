/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs with which anybody tries out policies and documents of their own, without a registry. */
#ifndef ESCROW_POLICY_VERB_H
#define ESCROW_POLICY_VERB_H

#include "lib/base/cli.h"

struct policy_options {
	const char *facts; /* a file; NULL: nothing is known */
	bool whole;        /* every rule, not only those that matter */
};

extern const struct cli_option policy_options[];

/* `policy check FILE...`: do they load? FILE may be the name of a shipped policy. */
int policy_check_run(const struct cli_call *call, struct error *err);

/*
 * `policy explain FILE [--facts FILE] [--whole]`: the answer and its reasons. A no or an
 * unknown is a result and no failure: the status is 0.
 */
int policy_explain_run(const struct cli_call *call, struct error *err);

/* `policy list`: the names and titles of what is shipped; `policy show NAME`: its text. */
int policy_list_run(const struct cli_call *call, struct error *err);
int policy_show_run(const struct cli_call *call, struct error *err);

/*
 * `statement check FILE...`: has each the form of its type? Whether it counts, nobody is asked:
 * that takes roots, trustees and a log.
 */
int statement_check_run(const struct cli_call *call, struct error *err);

/* `policy facts`: every fact with its type and meaning. */
int policy_facts_run(const struct cli_call *call, struct error *err);

#endif
