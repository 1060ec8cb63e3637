/* SPDX-License-Identifier: Apache-2.0 */
/* A git repository to make bundles from, good ones and hostile ones. Failures end the test. */
#ifndef TESTS_SUPPORT_GITBOX_H
#define TESTS_SUPPORT_GITBOX_H

#include "lib/base/buf.h"

struct gitbox {
	char *path; /* a temporary folder; the repository is its sub-folder "src", bare */
	int dir;
};

void gitbox_start(struct gitbox *g);
void gitbox_stop(struct gitbox *g);

/* Run git in the repository with these arguments, ended by NULL; its output, less the last newline.
 */
char *gitbox_run(const struct gitbox *g, const char *const *args, const struct buf *in);
#define git(g, ...) gitbox_run((g), (const char *const[]){"git", __VA_ARGS__, NULL}, NULL)

/* Store a raw object, whatever it holds; its id, for the caller to free. */
char *gitbox_object(const struct gitbox *g, const char *type, const void *data, size_t len);

/* Append one entry of a raw tree. */
void gitbox_entry(struct buf *tree, const char *mode, const char *name, const char *id);

/* Store a tree with one entry, or the raw bytes of one; a commit of it on refs/heads/<branch>. */
char *gitbox_tree(const struct gitbox *g, const struct buf *raw);
char *gitbox_commit(const struct gitbox *g, const char *tree, const char *parent,
		    const char *branch);

/* A bundle of exactly these objects (ids, one a line), without git's checks, with one ref. */
void gitbox_bundle(const struct gitbox *g, const char *ids, const char *ref, const char *id,
		   const char *file);

#endif
