/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle - the header of a git bundle, version 2 (gitformat-bundle)
 *
 * Only the header: the pack behind it is for libgit2 or git. Bundles come from
 * deposits and maintainers: hostile.
 */
#ifndef LIB_GIT_BUNDLE_H
#define LIB_GIT_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

enum { BUNDLE_HEADER_MAX = 1024 * 1024, BUNDLE_REFS_MAX = 16384, BUNDLE_REF_LEN_MAX = 512 };

struct bundle_ref {
	char oid[41]; /* lower-case hex */
	char *name;   /* "refs/heads/main", or "HEAD" */
};

struct bundle {
	struct bundle_ref *refs;
	size_t n;
	char (*prerequisites)[41]; /* commits that the receiver must have */
	size_t nprerequisites;
	size_t pack_offset; /* the pack starts at this byte */
};

/* `data` is the file's first `len` bytes, all of it or at least BUNDLE_HEADER_MAX. E_INVALID. */
MUSTCHECK int bundle_parse(const void *data, size_t len, struct bundle *out, struct error *err);
void bundle_clear(struct bundle *b);

#endif
