/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: from_memory NOW TARGET FILE... - is TARGET what this TUF repository says it is?
 *
 * How to use the small library: all that it reads lies in memory, and so does all that it keeps.
 * NOW is a time such as 2030-01-31T00:00:00Z. The files are named as in a repository with
 * consistent snapshots; "root.json" is the one that is trusted from the start, and "target" is
 * what calls itself TARGET. Prints who vouches for it; status 1 and the reason if nobody does.
 */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/tuf/client.h"

enum { FILES_MAX = 64 };

struct file {
	char *name; /* owned, as the bytes are */
	struct buf bytes;
};

/* What was published, and what a client remembers from one start to the next. */
struct world {
	struct file published[FILES_MAX], kept[FILES_MAX];
};

static void world_clear(struct world *w)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		free(w->published[i].name);
		free(w->kept[i].name);
		buf_clear(&w->published[i].bytes);
		buf_clear(&w->kept[i].bytes);
	}
}

static struct file *find(struct file *files, const char *name)
{
	for (size_t i = 0; i < FILES_MAX && files[i].name; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

static int put(struct file *files, const char *name, const void *data, size_t len,
	       struct error *err)
{
	struct file *f = find(files, name);

	for (size_t i = 0; i < FILES_MAX && !f; i++)
		if (!files[i].name)
			f = &files[i];
	if (!f)
		return error_set(err, E_SYS, "%s: too many files", name);
	if (!f->name)
		f->name = strdup(name);
	buf_clear(&f->bytes);
	return f->name ? buf_add(&f->bytes, data, len, err) : error_nomem(err);
}

static int get(struct file *files, const char *name, size_t max, struct buf *out, struct error *err)
{
	const struct file *f = find(files, name);

	if (!f)
		return error_set(err, E_NOTFOUND, "%s: not there", name);
	if (f->bytes.len > max)
		return error_set(err, E_INVALID, "%s: larger than %zu bytes", name, max);
	return buf_add(out, f->bytes.data, f->bytes.len, err);
}

static int fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct world *w = ctx;

	return get(w->published, name, max, out, err);
}

static int load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct world *w = ctx;

	return get(w->kept, name, max, out, err);
}

static int save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	struct world *w = ctx;

	return put(w->kept, name, data, len, err);
}

static int verify(struct world *w, int64_t now, const char *path, struct error *err)
{
	const struct tuf_io io = {.ctx = w, .fetch = fetch, .load = load, .save = save};
	const struct tuf_options options = {.now = now};
	CLEANUP(tuf_closep) struct tuf *tuf = NULL;
	CLEANUP(tuf_check_freep) struct tuf_check *check = NULL;
	const struct file *file = find(w->published, "target");
	struct tuf_target target;
	int r = tuf_open(&io, &options, &tuf, err);

	if (r == 0)
		r = tuf_refresh(tuf, err);
	if (r == 0)
		r = tuf_find(tuf, path, &target, err);
	if (r == 0)
		r = tuf_check_new(&target, &check, err);
	if (r < 0)
		return r;
	if (file)
		tuf_check_add(check, file->bytes.data, file->bytes.len);
	r = tuf_check_end(check, err);
	if (r == 0)
		(void)printf("%s: vouched for by %s\n", path, target.role);
	return r;
}

/* Read a file for main(); the library itself has no use for this. */
static int read_file(struct world *w, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	CLEANUP(freep) char *bytes = malloc(TUF_TARGETS_MAX);
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!bytes || !f) {
		if (f)
			(void)fclose(f);
		return error_set(err, E_SYS, "%s: cannot be read", path);
	}
	len = fread(bytes, 1, TUF_TARGETS_MAX, f);
	(void)fclose(f);
	return put(strcmp(name, "root.json") == 0 ? w->kept : w->published, name, bytes, len, err);
}

int main(int argc, char **argv)
{
	CLEANUP(world_clear) struct world w = {0};
	struct error err = {0};
	int64_t now;
	int r;

	if (argc < 3 || !utc_parse(argv[1], &now)) {
		(void)fprintf(stderr, "usage: from_memory NOW TARGET FILE...\n");
		return 2;
	}
	r = 0;
	for (int i = 3; r == 0 && i < argc; i++)
		r = read_file(&w, argv[i], &err);
	if (r == 0)
		r = verify(&w, now, argv[2], &err);
	if (r < 0)
		(void)fprintf(stderr, "from_memory: %s\n", err.text);
	return r < 0;
}
