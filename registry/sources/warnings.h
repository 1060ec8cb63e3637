/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warnings - what a checkout elsewhere may stumble over
 *
 * Real trees hold such things, so they are no ground to refuse one: symbolic
 * links that leave the tree, names that differ only in case, submodules.
 */
#ifndef REGISTRY_SOURCES_WARNINGS_H
#define REGISTRY_SOURCES_WARNINGS_H

#include <jansson.h>

#include "registry/sources/gitlib.h"

enum { WARNINGS_MAX = 200 };

/*
 * Look through the tree of each of `n` commits or tags, whose objects were
 * checked. *list, owned by the caller, is an array of {"kind": "symlink" | "case"
 * | "submodule", "path", "text"}; *truncated: there was more than is looked at or told.
 */
MUSTCHECK int warnings_find(git_repository *repo, const git_oid *tips, size_t n, json_t **list,
			    bool *truncated, struct error *err);

#endif
