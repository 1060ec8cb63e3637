/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opening - from shares to files, with nothing believed but the signed manifest
 */
#ifndef ESCROW_OPENING_H
#define ESCROW_OPENING_H

#include "escrow/folder.h"
#include "escrow/shamir.h"

struct error;
struct tuf_root;

/* Shares as they come, unchecked. Wipe with share_set_wipe(). */
struct share_set {
	struct share list[SHARES_MAX];
	size_t n;
};
void share_set_wipe(struct share_set *s);

/*
 * Add `len` bytes under a number; 0, where the polynomial has the secret, is the
 * passphrase itself. E_USAGE: not 64 bytes, or more than 255 shares.
 */
MUSTCHECK int share_set_add(struct share_set *s, int64_t number, const void *data, size_t len,
			    struct error *err);

/* A file as gfcombine reads it: 64 bytes, its number the last three digits of its name. */
MUSTCHECK int share_set_add_file(struct share_set *s, const char *path, struct error *err);

/* Lines "<number> <base64>\n" from a descriptor, to its end. */
MUSTCHECK int share_set_add_fd(struct share_set *s, int fd, struct error *err);

/*
 * The passphrase. Each share is held against the manifest first. E_UNTRUSTED
 * names the one that is wrong, or no share of this deposit, or another number
 * than it says; E_NOTYET: fewer than the threshold. `out` has a NUL; wipe it.
 */
MUSTCHECK int opening_combine(const struct deposit *d, enum compartment_kind k,
			      const struct share_set *s, char out[SHARE_LEN + 1],
			      struct error *err);

struct opening {
	const struct folder *folder;
	enum compartment_kind compartment;
	const char *passphrase;      /* checked here */
	const struct tuf_root *root; /* N; the bridge must be signed by it. NULL: not asked */
	const char *to;              /* the new folder; an empty one is replaced */
	progress_fn progress;        /* may be NULL */
	void *ctx;
};

/*
 * Open one compartment into `to`: every item, ref and the bridge are checked
 * before the folder gets its name. E_UNTRUSTED, E_EXISTS.
 */
MUSTCHECK int opening_run(const struct opening *o, struct error *err);

#endif
