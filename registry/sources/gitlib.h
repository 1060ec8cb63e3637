/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitlib - what every call into libgit2 needs
 */
#ifndef REGISTRY_SOURCES_GITLIB_H
#define REGISTRY_SOURCES_GITLIB_H

#include <git2.h>
#include <stdbool.h>

#include "lib/base/compiler.h"

struct error;

/* Start the library for this scope; its own counter makes nesting and threads safe. */
struct gitlib {
	bool started;
};

MUSTCHECK int gitlib_start(struct gitlib *g, struct error *err);
void gitlib_stop(struct gitlib *g);

/*
 * libgit2's last error as ours: out of memory and a full disk by their own codes,
 * anything else as `code`. The text is `name: what libgit2 said`.
 */
int gitlib_error(struct error *err, int code, const char *name);

/* The absolute path of something below `dir`, since libgit2 takes no descriptors. Caller frees. */
MUSTCHECK int gitlib_path(int dir, const char *path, char **out, struct error *err);

/* Open the repository. E_NOTFOUND: there is none. */
MUSTCHECK int gitlib_open(int dir, const char *path, git_repository **out, struct error *err);

DEFINE_CLEANUP(git_repository *, git_repository_free)
DEFINE_CLEANUP(git_reference *, git_reference_free)
DEFINE_CLEANUP(git_reference_iterator *, git_reference_iterator_free)
DEFINE_CLEANUP(git_object *, git_object_free)
DEFINE_CLEANUP(git_odb *, git_odb_free)
DEFINE_CLEANUP(git_odb_object *, git_odb_object_free)
DEFINE_CLEANUP(git_commit *, git_commit_free)
DEFINE_CLEANUP(git_tag *, git_tag_free)
DEFINE_CLEANUP(git_indexer *, git_indexer_free)
DEFINE_CLEANUP(git_refdb *, git_refdb_free)

#endif
