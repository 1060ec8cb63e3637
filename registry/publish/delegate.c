/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish delegate, bins: who else may publish, and what. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/json/texts.h"
#include "lib/sign/key_file.h"
#include "lib/tuf/repo.h"
#include "registry/publish/channel.h"
#include "registry/publish/verbs.h"

enum {
	PLACE_MAX = 256,
	BITS_MAX = 5, /* the bins' first versions and their delegation go in one array of 64 */
};

struct add_options {
	const char *dir, *parent, *until;
	struct cli_list key, path, prefix;
	int64_t threshold, place;
	bool terminating, portable;
};

static const struct cli_option add_options[] = {
	CLI_NEED(struct add_options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct add_options, parent, CLI_TEXT, "role", "NAME",
		"the role that delegates; default: the top-level targets"),
	CLI_OPT(struct add_options, key, CLI_LIST, "key", "FILE",
		"a key of the channel, from bequest-escrow key export; may repeat, replaces all"),
	CLI_RANGE(struct add_options, threshold, 1, KEYS_MAX, "threshold", "K",
		  "how many of its keys must sign; default: as before, or 1"),
	CLI_OPT(struct add_options, path, CLI_LIST, "path", "PATTERN",
		"target paths, with * and ? within one part; may repeat"),
	CLI_OPT(struct add_options, prefix, CLI_LIST, "prefix", "HEX",
		"or paths whose SHA-256 begins so; may repeat"),
	CLI_OPT(struct add_options, terminating, CLI_FLAG, "terminating", NULL,
		"clients look no further for these paths"),
	CLI_OPT(struct add_options, until, CLI_TEXT, "until", "TIME",
		"for a while: YYYY-MM-DDTHH:MM:SSZ, or a date; never: for good"),
	CLI_RANGE(struct add_options, place, 1, PLACE_MAX, "place", "N",
		  "its place in the order of search; default: as before, or the last"),
	CLI_OPT(struct add_options, portable, CLI_FLAG, "portable", NULL,
		"refuse keys that not all TUF clients read"),
	{0},
};

/* The entry of a role that is delegated to already, borrowed; NULL: it is not. */
static json_t *entry_of(const json_t *body, const char *name)
{
	const json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles");
	json_t *entry;
	size_t i;

	json_array_foreach(roles, i, entry)
	{
		const char *is = json_string_value(json_object_get(entry, "name"));

		if (is && strcmp(is, name) == 0)
			return entry;
	}
	return NULL;
}

/* What is delegated: what was said, and else what was delegated before. */
static int set_rule(json_t *body, const char *name, const struct add_options *o, struct error *err)
{
	const json_t *before = entry_of(body, name);
	bool hashed = o->prefix.n || (!o->path.n && json_object_get(before, "path_hash_prefixes"));
	const char *member = hashed ? "path_hash_prefixes" : "paths";
	json_int_t had = json_integer_value(json_object_get(before, "threshold"));
	bool terminating = o->terminating || json_is_true(json_object_get(before, "terminating"));
	int64_t threshold = o->threshold ? o->threshold : had ? had : 1;
	const struct cli_list *given = hashed ? &o->prefix : &o->path;
	CLEANUP(json_decrefp)
	json_t *rules = given->n ? json_texts(given->items, given->n)
				 : json_incref(json_object_get(before, member));
	int r;

	if (o->path.n && o->prefix.n)
		return error_set(err, E_USAGE, "--path and --prefix: give one of them");
	if (!rules && given->n)
		return error_set(err, E_USAGE, "--%s: not UTF-8", hashed ? "prefix" : "path");
	if (!rules)
		return error_set(err, E_USAGE, "a new channel needs --path or --prefix");
	r = hashed ? repo_delegate_hashed(body, name, rules, threshold, err)
		   : repo_delegate(body, name, rules, threshold, err);
	return r < 0 ? r : repo_delegate_terminating(body, name, terminating, err);
}

