/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/error.h"
#include "lib/tuf/client.h"

enum { READ_SIZE = 64 * 1024 };

int tuf_target_check_fd(const struct tuf_target *target, int fd, struct error *err)
{
	CLEANUP(tuf_check_freep) struct tuf_check *c = NULL;
	CLEANUP(freep) char *chunk = malloc(READ_SIZE);
	int r = chunk ? tuf_check_new(target, &c, err) : error_nomem(err);

	/* One byte too many says enough. */
	for (off_t at = 0; r == 0 && at <= target->length;) {
		ssize_t n = pread(fd, chunk, READ_SIZE, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "%s", target->path);
		if (n == 0)
			break;
		tuf_check_add(c, chunk, (size_t)n);
		at += n;
	}
	return r < 0 ? r : tuf_check_end(c, err);
}
