/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/blobs/blobs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/file.h"

void blob_path(const char *sha256, char out[BLOB_PATH_SIZE])
{
	(void)snprintf(out, BLOB_PATH_SIZE, "blobs/%.2s/%.64s", sha256, sha256);
}

void blob_part_path(const char *sha256, char out[BLOB_PATH_SIZE])
{
	(void)snprintf(out, BLOB_PATH_SIZE, "uploads/%.64s.part", sha256);
}

int blob_link(int data, const char *sha256, int dir, const char *to, struct error *err)
{
	char path[BLOB_PATH_SIZE];

	blob_path(sha256, path);
	return file_link(data, path, dir, to, err);
}

int blob_keep(int data, const char *sha256, struct error *err)
{
	char part[BLOB_PATH_SIZE], path[BLOB_PATH_SIZE];
	int r;

	blob_part_path(sha256, part);
	blob_path(sha256, path);
	r = file_mkdir_parent(data, path, err);
	if (r < 0)
		return r;
	if (renameat(data, part, data, path) < 0)
		return error_errno(err, errno, "%s", path);
	r = file_sync_parent(data, path, err);
	return r < 0 ? r : file_sync_parent(data, part, err);
}

uint64_t blob_part_size(int data, const char *sha256)
{
	char part[BLOB_PATH_SIZE];
	struct stat st;

	blob_part_path(sha256, part);
	if (fstatat(data, part, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

int blob_check(int data, const char *sha256, int64_t size, struct error *err)
{
	char path[BLOB_PATH_SIZE], digest[SHA256_HEX_SIZE];
	CLEANUP(closep) int fd = -1;
	int64_t have = 0;
	int r;

	blob_path(sha256, path);
	fd = openat(data, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	r = file_size(fd, path, &have, err);
	if (r == 0)
		r = digest_fd(fd, -1, digest, err);
	if (r < 0)
		return r;
	if (have != size)
		return error_set(err, E_UNTRUSTED, "%s: has %" PRId64 " bytes, want %" PRId64, path,
				 have, size);
	if (strcmp(digest, sha256) != 0)
		return error_set(err, E_UNTRUSTED, "%s: has another digest", path);
	return 0;
}
