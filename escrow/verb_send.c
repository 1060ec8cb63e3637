/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "escrow/desk.h"
#include "escrow/folder.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/json/print.h"

enum {
	DOCUMENTS_MAX = 64, /* in one array */
	TIMEOUT_S = 60,
	TIMEOUT_MAX_S = 86400,
	POLL_MS = 250,
	MS_PER_S = 1000,
	POLL_NS = 250 * 1000 * 1000,
};

static const struct cli_option submit_options[] = {
	OPT_REGISTRY(struct common_only, CLI_NEED),
	OPT_ALLOW_HTTP(struct common_only),
	{0},
};

/* The documents of one array. */
struct batch {
	struct envelope *docs[DOCUMENTS_MAX];
	size_t n;
};

static void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		envelope_free(b->docs[i]);
}

static int run_submit(const struct cli_call *call, struct error *err)
{
	const struct common_only *o = call->opt;
	CLEANUP(batch_clear) struct batch b = {0};
	CLEANUP(desk_close) struct desk d = {0};
	const struct envelope *docs[DOCUMENTS_MAX];
	int r;

	while (b.n < call->nargs) {
		r = desk_read_envelope(call->args[b.n], &b.docs[b.n], err);
		if (r < 0)
			return r;
		docs[b.n] = b.docs[b.n];
		b.n++;
	}
	r = desk_open(&o->common, &d, err);
	return r < 0 ? r : desk_submit(call, &d, docs, b.n, err);
}

const struct cli_verb escrow_submit = {
	.name = "submit",
	.args = "FILE...",
	.help = "send signed documents to a registry, all or none",
	.options = submit_options,
	.size = sizeof(struct common_only),
	.min_args = 1,
	.max_args = DOCUMENTS_MAX,
	.run = run_submit,
};

struct deposit_options {
	struct common common;
	int64_t timeout_s;
};

static const struct cli_option deposit_options[] = {
	OPT_REGISTRY(struct deposit_options, CLI_NEED),
	OPT_ALLOW_HTTP(struct deposit_options),
	CLI_RANGE(struct deposit_options, timeout_s, 1, TIMEOUT_MAX_S, "timeout", "SECONDS",
		  "how long to wait for the receipt (60)"),
	{0},
};

static int upload(const struct folder *f, struct desk *d, bool quiet, struct error *err)
{
	for (size_t i = 0; i < f->deposit.nfiles; i++) {
		const struct deposit_file *file = &f->deposit.files[i];
		CLEANUP(closep)
		int fd = openat(f->fd, file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		struct progress bar;
		int r;

		if (fd < 0)
			return error_errno(err, errno, "%s", file->path);
		progress_init(&bar, file->path, quiet);
		d->api.progress = progress_draw;
		d->api.ctx = &bar;
		r = api_put_blob(&d->api, file->sha256, fd, (uint64_t)file->size, err);
		progress_end(&bar);
		d->api.progress = NULL;
		if (r < 0)
			return error_prefix(err, r, "%s", file->path);
	}
	return 0;
}

/* Once it is published, the log's proof follows within a batch or two. */
static int receipt(const struct desk *d, const char *id, int64_t timeout_s, json_t **out,
		   struct error *err)
{
	int64_t polls = timeout_s * MS_PER_S / POLL_MS;

	for (;;) {
		CLEANUP(json_decrefp) json_t *reply = NULL;
		int r = api_wait(&d->api, id, (int)timeout_s, &reply, err);

		if (r < 0)
			return r;
		if (json_is_string(json_object_get(reply, "proof"))) {
			*out = steal(reply);
			return 0;
		}
		if (polls-- <= 0)
			return error_set(err, E_NOTYET,
					 "deposit %s: published; its log proof is not there yet",
					 id);
		(void)nanosleep(&(struct timespec){0, POLL_NS}, NULL);
	}
}

static int check_accepted(const json_t *reply, struct error *err)
{
	const json_t *one = json_array_get(json_object_get(reply, "documents"), 0);
	const char *state = json_string_value(json_object_get(one, "state"));

	if (!state)
		return error_set(err, E_INVALID, "registry: documents[0].state: missing");
	if (strcmp(state, "proposal") == 0)
		return error_set(err, E_NOTYET,
				 FOLDER_MANIFEST ": %lld of %lld signatures; others sign with "
						 "`root sign`",
				 (long long)json_integer_value(json_object_get(one, "have")),
				 (long long)json_integer_value(json_object_get(one, "need")));
	return 0;
}

static int print_receipt(const struct cli_call *call, const struct folder *f, json_t *reply,
			 struct error *err)
{
	const char *proof = json_string_value(json_object_get(reply, "proof"));
	int64_t size = 0;

	for (size_t i = 0; i < f->deposit.nfiles; i++)
		size += f->deposit.files[i].size;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s, s:s, s:I, s:I}", "ok", 1, "id",
					    envelope_id(f->doc), "sha256", envelope_sha256(f->doc),
					    "state", "published", "proof", proof, "files",
					    (json_int_t)f->deposit.nfiles, "size",
					    (json_int_t)size),
				  err);
	(void)printf("deposit %s: published\n  %zu files, %lld bytes\n  log proof: ",
		     envelope_id(f->doc), f->deposit.nfiles, (long long)size);
	log_escaped(stdout, proof);
	(void)putchar('\n');
	return 0;
}

static int run_deposit(const struct cli_call *call, struct error *err)
{
	const struct deposit_options *o = call->opt;
	CLEANUP(folder_close) struct folder f = {.fd = -1};
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(json_decrefp) json_t *posted = NULL;
	CLEANUP(json_decrefp) json_t *published = NULL;
	struct progress bar;
	int r = folder_open(call->args[0], &f, err);

	if (r == 0)
		r = desk_open(&o->common, &d, err);
	if (r < 0)
		return r;
	progress_init(&bar, "checking", call->json);
	r = folder_check(&f, progress_draw, &bar, err);
	progress_end(&bar);
	if (r == 0)
		r = api_post_documents(&d.api, envelope_bytes(f.doc), 1, &posted, err);
	if (r == 0)
		r = check_accepted(posted, err);
	if (r == 0)
		r = upload(&f, &d, call->json, err);
	if (r == 0)
		r = receipt(&d, envelope_id(f.doc), o->timeout_s ? o->timeout_s : TIMEOUT_S,
			    &published, err);
	return r < 0 ? r : print_receipt(call, &f, published, err);
}

const struct cli_verb escrow_deposit = {
	.name = "deposit",
	.args = "DIR",
	.help = "upload a sealed folder and wait for the receipt; picks up where it stopped",
	.options = deposit_options,
	.size = sizeof(struct deposit_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_deposit,
};
