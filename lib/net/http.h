/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http - the one HTTP client, on libcurl
 *
 * Every transfer has a limit on bytes and on time (connect 20 s; less than
 * 100 bytes/s for 30 s is a stall). Redirects are followed within http and
 * https only, at most 5, each under the same rules as the first URL; a request
 * with a body follows 307 and 308 alone, which keep it. A handle keeps its
 * connections; one thread at a time. file:// is read too (memory sticks).
 * Proxies from the environment are ignored, and a URL may not hold a password.
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
	bool allow_plain; /* http:// beyond loopback is refused (E_USAGE) unless set */
	/*
	 * Any certificate will do, also one that is past its end or of nobody known: TLS then hides
	 * what is asked for from those who only listen, and says nothing of who answers. For those
	 * who verify by signatures whatever they get.
	 */
	bool any_certificate;
	const char *ca_file; /* NULL: the system's */
	int stall_s;         /* 0: 30 */
	int patience_s;      /* 0: 60; what a body may take, its length apart */
};

/* `o` may be NULL: all defaults. What it points to is copied. */

MUSTCHECK int http_new(const struct http_options *o, struct http **out, struct error *err);
void http_free(struct http *h);
DEFINE_CLEANUP(struct http *, http_free)

/* "base" and "path" joined with one slash; the caller frees *out. */
MUSTCHECK int http_url(const char *base, const char *path, char **out, struct error *err);

/*
 * Append a body of at most `max` bytes, within patience_s and one second more for
 * every 4 KiB of `max`. E_NOTFOUND: 404 or 410. E_INVALID: longer than `max`, or no
 * URL. E_BUSY: 429 or 503. E_NET: whatever else went wrong, a body cut short
 * too. On failure *out is as it was.
 */
MUSTCHECK int http_get(struct http *h, const char *url, size_t max, struct buf *out,
		       struct error *err);

/* Where bytes go as they arrive. A negative return ends the transfer and is returned. */
struct http_sink {
	int (*take)(void *ctx, const void *data, size_t len, struct error *err);
	void *ctx;
};

/*
 * Stream from byte `from` on to a sink, in the time that http_get() gives. If the whole, what is
 * before `from` included, has more than `max` bytes or less than `from`, or the server sends
 * another range than was asked for, that is E_INVALID. If it sends the whole
 * thing (200), the bytes before `from` are dropped here.
 */
MUSTCHECK int http_stream(struct http *h, const char *url, uint64_t from, uint64_t max,
			  const struct http_sink *sink, struct error *err);

/* Any other request; the answer, whatever its status, is for the caller to judge. */
struct http_request {
	const char *method; /* "GET", "HEAD", "POST", "PATCH", "PUT" */
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
	const void *body;           /* `len` bytes, or NULL with fd -1 for none */
	size_t len;
	int fd; /* -1, or a file whose bytes from `from` up to `size` are the body */
	uint64_t from, size;
	progress_fn progress; /* of an fd: (ctx, offset in the file, size); may be NULL */
	void *ctx;
	size_t max;              /* bytes of the answer; 0: 1 MiB */
	int limit_s;             /* for all of it; 0: none but the stall */
	bool (*stop)(void *ctx); /* asked now and then: give up? May be NULL */
};

struct http_answer {
	long status;
	int64_t upload_offset; /* of an Upload-Offset header, or -1 */
	struct buf body;       /* cleared by the caller */
};

/* E_NET: there was no answer, or not in time. E_INVALID: it was longer than `max`. */
MUSTCHECK int http_send(struct http *h, const struct http_request *q, struct http_answer *out,
			struct error *err);

#endif