/* YYYY-MM-DDTHH:MM:SSZ, a date, which is its beginning, or "never". */
static int parse_until(const char *text, int64_t *out, struct error *err)
{
	char whole[UTC_SIZE];

	*out = INT64_MAX;
	if (strcmp(text, "never") == 0 || utc_parse(text, out))
		return 0;
	(void)snprintf(whole, sizeof(whole), "%sT00:00:00Z", text);
	if (strlen(text) == strlen("YYYY-MM-DD") && utc_parse(whole, out))
		return 0;
	return error_set(err, E_USAGE,
			 "--until: %s: want YYYY-MM-DDTHH:MM:SSZ, YYYY-MM-DD or never", text);
}

typedef int (*give_key_fn)(json_t *body, const char *name, const char *keyid, json_t *object,
			   struct error *err);

/* One such key makes the whole targets file unreadable to them, not only what it signs. */
static int check_portable(const struct key_file *k, const char *path, bool portable,
			  struct error *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	int r = key_parse(k->keyid, k->object, "key", &key, err);

	if (r < 0 || key_portable(key))
		return r;
	if (portable)
		return error_set(err, E_USAGE,
				 "--portable: %s is an OpenPGP key, which go-tuf, tough and tuf-js "
				 "refuse",
				 path);
	(void)fprintf(stderr,
		      "%s is an OpenPGP key: Bequest's client and python-tuf can read targets "
		      "that list it, go-tuf, tough and tuf-js refuse them\n",
		      path);
	return 0;
}

/* Whose keys, and how they are given to the role or the bins of `name`. */
struct giving {
	const char *name;
	const struct cli_list *files;
	give_key_fn give;
	bool portable;
};

static int give_keys(json_t *body, const struct giving *g, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->files->n; i++) {
		CLEANUP(key_file_clear) struct key_file k = {0};
		const char *path = g->files->items[i];

		r = key_file_read(path, &k, err);
		if (r == 0)
			r = check_portable(&k, path, g->portable, err);
		if (r == 0)
			r = g->give(body, g->name, k.keyid, k.object, err);
	}
	return r;
}

static int edit(json_t *body, const char *name, const struct add_options *o, struct error *err)
{
	int64_t until = INT64_MAX;
	bool fresh = !entry_of(body, name);
	int r = set_rule(body, name, o, err);

	if (r == 0 && fresh && !o->key.n)
		r = error_set(err, E_USAGE, "a new channel needs --key");
	if (r == 0 && o->key.n)
		r = repo_delegate_clear(body, name, err);
	if (r == 0)
		r = give_keys(body, &(struct giving){name, &o->key, repo_delegate_key, o->portable},
			      err);
	if (r == 0 && o->until)
		r = parse_until(o->until, &until, err);
	if (r == 0 && o->until)
		r = repo_delegate_until(body, name, until, err);
	if (r == 0 && o->place)
		r = repo_delegate_place(body, name, (size_t)o->place - 1, err);
	return r;
}

/* What the editor refuses is the person's to mend. */
static int usage(int r, struct error *err)
{
	if (r != E_INVALID && r != E_EXISTS && r != E_NOTFOUND)
		return r;
	err->code = E_USAGE;
	return E_USAGE;
}

