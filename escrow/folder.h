/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder - the deposit as a folder: what is called how, and whether all of it is right
 */
#ifndef ESCROW_FOLDER_H
#define ESCROW_FOLDER_H

#include "lib/base/progress.h"
#include "lib/sign/pgp_packet.h"
#include "policies/deposit.h"

struct error;
struct tuf_root;

#define FOLDER_MANIFEST "deposit.json"
#define FOLDER_HOWTO "HOWTO.txt"
#define FOLDER_BRIDGE "handover/bridge.root.json" /* in the public compartment */

enum { FOLDER_PATH_SIZE = 96 };

/* Names in the folder. `fpr` is lower-case hex; file names have it in upper case. */
void folder_payload(enum compartment_kind k, char out[FOLDER_PATH_SIZE]);
void folder_share(enum compartment_kind k, const char *fpr, char out[FOLDER_PATH_SIZE]);
void folder_vendor(enum compartment_kind k, char out[FOLDER_PATH_SIZE]);
void folder_cert(const char *fpr, char out[FOLDER_PATH_SIZE]);

/* A deposit's folder and its manifest, which is read but not verified. */
struct folder {
	int fd;
	const char *path; /* borrowed */
	struct envelope *doc;
	struct deposit deposit;
};
MUSTCHECK int folder_open(const char *path, struct folder *out, struct error *err);
void folder_close(struct folder *f);

/*
 * Is one file there and as listed? E_UNTRUSTED: missing, no regular file, or of
 * another size or digest; E_NOTFOUND: the manifest does not list it.
 */
MUSTCHECK int folder_check_file(const struct folder *f, const char *path, struct error *err);

/* All of them, and nothing besides. E_UNTRUSTED names the first file that is wrong. */
MUSTCHECK int folder_check(const struct folder *f, progress_fn progress, void *ctx,
			   struct error *err);

/*
 * Is the manifest signed by a threshold of the root in the file, and is that the
 * root it names? *root (may be NULL) is the caller's. E_UNTRUSTED.
 */
MUSTCHECK int folder_verify(const struct folder *f, const char *root_file, struct tuf_root **root,
			    struct error *err);

#endif
