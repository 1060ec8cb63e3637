/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that carry a change of publisher without a deposit: rotation and succession. */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/json/clone.h"
#include "policies/publisher.h"

enum { VERSION_MAX = 1000000 };

struct options {
	struct common common;
	const char *reason;
	int64_t version;
};

static const struct cli_option options[] = {
	OPT_PRODUCT(struct options, CLI_NEED),
	OPT_REGISTRY(struct options, CLI_OPT),
	OPT_ALLOW_HTTP(struct options),
	OPT_ROOT(struct options, CLI_OPT),
	CLI_OPT(struct options, reason, CLI_TEXT, "reason", "TEXT", "why, for people"),
	CLI_RANGE(struct options, version, 1, VERSION_MAX, "version", "N",
		  "of this statement (the registry's next; 1 without one)"),
	OPT_KEYS(struct options, CLI_OPT),
	OPT_HOME(struct options),
	OPT_OUT(struct options, CLI_OPT, "write it, for others to sign, instead of sending it"),
	{0},
};

/* A step from the root in force to the one in a file. */
struct work {
	const struct cli_call *call;
	const struct options *o;
	enum statement_type type;
	struct desk desk;
	struct view view;
	struct tuf_root *file; /* the root in force, without a registry */
	const struct tuf_root *from;
	struct tuf_root *to;
	int64_t version; /* of the statement */
};

static void work_clear(struct work *w)
{
	view_close(&w->view);
	desk_close(&w->desk);
	tuf_root_free(w->file);
	tuf_root_free(w->to);
}

static int open_from(struct work *w, struct error *err)
{
	const struct common *c = &w->o->common;
	int r;

	w->version = w->o->version ? w->o->version : 1;
	if (!c->registry) {
		if (!c->root)
			return error_set(err, E_USAGE, "want --registry URL, or --root FILE");
		r = desk_read_root(c->root, &w->file, err);
		w->from = w->file;
		return r;
	}
	r = desk_open(c, &w->desk, err);
	if (r == 0)
		r = view_open(&w->desk, c, &w->view, err);
	if (r < 0)
		return r;
	w->from = view_root(&w->view);
	if (!w->o->version)
		w->version = view_next_version(&w->view, w->type);
	return 0;
}

static const char *publisher_id(const struct tuf_root *root)
{
	return json_string_value(
		json_object_get(json_object_get(root->x_bequest, "publisher"), "id"));
}

/* A statement that no device would go by is not worth thirty days. */
static int check_parties(const struct work *w, unsigned change, struct error *err)
{
	CLEANUP(freep) struct publisher *from = calloc(1, sizeof(*from));
	const char *name = statement_name(w->type);
	int r = from ? publisher_read(w->from, "the root in force", from, err) : error_nomem(err);

	if (r < 0)
		return desk_usage(r, err);
	if (!change)
		return error_set(err, E_USAGE,
				 "%s: is an ordinary root: it needs no %s, only to be submitted",
				 w->call->args[0], name);
	if (w->type == ST_ROTATION && (change & CHANGE_NAME))
		return error_set(err, E_USAGE,
				 "%s: x-bequest.publisher: id or kind is another, and a rotation "
				 "keeps them",
				 w->call->args[0]);
	if (w->type == ST_SUCCESSION && from->kind != PUBLISHER_STEWARDS)
		return error_set(err, E_USAGE,
				 "a vendor's product changes hands by a deposit; a succession is "
				 "for stewards");
	if (!from->witness_threshold)
		(void)fprintf(stderr,
			      "note: root %lld names no witnesses: no time is witnessed, "
			      "and devices will not follow\n",
			      (long long)w->from->version);
	return 0;
}

/* The first root of the present publisher: what a registry holds steps against, until a rotation.
 */
static const struct tuf_root *anchor_of(const struct work *w)
{
	const struct tuf_root *anchor = w->from;
	const char *id = publisher_id(w->from);

	for (size_t i = w->view.nroots; id && i > 0; i--) {
		const char *other = publisher_id(w->view.roots[i - 1]);

		if (!other || strcmp(other, id) != 0)
			break;
		anchor = w->view.roots[i - 1];
	}
	return anchor;
}

