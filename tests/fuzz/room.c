/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/room.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/compiler.h"

enum { OPEN_FOLDERS = 16 };

static char path[64];

static int drop(const char *name, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	return at->level ? remove(name) : 0;
}

static void leave(void)
{
	(void)nftw(path, drop, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
	(void)rmdir(path);
}

int room(void)
{
	static int dir = -1;

	if (dir >= 0)
		return dir;
	/* Memory where there is some: a sync costs nothing there. */
	(void)snprintf(path, sizeof(path), "%s/bequest-fuzz-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(path))
		abort();
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || atexit(leave) != 0)
		abort();
	return dir;
}

void room_put(int dir, const char *name, const void *data, size_t len)
{
	CLEANUP(closep) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
}

void room_empty(int dir)
{
	(void)dir;
	(void)nftw(path, drop, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
