/* SPDX-License-Identifier: Apache-2.0 */
/* The root by which stewards pass a product on: to others like them, or back to a vendor. */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/rootdoc.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/tuf/repo.h"
#include "policies/publisher.h"

struct options {
	struct common common;
	const char *publisher, *publisher_name, *contact;
	struct cli_list root_keys, targets_keys;
	int64_t threshold, targets_threshold;
	bool portable;
};

static const struct cli_option options[] = {
	OPT_PRODUCT(struct options, CLI_NEED),
	OPT_REGISTRY(struct options, CLI_NEED),
	OPT_ALLOW_HTTP(struct options),
	OPT_ROOT(struct options, CLI_OPT),
	CLI_NEED(struct options, publisher, CLI_TEXT, "publisher", "ID", "what they are called"),
	CLI_NEED(struct options, publisher_name, CLI_TEXT, "publisher-name", "NAME",
		 "the same, for people"),
	CLI_OPT(struct options, contact, CLI_TEXT, "contact", "TEXT", "where to write to them"),
	CLI_NEED(struct options, root_keys, CLI_LIST, "root-key", "FILE",
		 "a public key that is to sign roots; may repeat"),
	CLI_RANGE(struct options, threshold, 1, KEYS_MAX, "threshold", "K",
		  "how many of them sign a root (1)"),
	CLI_NEED(struct options, targets_keys, CLI_LIST, "targets-key", "FILE",
		 "a public key that is to sign updates; may repeat"),
	CLI_RANGE(struct options, targets_threshold, 1, KEYS_MAX, "targets-threshold", "K",
		  "how many of them sign an update (1)"),
	OPT_PORTABLE(struct options),
	OPT_KEYS(struct options, CLI_OPT),
	OPT_HOME(struct options),
	OPT_OUT(struct options, CLI_NEED, "the new root, for both sides to sign"),
	{0},
};

/* Logs, witnesses and mirrors stay. */
static int put_publisher(const struct options *o, enum publisher_kind kind, json_t *root,
			 struct error *err)
{
	json_t *x = json_object_get(root, "x-bequest");
	json_t *p = json_pack("{s:s, s:s, s:s}", "id", o->publisher, "name", o->publisher_name,
			      "kind", publisher_kind_name(kind));
	int r = 0;

	if (!p)
		return error_set(err, E_USAGE, "--publisher: not UTF-8");
	if (o->contact)
		r = json_put(p, "contact", json_string(o->contact), err);
	if (r < 0) {
		json_decref(p);
		return r;
	}
	return json_put(x, "publisher", p, err);
}

static int make_root(const struct options *o, enum publisher_kind kind, const struct desk *d,
		     const struct tuf_root *from, struct envelope **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *next = NULL;
	int r = repo_signed_next(from->doc, utc_now(), TUF_ROOT_DAYS, &next, err);

	if (r == 0)
		r = put_publisher(o, kind, next, err);
	if (r == 0)
		r = rootdoc_online(next, d, o->common.product, o->publisher, err);
	if (r == 0)
		r = rootdoc_role(next, TUF_ROOT, &o->root_keys, o->threshold ? o->threshold : 1,
				 err);
	if (r == 0)
		r = rootdoc_role(next, TUF_TARGETS, &o->targets_keys,
				 o->targets_threshold ? o->targets_threshold : 1, err);
	return r < 0 ? r : envelope_new(steal(next), out, err);
}

/* Keys that were once this product's may be in anybody's hands by now. */
static int check_new(const struct view *v, const struct tuf_root *to, struct error *err)
{
	const struct role_keys *keys = &to->role[TUF_ROOT];

	for (size_t i = 0; i < v->nroots; i++)
		for (size_t k = 0; k < keys->n; k++)
			if (role_keys_has(&v->roots[i]->role[TUF_ROOT], keys->keys[k]))
				return error_set(err, E_USAGE,
						 "--root-key: %s was a key of root %lld: a vendor "
						 "returns with new ones",
						 key_id(keys->keys[k]),
						 (long long)v->roots[i]->version);
	return 0;
}

static int run(const struct cli_call *call, enum publisher_kind kind, struct error *err)
{
	const struct options *o = call->opt;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;
	CLEANUP(freep) struct publisher *from = calloc(1, sizeof(*from));
	int r = from ? desk_open(&o->common, &d, err) : error_nomem(err);

	if (r == 0)
		r = view_open(&d, &o->common, &v, err);
	if (r == 0)
		r = publisher_read(view_root(&v), "the root in force", from, err);
	if (r < 0)
		return r;
	if (from->kind != PUBLISHER_STEWARDS)
		return error_set(err, E_USAGE,
				 "%s: a vendor has it, and hands it over by a deposit: `root "
				 "bridge`, `seal`",
				 o->common.product);
	r = make_root(o, kind, &d, view_root(&v), &doc, err);
	if (r == 0)
		r = rootdoc_check(doc, "the new root", &to, err);
	if (r == 0 && kind == PUBLISHER_VENDOR)
		r = check_new(&v, to, err);
	if (r == 0 && o->portable)
		r = rootdoc_portable(to, err);
	return r < 0 ? r : desk_finish(call, &o->common, doc, err);
}

static int run_pass(const struct cli_call *call, struct error *err)
{
	return run(call, PUBLISHER_STEWARDS, err);
}

static int run_return(const struct cli_call *call, struct error *err)
{
	return run(call, PUBLISHER_VENDOR, err);
}

const struct cli_verb escrow_pass = {
	.name = "pass",
	.help = "make the root by which other stewards take over, after a succession",
	.options = options,
	.size = sizeof(struct options),
	.run = run_pass,
};

const struct cli_verb escrow_return = {
	.name = "return",
	.help = "make the root by which a vendor takes its product back, after a succession",
	.options = options,
	.size = sizeof(struct options),
	.run = run_return,
};
