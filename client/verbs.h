/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs - what bequest-client can do: each verb's options and its function
 *
 * The functions are as `run` of struct cli_verb wants them.
 */
#ifndef CLIENT_VERBS_H
#define CLIENT_VERBS_H

#include "client/check.h"
#include "lib/base/cli.h"

struct error;

/* What most verbs take. */
struct verb_options {
	const char *config;
	const char *from; /* a folder to read instead of the mirrors; NULL: the mirrors */
	bool yes;
};

struct init_options {
	const char *config, *root, *product, *installed, *hardware;
	struct cli_list urls;
};

extern const struct cli_option verb_config_options[]; /* --config */
extern const struct cli_option verb_look_options[];   /* and --from */
extern const struct cli_option verb_update_options[]; /* --config, --yes */
extern const struct cli_option verb_install_options[];
extern const struct cli_option verb_init_options[];

int verb_init(const struct cli_call *call, struct error *err);
int verb_status(const struct cli_call *call, struct error *err);
int verb_check(const struct cli_call *call, struct error *err);
int verb_update(const struct cli_call *call, struct error *err);
int verb_install(const struct cli_call *call, struct error *err);
int verb_handover_show(const struct cli_call *call, struct error *err);
int verb_handover_accept(const struct cli_call *call, struct error *err);
int verb_handover_refuse(const struct cli_call *call, struct error *err);
int verb_why(const struct cli_call *call, struct error *err);
int verb_confirm(const struct cli_call *call, struct error *err);
int verb_rollback(const struct cli_call *call, struct error *err);
int verb_restore(const struct cli_call *call, struct error *err);
int verb_history(const struct cli_call *call, struct error *err);
int verb_time_reset(const struct cli_call *call, struct error *err);

/* Tell which slot does what, as the verbs about booting do. */
MUSTCHECK int verb_print_slot(const struct cli_call *call, const struct device *d, const char *what,
			      enum slot s, struct error *err);

/*
 * Put on record how a verb ended: `r` is an E_ code or an exit status. Returns `r`,
 * or, if all else went well, why the record could not be written.
 */
MUSTCHECK int verb_end(struct device *d, const char *verb, int r, struct error *err);

#endif
