/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_file - a public key as people hand it to each other
 *
 *	{"keyid": "...", "key": {TUF key object}, "name": "..."}
 *
 * `bequest-escrow key export` writes it. It is a file that a person named, so
 * what is wrong with it is E_USAGE.
 */
#ifndef LIB_SIGN_KEY_FILE_H
#define LIB_SIGN_KEY_FILE_H

#include <jansson.h>

#include "lib/base/compiler.h"

struct error;

struct key_file {
	json_t *whole;            /* owned */
	json_t *object;           /* borrowed from whole, like the texts */
	const char *keyid, *name; /* name may be NULL */
};

/*
 * A key of a kind that cannot be used is refused, and one under an id that is not its own: it
 * could be that of somebody else's key. `where` begins the error text.
 */
MUSTCHECK int key_file_read(const char *path, struct key_file *out, struct error *err);
MUSTCHECK int key_file_take(json_t *whole_take, const char *where, struct key_file *out,
			    struct error *err);
void key_file_clear(struct key_file *k);

#endif
