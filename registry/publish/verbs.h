/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of bequest-publish; each file has its options and its function. */
#ifndef REGISTRY_PUBLISH_VERBS_H
#define REGISTRY_PUBLISH_VERBS_H

#include "lib/base/cli.h"

extern const struct cli_verb verb_checkout, verb_add, verb_remove, verb_delegate_add,
	verb_delegate_remove, verb_delegate_list, verb_bins, verb_sign, verb_submit;

#endif
