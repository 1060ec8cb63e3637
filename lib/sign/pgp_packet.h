/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgp_packet - the few OpenPGP packets (RFC 4880) that this project reads itself
 *
 * Version 4 signatures and public keys only, so that a TUF signature can be cut
 * out of what GnuPG makes, and a device needs no GnuPG. Hostile input welcome.
 */
#ifndef LIB_SIGN_PGP_PACKET_H
#define LIB_SIGN_PGP_PACKET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/compiler.h"
#include "lib/sign/key.h"

struct error;

enum { PGP_FPR_HEX = 40, PGP_FPR_HEX_SIZE = 41 };

/*
 * One binary detached signature of type 0x00 by an Ed25519 or RSA key over
 * SHA-256: the TUF signature object {"keyid", "sig", "other_headers"}, which
 * the caller owns. E_INVALID says what is wrong with it (such as SHA-512).
 */
MUSTCHECK int pgp_signature_object(const void *data, size_t len, json_t **out, struct error *err);

/* Check other_headers as a verifier must; `fpr` is the key id it may name. */
bool pgp_headers_ok(const unsigned char *headers, size_t len, enum key_kind kind,
		    const char *keyid);

/*
 * The TUF key object of the (sub)key with this fingerprint (lower-case hex) in
 * a binary certificate. E_NOTFOUND: no such key in it. E_INVALID.
 */
MUSTCHECK int pgp_key_object(const void *cert, size_t len, const char *fpr, json_t **out,
			     struct error *err);

/* Count (`*out`) of the S2K iterations that a symmetrically encrypted message asks for. */
MUSTCHECK int pgp_s2k_count(const void *data, size_t len, size_t *out, struct error *err);

#endif
