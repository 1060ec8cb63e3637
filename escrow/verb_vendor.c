/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/openeox.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/json/texts.h"

enum { VERSION_MAX = 1000000 };

/* What every statement of a root's threshold starts from. */
struct start {
	struct desk desk;
	struct view view;
	struct tuf_root *file; /* owned; the root from --root when there is no registry */
	const struct tuf_root *root;
	int64_t version;
};

static void start_clear(struct start *s)
{
	view_close(&s->view);
	desk_close(&s->desk);
	tuf_root_free(s->file);
}

/* With a registry its newest root and next version; else --root and --version. */
static int start(const struct common *c, enum statement_type type, int64_t version,
		 struct start *out, struct error *err)
{
	int r;

	if (!c->registry) {
		if (!c->root)
			return error_set(err, E_USAGE, "want --registry URL, or --root FILE");
		r = desk_read_root(c->root, &out->file, err);
		out->root = out->file;
		out->version = version ? version : 1;
		return r;
	}
	r = desk_open(c, &out->desk, err);
	if (r == 0)
		r = view_open(&out->desk, c, &out->view, err);
	if (r < 0)
		return r;
	out->root = view_root(&out->view);
	out->version = version ? version : view_next_version(&out->view, type);
	return 0;
}

/* Read what was made here as everybody else will, before anybody signs it. */
static int finish(const struct cli_call *call, const struct common *c, json_t *signed_take,
		  struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct statement s;
	int r = envelope_new(signed_take, &doc, err);

	if (r == 0)
		r = desk_usage(statement_read(doc, "statement", &s, err), err);
	return r < 0 ? r : desk_finish(call, c, doc, err);
}

#define OPT_VERSION(type) \
	CLI_RANGE(type, version, 1, VERSION_MAX, "version", "N", \
		  "of this statement (the registry's next; 1 without one)")
#define OPT_STATEMENT(type) \
	OPT_PRODUCT(type, CLI_NEED), OPT_REGISTRY(type, CLI_OPT), OPT_ALLOW_HTTP(type), \
		OPT_ROOT(type, CLI_OPT), OPT_VERSION(type), OPT_KEYS(type, CLI_OPT), \
		OPT_HOME(type), \
		OPT_OUT(type, CLI_OPT, "write it, for others to sign, instead of sending it")

struct heartbeat_options {
	struct common common;
	int64_t version;
};

static const struct cli_option heartbeat_options[] = {
	OPT_STATEMENT(struct heartbeat_options),
	{0},
};

static int run_heartbeat(const struct cli_call *call, struct error *err)
{
	const struct heartbeat_options *o = call->opt;
	CLEANUP(start_clear) struct start s = {0};
	CLEANUP(json_decrefp) json_t *doc = NULL;
	int r = start(&o->common, ST_HEARTBEAT, o->version, &s, err);

	if (r == 0)
		r = desk_statement(ST_HEARTBEAT, o->common.product, s.version, s.root, &doc, err);
	return r < 0 ? r : finish(call, &o->common, steal(doc), err);
}

const struct cli_verb escrow_heartbeat = {
	.name = "heartbeat",
	.help = "say that the vendor is still here",
	.options = heartbeat_options,
	.size = sizeof(struct heartbeat_options),
	.run = run_heartbeat,
};

struct eol_options {
	struct common common;
	const char *date, *last_update, *openeox, *reason, *successor, *deposit, *bridge;
	struct cli_list vulnerabilities;
	int64_t version;
	bool release, not_final;
};

