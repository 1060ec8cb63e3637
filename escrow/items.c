/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/items.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"

enum { GROW = 64, DEPTH_MAX = 64, PATH_BYTES_MAX = 1024 };

void items_clear(struct items *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i].path);
		free(s->list[i].from);
	}
	free(s->list);
	*s = (struct items){0};
}

static void item_clear(struct item *one)
{
	free(one->path);
	free(one->from);
}

static int append(struct items *s, struct item *one_take, struct error *err)
{
	if (s->n == ITEMS_MAX)
		return error_set(err, E_INVALID, "more than %d files", ITEMS_MAX);
	if (s->n == s->cap) {
		struct item *more = realloc(s->list, (s->cap + GROW) * sizeof(*more));

		if (!more)
			return error_nomem(err);
		s->list = more;
		s->cap += GROW;
	}
	s->list[s->n++] = *one_take;
	*one_take = (struct item){0};
	return 0;
}

/* A checksum file escapes backslashes in its own way, and JSON wants UTF-8. */
static bool path_ok(const char *path)
{
	CLEANUP(json_decrefp) json_t *utf8 = json_string(path);

	return utf8 && strlen(path) <= PATH_BYTES_MAX && file_path_ok(path) && !strchr(path, '\\');
}

int items_add(struct items *s, const char *path, const char *from, struct error *err)
{
	CLEANUP(item_clear) struct item one = {.path = strdup(path), .from = strdup(from)};
	CLEANUP(closep) int fd = -1;
	struct stat st;
	int r;

	if (!one.path || !one.from)
		return error_nomem(err);
	if (!path_ok(path))
		return error_set(err, E_USAGE, "%.200s: this name does not fit an archive", path);
	fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return error_set(err, E_USAGE, "%s: a link; want the file itself", from);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", from);
	if (!S_ISREG(st.st_mode))
		return error_set(err, E_USAGE, "%s: want a regular file", from);
	r = digest_fd(fd, st.st_size, one.sha256, err);
	if (r < 0)
		return error_prefix(err, r, "%s", from);
	one.size = st.st_size;
	one.executable = st.st_mode & S_IXUSR;
	one.changed = st.st_ctim;
	return append(s, &one, err);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int add_below(struct items *s, const char *prefix, const char *folder, int depth,
		     struct error *err);

static int add_entry(struct items *s, const char *path, const char *from, int depth,
		     struct error *err)
{
	struct stat st;

	if (lstat(from, &st) < 0)
		return error_errno(err, errno, "%s", from);
	if (S_ISDIR(st.st_mode))
		return add_below(s, path, from, depth + 1, err);
	return items_add(s, path, from, err);
}

static int add_below(struct items *s, const char *prefix, const char *folder, int depth,
		     struct error *err)
{
	CLEANUP(closedirp) DIR *d = opendir(folder);
	const struct dirent *e;

	if (!d)
		return error_errno(err, errno, "%s", folder);
	if (depth > DEPTH_MAX)
		return error_set(err, E_USAGE, "%s: more than %d folders deep", folder, DEPTH_MAX);
	while (errno = 0, (e = readdir(d))) {
		CLEANUP(buf_clear) struct buf path = {0}, from = {0};
		int r;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = prefix ? buf_printf(&path, err, "%s/%s", prefix, e->d_name)
			   : buf_puts(&path, e->d_name, err);
		if (r == 0)
			r = buf_printf(&from, err, "%s/%s", folder, e->d_name);
		if (r == 0)
			r = add_entry(s, path.data, from.data, depth, err);
		if (r < 0)
			return r;
	}
	return errno ? error_errno(err, errno, "%s", folder) : 0;
}

int items_add_tree(struct items *s, const char *prefix, const char *folder, struct error *err)
{
	return add_below(s, prefix, folder, 0, err);
}

int items_add_json(struct items *s, const json_t *list, struct error *err)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		CLEANUP(item_clear) struct item one = {0};
		struct {
			const char *path, *sha256;
			int64_t size;
		} in = {0};
		static const struct field fields[] = {
			{.key = "path", .kind = FIELD_TEXT, .max = PATH_BYTES_MAX, .min = 1},
			{.key = "sha256",
			 .kind = FIELD_HEX,
			 .offset = sizeof(char *),
			 .max = SHA256_HEX},
			{.key = "size", .kind = FIELD_INT, .offset = 2 * sizeof(char *)},
		};
		int r = strict_read(v, "items", fields, ARRAY_LEN(fields), STRICT_OPEN, &in, err);

		if (r < 0)
			return r;
		if (!path_ok(in.path))
			return error_set(err, E_INVALID, "items: %s: not a path inside a folder",
					 in.path);
		one.path = strdup(in.path);
		if (!one.path)
			return error_nomem(err);
		one.size = in.size;
		memcpy(one.sha256, in.sha256, SHA256_HEX_SIZE);
		r = append(s, &one, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int items_add_text(struct items *s, const struct buf *text, struct error *err)
{
	const char *at = text->data;
	const char *end = text->data + text->len;

	while (at < end) {
		CLEANUP(item_clear) struct item one = {.size = -1};
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		int r;

		if (!stop || stop - at <= SHA256_HEX + 2 || memcmp(at + SHA256_HEX, "  ", 2) != 0)
			return error_set(err, E_INVALID, "want lines of '<sha256>  <path>'");
		memcpy(one.sha256, at, SHA256_HEX);
		at += SHA256_HEX + 2;
		one.path = strndup(at, (size_t)(stop - at));
		if (!one.path)
			return error_nomem(err);
		/* A NUL would end the name here, and not for sha256sum. */
		if (!hex_is(one.sha256, SHA256_HEX) || strlen(one.path) != (size_t)(stop - at) ||
		    !path_ok(one.path))
			return error_set(err, E_INVALID, "%s: not a digest and a path", one.path);
		at = stop + 1;
		r = append(s, &one, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

int items_sort(struct items *s, struct error *err)
{
	if (s->n)
		qsort(s->list, s->n, sizeof(*s->list), by_path);
	for (size_t i = 1; i < s->n; i++)
		if (strcmp(s->list[i - 1].path, s->list[i].path) == 0)
			return error_set(err, E_INVALID, "%s: twice", s->list[i].path);
	return 0;
}

struct item *items_find(const struct items *s, const char *path)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(path, s->list[mid].path);

		if (c == 0)
			return &s->list[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

bool items_has_below(const struct items *s, const char *prefix)
{
	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->list[i].path, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

int64_t items_size(const struct items *s)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += s->list[i].size > 0 ? s->list[i].size : 0;
	return sum;
}

int items_text(const struct items *s, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		int r = buf_printf(out, err, "%s  %s\n", s->list[i].sha256, s->list[i].path);

		if (r < 0)
			return r;
	}
	return 0;
}

int items_json(const struct items *s, json_t **out, struct error *err)
{
	json_t *list = json_array();

	if (!list)
		return error_nomem(err);
	for (size_t i = 0; i < s->n; i++) {
		const struct item *one = &s->list[i];

		if (json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "path", one->path,
							  "size", (json_int_t)one->size, "sha256",
							  one->sha256)) < 0) {
			json_decref(list);
			return error_nomem(err);
		}
	}
	*out = list;
	return 0;
}
