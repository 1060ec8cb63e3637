/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sharebox - the trustees' shares between their coming and the opening
 *
 * One 0600 file each, DIR/shares/<deposit id>/<number>, written before the
 * share is acknowledged and overwritten before it is removed. A struct share is
 * a secret: release lists with share_list_clear(), which wipes.
 */
#ifndef REGISTRY_OPEN_SHAREBOX_H
#define REGISTRY_OPEN_SHAREBOX_H

#include <stdint.h>

#include "lib/base/compiler.h"
#include "lib/base/digest.h"
#include "policies/deposit.h"

struct error;

#define SHARES_LOCK "shares.lock" /* in the data folder: held while shares come or are wiped */

enum { SHARE_LEN = 64, SHARE_PRODUCT_SIZE = 65 };

struct share {
	char product[SHARE_PRODUCT_SIZE];
	char deposit[SHA256_HEX_SIZE];
	char approval[SHA256_HEX_SIZE]; /* the document that covers it */
	int64_t number; /* 1 to 255; 0: the passphrase itself, which the vendor has */
	unsigned char bytes[SHARE_LEN];
};

struct share_list {
	struct share *list;
	size_t n;
};

/* `data` is the data folder. Put away one; again the same one is no error. */
MUSTCHECK int sharebox_put(int data, const struct share *s, struct error *err);

/* All of one deposit, by number. None: an empty list. */
MUSTCHECK int sharebox_read(int data, const char *deposit, struct share_list *out,
			    struct error *err);
void share_list_clear(struct share_list *l);

/* Overwrite and remove those of one deposit. */
MUSTCHECK int sharebox_wipe(int data, const char *deposit, struct error *err);

/* The ids of the deposits that have any; the caller frees *out. */
MUSTCHECK int sharebox_deposits(int data, char (**out)[SHA256_HEX_SIZE], size_t *n,
				struct error *err);

#endif