static const struct cli_option eol_options[] = {
	OPT_STATEMENT(struct eol_options),
	CLI_OPT(struct eol_options, date, CLI_TEXT, "date", "DATE", "when support ends"),
	CLI_OPT(struct eol_options, last_update, CLI_TEXT, "last-security-update", "DATE",
		"when holes were fixed for the last time"),
	CLI_OPT(struct eol_options, openeox, CLI_TEXT, "openeox", "FILE",
		"take both dates from an OpenEoX core"),
	CLI_OPT(struct eol_options, reason, CLI_TEXT, "reason", "TEXT", "why, for people"),
	CLI_OPT(struct eol_options, successor, CLI_TEXT, "successor", "TEXT",
		"what replaces it, for people"),
	CLI_OPT(struct eol_options, vulnerabilities, CLI_LIST, "vulnerability", "CVE",
		"a hole that stays open; may repeat"),
	CLI_OPT(struct eol_options, deposit, CLI_TEXT, "deposit", "ID",
		"whose bridge becomes the only next root (the newest)"),
	CLI_OPT(struct eol_options, bridge, CLI_TEXT, "bridge", "ID",
		"the bridge's id, when there is no registry to ask"),
	CLI_OPT(struct eol_options, not_final, CLI_FLAG, "announce-only", NULL,
		"a date, but not yet the end: names no bridge"),
	CLI_OPT(struct eol_options, release, CLI_FLAG, "release", NULL,
		"open the deposit without the trustees' approval"),
	{0},
};

