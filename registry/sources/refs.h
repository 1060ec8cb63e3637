/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refs - a bundle's refs into a repository, and the files that dumb HTTP reads
 */
#ifndef REGISTRY_SOURCES_REFS_H
#define REGISTRY_SOURCES_REFS_H

#include "lib/git/bundle.h"
#include "registry/sources/gitlib.h"

/* Are names and objects fit to be refs of `repo`, which has the bundle's objects? E_INVALID. */
MUSTCHECK int refs_check(git_repository *repo, const struct bundle *b, const char *name,
			 struct error *err);

/*
 * May the refs of `old` become those of the bundle? `repo` has the objects of
 * both. Branches only go forward, tags stay. E_DENIED.
 */
MUSTCHECK int refs_may_follow(git_repository *old, git_repository *repo, const struct bundle *b,
			      const char *name, struct error *err);

/* Set them, all packed into one file; HEAD gets a branch if it names none that exists. */
MUSTCHECK int refs_set(git_repository *repo, const struct bundle *b, const char *name,
		       struct error *err);

/* Call `each` for every branch, tag and other ref that names an object, until it fails. */
typedef int (*refs_each_fn)(const git_reference *ref, void *ctx, struct error *err);
MUSTCHECK int refs_each(git_repository *repo, refs_each_fn each, void *ctx, struct error *err);

/* Write info/refs and objects/info/packs of the repository at `path`, an absolute one. */
MUSTCHECK int refs_dumb(git_repository *repo, const char *path, struct error *err);

#endif
