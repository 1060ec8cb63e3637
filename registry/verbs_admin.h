/* SPDX-License-Identifier: Apache-2.0 */
/* init, admit, status, witnesses, fsck: what an operator does by hand. */
#ifndef REGISTRY_VERBS_ADMIN_H
#define REGISTRY_VERBS_ADMIN_H

#include "lib/base/cli.h"

struct error;

struct init_options {
	const char *data, *name, *origin, *admission;
	struct cli_list witnesses;
	int64_t threshold;
};
struct witnesses_options {
	const char *data;
	struct cli_list add, drop;
	const char *threshold;
};
struct data_options {
	const char *data;
	bool repair; /* fsck */
};
extern const struct cli_option init_options[];
extern const struct cli_option data_options[];
extern const struct cli_option fsck_options[];
extern const struct cli_option witnesses_options[];

MUSTCHECK int admin_init(const struct cli_call *call, struct error *err);
/* What `admit` does: let a product be registered at the data folder; a service may be running. */
MUSTCHECK int admit_product(const char *data, const char *product, struct error *err);
MUSTCHECK int admin_admit(const struct cli_call *call, struct error *err);
MUSTCHECK int admin_status(const struct cli_call *call, struct error *err);
MUSTCHECK int admin_witnesses(const struct cli_call *call, struct error *err);
MUSTCHECK int admin_fsck(const struct cli_call *call, struct error *err);

#endif
