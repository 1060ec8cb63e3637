/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - reading with a limit, writing that survives a power cut, names from outside
 *
 * Paths are taken below a directory descriptor (`dir`, or AT_FDCWD for a path
 * that a person typed). Every write of a whole file goes through here: into a
 * temporary file beside it, fsync, rename, fsync of the folder. After a crash
 * the name holds the old bytes or the new ones. Temporary names start with
 * ".tmp-" so that a start-up sweep can tell them.
 *
 * All descriptors are O_CLOEXEC. Errors carry the path.
 */
#ifndef LIB_BASE_FILE_H
#define LIB_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"

struct error;

#define FILE_TEMP_PREFIX ".tmp-"

/* Append the file's bytes to `out`. E_NOTFOUND; E_INVALID: larger than `max`, or no regular file.
 */
MUSTCHECK int file_read(int dir, const char *path, size_t max, struct buf *out, struct error *err);

/* Replace or make `path`, atomically and durably. Existing folders only. E_FULL, E_SYS. */
MUSTCHECK int file_write(int dir, const char *path, const void *data, size_t len, mode_t mode,
			 struct error *err);

/*
 * The same for bytes that stream: open, write to ->fd, then commit, or drop
 * (which is what CLEANUP(file_new_drop) does to one that was not committed).
 */
struct file_new {
	int fd;     /* the caller writes here; -1 when not open */
	int folder; /* descriptor of the folder that holds it */
	char *name; /* the final name in that folder */
	char temp[sizeof(FILE_TEMP_PREFIX) + 16];
};
#define FILE_NEW_NONE ((struct file_new){.fd = -1, .folder = -1})

MUSTCHECK int file_new_open(int dir, const char *path, mode_t mode, struct file_new *out,
			    struct error *err);
MUSTCHECK int file_new_commit(struct file_new *f, struct error *err);
void file_new_drop(struct file_new *f);

/*
 * Many files with two waits for the disk instead of two each: write all, file_sync_all(), place one
 * after the other, file_sync_all(). A reader sees the names come in that order. Between the two,
 * after a power cut, any number of the first ones is there, as far as the file system keeps renames
 * in their order (ext4, XFS and Btrfs do).
 */
MUSTCHECK int file_new_place(struct file_new *f, struct error *err);

/*
 * Open under a temporary name that goes by `number`. Whoever writes the same again after a crash
 * takes over what was left; nobody else in that folder has the number.
 */
MUSTCHECK int file_new_again(int dir, const char *path, mode_t mode, uint64_t number,
			     struct file_new *out, struct error *err);

/* All that was written to the file system that `dir` is on is durable. */
MUSTCHECK int file_sync_all(int dir, struct error *err);

/* Write all of `len` bytes to `fd`; E_FULL, E_SYS. `path` is for the error text. */
MUSTCHECK int file_write_all(int fd, const void *data, size_t len, const char *path,
			     struct error *err);

/* Open a folder, making it (and the folders above, mode 0777 less umask) if `make`. */
MUSTCHECK int file_open_dir(int dir, const char *path, bool make, int *out, struct error *err);

/* mkdir -p; a folder that is already there is fine, whatever its mode. */
MUSTCHECK int file_mkdir(int dir, const char *path, mode_t mode, struct error *err);

/* Hard-link or copy `from` to `to` (replacing it), durably. */
MUSTCHECK int file_copy(int from_dir, const char *from, int to_dir, const char *to, mode_t mode,
			struct error *err);

/*
 * Give the file `from` the further name `to` (replacing it, with the folders above
 * made), durably and without copying where the file system can: for files that
 * are never written again.
 */
MUSTCHECK int file_link(int from_dir, const char *from, int to_dir, const char *to,
			struct error *err);

/* Make the new folder `to` with every file below `from` linked into it. */
MUSTCHECK int file_link_tree(int dir, const char *from, const char *to, struct error *err);

/* Two names on one file system trade places, at once for every reader; durable. */
MUSTCHECK int file_exchange(int dir, const char *a, const char *b, struct error *err);

/* Make the folders above `path`. */
MUSTCHECK int file_mkdir_parent(int dir, const char *path, struct error *err);

/* Remove one file, or a whole tree without following links. Absence is no error. */
MUSTCHECK int file_remove(int dir, const char *path, struct error *err);
MUSTCHECK int file_remove_tree(int dir, const char *path, struct error *err);

/* fsync the folder that holds `path`. */
MUSTCHECK int file_sync_parent(int dir, const char *path, struct error *err);

bool file_exists(int dir, const char *path);

/* Size in bytes of a regular file or block device. */
MUSTCHECK int file_size(int fd, const char *path, int64_t *out, struct error *err);

/*
 * A lock that lives as long as its descriptor: close to release. With `wait`
 * false an already locked file is E_BUSY.
 */
MUSTCHECK int file_lock(int dir, const char *path, bool wait, int *out, struct error *err);

/*
 * A temporary folder, 0700, below $TMPDIR or /tmp (`short_path` false) or /tmp
 * in any case (true: for sockets, whose paths may not be long). The caller
 * frees *out and removes the tree.
 */
MUSTCHECK int file_temp_dir(bool short_path, char **out, struct error *err);

/* May a name from outside be one path component: 1 to 255 bytes, no '/', no control, not . or .. */
bool file_name_ok(const char *name);

/* May a path from outside be used below a folder: components as above, joined by single '/'. */
bool file_path_ok(const char *path);

#endif
