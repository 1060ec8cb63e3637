/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http - the one HTTP client, on libcurl
 *
 * Every transfer has a limit on bytes and on time (connect 20 s; less than
 * 100 bytes/s for 30 s is a stall). Redirects are followed within http and
 * https only, at most 5. A handle keeps its connection; one thread at a time.
 * file:// is read too (memory sticks). Proxies from the environment are ignored.
 */
#ifndef LIB_NET_HTTP_H
#define LIB_NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/progress.h"

struct error;
struct http;

struct http_options {
	bool allow_plain;    /* http:// beyond loopback is refused unless set */
	const char *ca_file; /* NULL: the system's */
};

MUSTCHECK int http_new(const struct http_options *o, struct http **out, struct error *err);
void http_free(struct http *h);
DEFINE_CLEANUP(struct http *, http_free)

/* "base" and "path" joined with one slash; the caller frees *out. */
MUSTCHECK int http_url(const char *base, const char *path, char **out, struct error *err);

/*
 * Append a body of at most `max` bytes. E_NOTFOUND: 404 or 410. E_INVALID:
 * longer than `max`. E_BUSY: 429 or 503. E_NET: whatever else went wrong.
 */
MUSTCHECK int http_get(struct http *h, const char *url, size_t max, struct buf *out,
		       struct error *err);

/* As bytes arrive. A negative return ends the transfer and is returned. */
typedef int (*http_sink)(void *ctx, const void *data, size_t len, struct error *err);

/*
 * Stream from byte `from` on to a sink; more than `max` bytes in all is
 * E_INVALID. If `from` is not 0 and the server sends the whole thing (200), the
 * bytes before it are dropped here.
 */
MUSTCHECK int http_stream(struct http *h, const char *url, uint64_t from, uint64_t max,
			  http_sink sink, void *ctx, struct error *err);

/* Any other request; the answer, whatever its status, is for the caller to judge. */
struct http_request {
	const char *method; /* "POST", "PATCH", "HEAD", "PUT" */
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
	const void *body;           /* `len` bytes, or NULL with fd -1 for none */
	size_t len;
	int fd; /* -1, or a file whose bytes from `from` on are the body */
	uint64_t from, size;
	progress_fn progress; /* may be NULL */
	void *ctx;
};

struct http_answer {
	long status;
	int64_t upload_offset; /* of an Upload-Offset header, or -1 */
	struct buf body;       /* at most 1 MiB; cleared by the caller */
};

MUSTCHECK int http_send(struct http *h, const struct http_request *q, struct http_answer *out,
			struct error *err);

#endif
