/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick - which image, of all that the publisher offers, this device should have
 *
 * The highest version for our hardware and backend that is newer than the
 * installed one, whose requirements hold, whose staged rollout has reached us,
 * and which has not failed here before. If the publisher recalls what is
 * installed, a lower version will do, but not by metadata that is past its expiry.
 */
#ifndef CLIENT_PICK_H
#define CLIENT_PICK_H

#include "client/install/image.h"
#include "client/session.h"

struct error;

enum { PICK_REASONS_MAX = 64 };

struct pick {
	bool found;
	bool listed;        /* what is installed is in the metadata */
	struct image image; /* path is in `url` */
	char *url;          /* owned */
	char name[256];     /* the target's path, cut if longer */
	char commit[41];    /* that it says it was built from; "" if it does not */
	bool postponed;     /* there is a newer one, but not for now: `later` says why */
	struct slot_record later_record;
	char later[STATE_REASON_MAX + 1];
	json_t *why; /* owned array of {"target", "version", "answer", "text"} */
};

/* `s` must be open with targets; it is judged anew. Release with pick_clear(). */
MUSTCHECK int pick_image(const struct device *d, struct session *s, struct pick *out,
			 struct error *err);
void pick_clear(struct pick *p);

/*
 * If nothing is known of the running slot: look in it for an image that the
 * metadata names, and record that. *found tells whether the record changed.
 */
MUSTCHECK int pick_recognise(struct device *d, const struct session *s, bool *found,
			     struct error *err);

#endif
