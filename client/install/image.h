/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image - bring one verified image into the slot that does not run
 *
 * Bytes go from the mirror through the hash into the slot; no copy in memory or
 * /tmp. The order is what makes it safe to stop at any instant:
 *
 *	slot out of the boot order -> recorded as being written -> journal ->
 *	write -> flush -> read back and hash -> recorded as ready -> boot order ->
 *	journal idle
 *
 * An interrupted installation goes on where the journal says it had come,
 * after the bytes that are in the slot were hashed again.
 */
#ifndef CLIENT_INSTALL_IMAGE_H
#define CLIENT_INSTALL_IMAGE_H

#include "client/device.h"
#include "client/source.h"
#include "lib/base/progress.h"

struct error;

struct image {
	const char *path; /* below p/<product>/, URL-quoted; borrowed */
	uint64_t size;
	struct slot_record record; /* what the slot will hold; status is not looked at */
};

/* Where it comes from, and who watches. */
struct image_feed {
	const struct source *from; /* mirrors in order */
	size_t n;
	progress_fn progress; /* may be NULL */
	void *ctx;
};

/*
 * Install from the first mirror that gives it; another takes over where
 * one failed. Whatever it returns, what can be started is whole. E_FULL: larger than the slot.
 * E_UNTRUSTED: no mirror has the image that was signed. E_NOTYET: the running
 * slot was not confirmed, and the other is the way back. E_NET, E_BUSY, E_SYS.
 */
MUSTCHECK int image_install(struct device *d, const struct image *im, const struct image_feed *feed,
			    struct error *err);

/* Is this very image in the other slot, verified, and next to start? */
bool image_is_next(const struct device *d, const struct slot_record *r);

/* Hash the first `size` bytes of a slot, as the medium has them. */
MUSTCHECK int image_digest(struct backend *b, enum slot s, uint64_t size, char out[SHA256_HEX_SIZE],
			   struct error *err);

/*
 * Copy a slot's image to the file `keep-image`, durably, and put on record what it is: the
 * way back to another publisher's. What image_keep() kept there before is replaced; a file that is
 * anything else stays, and nothing is kept.
 */
MUSTCHECK int image_keep(struct device *d, enum slot s, struct error *err);

/*
 * Put what image_keep() kept into the slot that does not run, to start next. What runs is not
 * installed again by itself. E_NOTYET: nothing was kept, it runs already, or what
 * runs was not confirmed. E_UNTRUSTED: the file is not what was kept.
 */
MUSTCHECK int image_restore(struct device *d, struct error *err);

#endif
