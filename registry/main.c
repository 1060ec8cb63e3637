/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-registry: the service that keeps products, deposits and the log. */
#include "registry/http/serve_verb.h"
#include "registry/monitor/verb.h"
#include "registry/verbs_admin.h"
#include "registry/witness/verb.h"

static const struct cli_verb verbs[] = {
	{.name = "init",
	 .help = "make a data folder: keys, database, an empty log",
	 .options = init_options,
	 .size = sizeof(struct init_options),
	 .run = admin_init},
	{.name = "serve",
	 .help = "serve the public tree and take documents",
	 .options = serve_options,
	 .size = sizeof(struct serve_options),
	 .run = serve_verb},
	{.name = "stop",
	 .help = "end a running service",
	 .options = stop_options,
	 .size = sizeof(struct stop_options),
	 .run = stop_verb},
	{.name = "admit",
	 .args = "PRODUCT",
	 .help = "let a product be registered (moderated admission)",
	 .options = data_options,
	 .size = sizeof(struct data_options),
	 .min_args = 1,
	 .max_args = 1,
	 .run = admin_admit},
	{.name = "status",
	 .help = "show what is here",
	 .options = data_options,
	 .size = sizeof(struct data_options),
	 .run = admin_status},
	{.name = "witnesses",
	 .help = "show or change who has to cosign the log",
	 .options = witnesses_options,
	 .size = sizeof(struct witnesses_options),
	 .run = admin_witnesses},
	{.name = "fsck",
	 .help = "recheck signatures, digests, the log and every blob",
	 .options = fsck_options,
	 .size = sizeof(struct data_options),
	 .run = admin_fsck},
	{.name = "witness",
	 .help = "cosign the checkpoints of other people's logs",
	 .options = witness_options,
	 .size = sizeof(struct witness_options),
	 .run = witness_verb},
	{.name = "monitor",
	 .help = "follow a registry from outside, and report what its products' people must know",
	 .options = monitor_options,
	 .size = sizeof(struct monitor_options),
	 .run = monitor_verb},
	{0},
};

int main(int argc, char *argv[])
{
	return cli_main("bequest-registry", verbs, argc, argv);
}
