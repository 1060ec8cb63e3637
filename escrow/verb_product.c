/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/rootdoc.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "lib/json/print.h"
#include "lib/json/texts.h"
#include "lib/tuf/repo.h"
#include "policies/publisher.h"

/* What a buyer should know; the same options make and edit it. */
struct about {
	const char *name, *support_start, *support_until, *method, *after_eol, *notify, *contact;
	const char *device_class;
	struct cli_list hardware, options_after;
};
#define ABOUT(type, kind) \
	kind(type, about.name, CLI_TEXT, "name", "NAME", "the product's name, for people"), \
		CLI_OPT(type, about.hardware, CLI_LIST, "hardware", "ID", \
			"a hardware id it covers, such as lego,nxt; may repeat"), \
		CLI_OPT(type, about.support_start, CLI_TEXT, "support-start", "DATE", \
			"when support began"), \
		CLI_OPT(type, about.support_until, CLI_TEXT, "support-until", "DATE", \
			"how long support is promised"), \
		CLI_OPT(type, about.method, CLI_TEXT, "update-method", "TEXT", \
			"how it is updated, for people"), \
		CLI_OPT(type, about.after_eol, CLI_TEXT, "after-eol", "WORD", \
			"works, degraded or stops"), \
		CLI_OPT(type, about.options_after, CLI_LIST, "option-after-eol", "TEXT", \
			"what an owner can do then; may repeat"), \
		CLI_OPT(type, about.notify, CLI_TEXT, "notify", "TEXT", \
			"how owners are told of its end"), \
		CLI_OPT(type, about.device_class, CLI_TEXT, "class", "WORD", \
			"router, appliance or toy: what must at least be promised"), \
		CLI_OPT(type, about.contact, CLI_TEXT, "contact", "TEXT", \
			"where to write about it")

static int put_list(json_t *o, const char *key, const struct cli_list *list, struct error *err)
{
	json_t *out;

	if (!list->n)
		return 0;
	out = json_texts(list->items, list->n);
	return out ? json_put(o, key, out, err) : error_set(err, E_USAGE, "--%s: not UTF-8", key);
}

static int put_time(json_t *o, const char *key, const char *option, const char *text,
		    struct error *err)
{
	char at[UTC_SIZE];
	int r = desk_time(option, text, at, err);

	return r < 0 ? r : json_put(o, key, json_string(at), err);
}

