/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tree/outbox.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "registry/blobs/blobs.h"
#include "registry/pages/pages.h"

enum {
	FILE_MODE = 0644,
	PUTS_AT_ONCE = 64, /* each has two descriptors meanwhile */
};

/* Files that are written, and wait for the others to get their names together. */
struct pass {
	struct registry *r;
	struct file_new put[PUTS_AT_ONCE];
	size_t n;
};

static void pass_clear(struct pass *p)
{
	for (size_t i = 0; i < p->n; i++)
		file_new_drop(&p->put[i]);
	p->n = 0;
}

/* In the order in which they were asked for, and durable. */
static int pass_end(struct pass *p, struct error *err)
{
	int e = 0;

	if (p->n == 1)
		e = file_new_commit(&p->put[0], err);
	if (p->n > 1)
		e = file_sync_all(p->r->public, err);
	for (size_t i = 0; e == 0 && p->n > 1 && i < p->n; i++)
		e = file_new_place(&p->put[i], err);
	if (e == 0 && p->n > 1)
		e = file_sync_all(p->r->public, err);
	pass_clear(p);
	return e;
}

static int add(struct work *w, const struct outbox_row *row, const void *content, size_t len,
	       struct error *err)
{
	return store_outbox_add(w->store, row, content, len, err);
}

static int set_path(struct outbox_row *row, const char *path, struct error *err)
{
	int n = snprintf(row->path, sizeof(row->path), "%s", path);

	if (n < 0 || (size_t)n >= sizeof(row->path))
		return error_set(err, E_INVALID, "%.64s…: a path of more than %zu bytes", path,
				 sizeof(row->path) - 1);
	return 0;
}

int outbox_put(struct work *w, enum outbox_stage stage, const char *path, const struct buf *content,
	       struct error *err)
{
	struct outbox_row row = {.stage = stage, .kind = "put"};
	int r = set_path(&row, path, err);

	return r < 0 ? r : add(w, &row, content->data, content->len, err);
}

int outbox_link(struct work *w, const char *path, const char *sha256, struct error *err)
{
	struct outbox_row row = {.stage = STAGE_FILES, .kind = "link"};
	int r = set_path(&row, path, err);

	return r < 0 ? r : add(w, &row, sha256, strlen(sha256), err);
}

int outbox_stage(struct work *w, const char *product, struct error *err)
{
	struct outbox_row row = {.stage = STAGE_METADATA, .kind = "stage"};
	int r = set_path(&row, product, err);

	return r < 0 ? r : add(w, &row, NULL, 0, err);
}

int outbox_swap(struct work *w, const char *product, struct error *err)
{
	struct outbox_row row = {.stage = STAGE_METADATA, .kind = "swap"};
	int r = set_path(&row, product, err);

	return r < 0 ? r : add(w, &row, NULL, 0, err);
}

int outbox_pages(struct work *w, const char *product, struct error *err)
{
	struct outbox_row row = {.stage = STAGE_INDEX, .kind = "pages"};
	int r = set_path(&row, product, err);

	return r < 0 ? r : add(w, &row, NULL, 0, err);
}

static int apply_put(struct pass *p, const struct outbox_row *row, const struct buf *content,
		     struct error *err)
{
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	struct registry *r = p->r;
	bool superseded = false;
	int e = p->n == PUTS_AT_ONCE ? pass_end(p, err) : 0;

	/* What goes into a copy belongs to that copy's swap, whatever comes later. */
	if (e == 0 && !strstr(row->path, "/" TREE_STAGED "/"))
		e = store_outbox_superseded(r->store, row, &superseded, err);
	if (e < 0 || superseded)
		return e;
	e = file_mkdir_parent(r->public, row->path, err);
	if (e == 0)
		e = file_new_again(r->public, row->path, FILE_MODE, (uint64_t)row->n, &f, err);
	if (e == 0)
		e = file_write_all(f.fd, content->data, content->len, row->path, err);
	if (e < 0)
		return e;
	p->put[p->n++] = f;
	f = FILE_NEW_NONE;
	return 0;
}

/* "p/<product>/metadata" or its copy. */
static int metadata_path(const char *product, const char *name, struct buf *out, struct error *err)
{
	return buf_printf(out, err, "p/%s/%s", product, name);
}

static int apply_stage(struct registry *r, const char *product, struct error *err)
{
	CLEANUP(buf_clear) struct buf real = {0};
	CLEANUP(buf_clear) struct buf copy = {0};
	int e = metadata_path(product, "metadata", &real, err);

	if (e == 0)
		e = metadata_path(product, TREE_STAGED, &copy, err);
	if (e == 0)
		e = file_remove_tree(r->public, copy.data, err);
	if (e == 0)
		e = file_mkdir(r->public, real.data, 0777, err);
	if (e == 0)
		e = file_link_tree(r->public, real.data, copy.data, err);
	return e;
}

/*
 * Trade places, and strike off everything up to here at once: doing the swap
 * again after later rows would show old metadata for a moment.
 */
static int apply_swap(struct registry *r, const struct outbox_row *row, struct error *err)
{
	CLEANUP(buf_clear) struct buf real = {0};
	CLEANUP(buf_clear) struct buf copy = {0};
	int e = metadata_path(row->path, "metadata", &real, err);

	if (e == 0)
		e = metadata_path(row->path, TREE_STAGED, &copy, err);
	if (e == 0)
		e = file_exchange(r->public, copy.data, real.data, err);
	if (e == 0)
		e = store_outbox_done(r->store, row, err);
	if (e == 0)
		e = file_remove_tree(r->public, copy.data, err);
	return e;
}

/* A page that cannot be made of what is there stays as it was: nothing depends on it. */
static int apply_pages(struct registry *r, const struct outbox_row *row, struct error *err)
{
	bool superseded = false;
	int64_t now = utc_now();
	int e = store_outbox_superseded(r->store, row, &superseded, err);

	if (e < 0 || superseded)
		return e;
	e = row->path[0] ? pages_product(r->public, row->path, now, err)
			 : pages_home(r->public, now, err);
	return e == E_FULL || e == E_SYS || e == E_NOMEM ? e : 0;
}

/* All but a put needs what was put before it in its place. */
static int apply(struct pass *p, const struct outbox_row *row, const struct buf *content,
		 struct error *err)
{
	struct registry *r = p->r;
	int e;

	if (strcmp(row->kind, "put") == 0)
		return apply_put(p, row, content, err);
	e = pass_end(p, err);
	if (e < 0)
		return e;
	if (strcmp(row->kind, "link") == 0)
		return blob_link(r->data, content->data, r->public, row->path, err);
	if (strcmp(row->kind, "stage") == 0)
		return apply_stage(r, row->path, err);
	if (strcmp(row->kind, "pages") == 0)
		return apply_pages(r, row, err);
	return apply_swap(r, row, err);
}

int outbox_apply(struct registry *r, struct error *err)
{
	CLEANUP(pass_clear) struct pass pass = {.r = r};
	struct outbox_row row = {0};
	bool any = false;

	for (;;) {
		CLEANUP(buf_clear) struct buf content = {0};
		struct error none;
		int e = store_outbox_next(r->store, &row, &content, &none);

		if (e == E_NOTFOUND) {
			e = pass_end(&pass, err);
			return e == 0 && any ? store_outbox_done(r->store, &row, err) : e;
		}
		if (e < 0)
			return error_set(err, e, "%s", none.text);
		e = apply(&pass, &row, &content, err);
		if (e < 0)
			return e;
		any = true;
	}
}
