/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/rootdoc.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/tuf/repo.h"
#include "policies/publisher.h"

static const struct cli_option sign_options[] = {
	OPT_KEYS(struct common_only, CLI_NEED),
	OPT_HOME(struct common_only),
	OPT_ROOT(struct common_only, CLI_OPT),
	OPT_OUT(struct common_only, CLI_OPT, "where to write it (FILE itself)"),
	{0},
};

/* How far a document is, by the root role of one root. */
static int put_state(const struct envelope *doc, const struct tuf_root *root, json_t *states,
		     struct error *err)
{
	const struct role_keys *keys = &root->role[TUF_ROOT];
	json_t *o = json_pack("{s:I, s:I, s:I}", "root", (json_int_t)root->version, "have",
			      (json_int_t)envelope_count(doc, keys, NULL), "need",
			      (json_int_t)keys->threshold);

	return json_array_append_new(states, o) < 0 ? error_nomem(err) : 0;
}

/* A root answers to the one before it and to itself; a statement to the root it names. */
static int states_of(const struct common *c, const struct envelope *doc, json_t *states,
		     struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *known = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *self = NULL;
	int r = c->root ? desk_read_root(c->root, &known, err) : 0;

	if (r == 0 && known)
		r = put_state(doc, known, states, err);
	if (r == 0 && strcmp(envelope_type(doc), tuf_type_name(TUF_ROOT)) == 0)
		r = tuf_root_parse(envelope_bytes(doc)->data, envelope_bytes(doc)->len, "root",
				   &self, err);
	return r == 0 && self ? put_state(doc, self, states, err) : r;
}

static int run_sign(const struct cli_call *call, struct error *err)
{
	const struct common_only *o = call->opt;
	const char *path = call->args[0];
	const char *to = o->common.out ? o->common.out : path;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *states = json_array();
	const json_t *s;
	size_t i;
	int r = desk_read_envelope(path, &doc, err);

	if (r == 0)
		r = desk_sign(&o->common, doc, err);
	if (r == 0)
		r = states_of(&o->common, doc, states, err);
	if (r == 0)
		r = desk_write(to, doc, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s, s:I, s:O}", "ok", 1, "file", to,
					    "type", envelope_type(doc), "id", envelope_id(doc),
					    "signatures", (json_int_t)envelope_signatures(doc),
					    "thresholds", states),
				  err);
	(void)printf("%s: %s, version %lld, %zu signature%s\n", to, envelope_type(doc),
		     (long long)envelope_version(doc), envelope_signatures(doc),
		     envelope_signatures(doc) == 1 ? "" : "s");
	json_array_foreach(states, i, s)(void)
		printf("  root %lld: %lld of %lld\n",
		       (long long)json_integer_value(json_object_get(s, "root")),
		       (long long)json_integer_value(json_object_get(s, "have")),
		       (long long)json_integer_value(json_object_get(s, "need")));
	return 0;
}

const struct cli_verb escrow_root_sign = {
	.name = "root sign",
	.args = "FILE",
	.help = "add my signature to a root, a statement or any other document",
	.options = sign_options,
	.size = sizeof(struct common_only),
	.min_args = 1,
	.max_args = 1,
	.run = run_sign,
};

struct rotate_options {
	struct common common;
	const char *role;
	struct cli_list add, drop;
	int64_t threshold;
	bool portable;
};

static const struct cli_option rotate_options[] = {
	OPT_ROOT(struct rotate_options, CLI_NEED),
	CLI_OPT(struct rotate_options, role, CLI_TEXT, "role", "ROLE",
		"whose keys change: root or targets (root)"),
	CLI_OPT(struct rotate_options, add, CLI_LIST, "add-key", "FILE",
		"a public key to add; may repeat"),
	CLI_OPT(struct rotate_options, drop, CLI_LIST, "drop-key", "KEYID",
		"a key to drop; may repeat"),
	CLI_RANGE(struct rotate_options, threshold, 1, KEYS_MAX, "threshold", "K",
		  "how many of them are to sign (as it was)"),
	OPT_PORTABLE(struct rotate_options),
	OPT_KEYS(struct rotate_options, CLI_OPT),
	OPT_HOME(struct rotate_options),
	OPT_OUT(struct rotate_options, CLI_NEED, "the next root"),
	{0},
};

