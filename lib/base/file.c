/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/file.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/random.h"

enum { READ_STEP = 64 * 1024, NAME_LEN_MAX = 255, TREE_DEPTH_MAX = 128 };

/* Append one step of the file. 1: it ended. */
static int read_step(int fd, const char *path, struct buf *out, struct error *err)
{
	int r = buf_reserve(out, READ_STEP, err);
	ssize_t n;

	if (r < 0)
		return r;
	do
		n = read(fd, out->data + out->len, READ_STEP);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "%s", path);
	out->len += (size_t)n;
	out->data[out->len] = '\0';
	return n == 0;
}

int file_read(int dir, const char *path, size_t max, struct buf *out, struct error *err)
{
	CLEANUP(closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t start = out->len;
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, E_INVALID, "%s: not a regular file", path);
	while (r == 0) {
		r = read_step(fd, path, out, err);
		if (r == 0 && out->len - start > max)
			r = error_set(err, E_INVALID, "%s: larger than %zu bytes", path, max);
	}
	if (r > 0)
		return 0;
	buf_cut(out, start);
	return r;
}

int file_write_all(int fd, const void *data, size_t len, const char *path, struct error *err)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "%s", path);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Split at the last slash: the folder is opened, *name points into `path`. */
static int open_parent(int dir, const char *path, const char **name, int *out, struct error *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *folder = NULL;
	int fd;

	*name = slash ? slash + 1 : path;
	if (slash)
		folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	else
		folder = strdup(".");
	if (!folder)
		return error_nomem(err);
	fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	*out = fd;
	return 0;
}

/* `flags` say what to do with a file that has the temporary name already. */
static int open_temp(int dir, const char *path, mode_t mode, int flags, struct file_new *f,
		     struct error *err)
{
	CLEANUP(closep) int folder = -1;
	CLEANUP(freep) char *name = NULL;
	const char *base;
	int r = open_parent(dir, path, &base, &folder, err);

	if (r < 0)
		return r;
	name = strdup(base);
	if (!name)
		return error_nomem(err);
	f->fd = openat(folder, f->temp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode);
	if (f->fd < 0)
		return error_errno(err, errno, "%s", path);
	f->folder = steal_fd(&folder);
	f->name = steal(name);
	return 0;
}

int file_new_open(int dir, const char *path, mode_t mode, struct file_new *out, struct error *err)
{
	struct file_new f = {.fd = -1, .folder = -1, .temp = FILE_TEMP_PREFIX};
	unsigned char raw[8];
	int r = random_bytes(raw, sizeof(raw), err);

	if (r < 0)
		return r;
	hex_encode(raw, sizeof(raw), f.temp + strlen(FILE_TEMP_PREFIX));
	r = open_temp(dir, path, mode, O_EXCL, &f, err);
	if (r == 0)
		*out = f;
	return r;
}

int file_new_again(int dir, const char *path, mode_t mode, uint64_t number, struct file_new *out,
		   struct error *err)
{
	struct file_new f = {.fd = -1, .folder = -1};
	int r;

	(void)snprintf(f.temp, sizeof(f.temp), FILE_TEMP_PREFIX "%016" PRIx64, number);
	r = open_temp(dir, path, mode, O_TRUNC, &f, err);
	if (r == 0)
		*out = f;
	return r;
}

/* Give it its name; `sync`: the bytes and the name are durable afterwards. */
static int place(struct file_new *f, bool sync, struct error *err)
{
	int r = 0;

	assert(f->fd >= 0);
	if ((sync && fsync(f->fd) < 0) || renameat(f->folder, f->temp, f->folder, f->name) < 0 ||
	    (sync && fsync(f->folder) < 0))
		r = error_errno(err, errno, "%s", f->name);
	if (r == 0)
		f->temp[0] = '\0'; /* it has its final name: nothing to drop but the descriptors */
	file_new_drop(f);
	return r;
}

int file_new_commit(struct file_new *f, struct error *err)
{
	return place(f, true, err);
}

int file_new_place(struct file_new *f, struct error *err)
{
	return place(f, false, err);
}

int file_sync_all(int dir, struct error *err)
{
	return syncfs(dir) < 0 ? error_errno(err, errno, "file system") : 0;
}

void file_new_drop(struct file_new *f)
{
	if (f->fd < 0)
		return;
	if (f->temp[0])
		(void)unlinkat(f->folder, f->temp, 0);
	closep(&f->fd);
	closep(&f->folder);
	free(f->name);
	*f = FILE_NEW_NONE;
}

int file_write(int dir, const char *path, const void *data, size_t len, mode_t mode,
	       struct error *err)
{
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	int r = file_new_open(dir, path, mode, &f, err);

