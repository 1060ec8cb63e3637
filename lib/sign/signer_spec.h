/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer_spec - the signing key that a person names on a command line
 *
 *	pem:FILE     an unencrypted PKCS#8 key
 *	sealed:FILE  such a key, encrypted to the person's own OpenPGP key
 *	gpg:WHO      their OpenPGP key itself, by fingerprint or address; cards too
 *
 * Apart from signer.h, so that a program without people in it needs no GnuPG.
 */
#ifndef LIB_SIGN_SIGNER_SPEC_H
#define LIB_SIGN_SIGNER_SPEC_H

#include "lib/sign/signer.h"

struct error;

/* What --help says that such an option takes. */
#define SIGNER_SPEC_ARG "pem:FILE|sealed:FILE|gpg:WHO"

/*
 * `gnupg_home` NULL: $GNUPGHOME or the default. E_USAGE: none of these forms, or the
 * file is no key. E_NOTFOUND: no such file or key.
 */
MUSTCHECK int signer_open_spec(const char *spec, const char *gnupg_home, struct signer **out,
			       struct error *err);

#endif
