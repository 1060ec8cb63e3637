/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload - the sealed archive of one compartment
 *
 * A tar (pax) with MANIFEST.sha256 first, encrypted symmetrically by gpg
 * (AES-256, uncompressed). Only regular files go in and come out. Whatever the
 * size, memory stays flat: bytes stream from the files through libarchive and
 * gpg into the sealed file, and back.
 */
#ifndef ESCROW_PAYLOAD_H
#define ESCROW_PAYLOAD_H

#include "escrow/items.h"
#include "lib/base/progress.h"

struct error;
struct gpg;

#define PAYLOAD_MANIFEST "MANIFEST.sha256"
#define PAYLOAD_SALT "SALT" /* 32 raw bytes, the second file of a restricted compartment */

enum { SALT_LEN = 32 };

struct payload_key {
	struct gpg *gpg;        /* borrowed */
	const char *passphrase; /* 64 hex digits */
	progress_fn progress;   /* may be NULL; bytes of the items */
	void *ctx;
};

/* SHA-256(salt || MANIFEST.sha256), in hex: says nothing of short secrets. */
MUSTCHECK int payload_salted(const unsigned char salt[SALT_LEN], const struct buf *manifest,
			     char out[SHA256_HEX_SIZE], struct error *err);

struct payload_sealed {
	int64_t size;
	char sha256[SHA256_HEX_SIZE];
};

/*
 * Write the sorted items as a sealed archive to an empty file, open for reading
 * too. `salt` NULL: none. E_USAGE: an item's file changed since it was added.
 */
MUSTCHECK int payload_seal(const struct items *items, const unsigned char *salt,
			   const struct payload_key *key, int fd, struct payload_sealed *out,
			   struct error *err);

/* What an archive must hold: exactly `items`, or what a manifest of this salted digest lists. */
struct payload_rules {
	struct items *items; /* sorted; those that came are marked seen */
	const char *salted;  /* NULL: what `items` has is what is wanted; else it is filled */
	int64_t size_max;    /* of all files together, in bytes */
};

/*
 * Open the sealed archive at descriptor `fd` (from its current offset) into the
 * empty folder `dir`. Every byte is checked; on failure what is in the folder so
 * far must not be used. E_UNTRUSTED: a file is wrong, missing or too much, and is named.
 */
MUSTCHECK int payload_open(int fd, const struct payload_rules *rules, const struct payload_key *key,
			   int dir, struct error *err);

#endif
