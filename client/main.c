/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tuf_verb.h"
#include "client/verbs.h"

#define LOOK .options = verb_look_options, .size = sizeof(struct verb_options)
#define COMMON .options = verb_config_options, .size = sizeof(struct verb_options)

static const struct cli_verb verbs[] = {
	{.name = "init",
	 .help = "trust the factory root; done once",
	 .options = verb_init_options,
	 .size = sizeof(struct init_options),
	 .run = verb_init},
	{.name = "status",
	 .help = "who is trusted, what runs, what waits",
	 COMMON,
	 .run = verb_status},
	{.name = "check", .help = "look for news, and install nothing", LOOK, .run = verb_check},
	{.name = "update",
	 .help = "look for news, and install what the policy allows",
	 .options = verb_update_options,
	 .size = sizeof(struct verb_options),
	 .run = verb_update},
	{.name = "install",
	 .help = "update from a folder, such as a memory stick",
	 .options = verb_install_options,
	 .size = sizeof(struct verb_options),
	 .run = verb_install},
	{.name = "handover show",
	 .help = "who offers to take over, and the evidence",
	 LOOK,
	 .run = verb_handover_show},
	{.name = "handover accept",
	 .help = "trust the new publisher that was shown",
	 LOOK,
	 .run = verb_handover_accept},
	{.name = "handover refuse",
	 .help = "stay with the present publisher",
	 COMMON,
	 .run = verb_handover_refuse},
	{.name = "why", .help = "the last decisions, rule by rule", COMMON, .run = verb_why},
	{.name = "confirm", .help = "what runs is well: keep it", COMMON, .run = verb_confirm},
	{.name = "rollback",
	 .help = "start the other slot from the next boot on",
	 COMMON,
	 .run = verb_rollback},
	{.name = "restore",
	 .help = "put the image that was kept back into the other slot",
	 COMMON,
	 .run = verb_restore},
	{.name = "history", .help = "what happened on this device", COMMON, .run = verb_history},
	{.name = "time reset",
	 .help = "forget what witnesses said of the time",
	 COMMON,
	 .run = verb_time_reset},
	{.name = "tuf",
	 .args = "init ROOT | refresh | download",
	 .help = "the bare TUF client, for anybody's repository",
	 .options = tuf_options,
	 .size = sizeof(struct tuf_args),
	 .min_args = 1,
	 .max_args = 2,
	 .one_failure = true,
	 .run = tuf_run},
	{0},
};

int main(int argc, char *argv[])
{
	return cli_main("bequest-client", verbs, argc, argv);
}
