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

const char *gpg_home_path(const struct gpg *g); /* borrowed; NULL: GnuPG's default */

/* Import a certificate; *fpr is the primary's fingerprint, lower-case hex. */
MUSTCHECK int gpg_import(struct gpg *g, const void *data, size_t len, char fpr[PGP_FPR_HEX_SIZE],
			 struct error *err);

/* The certificate of `who` (fingerprint or address): armoured or binary. E_NOTFOUND. */
MUSTCHECK int gpg_export(struct gpg *g, const char *who, bool armour, struct buf *out,
			 struct error *err);

/*
 * Fingerprints (lower-case hex) of the (sub)keys of `who` that sign and encrypt, as GnuPG
 * would choose them. E_NOTFOUND; E_USAGE: more than one key is meant.
 */
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

/*
 * A signer by who's signing key. `g` is borrowed and outlives it. E_NOTFOUND: no such
 * secret key; E_USAGE: it cannot sign, or nobody would take its signatures.
 */
MUSTCHECK int gpg_signer(struct gpg *g, const char *who, struct signer **out, struct error *err);

/* A signer from PEM that is sealed to a key of this home. */
MUSTCHECK int gpg_signer_sealed(struct gpg *g, const void *data, size_t len, struct signer **out,
				struct error *err);

struct gpg_plain {
	const void *data;
	size_t len;
	const char *name; /* becomes the literal packet's file name; may be NULL */
};

/*
 * Encrypt to one (sub)key, by its fingerprint, and to no other; uncompressed, and
 * whatever GnuPG thinks of its validity. Output is binary.
 */
MUSTCHECK int gpg_seal(struct gpg *g, const char *fpr, const struct gpg_plain *plain,
		       struct buf *out, struct error *err);
#define gpg_encrypt(g, fpr, data, len, name, out, err) \
	gpg_seal(g, fpr, &(struct gpg_plain){(data), (len), (name)}, out, err)

/* Decrypt; `name` (may be NULL) gets the literal file name. The caller wipes `out`. E_UNTRUSTED. */
MUSTCHECK int gpg_decrypt(struct gpg *g, const void *data, size_t len, struct buf *out, char **name,
			  struct error *err);

/*
 * Symmetric, AES-256 with integrity, streaming between descriptors. What
 * gpg_decrypt_stream() writes is not to be used before it has returned 0: the
 * integrity is known at the end. E_UNTRUSTED: wrong passphrase, or damaged.
 */
MUSTCHECK int gpg_encrypt_stream(struct gpg *g, const char *passphrase, int in, int out,
				 struct error *err);
MUSTCHECK int gpg_decrypt_stream(struct gpg *g, const char *passphrase, int in, int out,
				 struct error *err);

/* A new key without passphrase (tests, demonstrations): "ed25519" or "rsa3072", with encryption
 * subkey. */
MUSTCHECK int gpg_generate(struct gpg *g, const char *algo, const char *user_id,
			   char fpr[PGP_FPR_HEX_SIZE], struct error *err);

#endif
