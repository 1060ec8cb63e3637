/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs - files by their digest: blobs/aa/<sha256>, and uploads/<sha256>.part
 *
 * A blob has its name only when it is complete, verified and durable, and is
 * never written again. Paths are below the data folder `data`.
 */
#ifndef REGISTRY_BLOBS_BLOBS_H
#define REGISTRY_BLOBS_BLOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/digest.h"

struct error;

enum { BLOB_PATH_SIZE = 96 };

/* `sha256` is 64 hex digits: the caller checked it. */
void blob_path(const char *sha256, char out[BLOB_PATH_SIZE]);
void blob_part_path(const char *sha256, char out[BLOB_PATH_SIZE]);

/* Give it the further name `to` below `dir`; E_NOTFOUND: it is not here. */
MUSTCHECK int blob_link(int data, const char *sha256, int dir, const char *to, struct error *err);

/* A part that was verified becomes the blob. */
MUSTCHECK int blob_keep(int data, const char *sha256, struct error *err);

/* How much of an upload is here; 0 if nothing. */
uint64_t blob_part_size(int data, const char *sha256);

struct registry;

/* Finish uploads whose last byte came before a crash, and publish what waited for them. */
MUSTCHECK int uploads_recover(struct registry *r, struct error *err);

/* Does the blob have this length and its digest? E_UNTRUSTED, E_NOTFOUND. */
MUSTCHECK int blob_check(int data, const char *sha256, int64_t size, struct error *err);

#endif
