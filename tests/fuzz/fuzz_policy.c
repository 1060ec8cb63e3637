/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A golden case: whatever the policy and the facts, it is refused or decided, and explained.
 *
 * covers: policies/policy.c policies/decide.c policies/facts.c
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "lib/json/strict.h"
#include "policies/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *src = NULL;
	CLEANUP(json_decrefp) json_t *why = NULL;
	CLEANUP(policy_freep) struct policy *p = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	enum answer answer, quick;

	if (size > POLICY_MAX || strict_parse(data, size, "case", &src, NULL) < 0 ||
	    policy_parse(json_object_get(src, "policy"), "policy", &p, NULL) < 0 ||
	    facts_from_json(json_object_get(src, "facts"), &f, NULL) < 0)
		return 0;
	if (policy_decide(p, f, &answer, &why, NULL) < 0 ||
	    policy_decide(p, f, &quick, NULL, NULL) < 0 || answer != quick ||
	    policy_explain(why, false, &text, NULL) < 0)
		abort();
	return 0;
}