static int check_step(const struct work *w, struct error *err)
{
	const char *file = w->call->args[0];
	unsigned change = 0;

	if (w->to->version != w->from->version + 1)
		return error_set(err, E_USAGE, "%s: signed.version: want %lld, got %lld", file,
				 (long long)w->from->version + 1, (long long)w->to->version);
	if (!w->to->product || strcmp(w->to->product, w->o->common.product) != 0)
		return error_set(err, E_USAGE, "%s: signed.product: want %s", file,
				 w->o->common.product);
	int r = publisher_compare(anchor_of(w), w->from, w->to, &change, err);
	return r < 0 ? desk_usage(r, err) : check_parties(w, change, err);
}

/*
 * A registry wants to know the root that is spoken of, and takes one that is signed by all only
 * with its evidence: so it is shown with one signature of those who have the product.
 */
static int show_root(const struct work *w, struct error *err)
{
	const struct role_keys *keys = &w->from->role[TUF_ROOT];
	CLEANUP(envelope_freep) struct envelope *offer = NULL;
	CLEANUP(json_decrefp)
	json_t *whole = json_loadb(envelope_bytes(w->to->doc)->data,
				   envelope_bytes(w->to->doc)->len, 0, NULL);
	CLEANUP(json_decrefp) json_t *reply = NULL;
	json_t *one;
	size_t i;
	int r = whole ? envelope_new(json_clone(envelope_signed(w->to->doc)), &offer, err)
		      : error_nomem(err);

	json_array_foreach(json_object_get(whole, "signatures"), i, one)
	{
		CLEANUP(envelope_freep) struct envelope *probe = NULL;

		if (r < 0 || envelope_count(offer, keys, NULL) > 0)
			break;
		r = envelope_new(json_clone(envelope_signed(w->to->doc)), &probe, err);
		if (r == 0)
			r = envelope_add(probe, one, err);
		if (r == 0 && envelope_count(probe, keys, NULL) > 0)
			r = envelope_add(offer, one, err);
	}
	if (r < 0)
		return r;
	if (envelope_count(offer, keys, NULL) == 0)
		return error_set(err, E_USAGE,
				 "%s: no key of root %lld signed it yet: `root sign` comes first",
				 w->call->args[0], (long long)w->from->version);
	const struct buf bytes = *envelope_bytes(offer); /* borrowed */
	return api_post_documents(&w->desk.api, &bytes, 1, &reply, err);
}

static int run(const struct cli_call *call, enum statement_type type, struct error *err)
{
	CLEANUP(work_clear) struct work w = {.call = call, .o = call->opt, .type = type};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *body = NULL;
	struct statement ignored;
	int r = open_from(&w, err);

	if (r == 0)
		r = desk_read_root(call->args[0], &w.to, err);
	if (r == 0)
		r = check_step(&w, err);
	if (r == 0)
		r = desk_statement(type, w.o->common.product, w.version, NULL, &body, err);
	if (r == 0)
		r = json_put(body, "from", json_string(envelope_id(w.from->doc)), err);
	if (r == 0)
		r = json_put(body, "to", json_string(envelope_id(w.to->doc)), err);
	if (r == 0 && w.o->reason)
		r = json_put(body, "reason", json_string(w.o->reason), err);
	if (r == 0)
		r = envelope_new(steal(body), &doc, err);
	if (r == 0)
		r = desk_usage(statement_read(doc, "statement", &ignored, err), err);
	if (r == 0 && type == ST_SUCCESSION && w.o->common.registry && !w.o->common.out)
		r = show_root(&w, err);
	return r < 0 ? r : desk_finish(call, &w.o->common, doc, err);
}

static int run_rotation(const struct cli_call *call, struct error *err)
{
	return run(call, ST_ROTATION, err);
}

static int run_succession(const struct cli_call *call, struct error *err)
{
	return run(call, ST_SUCCESSION, err);
}

const struct cli_verb escrow_rotation = {
	.name = "rotation",
	.args = "ROOT",
	.help = "say that we re-key ourselves, by the next root in ROOT",
	.options = options,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run_rotation,
};

const struct cli_verb escrow_succession = {
	.name = "succession",
	.args = "ROOT",
	.help = "say, with them, that others take over, by the next root in ROOT",
	.options = options,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run_succession,
};
