/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/folder.h"
#include "escrow/rootdoc.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/tuf/repo.h"
#include "policies/publisher.h"

enum { PATH_SIZE = 256 };

struct countersign_options {
	struct common common;
	const char *deposit;
};

static const struct cli_option countersign_options[] = {
	OPT_KEYS(struct countersign_options, CLI_NEED),
	OPT_HOME(struct countersign_options),
	OPT_ROOT(struct countersign_options, CLI_OPT),
	OPT_PRODUCT(struct countersign_options, CLI_OPT),
	OPT_REGISTRY(struct countersign_options, CLI_OPT),
	OPT_ALLOW_HTTP(struct countersign_options),
	CLI_OPT(struct countersign_options, deposit, CLI_TEXT, "deposit", "ID",
		"the opened deposit (the newest)"),
	OPT_OUT(struct countersign_options, CLI_OPT, "where to write it (BRIDGE itself)"),
	{0},
};

/* The bridge that a registry published when it opened the deposit. */
static int fetch_bridge(const struct countersign_options *o, struct envelope **out,
			struct error *err)
{
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(envelope_freep) struct envelope *bridge = NULL;
	CLEANUP(deposit_clear) struct deposit deposit = {0};
	CLEANUP(buf_clear) struct buf text = {0};
	char path[PATH_SIZE];
	int r;

	if (!o->common.product || !o->common.registry || !o->common.out)
		return error_set(err, E_USAGE,
				 "want a BRIDGE file, or --product, --registry and --out");
	r = desk_open(&o->common, &d, err);
	if (r == 0)
		r = view_open(&d, &o->common, &v, err);
	if (r == 0)
		r = view_deposit(&v, o->deposit, &doc, &deposit, err);
	if (r != 0)
		return r;
	(void)snprintf(path, sizeof(path), "p/%s/deposits/%s/open/" FOLDER_BRIDGE,
		       o->common.product, envelope_id(doc));
	r = desk_get(&d, path, TUF_ROOT_MAX, &text, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTYET, "deposit %s: not open yet", envelope_id(doc));
	if (r == 0)
		r = envelope_parse(text.data, text.len, path, &bridge, err);
	if (r == 0 && strcmp(envelope_id(bridge), deposit.bridge) != 0)
		r = error_set(err, E_UNTRUSTED, "%s: want id %s, got %s", path, deposit.bridge,
			      envelope_id(bridge));
	if (r < 0)
		return r;
	*out = steal(bridge);
	return 0;
}

/* Signing a root that does not list my key would change nothing. */
static int check_steward(const struct envelope *doc, const struct tuf_root *bridge, size_t before,
			 struct error *err)
{
	const struct role_keys *stewards = &bridge->role[TUF_ROOT];

	if (envelope_count(doc, stewards, NULL) > before)
		return 0;
	return error_set(err, E_USAGE, "--key: not a steward of this root, or signed already");
}

static int run_countersign(const struct cli_call *call, struct error *err)
{
	const struct countersign_options *o = call->opt;
	const char *to = o->common.out ? o->common.out : call->nargs ? call->args[0] : NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *bridge = NULL;
	size_t have;
	int r = call->nargs ? desk_read_envelope(call->args[0], &doc, err)
			    : fetch_bridge(o, &doc, err);

	if (r == 0)
		r = rootdoc_check(doc, "bridge", &bridge, err);
	if (r != 0)
		return r;
	have = envelope_count(doc, &bridge->role[TUF_ROOT], NULL);
	r = desk_sign(&o->common, doc, err);
	if (r == 0)
		r = check_steward(doc, bridge, have, err);
	if (r == 0)
		r = desk_write(to, doc, err);
	if (r != 0)
		return r;
	have = envelope_count(doc, &bridge->role[TUF_ROOT], NULL);
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:I, s:I}", "ok", 1, "file", to, "id",
					    envelope_id(doc), "have", (json_int_t)have, "need",
					    (json_int_t)bridge->role[TUF_ROOT].threshold),
				  err);
	(void)printf("%s: root %lld, %zu of %lld stewards\n", to, (long long)bridge->version, have,
		     (long long)bridge->role[TUF_ROOT].threshold);
	return 0;
}

