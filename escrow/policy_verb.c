/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/policy_verb.h"

#include <fcntl.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/print.h"
#include "lib/json/strict.h"
#include "policies/deposit.h"
#include "policies/policy.h"
#include "policies/shipped.h"

enum { NAME_SIZE = 65 }; /* of a policy, of a type of statement */

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

/* Look at one file; what it is goes to `name`. */
typedef int (*look_fn)(const char *path, char name[NAME_SIZE], struct error *err);

static int look_at_policy(const char *path, char name[NAME_SIZE], struct error *err)
{
	CLEANUP(policy_freep) struct policy *p = NULL;
	int r = load_policy(path, &p, err);

	if (r == 0)
		(void)snprintf(name, NAME_SIZE, "%s", policy_name(p));
	return r;
}

static int look_at_statement(const char *path, char name[NAME_SIZE], struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(deposit_clear) struct deposit d = {0};
	struct statement st;
	int r = desk_read_envelope(path, &doc, err);

	if (r == 0)
		r = strcmp(envelope_type(doc), statement_name(ST_DEPOSIT)) == 0
			    ? deposit_read(doc, path, &d, err)
			    : statement_read(doc, path, &st, err);
	if (r == 0)
		(void)snprintf(name, NAME_SIZE, "%s", envelope_type(doc));
	return desk_usage(r, err);
}

/* Of several all are looked at; the first that is wrong is the failure. */
static int look_at_all(const struct cli_call *call, look_fn look, const char *what,
		       const char *praise, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();
	struct error first = {0};

	for (size_t i = 0; i < call->nargs; i++) {
		struct error why = {0};
		char name[NAME_SIZE] = "";
		int r = look(call->args[i], name, &why);
		json_t *one = r < 0 ? json_pack("{s:b, s:s}", "ok", 0, "error", why.text)
				    : json_pack("{s:b, s:s}", "ok", 1, what, name);

		if (json_array_append_new(list, one) < 0)
			return error_nomem(err);
		if (r < 0 && !first.code)
			first = why;
		if (r == 0 && !call->json)
			(void)printf("%s: %s\n", name, praise);
	}
	if (call->json && call->nargs > 1) {
		int r = json_print(json_pack("{s:b, s:O}", "ok", !first.code, "files", list), err);

		return r < 0 || !first.code ? r : cli_exit_status(first.code);
	}
	if (first.code)
		return error_set(err, first.code, "%s", first.text);
	return call->json ? json_print(json_incref(json_array_get(list, 0)), err) : 0;
}

int policy_check_run(const struct cli_call *call, struct error *err)
{
	return look_at_all(call, look_at_policy, "policy", "loads", err);
}

int statement_check_run(const struct cli_call *call, struct error *err)
{
	return look_at_all(call, look_at_statement, "type", "well-formed", err);
}

int policy_list_run(const struct cli_call *call, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (const struct shipped *s = shipped; s->name; s++) {
		CLEANUP(json_decrefp) json_t *src = policy_shipped_json(s->name);
		const char *title = json_string_value(json_object_get(src, "title"));

		if (!title)
			return error_nomem(err);
		if (!call->json)
			(void)printf("%-20s %s\n", s->name, title);
		else if (json_array_append_new(list, json_pack("{s:s, s:s}", "name", s->name,
							       "title", title)) < 0)
			return error_nomem(err);
	}
	return call->json ? json_print(json_pack("{s:b, s:O}", "ok", 1, "policies", list), err) : 0;
}

int policy_show_run(const struct cli_call *call, struct error *err)
{
	for (const struct shipped *s = shipped; s->name; s++) {
		if (strcmp(s->name, call->args[0]) != 0)
			continue;
		if (call->json)
			return json_print(policy_shipped_json(s->name), err);
		(void)fputs(s->text, stdout);
		return 0;
	}
	return error_set(err, E_USAGE, "no policy \"%.80s\" is shipped: see `policy list`",
			 call->args[0]);
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