/* Put what was given; what was not stays as it is. */
static int put_about(json_t *o, const struct about *a, struct error *err)
{
	const char *const texts[][2] = {{"name", a->name},           {"update_method", a->method},
					{"after_eol", a->after_eol}, {"notify", a->notify},
					{"class", a->device_class},  {"contact", a->contact}};
	int r = put_list(o, "hardware", &a->hardware, err);

	if (r == 0)
		r = put_list(o, "options_after_eol", &a->options_after, err);
	if (r == 0 && a->support_start)
		r = put_time(o, "support_start", "support-start", a->support_start, err);
	if (r == 0 && a->support_until)
		r = put_time(o, "support_until", "support-until", a->support_until, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		if (texts[i][1])
			r = json_put(o, texts[i][0], json_string(texts[i][1]), err);
	return r;
}

/* What came from options is read as everybody else will read it. */
static int check_statement(const struct envelope *doc, struct error *err)
{
	struct statement s;
	int r = statement_read(doc, "product statement", &s, err);

	return desk_usage(r, err);
}

struct new_options {
	struct common common;
	struct about about;
	const char *publisher, *publisher_name;
	struct cli_list root_keys, targets_keys, mirrors;
	int64_t threshold, targets_threshold;
	bool portable;
};

static const struct cli_option new_options[] = {
	OPT_PRODUCT(struct new_options, CLI_NEED),
	ABOUT(struct new_options, CLI_NEED),
	CLI_NEED(struct new_options, publisher, CLI_TEXT, "publisher", "ID", "who makes it"),
	CLI_NEED(struct new_options, publisher_name, CLI_TEXT, "publisher-name", "NAME",
		 "the same, for people"),
	CLI_NEED(struct new_options, root_keys, CLI_LIST, "root-key", "FILE",
		 "a public key for the root role; repeat for each"),
	CLI_RANGE(struct new_options, threshold, 1, KEYS_MAX, "threshold", "K",
		  "how many of them sign a root (1)"),
	CLI_NEED(struct new_options, targets_keys, CLI_LIST, "targets-key", "FILE",
		 "a public key that signs updates; may repeat"),
	CLI_RANGE(struct new_options, targets_threshold, 1, KEYS_MAX, "targets-threshold", "K",
		  "how many of them sign an update (1)"),
	CLI_OPT(struct new_options, mirrors, CLI_LIST, "mirror", "URL",
		"where devices may look too; may repeat"),
	OPT_PORTABLE(struct new_options),
	OPT_REGISTRY(struct new_options, CLI_NEED),
	OPT_ALLOW_HTTP(struct new_options),
	{.name = "out",
	 .arg = "DIR",
	 .help = "the folder for root.json and product.json",
	 .kind = CLI_TEXT,
	 .offset = offsetof(struct new_options, common.out),
	 .required = true},
	{0},
};

static int x_bequest(const struct new_options *o, const struct desk *d, json_t **out,
		     struct error *err)
{
	CLEANUP(json_decrefp)
	json_t *x = json_pack("{s:{s:s, s:s, s:s}}", "publisher", "id", o->publisher, "name",
			      o->publisher_name, "kind", publisher_kind_name(PUBLISHER_VENDOR));
	int r = 0;

	if (!x)
		return error_set(err, E_USAGE, "--publisher: not UTF-8");
	if (o->about.contact)
		r = json_put(json_object_get(x, "publisher"), "contact",
			     json_string(o->about.contact), err);
	if (r == 0)
		r = put_list(x, "mirrors", &o->mirrors, err);
	if (r == 0)
		r = rootdoc_logs(x, d, err);
	if (r < 0)
		return r;
	*out = steal(x);
	return 0;
}

static int make_root(const struct new_options *o, const struct desk *d, struct envelope **out,
		     struct error *err)
{
	CLEANUP(json_decrefp) json_t *root = NULL;
	json_t *x = NULL;
	int r = repo_signed_new(TUF_ROOT, o->common.product, 1, utc_now(), &root, err);

	if (r == 0)
		r = rootdoc_role(root, TUF_ROOT, &o->root_keys, o->threshold ? o->threshold : 1,
				 err);
	if (r == 0)
		r = rootdoc_role(root, TUF_TARGETS, &o->targets_keys,
				 o->targets_threshold ? o->targets_threshold : 1, err);
	if (r == 0)
		r = rootdoc_online(root, d, o->common.product, o->publisher, err);
	if (r == 0)
		r = x_bequest(o, d, &x, err);
	if (r == 0)
		r = json_put(root, "x-bequest", x, err);
	return r < 0 ? r : envelope_new(steal(root), out, err);
}

static int make_statement(const struct new_options *o, const struct tuf_root *root,
			  struct envelope **out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *signed_part = NULL;
	int r = desk_statement(ST_PRODUCT, o->common.product, 1, root, &signed_part, err);

	if (r == 0)
		r = json_put(signed_part, "updatable", json_true(), err);
	if (r == 0)
		r = put_about(signed_part, &o->about, err);
	if (r == 0)
		r = envelope_new(steal(signed_part), &doc, err);
	if (r == 0)
		r = check_statement(doc, err);
	if (r < 0)
		return r;
	*out = steal(doc);
	return 0;
}

static int write_into(const char *folder, const char *name, const struct envelope *doc,
		      struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "%s/%s", folder, name);

	if (r == 0 && file_exists(AT_FDCWD, path.data))
		return error_set(err, E_USAGE, "%s: exists", path.data);
	return r < 0 ? r : desk_write(path.data, doc, err);
}