static int change_role(const struct rotate_options *o, enum tuf_type role, json_t *root,
		       struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->add.n; i++) {
		CLEANUP(key_file_clear) struct key_file k = {0};

		r = key_file_read(o->add.items[i], &k, err);
		if (r == 0)
			r = repo_root_add_key(root, role, k.keyid, k.object, err);
	}
	for (size_t i = 0; r == 0 && i < o->drop.n; i++) {
		r = repo_root_drop_key(root, role, o->drop.items[i], err);
		if (r == E_NOTFOUND)
			return error_set(err, E_USAGE, "--drop-key %s: not a key of the role",
					 o->drop.items[i]);
	}
	return r == 0 && o->threshold ? repo_root_threshold(root, role, o->threshold, err) : r;
}

static int check_new(const struct rotate_options *o, const struct envelope *doc, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	int r = rootdoc_check(doc, "the next root", &root, err);

	for (size_t t = 0; r == 0 && t < TUF_TYPES; t++)
		if ((uint64_t)root->role[t].threshold > root->role[t].n)
			r = error_set(err, E_USAGE, "roles.%s: %zu keys for a threshold of %lld",
				      tuf_type_name((enum tuf_type)t), root->role[t].n,
				      (long long)root->role[t].threshold);
	return r == 0 && o->portable ? rootdoc_portable(root, err) : r;
}

static int run_rotate(const struct cli_call *call, struct error *err)
{
	const struct rotate_options *o = call->opt;
	CLEANUP(tuf_root_freep) struct tuf_root *old = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *next = NULL;
	bool targets = o->role && strcmp(o->role, tuf_type_name(TUF_TARGETS)) == 0;
	int r;

	if (o->role && !targets && strcmp(o->role, tuf_type_name(TUF_ROOT)) != 0)
		return error_set(err, E_USAGE, "--role: want root or targets, got %s", o->role);
	r = desk_read_root(o->common.root, &old, err);
	if (r == 0)
		r = repo_signed_next(old->doc, utc_now(), TUF_ROOT_DAYS, &next, err);
	if (r == 0)
		r = change_role(o, targets ? TUF_TARGETS : TUF_ROOT, next, err);
	if (r == 0)
		r = envelope_new(steal(next), &doc, err);
	if (r == 0)
		r = check_new(o, doc, err);
	if (r < 0)
		return r;
	(void)fprintf(stderr,
		      "note: a deposit that follows root %lld will not follow root %lld: seal the "
		      "next one with it\n",
		      (long long)old->version, (long long)old->version + 1);
	return desk_finish(call, &o->common, doc, err);
}

const struct cli_verb escrow_root_rotate = {
	.name = "root rotate",
	.help = "make the next root: renewed, with keys added, dropped, or another threshold",
	.options = rotate_options,
	.size = sizeof(struct rotate_options),
	.run = run_rotate,
};

struct bridge_options {
	struct common common;
	struct cli_list stewards;
	const char *publisher, *publisher_name, *contact;
	int64_t threshold;
	bool portable;
};

static const struct cli_option bridge_options[] = {
	OPT_ROOT(struct bridge_options, CLI_NEED),
	CLI_NEED(struct bridge_options, stewards, CLI_LIST, "stewards", "FILE",
		 "what `key export` wrote for one, or a JSON array of several; may repeat"),
	{.name = "threshold",
	 .arg = "K",
	 .help = "how many stewards sign a root",
	 .kind = CLI_INT,
	 .offset = offsetof(struct bridge_options, threshold),
	 .required = true,
	 .min = 1,
	 .max = KEYS_MAX},
	CLI_OPT(struct bridge_options, publisher, CLI_TEXT, "publisher", "ID",
		"what the stewards are called (PRODUCT-stewards)"),
	CLI_OPT(struct bridge_options, publisher_name, CLI_TEXT, "publisher-name", "NAME",
		"the same, for people"),
	CLI_OPT(struct bridge_options, contact, CLI_TEXT, "contact", "TEXT",
		"where to write to them"),
	OPT_PORTABLE(struct bridge_options),
	OPT_KEYS(struct bridge_options, CLI_OPT),
	OPT_HOME(struct bridge_options),
	OPT_OUT(struct bridge_options, CLI_NEED, "the bridge root; keep it to yourself"),
	{0},
};

