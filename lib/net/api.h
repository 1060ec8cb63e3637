/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api - writing to a registry: documents, blobs, and waiting for the outcome
 *
 * Paths below the registry's base URL, as docs/PROTOCOL.md has them. An answer
 * with an error body becomes the error it names, with the registry's own
 * message: 403 E_UNTRUSTED, 404 E_NOTFOUND, 409 E_DENIED (or E_NOTYET, E_EXISTS
 * where the body says "not-yet", "exists"), 429 and 503 E_BUSY, 507 E_FULL,
 * other 4xx E_INVALID, anything else E_NET.
 *
 * What may be repeated without harm (all but the two POSTs) is tried again
 * after a network error, with growing pauses, for about three seconds.
 */
#ifndef LIB_NET_API_H
#define LIB_NET_API_H

#include <jansson.h>

#include "lib/net/http.h"

struct error;

struct api {
	struct http *http;    /* borrowed */
	const char *base;     /* borrowed, such as "http://127.0.0.1:8080/" */
	progress_fn progress; /* of each blob's upload; may be NULL */
	void *ctx;            /* of `progress` */
};

/*
 * POST /v1/documents: one document, or several as one array, all or nothing.
 * `docs` are the exact bytes. *out, which the caller owns, is
 * {"documents": [{"id", "sha256", "type", "state": "published" | "waiting" | "proposal",
 *   "missing": [{"sha256", "size"}], "have": n, "need": n, "proof": "<path>" | null}]}.
 * There are `n` (at least 1) of them in the order given, and each has id, state and missing.
 */
MUSTCHECK int api_post_documents(const struct api *a, const struct buf *docs, size_t n,
				 json_t **out, struct error *err);

/*
 * Upload one blob, resuming at what the registry has; a blob it has already
 * costs one HEAD. E_NOTFOUND: no document that it accepted lists it.
 */
MUSTCHECK int api_put_blob(const struct api *a, const char *sha256, int fd, uint64_t size,
			   struct error *err);

/* GET or POST JSON below the base. The caller owns *out. `body` may be NULL. */
MUSTCHECK int api_get(const struct api *a, const char *path, json_t **out, struct error *err);
MUSTCHECK int api_post(const struct api *a, const char *path, const json_t *body, json_t **out,
		       struct error *err);

/*
 * Wait until GET /v1/documents/<id> says "published", asking with growing pauses
 * for at most `timeout_s`. *out is that document's object, as one of those
 * above. E_NOTYET: it still waits, and for what. E_DENIED: once its blobs were
 * there it was refused ("refused", with a "reason"). E_NOTFOUND: nobody posted it.
 */
MUSTCHECK int api_wait(const struct api *a, const char *id, int timeout_s, json_t **out,
		       struct error *err);

#endif
