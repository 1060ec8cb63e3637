/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/open/sharebox.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"

#define FOLDER "shares"

enum { FILE_BYTES_MAX = 1024, DEPOSITS_MAX = 4096, NUMBER_MAX = 255 };

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int path_of(const char *deposit, int64_t number, char out[128])
{
	return snprintf(out, 128, FOLDER "/%s/%" PRId64, deposit, number);
}

int sharebox_put(int data, const struct share *s, struct error *err)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	CLEANUP(buf_wipe) struct buf coded = {0};
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), FOLDER "/%s", s->deposit);
	r = file_mkdir(data, FOLDER, 0700, err);
	if (r == 0)
		r = file_mkdir(data, path, 0700, err);
	if (r == 0)
		r = base64_encode(s->bytes, SHARE_LEN, &coded, err);
	/* All of it is of a checked form: nothing needs escaping. */
	if (r == 0)
		r = buf_printf(&text, err,
			       "{\"product\":\"%s\",\"approval\":\"%s\",\"share\":\"%s\"}\n",
			       s->product, s->approval, coded.data);
	if (r < 0)
		return r;
	(void)path_of(s->deposit, s->number, path);
	return file_write(data, path, text.data, text.len, 0600, err);
}

struct share_file {
	const char *product, *approval, *share;
};

static const struct field fields[] = {
	{"product", FIELD_TEXT, offsetof(struct share_file, product), false, 1,
	 SHARE_PRODUCT_SIZE - 1, NULL},
	{"approval", FIELD_HEX, offsetof(struct share_file, approval), false, 0, SHA256_HEX, NULL},
	{"share", FIELD_TEXT, offsetof(struct share_file, share), false, BASE64_LEN(SHARE_LEN),
	 BASE64_LEN(SHARE_LEN), NULL},
};

/* jansson keeps its own copy of a text; overwrite it. */
static void wipe_text(const char *text)
{
	char *mine;

	if (!text)
		return;
	memcpy(&mine, &text, sizeof(mine));
	explicit_bzero(mine, strlen(mine));
}

static int read_one(int data, const char *deposit, int64_t number, struct share *out,
		    struct error *err)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	CLEANUP(buf_wipe) struct buf raw = {0};
	struct share_file f = {0};
	json_t *json = NULL;
	char path[128];
	int r;

	(void)path_of(deposit, number, path);
	r = file_read(data, path, FILE_BYTES_MAX, &text, err);
	if (r == 0)
		r = strict_parse(text.data, text.len, path, &json, err);
	if (r == 0)
		r = strict_read(json, path, fields, ARRAY_LEN(fields), STRICT_CLOSED, &f, err);
	if (r == 0)
		r = base64_decode(f.share, strlen(f.share), &raw, err);
	if (r == 0 && raw.len != SHARE_LEN)
		r = error_set(err, E_INVALID, "%s: not a share", path);
	if (r == 0) {
		*out = (struct share){.number = number};
		(void)snprintf(out->product, sizeof(out->product), "%s", f.product);
		(void)snprintf(out->deposit, sizeof(out->deposit), "%s", deposit);
		(void)snprintf(out->approval, sizeof(out->approval), "%s", f.approval);
		memcpy(out->bytes, raw.data, SHARE_LEN);
	}
	wipe_text(f.share);
	json_decref(json);
	return r;
}

int sharebox_read(int data, const char *deposit, struct share_list *out, struct error *err)
{
	struct share_list all = {.list = calloc(NUMBER_MAX + 1, sizeof(struct share))};
	char path[128];
	int r = all.list ? 0 : error_nomem(err);

	for (int64_t i = 0; r == 0 && i <= NUMBER_MAX; i++) {
		(void)path_of(deposit, i, path);
		if (file_exists(data, path))
			r = read_one(data, deposit, i, &all.list[all.n++], err);
	}
	if (r < 0)
		share_list_clear(&all);
	else
		*out = all;
	return r;
}

void share_list_clear(struct share_list *l)
{
	if (l->list)
		explicit_bzero(l->list, (NUMBER_MAX + 1) * sizeof(struct share));
	free(l->list);
	*l = (struct share_list){0};
}

/* Overwrite in place; on a journalling or copying file system that is all that can be done. */
static int wipe_one(int data, const char *path, struct error *err)
{
	static const char zeros[FILE_BYTES_MAX];
	CLEANUP(closep) int fd = openat(data, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int64_t size;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, errno, "%s", path);
	r = file_size(fd, path, &size, err);
	if (r == 0)
		r = file_write_all(fd, zeros,
				   (size_t)(size < FILE_BYTES_MAX ? size : FILE_BYTES_MAX), path,
				   err);
	if (r == 0 && fsync(fd) < 0)
		r = error_errno(err, errno, "%s", path);
	return r;
}

int sharebox_wipe(int data, const char *deposit, struct error *err)
{
	char path[128];
	int r = 0;

	for (int64_t i = 0; r == 0 && i <= NUMBER_MAX; i++) {
		(void)path_of(deposit, i, path);
		r = wipe_one(data, path, err);
	}
	(void)snprintf(path, sizeof(path), FOLDER "/%s", deposit);
	return r < 0 ? r : file_remove_tree(data, path, err);
}

int sharebox_deposits(int data, char (**out)[SHA256_HEX_SIZE], size_t *n, struct error *err)
{
	CLEANUP(closedirp) DIR *d = NULL;
	CLEANUP(freep) char(*list)[SHA256_HEX_SIZE] = calloc(DEPOSITS_MAX, sizeof(*list));
	int fd = openat(data, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	size_t found = 0;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && errno != ENOENT) {
		int r = error_errno(err, errno, FOLDER);

		closep(&fd);
		return r;
	}
	if (!list)
		return error_nomem(err);
	while (d && found < DEPOSITS_MAX && (e = readdir(d)))
		if (hex_is(e->d_name, SHA256_HEX))
			memcpy(list[found++], e->d_name, SHA256_HEX_SIZE);
	*out = steal(list);
	*n = found;
	return 0;
}
