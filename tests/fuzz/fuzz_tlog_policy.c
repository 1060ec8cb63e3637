/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is accepted has members before their groups, and needs that can be met.
 *
 * covers: lib/tlog/policy.c lib/tlog/lines.c
 */
#include <assert.h>

#include "lib/tlog/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;

	if (tlog_policy_parse(data, size, &p, NULL) < 0)
		return 0;
	for (size_t i = 0; i < p->nnodes; i++) {
		assert(p->nodes[i].need <= p->nodes[i].members);
		assert(p->nodes[i].parent == TLOG_POLICY_NODES_MAX || p->nodes[i].parent > i);
	}
	assert(p->quorum == TLOG_POLICY_NODES_MAX || p->quorum < p->nnodes);
	return 0;
}
