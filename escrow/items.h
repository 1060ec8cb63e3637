/* SPDX-License-Identifier: Apache-2.0 */
/*
 * items - the files of one compartment: paths, sizes, digests
 *
 * Collected from disk by who seals, read from the signed manifest by who opens.
 */
#ifndef ESCROW_ITEMS_H
#define ESCROW_ITEMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"

struct error;

enum { ITEMS_MAX = 65536, ITEMS_TEXT_MAX = 16 * 1024 * 1024 };

struct item {
	char *path; /* in the archive */
	char *from; /* on disk; NULL if read from a manifest */
	int64_t size;
	char sha256[SHA256_HEX_SIZE];
	bool executable;
	struct timespec changed; /* ctime when it was hashed */
	bool seen;               /* for who ticks them off */
};

/* Zeroed is empty. */
struct items {
	struct item *list;
	size_t n, cap;
};
void items_clear(struct items *s);

/*
 * Add a file, hashing it; or every file below a folder (`prefix` NULL: none). E_USAGE: it is no
 * regular file (links are refused: what they point to may not be there in
 * twenty years), or its path does not fit an archive or a checksum file.
 */
MUSTCHECK int items_add(struct items *s, const char *path, const char *from, struct error *err);
MUSTCHECK int items_add_tree(struct items *s, const char *prefix, const char *folder,
			     struct error *err);

/* Add what a deposit's manifest lists: [{"path", "size", "sha256"}]. E_INVALID. */
MUSTCHECK int items_add_json(struct items *s, const json_t *list, struct error *err);

/* Add what a checksum file lists; sizes become -1, not known. E_INVALID. */
MUSTCHECK int items_add_text(struct items *s, const struct buf *text, struct error *err);

/* Sort by path, as all below wants it. E_INVALID: two items of one path. */
MUSTCHECK int items_sort(struct items *s, struct error *err);

struct item *items_find(const struct items *s, const char *path); /* NULL: not there */
bool items_has_below(const struct items *s, const char *prefix);  /* "source/" */
int64_t items_size(const struct items *s);                        /* of all, in bytes */

/* Append the text that `sha256sum -c` reads. */
MUSTCHECK int items_text(const struct items *s, struct buf *out, struct error *err);

/* [{"path", "size", "sha256"}]; the caller owns *out. */
MUSTCHECK int items_json(const struct items *s, json_t **out, struct error *err);

#endif
