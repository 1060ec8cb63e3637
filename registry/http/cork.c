/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/cork.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*setsockopt_fn)(int fd, int level, int name, const void *value, socklen_t len);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static setsockopt_fn next; /* the C library's */

static _Thread_local int held = -1; /* whose header waits for its body */

static void find_next(void)
{
	void *symbol = dlsym(RTLD_NEXT, "setsockopt");

	memcpy(&next, &symbol, sizeof(next)); /* ISO C has no such cast; POSIX has the value */
}

static int pass_on(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)pthread_once(&once, find_next);
	if (next)
		return next(fd, level, name, value, len);
	errno = ENOSYS;
	return -1;
}

static bool uncorks(int level, int name, const void *value, socklen_t len)
{
	int on;

	if (level != IPPROTO_TCP || name != TCP_CORK || len != sizeof(on))
		return false;
	memcpy(&on, value, sizeof(on));
	return on == 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (fd == held && uncorks(level, name, value, len)) {
		held = -1;
		return 0;
	}
	return pass_on(fd, level, name, value, len);
}

void cork_hold(int fd)
{
	const int on = 1;

	if (pass_on(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0)
		held = fd;
}

void cork_forget(void)
{
	held = -1;
}

bool cork_holds(void)
{
	return held >= 0;
}

void cork_release(int fd)
{
	const int off = 0;

	(void)pass_on(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}
