/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/policy_verb.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/print.h"
#include "lib/json/strict.h"
#include "policies/policy.h"

const struct cli_option policy_options[] = {
	CLI_OPT(struct policy_options, facts, CLI_TEXT, "facts", "FILE",
		"what is known, as {\"eol.final\": true, ...}"),
	CLI_OPT(struct policy_options, whole, CLI_FLAG, "whole", NULL,
		"every rule, not only those that matter"),
	{0},
};

/* These are files that the person edits, so what is wrong with them is a usage error. */
static int own_file(struct error *err, int code)
{
	return code == E_INVALID || code == E_NOTFOUND ? error_prefix(err, E_USAGE, "policy")
						       : code;
}

static int read_json(const char *path, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = file_read(AT_FDCWD, path, POLICY_MAX, &text, err);

	return r < 0 ? r : strict_parse(text.data, text.len, path, out, err);
}

/* A file, or else the name of a shipped policy. */
static int load_policy(const char *name, struct policy **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *src = NULL;

	if (!file_exists(AT_FDCWD, name) && policy_shipped(name, out, NULL) == 0)
		return 0;
	int r = read_json(name, &src, err);
	if (r == 0)
		r = policy_parse(src, name, out, err);
	return r < 0 ? own_file(err, r) : 0;
}

static int load_facts(const char *path, struct facts **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *src = NULL;

	if (!path)
		return facts_new(out, err);
	int r = read_json(path, &src, err);
	if (r == 0) {
		r = facts_from_json(src, out, err);
		if (r < 0)
			r = error_prefix(err, r, "%s", path);
	}
	return r < 0 ? own_file(err, r) : 0;
}

int policy_check_run(const struct cli_call *call, struct error *err)
{
	CLEANUP(policy_freep) struct policy *p = NULL;
	int r = load_policy(call->args[0], &p, err);

	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s}", "ok", 1, "policy", policy_name(p)), err);
	(void)printf("%s: loads\n", policy_name(p));
	return 0;
}

int policy_explain_run(const struct cli_call *call, struct error *err)
{
	const struct policy_options *o = call->opt;
	CLEANUP(policy_freep) struct policy *p = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	CLEANUP(json_decrefp) json_t *why = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	enum answer answer = ANSWER_UNKNOWN;

	int r = load_policy(call->args[0], &p, err);
	if (r == 0)
		r = load_facts(o->facts, &f, err);
	if (r == 0)
		r = policy_decide(p, f, &answer, &why, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:O}", "ok", 1, "policy",
					    policy_name(p), "answer", answer_name(answer), "why",
					    why),
				  err);
	r = policy_explain(why, o->whole, &text, err);
	if (r == 0)
		(void)printf("%s: %s\n%s", policy_name(p), answer_name(answer), text.data);
	return r;
}

int policy_facts_run(const struct cli_call *call, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (const struct fact_info *fact = fact_table; fact->name; fact++) {
		const char *type = fact_type_name(fact->type);

		if (!call->json)
			(void)printf("%-24s %-8s %s\n", fact->name, type, fact->meaning);
		else if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name",
							       fact->name, "type", type, "meaning",
							       fact->meaning)) < 0)
			return error_nomem(err);
	}
	return call->json ? json_print(json_pack("{s:b, s:O}", "ok", 1, "facts", list), err) : 0;
}
