/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish sign: add my signature, or another's, to what is to be published. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/print.h"
#include "lib/sign/signer_spec.h"
#include "registry/publish/verbs.h"
#include "registry/publish/work.h"

enum { FILE_MODE = 0644 };

struct options {
	const char *dir, *file, *key, *home;
	struct cli_list role, from;
};

static const struct cli_option options[] = {
	CLI_OPT(struct options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct options, role, CLI_LIST, "role", "NAME",
		"sign the draft of this role only; default: all that list my key; may repeat"),
	CLI_OPT(struct options, file, CLI_TEXT, "file", "FILE",
		"instead of a work folder: a draft that somebody sent"),
	CLI_OPT(struct options, key, CLI_TEXT, "key", "SPEC", "pem:FILE, sealed:FILE or gpg:WHO"),
	CLI_OPT(struct options, home, CLI_TEXT, "gnupg-home", "DIR",
		"GnuPG home of the key; default: yours"),
	CLI_OPT(struct options, from, CLI_LIST, "from", "FILE",
		"take the signatures of this copy of a draft; may repeat"),
	{0},
};

/* --- a file that somebody sent --- */

static int read_copy(const char *option, const char *path, struct envelope **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = file_read(AT_FDCWD, path, TUF_TARGETS_MAX, &text, err);

	if (r == 0)
		r = envelope_parse(text.data, text.len, path, out, err);
	if (r == E_NOTFOUND || r == E_INVALID)
		return error_prefix(err, E_USAGE, "%s", option);
	return r;
}

/* Nobody is asked who may sign it: the person reads what it is. */
static int sign_file(const struct cli_call *call, struct error *err)
{
	const struct options *o = call->opt;
	CLEANUP(signer_freep) struct signer *signer = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	const struct buf *bytes;
	const json_t *body;
	const char *name;
	int r = read_copy("--file", o->file, &doc, err);

	if (r < 0)
		return r;
	bytes = envelope_bytes(doc);
	r = tuf_role_parse(bytes->data, bytes->len, TUF_TARGETS, o->file, &role, err);
	if (r == E_INVALID)
		return error_prefix(err, E_USAGE, "--file");
	if (r == 0)
		r = signer_open_spec(o->key, o->home, &signer, err);
	if (r == 0)
		r = signer_sign_envelope(signer, doc, err);
	if (r == 0)
		r = file_write(AT_FDCWD, o->file, envelope_bytes(doc)->data,
			       envelope_bytes(doc)->len, FILE_MODE, err);
	if (r < 0)
		return r;
	body = envelope_signed(doc);
	name = json_string_value(json_object_get(json_object_get(body, "x-bequest"), "role"));
	name = name ? name : "targets";
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:I, s:s}", "ok", 1, "keyid",
					    key_id(signer_key(signer)), "role", name, "version",
					    (json_int_t)envelope_version(doc), "id",
					    envelope_id(doc)),
				  err);
	(void)printf("%s: %s %" PRId64 " of %s: %zu files, id %s: signed by %s\n", o->file, name,
		     envelope_version(doc), role->product ? role->product : "no product",
		     json_object_size(json_object_get(body, "targets")), envelope_id(doc),
		     key_id(signer_key(signer)));
	return 0;
}

/* --- the drafts of a work folder --- */

struct signing {
	struct work *w;
	struct signer *signer; /* NULL: only signatures of others are taken */
	const struct options *o;
	json_t *done; /* [{"role", "version", "have", "need"}] */
};

static bool is_wanted(const struct options *o, const char *role)
{
	for (size_t i = 0; i < o->role.n; i++)
		if (strcmp(o->role.items[i], role) == 0)
			return true;
	return o->role.n == 0;
}

