/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish submit: hand the draft and its files to the registry, and see it published. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/progress.h"
#include "lib/json/clone.h"
#include "lib/json/print.h"
#include "lib/net/api.h"
#include "registry/publish/verbs.h"
#include "registry/publish/work.h"

enum { DOCS_MAX = 64, WAIT_S = 60 }; /* as many as a registry takes in one array */

struct options {
	const char *dir;
	struct cli_list with, role;
};

static const struct cli_option options[] = {
	CLI_NEED(struct options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct options, with, CLI_LIST, "with", "FILE",
		"a document to post before it, all or nothing; may repeat"),
	CLI_OPT(struct options, role, CLI_LIST, "role", "NAME",
		"post the draft of this role only; default: all that are signed; may repeat"),
	{0},
};

struct docs {
	struct buf item[DOCS_MAX];
	size_t n;
	const struct draft *draft[DOCS_MAX]; /* borrowed; those that come after `with` */
	size_t ndrafts;
};

static void docs_clear(struct docs *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_clear(&d->item[i]);
}

static int add_draft(struct docs *out, const struct draft *d, struct error *err)
{
	const struct buf *bytes = envelope_bytes(d->doc);

	if (out->n == DOCS_MAX)
		return error_set(err, E_USAGE, "more than %d documents; choose by --role",
				 DOCS_MAX);
	out->draft[out->ndrafts++] = d;
	return buf_add(&out->item[out->n++], bytes->data, bytes->len, err);
}

/* Post it? What nobody signed is left out, unless there is nothing else. */
static bool is_meant(const struct work *w, const struct cli_list *role, const struct draft *d)
{
	for (size_t i = 0; i < role->n; i++)
		if (strcmp(role->items[i], d->role) == 0)
			return true;
	if (role->n)
		return false;
	if (envelope_signatures(d->doc) || !w->drafts->next)
		return true;
	(void)fprintf(stderr, "%s %" PRId64 ": nobody signed it: left out\n", d->role,
		      envelope_version(d->doc));
	return false;
}

static const struct draft *draft_of(const struct work *w, const char *role)
{
	const struct draft *d = w->drafts;

	while (d && strcmp(d->role, role) != 0)
		d = d->next;
	return d;
}

static bool is_in(const struct docs *docs, const struct draft *d)
{
	for (size_t i = 0; i < docs->ndrafts; i++)
		if (docs->draft[i] == d)
			return true;
	return false;
}

/* Drafts from the top down: who delegates comes before whom it delegates to. */
static int collect_drafts(struct work *w, const struct cli_list *role, struct docs *out,
			  struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct draft *d = draft_of(w, "targets");
	const struct descent *at = NULL;
	struct error none = {0};
	int r = 0;

	if (d && is_meant(w, role, d))
		r = add_draft(out, d, err);
	if (r == 0 && w->drafts && (d != w->drafts || w->drafts->next)) {
		r = work_trust(w, false, err);
		if (r == 0)
			r = work_lineage(w, &lineage, err);
	}
	while (r == 0 && lineage) {
		r = lineage_next(lineage, &at, &none);
		if (r == E_NOTFOUND)
			return 0;
		if (r < 0)
			return error_set(err, r, "%s", none.text);
		d = draft_of(w, at->d->name);
		if (d && !is_in(out, d) && is_meant(w, role, d))
			r = add_draft(out, d, err);
	}
	return r;
}

/* The documents to post, in the order in which they are to take effect. */
static int collect(struct work *w, const struct options *o, struct docs *out, struct error *err)
{
	int r;

	if (o->with.n >= DOCS_MAX)
		return error_set(err, E_USAGE, "--with: at most %d documents", DOCS_MAX - 1);
	for (size_t i = 0; i < o->with.n; i++) {
		r = file_read(AT_FDCWD, o->with.items[i], TUF_ROOT_MAX, &out->item[out->n++], err);
		if (r < 0)
			return error_prefix(err, E_USAGE, "--with");
	}
	for (size_t i = 0; i < o->role.n; i++)
		if (!draft_of(w, o->role.items[i]))
			return error_set(err, E_USAGE, "--role: no draft of %s in this folder",
					 o->role.items[i]);
	r = collect_drafts(w, &o->role, out, err);
	if (r == 0 && out->ndrafts == 0)
		r = error_set(err, E_USAGE, "%s",
			      w->drafts ? "no draft is signed; bequest-publish sign does it"
					: "no draft in this folder; bequest-publish checkout makes "
					  "one");
	return r;
}

