/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"

enum { READ_SIZE = 128 * 1024 };

int digest_fd(int fd, long long size, char out[SHA256_HEX_SIZE], struct error *err)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	CLEANUP(freep) char *chunk = malloc(READ_SIZE);
	int r = chunk ? digest_new(&d, err) : error_nomem(err);

	if (r < 0)
		return r;
	for (off_t at = 0; size < 0 || at < size;) {
		size_t want = READ_SIZE;

		if (size >= 0 && size - at < READ_SIZE)
			want = (size_t)(size - at);

		ssize_t n = pread(fd, chunk, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read");
		if (n == 0 && size >= 0)
			return error_set(err, E_SYS, "read: file ends after %lld of %lld bytes",
					 (long long)at, size);
		if (n == 0)
			break;
		digest_add(d, chunk, (size_t)n);
		at += n;
	}
	digest_finish_hex(d, out);
	return 0;
}
