/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A golden case, perhaps spoilt: whatever the policy and the facts, the policy is
 * refused or decided; the reasons serialise, say the same as the answer and can be
 * told to people; and knowing less never turns a decided answer over.
 *
 * covers: policies/policy.c policies/decide.c policies/facts.c
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json/strict.h"
#include "policies/policy.h"

static void demand(bool is)
{
	if (!is)
		abort();
}

static enum answer decide(const struct policy *p, json_t *src)
{
	CLEANUP(facts_freep) struct facts *f = NULL;
	enum answer answer = ANSWER_NO;

	demand(facts_from_json(src, &f, NULL) == 0);
	demand(policy_decide(p, f, &answer, NULL, NULL) == 0);
	return answer;
}

static void forget_each(const struct policy *p, json_t *src, enum answer answer)
{
	for (const struct fact_info *fact = fact_table; fact->name; fact++) {
		CLEANUP(json_decrefp) json_t *less = NULL;

		if (!json_object_get(src, fact->name))
			continue;
		less = json_copy(src);
		demand(less && json_object_del(less, fact->name) == 0);
		enum answer without = decide(p, less);
		demand(without == answer || without == ANSWER_UNKNOWN);
	}
}

static void explain(const struct policy *p, const struct facts *f, enum answer answer)
{
	CLEANUP(json_decrefp) json_t *why = NULL, *again = NULL;
	CLEANUP(buf_clear) struct buf shown = {0}, whole = {0}, lacking = {0};
	CLEANUP(freep) char *text = NULL;
	enum answer got;

	demand(policy_decide(p, f, &got, &why, NULL) == 0 && got == answer);
	demand(strcmp(json_string_value(json_object_get(why, "answer")), answer_name(got)) == 0);
	text = json_dumps(why, JSON_COMPACT);
	demand(text && strict_parse(text, strlen(text), "reasons", &again, NULL) == 0);
	demand(json_equal(why, again));
	demand(policy_explain(again, true, &whole, NULL) == 0);
	demand(policy_explain(again, false, &shown, NULL) == 0 && shown.len <= whole.len);
	demand(policy_lacking(again, &lacking, NULL) == 0);
	demand((answer == ANSWER_YES) == (lacking.len == 0));
}

/* A tree that nobody made: told, or refused. */
static void tell_anything(const json_t *src)
{
	CLEANUP(buf_clear) struct buf text = {0};

	if (policy_explain(src, false, &text, NULL) == 0)
		demand(policy_lacking(src, &text, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *src = NULL;
	CLEANUP(policy_freep) struct policy *p = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	json_t *facts;

	if (size > POLICY_MAX || strict_parse(data, size, "case", &src, NULL) < 0)
		return 0;
	tell_anything(json_object_get(src, "why"));
	facts = json_object_get(src, "facts");
	if (policy_parse(json_object_get(src, "policy"), "policy", &p, NULL) < 0 ||
	    facts_from_json(facts, &f, NULL) < 0)
		return 0;
	enum answer answer = decide(p, facts);
	explain(p, f, answer);
	forget_each(p, facts, answer);
	return 0;
}
