/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/capture.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

struct capture capture_begin(int fd)
{
	struct capture c = {.fd = fd, .kept = fcntl(fd, F_DUPFD_CLOEXEC, 10)};

	(void)fflush(NULL);
	c.file = memfd_create("capture", MFD_CLOEXEC);
	assert(c.kept >= 0 && c.file >= 0);
	assert(dup2(c.file, fd) == fd);
	return c;
}

void capture_end(struct capture *c, struct buf *out)
{
	char chunk[4096];
	ssize_t n;

	(void)fflush(NULL);
	assert(dup2(c->kept, c->fd) == c->fd);
	assert(lseek(c->file, 0, SEEK_SET) == 0);
	while ((n = read(c->file, chunk, sizeof(chunk))) > 0)
		assert(buf_add(out, chunk, (size_t)n, NULL) == 0);
	(void)close(c->kept);
	(void)close(c->file);
}
