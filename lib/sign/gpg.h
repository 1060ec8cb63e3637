/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpg - people's OpenPGP keys, by way of GPGME; no other file calls it
 *
 * A `struct gpg` is one GnuPG home: the person's own, or a private temporary
 * one (0700, own gpg.conf, its agent killed and the folder removed on close,
 * also on the signals that cli programs handle). One thread at a time.
 */
#ifndef LIB_SIGN_GPG_H
#define LIB_SIGN_GPG_H

#include "lib/base/buf.h"
#include "lib/sign/pgp_packet.h"
#include "lib/sign/signer.h"

struct error;
struct gpg;

/* `home` NULL: $GNUPGHOME or the default. Long paths get a short agent socket. */
MUSTCHECK int gpg_open(const char *home, struct gpg **out, struct error *err);
MUSTCHECK int gpg_open_private(struct gpg **out, struct error *err);
void gpg_close(struct gpg *g);
DEFINE_CLEANUP(struct gpg *, gpg_close)

/* Import a certificate; *fpr is the primary's fingerprint, lower-case hex. */
MUSTCHECK int gpg_import(struct gpg *g, const void *data, size_t len, char fpr[PGP_FPR_HEX_SIZE],
			 struct error *err);

/* The certificate of `who` (fingerprint or address): armoured or binary. E_NOTFOUND. */
MUSTCHECK int gpg_export(struct gpg *g, const char *who, bool armour, struct buf *out,
			 struct error *err);

/* Fingerprints (lower-case hex) of the (sub)keys of `who` that can sign, and encrypt. */
struct gpg_subkeys {
	char primary[PGP_FPR_HEX_SIZE];
	char sign[PGP_FPR_HEX_SIZE];    /* "" if it has none */
	char encrypt[PGP_FPR_HEX_SIZE]; /* "" if it has none */
};
MUSTCHECK int gpg_subkeys(struct gpg *g, const char *who, struct gpg_subkeys *out,
			  struct error *err);

/* The TUF key object of who's signing (sub)key; the caller owns it. */
MUSTCHECK int gpg_key_object(struct gpg *g, const char *who, json_t **object,
			     char keyid[KEYID_MAX + 1], struct error *err);

/* A signer by who's signing key. `g` is borrowed and outlives it. */
MUSTCHECK int gpg_signer(struct gpg *g, const char *who, struct signer **out, struct error *err);

/* A signer from PEM that is sealed to a key of this home. */
MUSTCHECK int gpg_signer_sealed(struct gpg *g, const void *data, size_t len, struct signer **out,
				struct error *err);

/*
 * Encrypt to one (sub)key, uncompressed, whatever GnuPG thinks of its validity.
 * `name` becomes the literal packet's file name. Output is binary.
 */
MUSTCHECK int gpg_encrypt(struct gpg *g, const char *fpr, const void *data, size_t len,
			  const char *name, struct buf *out, struct error *err);

/* Decrypt; `name` (may be NULL) gets the literal file name. The caller wipes `out`. E_UNTRUSTED. */
MUSTCHECK int gpg_decrypt(struct gpg *g, const void *data, size_t len, struct buf *out, char **name,
			  struct error *err);

/* Symmetric, AES-256 with integrity, streaming between descriptors. */
MUSTCHECK int gpg_encrypt_stream(struct gpg *g, const char *passphrase, int in, int out,
				 struct error *err);
MUSTCHECK int gpg_decrypt_stream(struct gpg *g, const char *passphrase, int in, int out,
				 struct error *err);

/* A new key without passphrase (tests, demonstrations): "ed25519" or "rsa3072", with encryption
 * subkey. */
MUSTCHECK int gpg_generate(struct gpg *g, const char *algo, const char *user_id,
			   char fpr[PGP_FPR_HEX_SIZE], struct error *err);

#endif
