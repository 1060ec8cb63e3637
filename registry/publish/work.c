/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/publish/work.h"

#include <assert.h>
#include <fcntl.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"
#include "lib/net/url.h"

enum { CONFIG_MAX = 4096, FILE_MODE = 0644 };
#define OFFLINE_DAYS INT64_C(3650)

static int open_parts(const char *path, bool make, struct work *out, struct error *err)
{
	int r = file_open_dir(AT_FDCWD, path, make, &out->dir, err);

	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE,
				 "%s: no such folder; bequest-publish checkout makes one", path);
	if (r == 0 && !make && !file_exists(out->dir, "publish.json"))
		return error_set(err, E_USAGE,
				 "%s: not a work folder; bequest-publish checkout makes one", path);
	if (r == 0)
		r = file_lock(out->dir, "lock", false, &out->lock, err);
	if (r == 0)
		r = file_open_dir(out->dir, "metadata", make, &out->metadata, err);
	if (r == 0 && make)
		r = file_mkdir(out->dir, "files", 0777, err);
	if (r == 0)
		r = http_new(&(struct http_options){.allow_plain = true}, &out->http, err);
	return r;
}

static int read_config(struct work *w, const char *path, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	json_auto_t *config = NULL;
	struct {
		const char *product, *registry;
	} c = {0};
	static const struct field fields[] = {
		{"product", FIELD_TEXT, 0, .min = 1, .max = 63},
		{"registry", FIELD_TEXT, sizeof(char *), .min = 1, .max = 1024},
	};
	int r = file_read(w->dir, "publish.json", CONFIG_MAX, &text, err);

	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE,
				 "%s: not a work folder; bequest-publish checkout makes one", path);
	if (r == 0)
		r = strict_parse(text.data, text.len, "publish.json", &config, err);
	if (r == 0)
		r = strict_read(config, "", fields, ARRAY_LEN(fields), STRICT_CLOSED, &c, err);
	if (r == E_INVALID)
		return error_prefix(err, E_USAGE, "%s/publish.json", path);
	if (r < 0)
		return r;
	assert(c.product && c.registry); /* strict_read() demands both */
	w->product = strdup(c.product);
	w->registry = strdup(c.registry);
	return w->product && w->registry ? 0 : error_nomem(err);
}

static int write_config(struct work *w, const char *product, const char *registry,
			struct error *err)
{
	json_auto_t *config = json_pack("{s:s, s:s}", "product", product, "registry", registry);
	CLEANUP(freep) char *text = config ? json_dumps(config, JSON_INDENT(2)) : NULL;

	if (!text)
		return error_nomem(err);
	return file_write(w->dir, "publish.json", text, strlen(text), FILE_MODE, err);
}

int work_make(const char *path, const char *product, const char *registry, struct work *out,
	      struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	int r;

	if (!url_ok(registry))
		return error_set(err, E_USAGE, "--registry: want http, https or file, got %.80s",
				 registry);
	r = open_parts(path, true, &w, err);
	if (r == 0 && !file_exists(w.dir, "publish.json"))
		r = write_config(&w, product, registry, err);
	if (r == 0)
		r = read_config(&w, path, err);
	if (r < 0)
		return r;
	if (strcmp(w.product, product) != 0)
		return error_set(err, E_USAGE, "%s: is the work folder of %s, not of %s", path,
				 w.product, product);
	r = work_read_drafts(&w, err);
	if (r < 0)
		return r;
	*out = w;
	w = WORK_NONE;
	return 0;
}

int work_open(const char *path, struct work *out, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	int r = open_parts(path, false, &w, err);

	if (r == 0)
		r = read_config(&w, path, err);
	if (r == 0)
		r = work_read_drafts(&w, err);
	if (r < 0)
		return r;
	*out = w;
	w = WORK_NONE;
	return 0;
}

void work_close(struct work *w)
{
	tuf_close(w->tuf);
	http_free(w->http);
	work_free_drafts(w);
	free(w->product);
	free(w->registry);
	closep(&w->metadata);
	closep(&w->dir);
	closep(&w->lock);
	*w = WORK_NONE;
}

/* --- the TUF client's view of folder and registry ------------------------------ */

static int fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct work *w = ctx;
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(freep) char *url = NULL;
	int r;

	if (w->offline)
		return error_set(err, E_NOTFOUND,
				 "%s: is not in the folder; bequest-publish checkout gets it",
				 name);
	r = buf_printf(&path, err, "p/%s/metadata/%s", w->product, name);
	if (r == 0)
		r = http_url(w->registry, path.data, &url, err);
	if (r == 0)
		r = http_get(w->http, url, max, out, err);
	if (r == E_NOTFOUND && strcmp(name, "timestamp.json") == 0)
		w->bare = true;
	return r;
}

static int load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	return file_read(((struct work *)ctx)->metadata, name, max, out, err);
}

static int save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	return file_write(((struct work *)ctx)->metadata, name, data, len, FILE_MODE, err);
}

int work_trust(struct work *w, bool refresh, struct error *err)
{
	const struct tuf_io io = {.ctx = w, .fetch = fetch, .load = load, .save = save};
	/* Without a network what is here will do: the registry judges what is made of it. */
	const struct tuf_options options = {.now = utc_now(),
					    .product = w->product,
					    .stale_s = refresh ? 0 : OFFLINE_DAYS * DAY_S};
	int r;

	tuf_close(w->tuf);
	w->tuf = NULL;
	w->offline = !refresh;
	r = tuf_open(&io, &options, &w->tuf, err);
	if (r < 0 || !refresh)
		return r;
	r = tuf_refresh(w->tuf, err);
	/* A product starts with a root; the registry serves no timestamp before the first targets.
	 */
	return w->bare && !tuf_trusted(w->tuf, TUF_TIMESTAMP) ? 0 : r;
}
