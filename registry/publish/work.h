/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work - a publisher's folder: one product's metadata, and the next version of its targets
 *
 *	publish.json        product and registry
 *	metadata/           the TUF client's store: what is published, verified
 *	draft.json          the targets metadata being made; signatures so far
 *	files/<sha256>      the files that the draft lists
 *	lock
 *
 * Everything is written atomically; a crash leaves the draft before or after.
 */
#ifndef REGISTRY_PUBLISH_WORK_H
#define REGISTRY_PUBLISH_WORK_H

#include "lib/net/http.h"
#include "lib/tuf/client.h"

struct error;

struct work {
	int dir, metadata, lock; /* descriptors; the lock is held as long as the struct lives */
	char *product, *registry;
	struct http *http;
	struct tuf *tuf;        /* the trusted metadata; set by work_trust() */
	bool bare;              /* the registry has roots of the product, and no timestamp yet */
	struct envelope *draft; /* NULL: none yet */
};
#define WORK_NONE ((struct work){.dir = -1, .metadata = -1, .lock = -1})

/* Make the folder (or take one that is there for the same product). E_EXISTS, E_USAGE. */
MUSTCHECK int work_make(const char *path, const char *product, const char *registry,
			struct work *out, struct error *err);

/* Open a folder that `checkout` made, with its draft. E_USAGE: it is none. E_BUSY. */
MUSTCHECK int work_open(const char *path, struct work *out, struct error *err);
void work_close(struct work *w);

/* Load the trusted root, and with `refresh` bring the metadata up to date from the registry. */
MUSTCHECK int work_trust(struct work *w, bool refresh, struct error *err);

/* Replace the draft by a document around `signed_take`, with no signatures; durable. */
MUSTCHECK int work_draft(struct work *w, json_t *signed_take, struct error *err);
MUSTCHECK int work_save_draft(struct work *w, struct error *err);

/* The draft's signed part, for reading; E_USAGE if there is no draft. */
MUSTCHECK int work_signed(const struct work *w, json_t **out, struct error *err);

/* The published targets role, or NULL while nothing is published under this root. */
const struct tuf_role *work_published(const struct work *w);

#endif