	if (r == 0)
		r = file_write_all(f.fd, data, len, path, err);
	if (r == 0)
		r = file_new_commit(&f, err);
	return r;
}

int file_mkdir(int dir, const char *path, mode_t mode, struct error *err)
{
	CLEANUP(freep) char *part = strdup(path);
	struct stat st;

	if (!part)
		return error_nomem(err);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(dir, part, 0777) == 0) {
			int r = file_sync_parent(dir, part, err);

			if (r < 0)
				return r;
		} else if (errno != EEXIST) {
			return error_errno(err, errno, "%s", part);
		}
		*p = '/';
	}
	if (mkdirat(dir, part, mode) == 0)
		return file_sync_parent(dir, path, err);
	if (errno != EEXIST)
		return error_errno(err, errno, "%s", path);
	if (fstatat(dir, part, &st, 0) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, E_EXISTS, "%s: is there and is no folder", path);
	return 0;
}

int file_open_dir(int dir, const char *path, bool make, int *out, struct error *err)
{
	int r = make ? file_mkdir(dir, path, 0777, err) : 0;
	int fd;

	if (r < 0)
		return r;
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR)
		return error_set(err, E_NOTFOUND, "%s: not a folder", path);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	*out = fd;
	return 0;
}

static int copy_bytes(int from, int to, const char *path, struct error *err)
{
	CLEANUP(freep) char *chunk = malloc(READ_STEP);

	if (!chunk)
		return error_nomem(err);
	for (;;) {
		ssize_t n = read(from, chunk, READ_STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "%s", path);
		if (n == 0)
			return 0;

		int r = file_write_all(to, chunk, (size_t)n, path, err);
		if (r < 0)
			return r;
	}
}

int file_copy(int from_dir, const char *from, int to_dir, const char *to, mode_t mode,
	      struct error *err)
{
	CLEANUP(closep) int fd = openat(from_dir, from, O_RDONLY | O_CLOEXEC);
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	int r;

	if (fd < 0)
		return error_errno(err, errno, "%s", from);
	r = file_new_open(to_dir, to, mode, &f, err);
	if (r == 0)
		r = copy_bytes(fd, f.fd, to, err);
	if (r == 0)
		r = file_new_commit(&f, err);
	return r;
}

int file_mkdir_parent(int dir, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *folder = NULL;

	if (!slash || slash == path)
		return 0;
	folder = strndup(path, (size_t)(slash - path));
	if (!folder)
		return error_nomem(err);
	return file_mkdir(dir, folder, 0777, err);
}

int file_link(int from_dir, const char *from, int to_dir, const char *to, struct error *err)
{
	char temp[sizeof(FILE_TEMP_PREFIX) + 16] = FILE_TEMP_PREFIX;
	CLEANUP(closep) int folder = -1;
	unsigned char raw[8];
	const char *name;
	int r = file_mkdir_parent(to_dir, to, err);

	if (r == 0)
		r = open_parent(to_dir, to, &name, &folder, err);
	if (r == 0)
		r = random_bytes(raw, sizeof(raw), err);
	if (r != 0)
		return r;
	hex_encode(raw, sizeof(raw), temp + strlen(FILE_TEMP_PREFIX));
	if (linkat(from_dir, from, folder, temp, 0) < 0) {
		if (errno == EXDEV || errno == EMLINK || errno == EPERM)
			return file_copy(from_dir, from, to_dir, to, 0644, err);
		return error_errno(err, errno, "%s", from);
	}
	if (renameat(folder, temp, folder, name) < 0)
		r = error_errno(err, errno, "%s", to);
	/* Two names of one file: rename() then does nothing and leaves the first. */
	(void)unlinkat(folder, temp, 0);
	if (r == 0 && fsync(folder) < 0)
		r = error_errno(err, errno, "%s", to);
	return r;
}

int file_exchange(int dir, const char *a, const char *b, struct error *err)
{
	int r;

	if (renameat2(dir, a, dir, b, RENAME_EXCHANGE) < 0)
		return error_errno(err, errno, "%s", b);
	r = file_sync_parent(dir, a, err);
	return r < 0 ? r : file_sync_parent(dir, b, err);
}

