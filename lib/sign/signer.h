/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer - a private key that signs documents
 *
 * Three places a key may be in: a PKCS#8 PEM file (the registry's online keys,
 * tests), such a file sealed to the person's own OpenPGP key (`--portable`
 * roots), or the person's GnuPG, card included (lib/sign/gpg.h opens the last
 * two). Not for more than one thread at a time.
 */
#ifndef LIB_SIGN_SIGNER_H
#define LIB_SIGN_SIGNER_H

#include "lib/base/buf.h"
#include "lib/sign/envelope.h"
#include "lib/sign/key.h"

struct error;

/* What a kind of signer implements; `self` is freed by its own `free`. */
struct signer_ops {
	int (*sign)(void *self, const void *data, size_t len, json_t **signature,
		    struct error *err);
	void (*free)(void *self);
};
struct signer;

/* `key` and `self` are taken, also on failure. */
MUSTCHECK int signer_new(const struct signer_ops *ops, void *self_take, struct key *key_take,
			 struct signer **out, struct error *err);

/* From PEM text of an Ed25519, P-256 or RSA key (which is wiped by its owner, not here). */
MUSTCHECK int signer_from_pem(const void *pem, size_t len, struct signer **out, struct error *err);
MUSTCHECK int signer_from_file(int dir, const char *path, struct signer **out, struct error *err);

void signer_free(struct signer *s);
DEFINE_CLEANUP(struct signer *, signer_free)

const struct key *signer_key(const struct signer *s); /* borrowed */

/* Sign raw bytes: a signature object that the caller owns. */
MUSTCHECK int signer_sign(struct signer *s, const void *data, size_t len, json_t **signature,
			  struct error *err);

/* Sign a document and add the signature to it. */
MUSTCHECK int signer_sign_envelope(struct signer *s, struct envelope *e, struct error *err);

/* Make a key: "ed25519", "ecdsa" or "rsa" (3072 bits); appends PKCS#8 PEM to `pem`. */
MUSTCHECK int signer_generate(const char *kind, struct buf *pem, struct error *err);

#endif
