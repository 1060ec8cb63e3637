/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources - released source repositories, from bundles that nobody trusts
 *
 * A bundle is indexed in a quarantine; every object in it is checked (id, type,
 * what it refers to, names in trees, how far its trees unfold); only then do its
 * pack and refs join the repository, which is a bare one that stock git clones
 * over smart HTTP and, from any static server, over dumb HTTP.
 *
 * Refused (E_INVALID): whatever git itself would choke on or be harmed by: a
 * broken pack, a missing or wrong object, `.git` in any spelling, `..`, control
 * characters or a backslash in a name, tree, zlib and depth bombs. What real
 * trees contain and a checkout elsewhere may stumble over is a warning:
 * symbolic links that leave the tree, names that differ only in case,
 * submodules (their source is not in the bundle).
 *
 * Paths are below a directory descriptor. Calls may come from any thread; two
 * at a time for one repository are serialised by a lock file beside it.
 */
#ifndef REGISTRY_SOURCES_SOURCES_H
#define REGISTRY_SOURCES_SOURCES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

struct sources_limits {
	uint32_t objects;      /* in one bundle */
	uint64_t bytes;        /* of one bundle */
	uint64_t object_bytes; /* of one object, unpacked */
	uint64_t total_bytes;  /* of all objects of one bundle, unpacked */
	uint64_t entries;      /* files and folders that one tree unfolds to */
	uint64_t checkout;     /* bytes that one tree unfolds to */
	uint32_t depth;        /* of folders in each other */
};

extern const struct sources_limits sources_defaults;

struct sources_place {
	int dir;          /* `repo` is below this folder */
	const char *repo; /* "p/<product>/source.git"; made by the first bundle */
	int work;         /* a folder on the same file system, for the quarantine */
};

enum { COMMIT_HEX = 40, COMMIT_HEX_SIZE = 41 };

/*
 * Add a bundle, open at `fd`, to the repository. `name` begins error texts. A
 * later bundle may build on commits that are there; branches go forward only
 * and tags do not move (E_DENIED). Adding one again changes nothing. A crash
 * leaves the old refs or the new ones. *report (may be NULL), owned by the
 * caller: {"objects": n, "refs": n, "warnings": [{"kind", "path", "text"}], "truncated": bool}.
 * `limits` NULL: the defaults. E_INVALID, E_DENIED, E_FULL, E_SYS.
 */
MUSTCHECK int sources_add_bundle(const struct sources_place *at, int fd, const char *name,
				 const struct sources_limits *limits, json_t **report,
				 struct error *err);

/*
 * Are the repository's branches and tags exactly those of a deposit manifest,
 * {"refs/heads/main": {"commit": "<hex>", ...}}? A tag may be given by its own
 * id or that of its commit. E_UNTRUSTED names the first that differs.
 */
MUSTCHECK int sources_compare_refs(int dir, const char *repo, const json_t *refs,
				   struct error *err);

/* Is this commit in the repository? No repository: false. */
MUSTCHECK int sources_has_commit(int dir, const char *repo, const char *commit, bool *out,
				 struct error *err);

/* The commit that HEAD names. E_NOTFOUND: no repository, or no commit yet. */
MUSTCHECK int sources_head(int dir, const char *repo, char out[COMMIT_HEX_SIZE], struct error *err);

#endif
