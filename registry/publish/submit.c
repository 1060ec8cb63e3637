/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish submit: hand the draft and its files to the registry, and see it published. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/progress.h"
#include "lib/json/print.h"
#include "lib/net/api.h"
#include "registry/publish/verbs.h"
#include "registry/publish/work.h"

enum { DOCS_MAX = 16, WAIT_S = 60 };

struct options {
	const char *dir;
	struct cli_list with;
};

static const struct cli_option options[] = {
	CLI_NEED(struct options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct options, with, CLI_LIST, "with", "FILE",
		"a document to post before it, all or nothing; may repeat"),
	{0},
};

struct docs {
	struct buf item[DOCS_MAX];
	size_t n;
};

static void docs_clear(struct docs *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_clear(&d->item[i]);
}

/* The documents to post, in the order in which they are to take effect; the draft is the last. */
static int collect(const struct work *w, const struct cli_list *with, struct docs *out,
		   struct error *err)
{
	const struct buf *draft = envelope_bytes(w->draft);
	int r;

	if (with->n >= DOCS_MAX)
		return error_set(err, E_USAGE, "--with: at most %d documents", DOCS_MAX - 1);
	for (size_t i = 0; i < with->n; i++) {
		r = file_read(AT_FDCWD, with->items[i], TUF_ROOT_MAX, &out->item[out->n++], err);
		if (r < 0)
			return error_prefix(err, E_USAGE, "--with");
	}
	return buf_add(&out->item[out->n++], draft->data, draft->len, err);
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

static int report(const struct work *w, json_t *state, bool json, struct error *err)
{
	const char *name = json_string_value(json_object_get(state, "state"));
	const char *proof = json_string_value(json_object_get(state, "proof"));

	if (json)
		return json_print(json_incref(state), err);
	if (name && strcmp(name, "proposal") == 0)
		(void)printf("%s: targets %" PRId64 " waits for signatures: %" JSON_INTEGER_FORMAT
			     " of %" JSON_INTEGER_FORMAT "\n",
			     w->product, envelope_version(w->draft),
			     json_integer_value(json_object_get(state, "have")),
			     json_integer_value(json_object_get(state, "need")));
	else
		(void)printf("%s: targets %" PRId64 " published\nlog proof: %s\n", w->product,
			     envelope_version(w->draft), proof ? proof : "none");
	return 0;
}

static int run(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(docs_clear) struct docs docs = {0};
	const struct options *o = call->opt;
	json_auto_t *reply = NULL;
	json_auto_t *state = NULL;
	json_t *unused, *last;
	struct progress bar;
	int r = work_open(o->dir, &w, err);

	if (r == 0)
		r = work_signed(&w, &unused, err);
	if (r == 0)
		r = collect(&w, &o->with, &docs, err);
	if (r < 0)
		return r;

	progress_init(&bar, "uploading", call->json);
	const struct api api = {
		.http = w.http, .base = w.registry, .progress = progress_draw, .ctx = &bar};
	r = api_post_documents(&api, docs.item, docs.n, &reply, err);
	if (r < 0)
		return r;
	last = json_array_get(json_object_get(reply, "documents"), docs.n - 1);
	const char *name = json_string_value(json_object_get(last, "state"));
	if (name && strcmp(name, "proposal") == 0)
		return report(&w, last, call->json, err);
	r = upload_missing(&api, &w, reply, err);
	progress_end(&bar);
	if (r == 0)
		r = api_wait(&api, envelope_id(w.draft), WAIT_S, &state, err);
	return r < 0 ? r : report(&w, state, call->json, err);
}

const struct cli_verb verb_submit = {
	.name = "submit",
	.args = "",
	.help = "post the draft, upload its files, wait until it is published and logged",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
