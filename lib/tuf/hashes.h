/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hashes - the `hashes` object of TUF metadata, checked as bytes stream past
 *
 *	{"sha256": "<hex>", "sha512": "<hex>"}
 *
 * Every listed hash must match, so an algorithm that is not known here is a
 * mismatch: who lists it wants it checked.
 */
#ifndef LIB_TUF_HASHES_H
#define LIB_TUF_HASHES_H

#include <jansson.h>

#include "lib/base/compiler.h"

struct error;
struct hashes;

/* `object` is borrowed until hashes_free(). E_UNTRUSTED: an unknown algorithm, or none at all. */
MUSTCHECK int hashes_new(json_t *object, const char *name, struct hashes **out, struct error *err);
void hashes_add(struct hashes *h, const void *data, size_t len);

/* Do all of them match what was added? Ends the object's use but for hashes_free(). E_UNTRUSTED. */
MUSTCHECK int hashes_match(struct hashes *h, const char *name, struct error *err);

void hashes_free(struct hashes *h);
DEFINE_CLEANUP(struct hashes *, hashes_free)

/* The hash that a consistent-snapshot file name is made of: borrowed; NULL if none is usable. */
const char *hashes_name(const json_t *object);

#endif