/* Take the signatures of the copies that are of this draft. */
static int merge(const struct options *o, const struct role_keys *keys, struct envelope *doc,
		 bool *any, struct error *err)
{
	for (size_t i = 0; i < o->from.n; i++) {
		CLEANUP(envelope_freep) struct envelope *copy = NULL;
		int r = read_copy("--from", o->from.items[i], &copy, err);

		if (r == 0 && strcmp(envelope_id(copy), envelope_id(doc)) == 0) {
			*any = true;
			r = envelope_merge_counting(doc, copy, keys, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int sign_draft(struct signing *s, const struct draft *d, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	bool any = false;
	int r = work_keys(s->w, d->role, &keys, err);

	if (r == 0)
		r = merge(s->o, &keys, d->doc, &any, err);
	if (r == 0 && s->signer && role_keys_has(&keys, signer_key(s->signer))) {
		any = true;
		r = signer_sign_envelope(s->signer, d->doc, err);
	}
	if (r < 0 || !any)
		return r;
	r = work_save_draft(s->w, d->role, err);
	if (r < 0)
		return r;
	return json_array_append_new(s->done,
				     json_pack("{s:s, s:I, s:I, s:I}", "role", d->role, "version",
					       (json_int_t)envelope_version(d->doc), "have",
					       (json_int_t)envelope_count(d->doc, &keys, NULL),
					       "need", (json_int_t)keys.threshold)) < 0
		       ? error_nomem(err)
		       : 0;
}

/* Whose key is it? Say for which role it was meant, if there is only one. */
static int refuse(const struct signing *s, struct error *err)
{
	const struct tuf_root *root = tuf_trusted_root(s->w->tuf);
	const struct draft *d = s->w->drafts;

	if (!d)
		return error_set(err, E_USAGE,
				 "no draft in this folder; bequest-publish checkout makes one");
	if (!s->signer)
		return error_set(err, E_USAGE, "--from: is no copy of a draft in this folder");
	if (!d->next && strcmp(d->role, "targets") == 0)
		return error_set(err, E_USAGE,
				 "--key: %s is no targets key of root %" PRId64 " of %s",
				 key_id(signer_key(s->signer)), root->version, s->w->product);
	return error_set(err, E_USAGE,
			 "--key: %s is no key of a role that has a draft in this folder",
			 key_id(signer_key(s->signer)));
}

static int report(const struct signing *s, bool json, struct error *err)
{
	const char *keyid = s->signer ? key_id(signer_key(s->signer)) : NULL;
	const json_t *first = json_array_get(s->done, 0), *one;
	size_t i;

	if (json)
		return json_print(json_pack("{s:b, s:s*, s:O, s:O, s:O}", "ok", 1, "keyid", keyid,
					    "have", json_object_get(first, "have"), "need",
					    json_object_get(first, "need"), "drafts", s->done),
				  err);
	json_array_foreach(s->done, i, one)
	{
		const char *role = json_string_value(json_object_get(one, "role"));

		(void)printf("%s %" JSON_INTEGER_FORMAT ": signed%s%s; %" JSON_INTEGER_FORMAT
			     " of %" JSON_INTEGER_FORMAT " signatures\n",
			     role, json_integer_value(json_object_get(one, "version")),
			     keyid ? " by " : "", keyid ? keyid : "",
			     json_integer_value(json_object_get(one, "have")),
			     json_integer_value(json_object_get(one, "need")));
	}
	return 0;
}

static int sign_work(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(json_decrefp) json_t *done = json_array();
	CLEANUP(signer_freep) struct signer *signer = NULL;
	const struct options *o = call->opt;
	struct signing s = {&w, NULL, o, done};
	int r = done ? work_open(o->dir, &w, err) : error_nomem(err);

	if (r == 0 && o->key) /* not before: nobody is asked for a PIN in vain */
		r = signer_open_spec(o->key, o->home, &signer, err);
	s.signer = signer;
	for (size_t i = 0; r == 0 && i < o->role.n; i++) {
		json_t *unused = NULL;

		r = work_edit(&w, o->role.items[i], &unused, err);
		json_decref(unused);
	}
	if (r == 0)
		r = work_trust(&w, false, err);
	for (const struct draft *d = w.drafts; r == 0 && d; d = d->next)
		if (is_wanted(o, d->role))
			r = sign_draft(&s, d, err);
	if (r < 0)
		return r;
	return json_array_size(done) ? report(&s, call->json, err) : refuse(&s, err);
}

static int run(const struct cli_call *call, struct error *err)
{
	const struct options *o = call->opt;

	if (!o->dir == !o->file)
		return error_set(err, E_USAGE, "want one of --dir and --file");
	if (!o->key && (o->file || !o->from.n))
		return error_set(err, E_USAGE, "want --key%s", o->file ? "" : " or --from");
	if (o->file && (o->from.n || o->role.n))
		return error_set(err, E_USAGE, "--from and --role go with --dir");
	return o->file ? sign_file(call, err) : sign_work(call, err);
}

const struct cli_verb verb_sign = {
	.name = "sign",
	.args = "",
	.help = "add a signature to the drafts, or to one that somebody sent",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
