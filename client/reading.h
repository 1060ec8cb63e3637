/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading - what evidence rests on, from one mirror
 *
 * A gathering looks at the same statements and proofs again and again. They are kept for
 * it, up to a bound; what is beyond is fetched as often as it is asked for, so that no number
 * of statements fills the memory of a device.
 */
#ifndef CLIENT_READING_H
#define CLIENT_READING_H

#include <jansson.h>

#include "client/device.h"
#include "client/source.h"
#include "policies/logs.h"

struct error;

/* Bytes of files that are kept for a gathering, and of texts for a person. */
enum { READING_KEPT_MAX = 512 * 1024, READING_TEXTS_MAX = 1024 * 1024 };

struct reading {
	const struct source *from; /* borrowed */
	const struct device *d;    /* borrowed: product, and what was seen of its chain */
	json_t *kept;              /* owned: path -> text */
	size_t bytes;
	bool dead;               /* a log elsewhere did not answer, and is asked no more */
	struct leaf_chain ready; /* owned: the chain, if somebody read it already; goes with its
				  * first use */
};

MUSTCHECK int reading_init(struct reading *r, const struct source *from, const struct device *d,
			   struct error *err);
void reading_clear(struct reading *r);

/* `r` must live as long as what is returned. */
struct evidence_source reading_source(struct reading *r);

/*
 * The statements with these ids, as a new object "statements/<id>.json" -> text, so that a
 * person can be told what they say. One that cannot be had, or is too much together with those
 * before it, is left out; whoever reads one checks by its id that it is the one.
 */
MUSTCHECK int reading_texts(struct reading *r, const json_t *ids, json_t **out, struct error *err);

#endif