static int clear_roles(json_t *root, struct error *err)
{
	int r = 0;

	for (size_t t = 0; r == 0 && t < TUF_TYPES; t++)
		r = repo_root_clear_role(root, (enum tuf_type)t, err);
	return r;
}

/* Root and, until the root after it, targets. */
static int put_steward(json_t *root, json_t *one, const char *where, struct error *err)
{
	CLEANUP(key_file_clear) struct key_file k = {0};
	int r = key_file_take(json_incref(one), where, &k, err);

	if (r == 0)
		r = repo_root_add_key(root, TUF_ROOT, k.keyid, k.object, err);
	return r < 0 ? r : repo_root_add_key(root, TUF_TARGETS, k.keyid, k.object, err);
}

static int put_stewards(json_t *root, const char *file, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = NULL;
	json_t *one;
	size_t i;
	int r = desk_read_json(file, &list, err);

	if (r == 0 && !json_is_array(list))
		return put_steward(root, list, file, err);
	json_array_foreach(list, i, one)
	{
		CLEANUP(buf_clear) struct buf where = {0};

		if (r == 0)
			r = buf_printf(&where, err, "%s[%zu]", file, i);
		if (r == 0)
			r = put_steward(root, one, where.data, err);
	}
	return r;
}

/* Logs, witnesses, mirrors and rebuilders stay; the publisher does not. */
static int put_publisher(const struct bridge_options *o, const char *product, json_t *root,
			 struct error *err)
{
	json_t *x = json_object_get(root, "x-bequest");
	json_t *p = json_pack("{s:o, s:o, s:s}", "id",
			      o->publisher ? json_string(o->publisher)
					   : json_sprintf("%s-stewards", product),
			      "name",
			      o->publisher_name ? json_string(o->publisher_name)
						: json_sprintf("Stewards of %s", product),
			      "kind", publisher_kind_name(PUBLISHER_STEWARDS));
	int r = 0;

	if (!p)
		return error_set(err, E_USAGE, "--publisher: not UTF-8");
	if (o->contact)
		r = json_put(p, "contact", json_string(o->contact), err);
	if (r < 0) {
		json_decref(p);
		return r;
	}
	r = json_put(x, "publisher", p, err);
	return r < 0 ? r : json_put(x, "bridge", json_true(), err);
}

static int make_bridge(const struct bridge_options *o, const struct tuf_root *root,
		       struct envelope **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *next = NULL;
	int r = repo_signed_next(root->doc, utc_now(), TUF_ROOT_DAYS, &next, err);

	if (r == 0)
		r = clear_roles(next, err);
	for (size_t i = 0; r == 0 && i < o->stewards.n; i++)
		r = put_stewards(next, o->stewards.items[i], err);
	if (r == 0)
		r = repo_root_threshold(next, TUF_ROOT, o->threshold, err);
	if (r == 0)
		r = repo_root_threshold(next, TUF_TARGETS, o->threshold, err);
	if (r == 0)
		r = rootdoc_throwaway(next, err);
	if (r == 0)
		r = put_publisher(o, root->product, next, err);
	return r < 0 ? r : envelope_new(steal(next), out, err);
}

static int run_bridge(const struct cli_call *call, struct error *err)
{
	const struct bridge_options *o = call->opt;
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *bridge = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct publisher p;
	int r = desk_read_root(o->common.root, &root, err);

	if (r == 0)
		r = publisher_read(root, o->common.root, &p, err);
	if (r == 0 && !root->product)
		r = error_set(err, E_USAGE, "%s: signed.product: missing", o->common.root);
	if (r == 0)
		r = make_bridge(o, root, &doc, err);
	if (r == 0)
		r = rootdoc_check(doc, "the bridge", &bridge, err);
	if (r == 0 && o->portable)
		r = rootdoc_portable(bridge, err);
	return r < 0 ? r : desk_finish(call, &o->common, doc, err);
}

const struct cli_verb escrow_root_bridge = {
	.name = "root bridge",
	.help = "make the root that gives the product to its stewards, for the deposit",
	.options = bridge_options,
	.size = sizeof(struct bridge_options),
	.run = run_bridge,
};
