/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply - what became of documents, as lib/net/api.h has it
 */
#ifndef REGISTRY_DOCUMENTS_REPLY_H
#define REGISTRY_DOCUMENTS_REPLY_H

#include <jansson.h>

#include "registry/documents/batch.h"

struct error;

/* {"documents": [...]} of a whole batch; `state` "waiting" or "proposal" if it is not published. */
MUSTCHECK int reply_batch(const struct batch *b, const char *state, json_t **out,
			  struct error *err);

/* The object of one document by id, wherever it is. E_NOTFOUND. */
MUSTCHECK int reply_document(struct store *s, const char *id, json_t **out, struct error *err);

/* {"product", "proposals": [...]}: what waits for signatures, and whose. */
MUSTCHECK int reply_proposals(struct work *w, const char *product, json_t **out, struct error *err);

#endif
