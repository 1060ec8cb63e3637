/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - the registry's private keys, in DIR/keys (0700)
 *
 *	root.pem      signs registry.json
 *	online.pem    listed there; signs `release` statements
 *	log.pem       signs checkpoints
 *	products.key  64 hex digits, from which the online keys of products come
 *
 * All keys are Ed25519; the .pem files are plain PKCS#8. The timestamp and
 * snapshot keys of a product are HMAC-SHA-256(products.key, product, publisher,
 * epoch, role) as an Ed25519 seed: so asking for them stores nothing, whoever
 * asks, and a backup of this folder never lacks one.
 */
#ifndef REGISTRY_KEYS_H
#define REGISTRY_KEYS_H

#include "lib/sign/signer.h"
#include "lib/tlog/note.h"

struct error;
struct keys;

/* Make the folder and all keys; keys that are there already stay. */
MUSTCHECK int keys_create(int data, struct error *err);

/* `origin` is the log's name. */
MUSTCHECK int keys_open(int data, const char *origin, struct keys **out, struct error *err);
void keys_close(struct keys *k); /* wipes */
DEFINE_CLEANUP(struct keys *, keys_close)

/* A key that signs notes, which are no documents: it needs the bare seed. */
enum { NOTE_SEED_LEN = 32 };
struct note_signer {
	struct note_key key;
	unsigned char seed[NOTE_SEED_LEN];
};

/* Make a plain PKCS#8 file with a new Ed25519 key (0600); one that is there stays. */
MUSTCHECK int keys_create_pem(int data, const char *path, struct error *err);

/* From such a file; `type` is an enum note_type. Wiped by its owner. */
MUSTCHECK int keys_note_signer(int data, const char *path, const char *name, int type,
			       struct note_signer *out, struct error *err);

struct signer *keys_root(const struct keys *k); /* borrowed, as the next */
struct signer *keys_online(const struct keys *k);
const struct note_key *keys_log(const struct keys *k);

/* Append the log's signature line for a checkpoint's text. */
MUSTCHECK int keys_sign_checkpoint(const struct keys *k, const struct buf *text, struct buf *out,
				   struct error *err);

/* Whose online keys. `epoch` counts the publisher's tenures of this product, from 0. */
struct key_use {
	const char *product, *publisher;
	int64_t epoch;
};

/* `role` is "timestamp" or "snapshot". The caller frees *out. */
MUSTCHECK int keys_product(const struct keys *k, const struct key_use *use, const char *role,
			   struct signer **out, struct error *err);

#endif
