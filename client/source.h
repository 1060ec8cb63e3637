/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - one mirror of one product's part of the public tree
 *
 * Nothing that comes from here is believed before it was verified. Paths are
 * below p/<product>/ and URL-quoted.
 */
#ifndef CLIENT_SOURCE_H
#define CLIENT_SOURCE_H

#include "lib/net/http.h"

struct error;

struct source {
	struct http *http; /* borrowed */
	char *base;        /* URL of the product's folder */
};

/* `url` is of the tree's top; `http` is borrowed. */
MUSTCHECK int source_open(struct http *http, const char *url, const char *product,
			  struct source *out, struct error *err);

/*
 * A folder: the tree's top, or the product's part of it. E_USAGE: it is neither.
 */
MUSTCHECK int source_open_folder(struct http *http, const char *path, const char *product,
				 struct source *out, struct error *err);
void source_close(struct source *s);

/* As http_get() and http_stream(). */
MUSTCHECK int source_get(const struct source *s, const char *path, size_t max, struct buf *out,
			 struct error *err);
MUSTCHECK int source_stream(const struct source *s, const char *path, uint64_t from, uint64_t max,
			    const struct http_sink *sink, struct error *err);

#endif
