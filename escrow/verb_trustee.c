/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/known.h"
#include "escrow/matter.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/sign/signer_spec.h"

enum { VERSION_MAX = 1000000 };

struct options {
	struct common common;
	const char *deposit, *notice; /* approve, refuse */
	const char *ground;           /* notice */
	struct cli_list ids, files;   /* notice */
	int64_t version;
};

#define OPT_TRUSTEE \
	OPT_PRODUCT(struct options, CLI_NEED), OPT_REGISTRY(struct options, CLI_NEED), \
		OPT_ALLOW_HTTP(struct options), OPT_ROOT(struct options, CLI_OPT), \
		CLI_OPT(struct options, deposit, CLI_TEXT, "deposit", "ID", \
			"the deposit (the newest)"), \
		CLI_RANGE(struct options, version, 1, VERSION_MAX, "version", "N", \
			  "of this statement (the registry's next)"), \
		OPT_KEYS(struct options, CLI_NEED), OPT_HOME(struct options), \
		OPT_OUT(struct options, CLI_OPT, "write it instead of sending it")

static const struct cli_option vote_options[] = {
	OPT_TRUSTEE,
	CLI_OPT(struct options, notice, CLI_TEXT, "notice", "ID",
		"the notice it is about (the vendor's end of life)"),
	{0},
};

static const struct cli_option notice_options[] = {
	OPT_TRUSTEE,
	CLI_NEED(struct options, ground, CLI_TEXT, "ground", "WORD",
		 "silence, support-ended, insolvency or order"),
	CLI_OPT(struct options, ids, CLI_LIST, "evidence", "ID",
		"a logged document that shows it; may repeat"),
	CLI_OPT(struct options, files, CLI_LIST, "evidence-file", "SHA256=URL",
		"a file that shows it, and where it is; may repeat"),
	{0},
};

/* What a trustee's statement starts from. */
struct work {
	const struct cli_call *call;
	const struct options *o;
	struct desk desk;
	struct view view;
	struct matter matter;
	struct signer *signer; /* the trustee's */
};

static void work_clear(struct work *w)
{
	signer_free(w->signer);
	matter_clear(&w->matter);
	view_close(&w->view);
	desk_close(&w->desk);
}

static int work_open(struct work *w, struct error *err)
{
	int r = desk_open(&w->o->common, &w->desk, err);

	if (r == 0)
		r = view_open(&w->desk, &w->o->common, &w->view, err);
	return r < 0 ? r : matter_open(&w->view, w->o->deposit, &w->matter, err);
}

static int open_signer(struct work *w, struct error *err)
{
	const struct common *c = &w->o->common;

	if (c->keys.n != 1)
		return error_set(err, E_USAGE, "--key: want one, the trustee's");
	return signer_open_spec(c->keys.items[0], c->gnupg_home, &w->signer, err);
}

/* Who has a share has a GnuPG home. */
static int meet(const struct work *w, struct error *err)
{
	const struct common *c = &w->o->common;

	if (strncmp(c->keys.items[0], "pem:", strlen("pem:")) == 0)
		return 0;
	return known_meet(c->gnupg_home, c->product, envelope_id(w->view.roots[0]->doc), err);
}

/*
 * _type … issued, trustee, deposit, bridge. Without the trustee two that say the same
 * in the same second would be one document, and one of them would have said nothing.
 */
static int begin(struct work *w, enum statement_type type, json_t **out, struct error *err)
{
	int64_t version = w->o->version ? w->o->version : view_next_version(&w->view, type);
	CLEANUP(json_decrefp) json_t *doc = NULL;
	int r = open_signer(w, err);

	if (r == 0)
		r = meet(w, err);
	if (r == 0)
		r = desk_statement(type, w->o->common.product, version, NULL, &doc, err);
	if (r == 0)
		r = json_put(doc, "trustee", json_string(key_id(signer_key(w->signer))), err);
	if (r == 0)
		r = json_put(doc, "deposit", json_string(envelope_id(w->matter.doc)), err);
	if (r == 0)
		r = json_put(doc, "bridge", json_string(w->matter.deposit.bridge), err);
	if (r < 0)
		return r;
	*out = steal(doc);
	return 0;
}

/* Sign; what no trustee signed would only be refused elsewhere, less clearly. */
static int finish(const struct work *w, json_t *signed_take, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct common rest = w->o->common;
	struct statement s;
	int r = envelope_new(signed_take, &doc, err);

	if (r == 0)
		r = desk_usage(statement_read(doc, "statement", &s, err), err);
	if (r == 0)
		r = signer_sign_envelope(w->signer, doc, err);
	if (r < 0)
		return r;
	if (!deposit_signer(&w->matter.deposit, doc))
		return error_set(err, E_USAGE, "--key: not a trustee of deposit %s",
				 envelope_id(w->matter.doc));
	rest.keys.n = 0; /* signed already */
	return desk_finish(w->call, &rest, doc, err);
}

/* A line of what is signed for, from the document itself. */
static void show(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	if (!text)
		return;
	(void)printf("  %-22s ", key);
	log_escaped(stdout, text);
	(void)putchar('\n');
}