static int upload(const struct api *a, const struct work *w, const json_t *blob, struct error *err)
{
	const char *sha256 = json_string_value(json_object_get(blob, "sha256"));
	CLEANUP(closep) int files = -1;
	CLEANUP(closep) int fd = -1;
	int64_t size;
	int r;

	if (!sha256 || !file_name_ok(sha256))
		return error_set(err, E_INVALID, "%s: missing.sha256: want a digest", a->base);
	r = file_open_dir(w->dir, "files", false, &files, err);
	if (r < 0)
		return r;
	fd = openat(files, sha256, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, E_USAGE,
				 "files/%s: the registry wants it and it is not here; "
				 "add the file again",
				 sha256);
	r = file_size(fd, sha256, &size, err);
	if (r < 0)
		return r;
	r = api_put_blob(a, sha256, fd, (uint64_t)size, err);
	return r;
}

/* Upload whatever any document of the reply still waits for. */
static int upload_missing(const struct api *a, const struct work *w, const json_t *reply,
			  struct error *err)
{
	size_t i, k;
	json_t *doc, *blob;

	json_array_foreach(json_object_get(reply, "documents"), i, doc)
	{
		json_array_foreach(json_object_get(doc, "missing"), k, blob)
		{
			int r = upload(a, w, blob, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int report_one(const struct work *w, const struct draft *d, const json_t *state)
{
	const char *name = json_string_value(json_object_get(state, "state"));
	const char *proof = json_string_value(json_object_get(state, "proof"));

	if (name && strcmp(name, "published") != 0)
		return printf("%s: %s %" PRId64 " waits for signatures: %" JSON_INTEGER_FORMAT
			      " of %" JSON_INTEGER_FORMAT "\n",
			      w->product, d->role, envelope_version(d->doc),
			      json_integer_value(json_object_get(state, "have")),
			      json_integer_value(json_object_get(state, "need")));
	return printf("%s: %s %" PRId64 " published\nlog proof: %s\n", w->product, d->role,
		      envelope_version(d->doc),
		      proof ? proof : "comes once the log's witnesses have cosigned");
}

/* `states` has one object for each draft; with one draft that object is the answer. */
static int report(const struct work *w, const struct docs *docs, json_t *states, bool json,
		  struct error *err)
{
	if (json) {
		CLEANUP(json_decrefp) json_t *answer = json_clone(json_array_get(states, 0));

		if (!answer)
			return error_nomem(err);
		if (docs->ndrafts > 1 && json_object_set(answer, "documents", states) < 0)
			return error_nomem(err);
		return json_print(steal(answer), err);
	}
	for (size_t i = 0; i < docs->ndrafts; i++)
		(void)report_one(w, docs->draft[i], json_array_get(states, i));
	return 0;
}

static bool waits_for_signatures(const json_t *reply)
{
	const json_t *doc;
	size_t i;

	json_array_foreach(json_object_get(reply, "documents"), i, doc)
	{
		const char *state = json_string_value(json_object_get(doc, "state"));

		if (state && strcmp(state, "proposal") == 0)
			return true;
	}
	return false;
}

/* What became of each draft: from the reply, if signatures are missing, else when it is done. */
static int outcome(const struct api *a, const struct docs *docs, const json_t *reply, json_t **out,
		   struct error *err)
{
	const json_t *list = json_object_get(reply, "documents");
	CLEANUP(json_decrefp) json_t *states = json_array();
	bool waits = waits_for_signatures(reply);
	int r = states ? 0 : error_nomem(err);

	for (size_t i = 0; r == 0 && i < docs->ndrafts; i++) {
		json_t *state = NULL;

		if (waits)
			state = json_incref(json_array_get(list, docs->n - docs->ndrafts + i));
		else
			r = api_wait(a, envelope_id(docs->draft[i]->doc), WAIT_S, &state, err);
		if (r == 0 && json_array_append_new(states, state) < 0)
			r = error_nomem(err);
	}
	if (r == 0)
		*out = steal(states);
	return r;
}

static int run(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(docs_clear) struct docs docs = {0};
	const struct options *o = call->opt;
	json_auto_t *reply = NULL;
	json_auto_t *states = NULL;
	struct progress bar;
	int r = work_open(o->dir, &w, err);

	if (r == 0)
		r = collect(&w, o, &docs, err);
	if (r < 0)
		return r;

	progress_init(&bar, "uploading", call->json);
	const struct api api = {
		.http = w.http, .base = w.registry, .progress = progress_draw, .ctx = &bar};
	r = api_post_documents(&api, docs.item, docs.n, &reply, err);
	if (r < 0)
		return r;
	if (!waits_for_signatures(reply)) {
		r = upload_missing(&api, &w, reply, err);
		progress_end(&bar);
	}
	if (r == 0)
		r = outcome(&api, &docs, reply, &states, err);
	return r < 0 ? r : report(&w, &docs, states, call->json, err);
}

const struct cli_verb verb_submit = {
	.name = "submit",
	.args = "",
	.help = "post the drafts, upload their files, wait until all is published and logged",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
