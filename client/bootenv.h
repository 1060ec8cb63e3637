/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootenv - the few words by which a boot loader and we agree which slot to start
 *
 * A file of name=value lines, replaced atomically:
 *
 *	BOOT_ORDER=B A       slots to try, best first; a slot that is not named is not bootable
 *	BOOT_A_LEFT=3        attempts left for a slot; the boot loader counts them down
 *	BOOT_B_LEFT=3
 *	BOOTED=A             the slot that runs; the boot loader writes it
 *
 * Names that we do not know are kept as they are.
 */
#ifndef CLIENT_BOOTENV_H
#define CLIENT_BOOTENV_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct error;

enum slot { SLOT_A, SLOT_B, SLOTS, SLOT_NONE = SLOTS };
enum { BOOT_TRIES_MAX = 100 };

char slot_letter(enum slot s); /* 'A', 'B'; '-' for SLOT_NONE */
enum slot slot_other(enum slot s);

struct bootenv {
	enum slot order[SLOTS]; /* `n` of them count */
	size_t n;
	int64_t left[SLOTS];
	enum slot booted;  /* SLOT_NONE: the boot loader has not said yet */
	struct buf others; /* the lines we do not know */
};

/* A new device: A before B, both with `tries`, nothing booted yet. */
void bootenv_init(struct bootenv *e, int64_t tries);

/* E_NOTFOUND; E_INVALID: malformed or repeated. Release with bootenv_clear(). */
MUSTCHECK int bootenv_load(int dir, const char *path, struct bootenv *out, struct error *err);
MUSTCHECK int bootenv_save(const struct bootenv *e, int dir, const char *path, struct error *err);
MUSTCHECK int bootenv_parse(const char *text, size_t len, const char *name, struct bootenv *out,
			    struct error *err);
void bootenv_clear(struct bootenv *e);

bool bootenv_lists(const struct bootenv *e, enum slot s); /* is it in the order? */
void bootenv_put_first(struct bootenv *e, enum slot s);   /* the other keeps its place behind */
void bootenv_drop(struct bootenv *e, enum slot s);        /* out of the order, no attempts */

/*
 * What the boot loader does: take the first slot of the order that has attempts
 * left, count down, set `booted`. When none has, every slot of the order
 * gets `tries` again: a device that starts is better than one that does not.
 * SLOT_NONE: the order is empty.
 */
enum slot bootenv_boot(struct bootenv *e, int64_t tries);

#endif