int file_remove(int dir, const char *path, struct error *err)
{
	if (unlinkat(dir, path, 0) == 0)
		return file_sync_parent(dir, path, err);
	if (errno == ENOENT)
		return 0;
	return error_errno(err, errno, "%s", path);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Remove what is in the folder `fd`, which is taken. */
static int remove_entries(int fd_take, int depth, const char *path, struct error *err)
{
	CLEANUP(closedirp) DIR *d = fdopendir(fd_take);
	struct dirent *e;

	if (!d) {
		closep(&fd_take);
		return error_errno(err, errno, "%s", path);
	}
	if (depth > TREE_DEPTH_MAX)
		return error_set(err, E_SYS, "%s: more than %d folders deep", path, TREE_DEPTH_MAX);
	while ((errno = 0, e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return error_errno(err, errno, "%s/%s", path, e->d_name);

		int sub = openat(dirfd(d), e->d_name,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 && errno == ENOENT)
			continue;
		if (sub < 0)
			return error_errno(err, errno, "%s/%s", path, e->d_name);

		int r = remove_entries(sub, depth + 1, path, err);
		if (r < 0)
			return r;
		if (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return error_errno(err, errno, "%s/%s", path, e->d_name);
	}
	return errno ? error_errno(err, errno, "%s", path) : 0;
}

/* Link what is in the folder `from`, which is taken, into the folder `to`. */
static int link_entries(int from_take, int to, int depth, const char *path, struct error *err)
{
	CLEANUP(closedirp) DIR *d = fdopendir(from_take);
	struct dirent *e;

	if (!d) {
		closep(&from_take);
		return error_errno(err, errno, "%s", path);
	}
	if (depth > TREE_DEPTH_MAX)
		return error_set(err, E_SYS, "%s: more than %d folders deep", path, TREE_DEPTH_MAX);
	while ((errno = 0, e = readdir(d))) {
		CLEANUP(closep) int sub_to = -1;
		int sub;

		if (e->d_name[0] == '.')
			continue;
		if (linkat(dirfd(d), e->d_name, to, e->d_name, 0) == 0)
			continue;
		if (errno != EPERM) /* what linkat() says of folders */
			return error_errno(err, errno, "%s/%s", path, e->d_name);
		sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0)
			return error_errno(err, errno, "%s/%s", path, e->d_name);
		int r = file_open_dir(to, e->d_name, true, &sub_to, err);
		if (r < 0)
			closep(&sub);
		else
			r = link_entries(sub, sub_to, depth + 1, path, err);
		if (r < 0)
			return r;
	}
	if (errno || fsync(to) < 0)
		return error_errno(err, errno, "%s", path);
	return 0;
}

int file_link_tree(int dir, const char *from, const char *to, struct error *err)
{
	CLEANUP(closep) int made = -1;
	int fd = openat(dir, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_errno(err, errno, "%s", from);
	r = file_open_dir(dir, to, true, &made, err);
	if (r < 0) {
		closep(&fd);
		return r;
	}
	return link_entries(fd, made, 0, from, err);
}

int file_remove_tree(int dir, const char *path, struct error *err)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return file_remove(dir, path, err);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	r = remove_entries(fd, 0, path, err);
	if (r == 0 && unlinkat(dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = error_errno(err, errno, "%s", path);
	return r;
}

int file_sync_parent(int dir, const char *path, struct error *err)
{
	CLEANUP(closep) int folder = -1;
	const char *name;
	int r = open_parent(dir, path, &name, &folder, err);

	if (r == 0 && fsync(folder) < 0)
		r = error_errno(err, errno, "%s", path);
	return r;
}

bool file_exists(int dir, const char *path)
{
	return faccessat(dir, path, F_OK, 0) == 0;
}

int file_size(int fd, const char *path, int64_t *out, struct error *err)
{
	uint64_t bytes;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", path);
	if (S_ISREG(st.st_mode)) {
		*out = st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return error_set(err, E_INVALID, "%s: neither a file nor a block device", path);
	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return error_errno(err, errno, "%s", path);
	*out = (int64_t)bytes;
	return 0;
}

int file_lock(int dir, const char *path, bool wait, int *out, struct error *err)
{
	CLEANUP(closep) int fd = openat(dir, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			return error_set(err, E_BUSY, "%s: in use by another process", path);
		return error_errno(err, errno, "%s", path);
	}
	*out = steal_fd(&fd);
	return 0;
}

int file_temp_dir(bool short_path, char **out, struct error *err)
{
	const char *base = short_path ? NULL : getenv("TMPDIR");
	struct buf path = {0};
	int r = buf_printf(&path, err, "%s/bequest-XXXXXX", base && *base ? base : "/tmp");

	if (r == 0 && !mkdtemp(path.data))
		r = error_errno(err, errno, "%s", path.data);
	if (r < 0)
		buf_clear(&path);
	else
		*out = buf_steal(&path);
	return r;
}

static bool component_ok(const char *name, size_t len)
{
	if (len < 1 || len > NAME_LEN_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
			return false;
	return true;
}

bool file_name_ok(const char *name)
{
	return name && component_ok(name, strlen(name));
}

bool file_path_ok(const char *path)
{
	if (!path)
		return false;
	for (;;) {
		size_t len = strcspn(path, "/");

		if (!component_ok(path, len))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}