static int put_texts(const struct eol_options *o, json_t *doc, struct error *err)
{
	const char *const texts[][2] = {{"reason", o->reason}, {"successor", o->successor}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		if (texts[i][1])
			r = json_put(doc, texts[i][0], json_string(texts[i][1]), err);
	if (r < 0 || !o->vulnerabilities.n)
		return r;
	return json_put(doc, "vulnerabilities",
			json_texts(o->vulnerabilities.items, o->vulnerabilities.n), err);
}

static int put_instant(json_t *doc, const char *key, int64_t at, struct error *err)
{
	char text[UTC_SIZE];

	utc_format(at, text);
	return json_put(doc, key, json_string(text), err);
}

/* The last day that is supported in any way; the last one with committed fixes. */
static int put_openeox(const struct eol_options *o, json_t *doc, struct error *err)
{
	CLEANUP(json_decrefp) json_t *src = NULL;
	struct openeox core = {.end_of_life = {.present = false}};
	int r = desk_read_json(o->openeox, &src, err);

	if (r == 0)
		r = desk_usage(openeox_read(src, o->openeox, &core, err), err);
	if (r < 0)
		return r;
	if (core.end_of_life.tba)
		return error_set(err, E_USAGE, "%s: end_of_life: want a date, to declare it",
				 o->openeox);
	r = put_instant(doc, "date", core.end_of_life.at, err);
	if (r < 0 || core.end_of_security_support.tba)
		return r;
	return put_instant(doc, "last_security_update", core.end_of_security_support.at, err);
}

static int put_dates(const struct eol_options *o, json_t *doc, struct error *err)
{
	char at[UTC_SIZE];
	int r;

	if (!o->date == !o->openeox || (o->openeox && o->last_update))
		return error_set(err, E_USAGE, "want --date DATE, or --openeox FILE alone");
	if (o->openeox)
		return put_openeox(o, doc, err);
	r = desk_time("date", o->date, at, err);

	if (r == 0)
		r = json_put(doc, "date", json_string(at), err);
	if (r < 0 || !o->last_update)
		return r;
	r = desk_time("last-security-update", o->last_update, at, err);
	return r < 0 ? r : json_put(doc, "last_security_update", json_string(at), err);
}

/* The bridge of the deposit that follows this very root. */
static int find_bridge(const struct eol_options *o, const struct start *s,
		       char out[SHA256_HEX_SIZE], struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(deposit_clear) struct deposit d = {0};
	int r;

	if (o->bridge) {
		if (!hex_is(o->bridge, SHA256_HEX))
			return error_set(err, E_USAGE, "--bridge: want %d hex digits", SHA256_HEX);
		memcpy(out, o->bridge, SHA256_HEX_SIZE);
		return 0;
	}
	if (!s->view.nroots)
		return error_set(err, E_USAGE, "want --bridge ID, or --registry URL to find it");
	r = view_deposit(&s->view, o->deposit, &doc, &d, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE,
				 "no deposit: the end without one leaves every device alone; "
				 "--announce-only says so");
	if (r < 0)
		return r;
	if (strcmp(d.follows_id, envelope_id(s->root->doc)) != 0)
		return error_set(err, E_USAGE,
				 "deposit %s: follows root %lld, and the product is at root %lld: "
				 "seal and deposit a new one first",
				 envelope_id(doc), (long long)d.follows_version,
				 (long long)s->root->version);
	memcpy(out, d.bridge, SHA256_HEX_SIZE);
	return 0;
}

static int put_final(const struct eol_options *o, const struct start *s, json_t *doc,
		     struct error *err)
{
	char bridge[SHA256_HEX_SIZE];
	int r;

	if (o->not_final)
		return o->release ? error_set(err, E_USAGE,
					      "--release: a mere announcement opens nothing")
				  : 0;
	r = find_bridge(o, s, bridge, err);
	if (r == 0)
		r = json_put(doc, "final",
			     json_pack("{s:s, s:s}", "root", envelope_id(s->root->doc), "bridge",
				       bridge),
			     err);
	return r < 0 ? r : json_put(doc, "release", json_boolean(o->release), err);
}

static int run_eol(const struct cli_call *call, struct error *err)
{
	const struct eol_options *o = call->opt;
	CLEANUP(start_clear) struct start s = {0};
	CLEANUP(json_decrefp) json_t *doc = NULL;
	int r = start(&o->common, ST_EOL, o->version, &s, err);

	if (r == 0)
		r = desk_statement(ST_EOL, o->common.product, s.version, s.root, &doc, err);
	if (r == 0)
		r = put_dates(o, doc, err);
	if (r == 0)
		r = put_texts(o, doc, err);
	if (r == 0)
		r = put_final(o, &s, doc, err);
	return r < 0 ? r : finish(call, &o->common, steal(doc), err);
}

const struct cli_verb escrow_eol = {
	.name = "eol",
	.help = "declare a product's end of life",
	.options = eol_options,
	.size = sizeof(struct eol_options),
	.run = run_eol,
};

struct object_options {
	struct common common;
	const char *notice, *reason, *support_until;
	int64_t version;
};

static const struct cli_option object_options[] = {
	OPT_STATEMENT(struct object_options),
	CLI_NEED(struct object_options, notice, CLI_TEXT, "notice", "ID",
		 "the notice, or the rotation, that is objected to"),
	CLI_NEED(struct object_options, reason, CLI_TEXT, "reason", "TEXT", "why, for people"),
	CLI_OPT(struct object_options, support_until, CLI_TEXT, "support-until", "DATE",
		"how long support goes on"),
	{0},
};

static int run_object(const struct cli_call *call, struct error *err)
{
	const struct object_options *o = call->opt;
	CLEANUP(start_clear) struct start s = {0};
	CLEANUP(json_decrefp) json_t *doc = NULL;
	char until[UTC_SIZE];
	int r = start(&o->common, ST_OBJECTION, o->version, &s, err);

	if (r == 0)
		r = desk_statement(ST_OBJECTION, o->common.product, s.version, s.root, &doc, err);
	if (r == 0)
		r = json_put(doc, "notice", json_string(o->notice), err);
	if (r == 0)
		r = json_put(doc, "reason", json_string(o->reason), err);
	if (r == 0 && o->support_until)
		r = desk_time("support-until", o->support_until, until, err);
	if (r == 0 && o->support_until)
		r = json_put(doc, "support_until", json_string(until), err);
	return r < 0 ? r : finish(call, &o->common, steal(doc), err);
}

const struct cli_verb escrow_object = {
	.name = "object",
	.help = "object to one notice of release, or to a rotation",
	.options = object_options,
	.size = sizeof(struct object_options),
	.run = run_object,
};
