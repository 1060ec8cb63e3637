/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpg_home - the folders that GnuPG runs in, and what must be said to it beyond GPGME
 *
 * GPGME cannot choose the digest, and GnuPG signs with SHA-512 under RSA keys. A
 * private home says so in its own gpg.conf; in a person's home, whose gpg.conf
 * is not ours to edit, GPGME is given a small shell program that adds the options.
 */
#ifndef LIB_SIGN_GPG_HOME_H
#define LIB_SIGN_GPG_HOME_H

#include <stdbool.h>

#include "lib/base/scratch.h"

struct error;

struct gpg_home {
	char *path;            /* NULL: GnuPG's default */
	char *program;         /* for GPGME to run; NULL: the usual one */
	bool private;          /* ours: its agent dies with it */
	struct scratch folder; /* holds the home, or only the program */
};
#define GPG_HOME_NONE ((struct gpg_home){.folder = {.fd = -1, .guard = -1}})

/*
 * A new empty home. Should our process die by a signal, its folder is removed,
 * which its agent notices and ends.
 */
MUSTCHECK int gpg_home_private(struct gpg_home *out, struct error *err);

/*
 * The home `path` of a person (NULL: $GNUPGHOME or the default), run by `gpg`. If its
 * path is too long for the agent's sockets, they are redirected to a folder
 * /tmp/bequest-<uid>-<digest of path> that stays, as the agent does. E_NOTFOUND.
 */
MUSTCHECK int gpg_home_own(const char *path, const char *gpg, struct gpg_home *out,
			   struct error *err);

void gpg_home_close(struct gpg_home *h); /* a no-op on GPG_HOME_NONE */

#endif
