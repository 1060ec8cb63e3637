/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend - how images get onto this kind of device, and which one starts
 *
 * Two slots, of which one runs; only the other is ever written. An installation is
 *
 *	prepare -> write ... -> flush -> read back -> activate -> (reboot) -> confirm
 *
 * and may stop at any instant: from prepare() to activate() the slot that is
 * written cannot be started, and before and after, whatever can be is whole.
 * Offsets and sizes are bytes. Not for more than one thread or process.
 */
#ifndef CLIENT_INSTALL_BACKEND_H
#define CLIENT_INSTALL_BACKEND_H

#include "client/bootenv.h"
#include "client/conf.h"

struct error;

struct backend_state {
	enum slot running;   /* SLOT_NONE: not known yet; then A is taken to run */
	enum slot next;      /* starts at the next boot */
	bool listed[SLOTS];  /* may be started at all */
	int64_t left[SLOTS]; /* attempts */
};

struct backend; /* opaque */

/* What a kind of device implements; `self` is its own. */
struct backend_ops {
	int (*state)(void *self, struct backend_state *out, struct error *err);
	int (*size)(void *self, enum slot s, uint64_t *out, struct error *err);
	int (*prepare)(void *self, enum slot s, uint64_t size, struct error *err);
	int (*write)(void *self, uint64_t at, const void *data, size_t len, struct error *err);
	int (*flush)(void *self, struct error *err);
	int (*read)(void *self, enum slot s, uint64_t at, void *out, size_t len, struct error *err);
	int (*activate)(void *self, struct error *err);
	int (*confirm)(void *self, struct error *err);
	int (*start)(void *self, enum slot s, bool drop, struct error *err);
	void (*free)(void *self);
};

/* The backend that the configuration names. `c` is borrowed and must live on. */
MUSTCHECK int backend_open(const struct conf *c, struct backend **out, struct error *err);
void backend_close(struct backend *b);
DEFINE_CLEANUP(struct backend *, backend_close)

/* E_NOTFOUND, E_INVALID: the boot environment is missing or malformed. */
MUSTCHECK int backend_state(struct backend *b, struct backend_state *out, struct error *err);

/* How much a slot holds. */
MUSTCHECK int backend_size(struct backend *b, enum slot s, uint64_t *out, struct error *err);

/*
 * Take slot `s`, which must not be the running one, out of what may be
 * started, and open it for an image of `size` bytes. E_FULL: the image is
 * larger than the slot, of which nothing was changed.
 */
MUSTCHECK int backend_prepare(struct backend *b, enum slot s, uint64_t size, struct error *err);

/* Into the prepared slot. flush() returns when the bytes are on the medium, not in a cache. */
MUSTCHECK int backend_write(struct backend *b, uint64_t at, const void *data, size_t len,
			    struct error *err);
MUSTCHECK int backend_flush(struct backend *b, struct error *err);

/* Read exactly `len` bytes of any slot. */
MUSTCHECK int backend_read(struct backend *b, enum slot s, uint64_t at, void *out, size_t len,
			   struct error *err);

/* Start the prepared slot at the next boot, for a limited number of attempts. */
MUSTCHECK int backend_activate(struct backend *b, struct error *err);

/* The running slot is good: it gets its attempts back and stays first. */
MUSTCHECK int backend_confirm(struct backend *b, struct error *err);

/* Start slot `s`, which is whole, from the next boot on; `drop`: and never the other. */
MUSTCHECK int backend_start(struct backend *b, enum slot s, bool drop, struct error *err);

/* For the implementations: a backend around `self_take`, freed by ops->free, also on failure. */
MUSTCHECK int backend_new(const struct backend_ops *ops, void *self_take, struct backend **out,
			  struct error *err);

#endif