const struct cli_verb escrow_countersign = {
	.name = "countersign",
	.args = "[BRIDGE]",
	.help = "add my signature, a steward's, to the opened bridge root",
	.options = countersign_options,
	.size = sizeof(struct countersign_options),
	.max_args = 1,
	.run = run_countersign,
};

struct appoint_options {
	struct common common;
	const char *bridge, *publisher;
	struct cli_list maintainers;
	int64_t threshold;
	bool portable;
};

static const struct cli_option appoint_options[] = {
	OPT_PRODUCT(struct appoint_options, CLI_NEED),
	OPT_REGISTRY(struct appoint_options, CLI_NEED),
	OPT_ALLOW_HTTP(struct appoint_options),
	CLI_NEED(struct appoint_options, bridge, CLI_TEXT, "bridge", "FILE",
		 "the root it comes after: the bridge, or later the stewards' last"),
	CLI_NEED(struct appoint_options, maintainers, CLI_LIST, "maintainer", "FILE",
		 "a public key that is to sign updates; may repeat"),
	CLI_RANGE(struct appoint_options, threshold, 1, KEYS_MAX, "threshold", "K",
		  "how many of them sign an update (1)"),
	CLI_OPT(struct appoint_options, publisher, CLI_TEXT, "publisher", "ID",
		"to be sure: what the bridge calls the stewards"),
	OPT_PORTABLE(struct appoint_options),
	OPT_KEYS(struct appoint_options, CLI_OPT),
	OPT_HOME(struct appoint_options),
	{.name = "out",
	 .arg = "FILE",
	 .help = "the new root, for other stewards to sign",
	 .kind = CLI_TEXT,
	 .offset = offsetof(struct appoint_options, common.out),
	 .required = true},
	{0},
};

/* Only a bridge's online keys are nobody's: a later root keeps those that it has. */
static int renew_online(const struct appoint_options *o, const struct publisher *p,
			const struct desk *d, json_t *root, struct error *err)
{
	if (!p->bridge)
		return 0;
	(void)json_object_del(json_object_get(root, "x-bequest"), "bridge");
	return rootdoc_online(root, d, o->common.product, p->id, err);
}

static int make_next(const struct appoint_options *o, const struct tuf_root *bridge,
		     struct envelope **out, struct error *err)
{
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(json_decrefp) json_t *root = NULL;
	struct publisher p;
	int r = publisher_read(bridge, o->bridge, &p, err);

	if (r < 0)
		return r;
	if (o->publisher && strcmp(o->publisher, p.id) != 0)
		return error_set(err, E_USAGE,
				 "--publisher: want %s, as the bridge has it: another would be one "
				 "more change of publisher",
				 p.id);
	if (!bridge->product || strcmp(bridge->product, o->common.product) != 0)
		return error_set(err, E_USAGE, "%s: signed.product: want %s", o->bridge,
				 o->common.product);
	r = desk_open(&o->common, &d, err);
	if (r == 0)
		r = repo_signed_next(bridge->doc, utc_now(), TUF_ROOT_DAYS, &root, err);
	if (r == 0)
		r = renew_online(o, &p, &d, root, err);
	if (r == 0)
		r = rootdoc_role(root, TUF_TARGETS, &o->maintainers,
				 o->threshold ? o->threshold : 1, err);
	return r < 0 ? r : envelope_new(steal(root), out, err);
}

static int run_appoint(const struct cli_call *call, struct error *err)
{
	const struct appoint_options *o = call->opt;
	CLEANUP(tuf_root_freep) struct tuf_root *bridge = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *next = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	int r = desk_read_root(o->bridge, &bridge, err);

	if (r == 0)
		r = make_next(o, bridge, &doc, err);
	if (r == 0)
		r = rootdoc_check(doc, "the next root", &next, err);
	if (r == 0 && o->portable)
		r = rootdoc_portable(next, err);
	return r < 0 ? r : desk_finish(call, &o->common, doc, err);
}

const struct cli_verb escrow_appoint = {
	.name = "appoint",
	.help = "make the stewards' next root, which says who maintains the product",
	.options = appoint_options,
	.size = sizeof(struct appoint_options),
	.run = run_appoint,
};
