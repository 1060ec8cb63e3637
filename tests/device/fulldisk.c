/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fulldisk - let a program's disk be full at the byte that a test wants
 *
 * Preloaded. $DISK_LEFT is a file of 8 bytes that every process maps: how many bytes files may
 * still grow by, all together. What does not fit is cut off, as a file system does, and what
 * begins beyond is ENOSPC; so are new names once nothing is left. What is overwritten takes no
 * space, and what is removed gives none back. Without $DISK_LEFT nothing happens.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t *left;

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* Before main(), while there is one thread, and through the system's own open(). */
__attribute__((constructor)) static void attach(void)
{
	const char *path = getenv("DISK_LEFT");
	int (*next)(const char *, int, ...);
	void *p = real("open");
	int fd;

	memcpy(&next, &p, sizeof(p));
	fd = path ? next(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p != MAP_FAILED)
		left = p;
}

static int nothing_left(void)
{
	return left && __atomic_load_n(left, __ATOMIC_SEQ_CST) <= 0;
}

/* Take up to `want` bytes; how many there were. */
static int64_t take(int64_t want)
{
	int64_t had = __atomic_load_n(left, __ATOMIC_SEQ_CST), get;

	do
		get = had < want ? (had > 0 ? had : 0) : want;
	while (!__atomic_compare_exchange_n(left, &had, had - get, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	return get;
}

/* How many of `len` bytes at `at` (-1: where the file stands) can be written. */
static size_t room(int fd, size_t len, off_t at)
{
	int64_t grows, end;
	struct stat st;

	if (!left || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return len;
	if (at < 0)
		at = fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
	end = (int64_t)at + (int64_t)len;
	grows = end - (st.st_size > at ? st.st_size : at);
	return grows <= 0 ? len : len - (size_t)(grows - take(grows));
}

static int full(void)
{
	errno = ENOSPC;
	return -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
	size_t fits = room(fd, len, -1);
	ssize_t (*next)(int, const void *, size_t);
	void *p = real("write");

	memcpy(&next, &p, sizeof(p));
	return len && !fits ? full() : next(fd, data, fits);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	size_t fits = room(fd, len, at);
	ssize_t (*next)(int, const void *, size_t, off64_t);
	void *p = real("pwrite64");

	memcpy(&next, &p, sizeof(p));
	return len && !fits ? full() : next(fd, data, fits, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

int openat64(int dir, const char *path, int flags, ...)
{
	int (*next)(int, const char *, int, ...);
	void *p = real("openat64");
	mode_t mode = 0;
	va_list args;

	memcpy(&next, &p, sizeof(p));
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
		if (nothing_left() && faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return full();
	}
	return next(dir, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return openat64(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) __attribute__((alias("open64")));

int mkdirat(int dir, const char *path, mode_t mode)
{
	int (*next)(int, const char *, mode_t);
	void *p = real("mkdirat");

	memcpy(&next, &p, sizeof(p));
	return nothing_left() ? full() : next(dir, path, mode);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	int (*next)(int, const char *, int, const char *, int);
	void *p = real("linkat");

	memcpy(&next, &p, sizeof(p));
	return nothing_left() ? full() : next(from, old, to, new, flags);
}