static int run_new(const struct cli_call *call, struct error *err)
{
	const struct new_options *o = call->opt;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(envelope_freep) struct envelope *about = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	int r;

	if (!product_id_ok(o->common.product))
		return error_set(err, E_USAGE, "--product: want [a-z0-9][a-z0-9.-]{0,62}");
	r = desk_open(&o->common, &d, err);
	if (r == 0)
		r = make_root(o, &d, &doc, err);
	if (r == 0)
		r = rootdoc_check(doc, "root.json", &root, err);
	if (r == 0 && o->portable)
		r = rootdoc_portable(root, err);
	if (r == 0)
		r = make_statement(o, root, &about, err);
	if (r == 0)
		r = file_mkdir(AT_FDCWD, o->common.out, 0777, err);
	if (r == 0)
		r = write_into(o->common.out, "root.json", doc, err);
	if (r == 0)
		r = write_into(o->common.out, "product.json", about, err);
	if (r != 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "folder",
					    o->common.out, "root", envelope_id(doc), "product",
					    envelope_id(about)),
				  err);
	(void)printf("%s/root.json: version 1, wants %lld of %zu signatures (root sign)\n"
		     "%s/product.json: wants the same\n",
		     o->common.out, (long long)root->role[TUF_ROOT].threshold,
		     root->role[TUF_ROOT].n, o->common.out);
	return 0;
}

const struct cli_verb escrow_product_new = {
	.name = "product new",
	.help = "make a product's first root and what is said of it, both to be signed",
	.options = new_options,
	.size = sizeof(struct new_options),
	.run = run_new,
};

struct edit_options {
	struct common common;
	struct about about;
};

static const struct cli_option edit_options[] = {
	OPT_PRODUCT(struct edit_options, CLI_NEED),
	ABOUT(struct edit_options, CLI_OPT),
	OPT_REGISTRY(struct edit_options, CLI_NEED),
	OPT_ALLOW_HTTP(struct edit_options),
	OPT_ROOT(struct edit_options, CLI_OPT),
	OPT_KEYS(struct edit_options, CLI_OPT),
	OPT_HOME(struct edit_options),
	OPT_OUT(struct edit_options, CLI_OPT, "write it instead of sending it"),
	{0},
};

/* The newest product statement; E_NOTFOUND: the registry has none. */
static int newest(const struct view *v, struct envelope **out, struct error *err)
{
	struct entry e, best = {0};
	struct statement s;

	for (size_t i = 0; view_entry(v, ST_PRODUCT, i, &e); i++)
		if (e.version > best.version)
			best = e;
	if (!best.id)
		return error_set(err, E_NOTFOUND, "%s: no product statement here", v->product);
	return view_statement(v, best.id, out, &s, err);
}

static int run_edit(const struct cli_call *call, struct error *err)
{
	const struct edit_options *o = call->opt;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	CLEANUP(envelope_freep) struct envelope *old = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *head = NULL;
	CLEANUP(json_decrefp) json_t *edited = NULL;
	int r = desk_open(&o->common, &d, err);

	if (r == 0)
		r = view_open(&d, &o->common, &v, err);
	if (r == 0)
		r = newest(&v, &old, err);
	if (r == 0)
		r = desk_statement(ST_PRODUCT, o->common.product, envelope_version(old) + 1,
				   view_root(&v), &head, err);
	if (r < 0)
		return r;
	edited = json_clone(envelope_signed(old));
	if (!edited || json_object_update(edited, head) < 0)
		return error_nomem(err);
	r = put_about(edited, &o->about, err);
	if (r == 0)
		r = envelope_new(steal(edited), &doc, err);
	if (r == 0)
		r = check_statement(doc, err);
	return r < 0 ? r : desk_finish(call, &o->common, doc, err);
}

const struct cli_verb escrow_product_edit = {
	.name = "product edit",
	.help = "change what is said of a product",
	.options = edit_options,
	.size = sizeof(struct edit_options),
	.run = run_edit,
};