static void show_target(const struct work *w, const char *what, const struct envelope *doc)
{
	static const char *const keys[] = {"issued", "date",      "last_security_update",
					   "reason", "successor", "ground"};

	if (w->call->json)
		return;
	(void)printf("%s the release of deposit %s of %s, on this %s:\n", what,
		     envelope_id(w->matter.doc), w->o->common.product, envelope_type(doc));
	(void)printf("  %-22s %s\n", "id", envelope_id(doc));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		show(envelope_signed(doc), keys[i]);
}

/* The eol or the notice that a vote is about. */
static int find_target(const struct work *w, const struct envelope **out, struct error *err)
{
	const struct matter *m = &w->matter;

	if (!w->o->notice) {
		if (!m->eol)
			return error_set(err, E_NOTYET,
					 "deposit %s: no final end of life names its bridge; a "
					 "release without one needs --notice ID",
					 envelope_id(m->doc));
		*out = m->eol;
		return 0;
	}
	for (size_t i = 0; i < m->nnotices; i++)
		if (strcmp(envelope_id(m->notices[i]), w->o->notice) == 0) {
			*out = m->notices[i];
			return 0;
		}
	return error_set(err, E_NOTFOUND, "--notice %.80s: no trustee's notice of deposit %s",
			 w->o->notice, envelope_id(m->doc));
}

static int vote(const struct cli_call *call, enum statement_type type, const char *what,
		struct error *err)
{
	CLEANUP(work_clear) struct work w = {.call = call, .o = call->opt};
	CLEANUP(json_decrefp) json_t *doc = NULL;
	const struct envelope *target = NULL;
	int r = work_open(&w, err);

	if (r == 0)
		r = find_target(&w, &target, err);
	if (r == 0)
		r = begin(&w, type, &doc, err);
	if (r == 0)
		r = json_put(doc, w.o->notice ? "notice" : "eol", json_string(envelope_id(target)),
			     err);
	if (r < 0)
		return r;
	show_target(&w, what, target);
	return finish(&w, steal(doc), err);
}

static int run_approve(const struct cli_call *call, struct error *err)
{
	return vote(call, ST_APPROVAL, "approving", err);
}

static int run_refuse(const struct cli_call *call, struct error *err)
{
	return vote(call, ST_REFUSAL, "refusing", err);
}

const struct cli_verb escrow_approve = {
	.name = "approve",
	.help = "approve a release, as a trustee; nothing is decrypted yet",
	.options = vote_options,
	.size = sizeof(struct options),
	.run = run_approve,
};

const struct cli_verb escrow_refuse = {
	.name = "refuse",
	.help = "refuse a release, or take my approval back",
	.options = vote_options,
	.size = sizeof(struct options),
	.run = run_refuse,
};

/* "<64 hex digits>=<where it is>" */
static int evidence_file(const char *spec, json_t **out, struct error *err)
{
	char digest[SHA256_HEX_SIZE];
	const char *equals = strchr(spec, '=');

	if (!equals || equals - spec != SHA256_HEX || !equals[1])
		return error_set(err, E_USAGE, "--evidence-file: want SHA256=URL, got %.80s", spec);
	memcpy(digest, spec, SHA256_HEX);
	digest[SHA256_HEX] = '\0';
	if (!hex_is(digest, SHA256_HEX))
		return error_set(err, E_USAGE, "--evidence-file: want %d hex digits, got %s",
				 SHA256_HEX, digest);
	*out = json_pack("{s:s, s:s}", "sha256", digest, "url", equals + 1);
	return *out ? 0 : error_nomem(err);
}

static int evidence(const struct options *o, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (size_t i = 0; i < o->ids.n; i++)
		if (json_array_append_new(list, json_pack("{s:s}", "id", o->ids.items[i])) < 0)
			return error_nomem(err);
	for (size_t i = 0; i < o->files.n; i++) {
		json_t *one;
		int r = evidence_file(o->files.items[i], &one, err);

		if (r < 0)
			return r;
		if (json_array_append_new(list, one) < 0)
			return error_nomem(err);
	}
	*out = steal(list);
	return *out ? 0 : error_nomem(err);
}

static int run_notice(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_clear) struct work w = {.call = call, .o = call->opt};
	CLEANUP(json_decrefp) json_t *doc = NULL;
	json_t *list = NULL;
	int r = work_open(&w, err);

	if (r == 0)
		r = begin(&w, ST_NOTICE, &doc, err);
	if (r == 0)
		r = json_put(doc, "ground", json_string(w.o->ground), err);
	if (r == 0)
		r = evidence(w.o, &list, err);
	if (r == 0)
		r = json_put(doc, "evidence", list, err);
	return r < 0 ? r : finish(&w, steal(doc), err);
}

const struct cli_verb escrow_notice = {
	.name = "notice",
	.help = "start a release without the vendor, naming ground and evidence",
	.options = notice_options,
	.size = sizeof(struct options),
	.run = run_notice,
};
