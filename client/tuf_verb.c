/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tuf_verb.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/net/http.h"
#include "lib/tuf/client.h"

#define LOCK_FILE "lock" /* no role's file can be called so: theirs end in .json */

enum { METADATA_MODE = 0644, TARGET_MODE = 0644 };

const struct cli_option tuf_options[] = {
	CLI_NEED(struct tuf_args, metadata_dir, CLI_TEXT, "metadata-dir", "DIR",
		 "where the trusted metadata is kept"),
	CLI_OPT(struct tuf_args, metadata_url, CLI_TEXT, "metadata-url", "URL",
		"where the repository's metadata is"),
	CLI_OPT(struct tuf_args, target_names, CLI_LIST, "target-name", "PATH",
		"a target to download; may be repeated"),
	CLI_OPT(struct tuf_args, target_dir, CLI_TEXT, "target-dir", "DIR",
		"where downloaded targets go"),
	CLI_OPT(struct tuf_args, target_base_url, CLI_TEXT, "target-base-url", "URL",
		"where the repository's targets are"),
	{0},
};

struct session {
	const struct tuf_args *args;
	int dir; /* of the metadata; locked */
	int lock;
	struct http *http;
	struct tuf *tuf;
	json_t *files; /* names of the targets that are there now */
};

static void session_close(struct session *s)
{
	tuf_close(s->tuf);
	http_free(s->http);
	json_decref(s->files);
	closep(&s->lock);
	closep(&s->dir);
}

/* Not http_url(): a path may begin with a slash that counts. */
static int join(const char *base, const char *path, char **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf url = {0};
	size_t len = strlen(base);
	const char *slash = len && base[len - 1] == '/' ? "" : "/";
	int r = buf_printf(&url, err, "%s%s%s", base, slash, path);

	if (r == 0)
		*out = buf_steal(&url);
	return r;
}

static int io_fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	const struct session *s = ctx;
	CLEANUP(freep) char *url = NULL;
	int r = join(s->args->metadata_url, name, &url, err);

	return r < 0 ? r : http_get(s->http, url, max, out, err);
}

static int io_load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	const struct session *s = ctx;

	return file_read(s->dir, name, max, out, err);
}

static int io_save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	const struct session *s = ctx;

	return file_write(s->dir, name, data, len, METADATA_MODE, err);
}

static int need(const char *value, const char *option, struct error *err)
{
	return value ? 0 : error_set(err, E_USAGE, "tuf: --%s is required", option);
}

static int open_store(struct session *s, bool make, struct error *err)
{
	int r = file_open_dir(AT_FDCWD, s->args->metadata_dir, make, &s->dir, err);

	return r < 0 ? r : file_lock(s->dir, LOCK_FILE, true, &s->lock, err);
}

static int init(struct session *s, const char *path, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = file_read(AT_FDCWD, path, TUF_ROOT_MAX, &bytes, err);

	if (r == 0)
		r = tuf_root_parse(bytes.data, bytes.len, path, &root, err);
	if (r == 0)
		r = tuf_root_self_signed(root, err);
	if (r == 0)
		r = open_store(s, true, err);
	return r < 0 ? r : io_save(s, "root.json", bytes.data, bytes.len, err);
}

static int refresh(struct session *s, struct error *err)
{
	const struct tuf_io io = {.ctx = s, .fetch = io_fetch, .load = io_load, .save = io_save};
	const struct tuf_options o = {.now = utc_now()};
	int r = need(s->args->metadata_url, "metadata-url", err);

	if (r == 0)
		r = open_store(s, false, err);
	if (r == 0)
		r = tuf_open(&io, &o, &s->tuf, err);
	/* The signatures are what is trusted, so plain HTTP will do. */
	if (r == 0)
		r = http_new(&(struct http_options){.allow_plain = true}, &s->http, err);
	return r < 0 ? r : tuf_refresh(s->tuf, err);
}

static int take(void *ctx, const void *data, size_t len, struct error *err)
{
	const struct file_new *f = ctx;

	return file_write_all(f->fd, data, len, f->name, err);
}

/* Is the very file there already? */
static bool have(int dir, const char *name, const struct tuf_target *target)
{
	CLEANUP(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0 && tuf_target_check_fd(target, fd, NULL) == 0;
}

static int fetch_target(struct session *s, int dir, const char *name,
			const struct tuf_target *target, struct error *err)
{
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	const struct http_sink sink = {.take = take, .ctx = &f};
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *url = NULL;
	int r = tuf_target_url(s->tuf, target, &path, err);

	if (r == 0)
		r = join(s->args->target_base_url, path, &url, err);
	if (r == 0)
		r = file_new_open(dir, name, TARGET_MODE, &f, err);
	if (r == 0)
		r = http_stream(s->http, url, 0, (uint64_t)target->length, &sink, err);
	if (r == 0)
		r = tuf_target_check_fd(target, f.fd, err);
	return r < 0 ? r : file_new_commit(&f, err);
}

static int download_one(struct session *s, int dir, const char *path, struct error *err)
{
	CLEANUP(freep) char *name = NULL;
	struct tuf_target target;
	int r = tuf_find(s->tuf, path, &target, err);

	if (r == 0)
		r = tuf_quote(path, false, &name, err);
	if (r != 0)
		return r;
	if (!file_name_ok(name))
		return error_set(err, E_INVALID, "%s: cannot be the name of a file", path);
	if (!have(dir, name, &target))
		r = fetch_target(s, dir, name, &target, err);
	if (r == 0 && json_array_append_new(s->files, json_string(name)) < 0)
		r = error_nomem(err);
	return r;
}

static int download(struct session *s, struct error *err)
{
	CLEANUP(closep) int dir = -1;
	const struct tuf_args *a = s->args;
	int r = need(a->target_names.n ? a->target_names.items[0] : NULL, "target-name", err);

	if (r == 0)
		r = need(a->target_dir, "target-dir", err);
	if (r == 0)
		r = need(a->target_base_url, "target-base-url", err);
	if (r == 0)
		r = file_open_dir(AT_FDCWD, a->target_dir, true, &dir, err);
	if (r == 0)
		r = refresh(s, err);
	for (size_t i = 0; r == 0 && i < a->target_names.n; i++)
		r = download_one(s, dir, a->target_names.items[i], err);
	return r;
}

static int dispatch(struct session *s, const struct cli_call *call, struct error *err)
{
	const char *what = call->args[0];

	if (strcmp(what, "init") == 0 && call->nargs == 2)
		return init(s, call->args[1], err);
	if (strcmp(what, "refresh") == 0 && call->nargs == 1)
		return refresh(s, err);
	if (strcmp(what, "download") == 0 && call->nargs == 1)
		return download(s, err);
	return error_set(err, E_USAGE, "tuf: want init ROOT, refresh or download");
}

static int report(const struct session *s, const struct cli_call *call, struct error *err)
{
	const char *name;
	json_t *value;
	size_t i;

	if (call->json)
		return json_print(json_pack("{s:b, s:O}", "ok", 1, "files", s->files), err);
	json_array_foreach(s->files, i, value)
	{
		name = json_string_value(value);
		(void)printf("%s/%s\n", s->args->target_dir, name);
	}
	return 0;
}

int tuf_run(const struct cli_call *call, struct error *err)
{
	CLEANUP(session_close)
	struct session s = {.args = call->opt, .dir = -1, .lock = -1, .files = json_array()};
	int r = s.files ? dispatch(&s, call, err) : error_nomem(err);

	return r < 0 ? r : report(&s, call, err);
}
