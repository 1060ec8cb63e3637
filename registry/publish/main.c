/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/publish/verbs.h"

int main(int argc, char *argv[])
{
	const struct cli_verb verbs[] = {
		verb_checkout,      verb_add,  verb_remove, verb_delegate_add, verb_delegate_remove,
		verb_delegate_list, verb_bins, verb_sign,   verb_submit,       {0},
	};

	return cli_main("bequest-publish", verbs, argc, argv);
}