/* Write the delegating role's draft, start the drafts that it takes, and say so. */
static int finish(struct work *w, const struct cli_call *call, const char *parent,
		  json_t *body_take, struct error *err)
{
	CLEANUP(json_decrefp) json_t *started = NULL;
	const json_t *name;
	size_t i;
	int r = work_set_draft(w, parent, body_take, err);

	if (r == 0)
		r = channel_follow(w, parent, &started, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(
			json_pack("{s:b, s:s, s:O}", "ok", 1, "role", parent, "started", started),
			err);
	(void)printf("%s %" PRId64 ": delegations changed\n", parent,
		     envelope_version(work_draft(w, parent)));
	json_array_foreach(started, i, name)
	{
		const char *role = json_string_value(name);

		(void)printf("%s %" PRId64 ": started, to be signed with its own keys\n", role,
			     envelope_version(work_draft(w, role)));
	}
	return 0;
}

static const char *or_top(const char *role)
{
	return role ? role : "targets";
}

static int open_parent(const char *dir, const char *parent, struct work *w, json_t **body,
		       struct error *err)
{
	int r = work_open(dir, w, err);

	if (r == 0)
		r = work_trust(w, false, err);
	return r < 0 ? r : work_edit(w, parent, body, err);
}

static int run_add(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(json_decrefp) json_t *body = NULL;
	const struct add_options *o = call->opt;
	int r = 0;

	if (!json_text_ok(call->args[0]))
		r = error_set(err, E_USAGE, "NAME: want UTF-8");
	if (r == 0)
		r = open_parent(o->dir, or_top(o->parent), &w, &body, err);
	if (r == 0)
		r = usage(edit(body, call->args[0], o, err), err);
	return r < 0 ? r : finish(&w, call, or_top(o->parent), steal(body), err);
}

/* --- remove --- */

struct remove_options {
	const char *dir, *parent;
};

static const struct cli_option remove_options[] = {
	CLI_NEED(struct remove_options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct remove_options, parent, CLI_TEXT, "role", "NAME",
		"the role that delegates; default: the top-level targets"),
	{0},
};

static int run_remove(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(json_decrefp) json_t *body = NULL;
	const struct remove_options *o = call->opt;
	const char *parent = or_top(o->parent), *name = call->args[0];
	int r = open_parent(o->dir, parent, &w, &body, err);

	if (r == 0)
		r = usage(repo_delegate_drop(body, name, err), err);
	if (r == 0 && work_draft(&w, name))
		r = work_drop_draft(&w, name, err);
	return r < 0 ? r : finish(&w, call, parent, steal(body), err);
}

/* --- list --- */

struct list_options {
	const char *dir;
};

static const struct cli_option list_options[] = {
	CLI_NEED(struct list_options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	{0},
};

/* {"role", "by", "keyids", "threshold", "terminating", "paths" ..., "version", "draft"} */
static json_t *describe(struct work *w, const struct descent *at)
{
	const struct delegation *d = at->d;
	const struct envelope *draft = work_draft(w, d->name);
	const struct tuf_role *published = NULL;
	struct error none = {0};
	bool known = work_published(w, d->name, &published, &none) == 0;
	char until[UTC_SIZE];

	utc_format(d->until, until);
	return json_pack("{s:s, s:s, s:O, s:I, s:b, s:O*, s:O*, s:o*, s:s*, s:o*, s:o*}", "role",
			 d->name, "by", at->up ? at->up->d->name : "targets", "keyids", d->keyids,
			 "threshold", (json_int_t)d->threshold, "terminating", d->terminating,
			 "paths", json_object_get(d->rule, "paths"), "path_hash_prefixes",
			 json_object_get(d->rule, "path_hash_prefixes"), "bits",
			 d->bits ? json_integer(d->bits) : NULL, "until",
			 d->until == INT64_MAX ? NULL : until, "version",
			 known ? json_integer((json_int_t)published->version) : NULL, "draft",
			 draft ? json_integer((json_int_t)envelope_version(draft)) : NULL);
}

static void print_texts(const char *before, const json_t *list)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		(void)printf("%s%s", i ? " " : before, json_string_value(v));
	}
}

static void print_role(const json_t *one)
{
	const json_t *version = json_object_get(one, "version");
	const char *until = json_string_value(json_object_get(one, "until"));

	(void)printf("%s, by %s: ", json_string_value(json_object_get(one, "role")),
		     json_string_value(json_object_get(one, "by")));
	if (version)
		(void)printf("version %" JSON_INTEGER_FORMAT, json_integer_value(version));
	else
		(void)printf("not published");
	(void)printf(", %" JSON_INTEGER_FORMAT " of %zu keys",
		     json_integer_value(json_object_get(one, "threshold")),
		     json_array_size(json_object_get(one, "keyids")));
	print_texts(", paths ", json_object_get(one, "paths"));
	print_texts(", hash prefixes ", json_object_get(one, "path_hash_prefixes"));
	(void)printf("%s%s%s\n",
		     json_is_true(json_object_get(one, "terminating")) ? ", terminating" : "",
		     until ? ", until " : "", until ? until : "");
}

