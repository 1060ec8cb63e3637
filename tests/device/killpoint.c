/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killpoint - end a program at its nth change to the file system, as a power cut would
 *
 * Preloaded. $KILL_AT is n, counted from 1; the call is not made. Changes are
 * writes, flushes, renames, removals. With $KILL_TORN set only writes count, and of
 * the last one half is written. Without $KILL_AT nothing happens.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long counted;

static int due(int is_write)
{
	const char *at = getenv("KILL_AT");

	if (!is_write && getenv("KILL_TORN"))
		return 0;
	return at && ++counted == strtol(at, NULL, 10);
}

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
}

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* Sockets and pipes are no file system. */
static int regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t (*next)(int, const void *, size_t);
	void *p = real("write");

	memcpy(&next, &p, sizeof(p));
	if (regular(fd) && due(1)) {
		if (getenv("KILL_TORN"))
			(void)next(fd, data, len / 2);
		die();
	}
	return next(fd, data, len);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	ssize_t (*next)(int, const void *, size_t, off64_t);
	void *p = real("pwrite64");

	memcpy(&next, &p, sizeof(p));
	if (due(1)) {
		if (getenv("KILL_TORN"))
			(void)next(fd, data, len / 2, at);
		die();
	}
	return next(fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

static int one_fd(const char *name, int fd)
{
	int (*next)(int);
	void *p = real(name);

	memcpy(&next, &p, sizeof(p));
	if (due(0))
		die();
	return next(fd);
}

int fsync(int fd)
{
	return one_fd("fsync", fd);
}

int fdatasync(int fd)
{
	return one_fd("fdatasync", fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
	int (*next)(int, const char *, int, const char *);
	void *p = real("renameat");

	memcpy(&next, &p, sizeof(p));
	if (due(0))
		die();
	return next(from, old, to, new);
}

int unlinkat(int dir, const char *path, int flags)
{
	int (*next)(int, const char *, int);
	void *p = real("unlinkat");

	memcpy(&next, &p, sizeof(p));
	if (due(0))
		die();
	return next(dir, path, flags);
}
