/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/policy_verb.h"
#include "escrow/verbs.h"

int main(int argc, char *argv[])
{
	const struct cli_verb verbs[] = {
		escrow_product_new,
		escrow_product_edit,
		escrow_root_sign,
		escrow_root_rotate,
		escrow_root_bridge,
		escrow_key_new,
		escrow_key_export,
		escrow_seal,
		escrow_lint,
		escrow_verify,
		escrow_submit,
		escrow_deposit,
		escrow_heartbeat,
		escrow_eol,
		escrow_object,
		escrow_inbox,
		escrow_notice,
		escrow_approve,
		escrow_refuse,
		escrow_share,
		escrow_open,
		escrow_status,
		escrow_countersign,
		escrow_appoint,
		{.name = "policy check",
		 .args = "FILE",
		 .help = "does a policy load? FILE may be the name of a shipped one",
		 .size = 0,
		 .min_args = 1,
		 .max_args = 1,
		 .run = policy_check_run},
		{.name = "policy explain",
		 .args = "FILE",
		 .help = "what a policy says of some facts, and why",
		 .options = policy_options,
		 .size = sizeof(struct policy_options),
		 .min_args = 1,
		 .max_args = 1,
		 .run = policy_explain_run},
		{.name = "policy facts",
		 .help = "every fact that a policy may ask about",
		 .run = policy_facts_run},
		{0},
	};

	return cli_main("bequest-escrow", verbs, argc, argv);
}