static int run_list(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	CLEANUP(json_decrefp) json_t *list = json_array();
	const struct list_options *o = call->opt;
	const struct descent *at = NULL;
	const json_t *one;
	struct error none = {0};
	size_t i;
	int r = list ? work_open(o->dir, &w, err) : error_nomem(err);

	if (r == 0)
		r = work_trust(&w, false, err);
	if (r == 0)
		r = work_lineage(&w, &lineage, err);
	if (r < 0)
		return r;
	while ((r = lineage_next(lineage, &at, &none)) == 0)
		if (json_array_append_new(list, describe(&w, at)) < 0)
			return error_nomem(err);
	if (r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	if (call->json)
		return json_print(json_pack("{s:b, s:O}", "ok", 1, "roles", list), err);
	json_array_foreach(list, i, one)
	{
		print_role(one);
	}
	return 0;
}

/* --- bins --- */

struct bins_options {
	const char *dir, *parent, *prefix;
	struct cli_list key;
	int64_t bits, threshold;
	bool remove, portable;
};

static const struct cli_option bins_options[] = {
	CLI_NEED(struct bins_options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct bins_options, parent, CLI_TEXT, "role", "NAME",
		"the role that delegates; default: the top-level targets"),
	CLI_RANGE(struct bins_options, bits, 1, BITS_MAX, "bits", "N", "make 2^N bins"),
	CLI_OPT(struct bins_options, prefix, CLI_TEXT, "name", "PREFIX",
		"their names are PREFIX-0 and so on; default: bin"),
	CLI_OPT(struct bins_options, key, CLI_LIST, "key", "FILE",
		"a key of all bins, from bequest-escrow key export; may repeat"),
	CLI_RANGE(struct bins_options, threshold, 1, KEYS_MAX, "threshold", "K",
		  "how many of the keys must sign a bin; default: 1"),
	CLI_OPT(struct bins_options, portable, CLI_FLAG, "portable", NULL,
		"refuse keys that not all TUF clients read"),
	CLI_OPT(struct bins_options, remove, CLI_FLAG, "remove", NULL, "take the bins back"),
	{0},
};

static int give_bin_key(json_t *body, const char *name, const char *keyid, json_t *object,
			struct error *err)
{
	(void)name;
	return repo_bins_key(body, keyid, object, err);
}

static int edit_bins(json_t *body, const struct bins_options *o, struct error *err)
{
	const char *prefix = o->prefix ? o->prefix : "bin";
	int r;

	if (o->remove)
		return repo_bins_drop(body, err);
	if (!o->bits || !o->key.n)
		return error_set(err, E_USAGE, "hash bins need --bits and --key");
	if (!json_text_ok(prefix))
		return error_set(err, E_USAGE, "--name: want UTF-8");
	r = repo_bins(body, prefix, o->bits, o->threshold ? o->threshold : 1, err);
	return r < 0 ? r
		     : give_keys(body, &(struct giving){prefix, &o->key, give_bin_key, o->portable},
				 err);
}

static int run_bins(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(json_decrefp) json_t *body = NULL;
	const struct bins_options *o = call->opt;
	int r = open_parent(o->dir, or_top(o->parent), &w, &body, err);

	if (r == 0)
		r = usage(edit_bins(body, o, err), err);
	return r < 0 ? r : finish(&w, call, or_top(o->parent), steal(body), err);
}

/* --- the table --- */

const struct cli_verb verb_delegate_add = {
	.name = "delegate add",
	.args = "NAME",
	.help = "make a channel, or change it: another role that may publish some paths",
	.options = add_options,
	.size = sizeof(struct add_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_add,
};

const struct cli_verb verb_delegate_remove = {
	.name = "delegate remove",
	.args = "NAME",
	.help = "end a channel",
	.options = remove_options,
	.size = sizeof(struct remove_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_remove,
};

const struct cli_verb verb_delegate_list = {
	.name = "delegate list",
	.args = "",
	.help = "the channels as they will be: whose, for which paths, until when",
	.options = list_options,
	.size = sizeof(struct list_options),
	.run = run_list,
};

const struct cli_verb verb_bins = {
	.name = "bins",
	.args = "",
	.help = "spread target paths over hash bins, roles of their own",
	.options = bins_options,
	.size = sizeof(struct bins_options),
	.run = run_bins,
};
