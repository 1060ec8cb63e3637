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
struct publisher_log;

struct source {
	struct http *http; /* borrowed */
	char *base;        /* URL of the product's folder */
	char *top;         /* URL of the tree's top; NULL: only the product's part is here */
	bool folder;       /* a folder of this machine, such as a memory stick */
};

/* A place in the network, not a file of this device. */
bool source_is_network(const char *url);

/* Absolute: what it names is not part of the tree at hand. */
bool source_elsewhere(const char *url);

/* `url` is of the tree's top; `http` is borrowed. */
MUSTCHECK int source_open(struct http *http, const char *url, const char *product,
			  struct source *out, struct error *err);

/*
 * A folder: the tree's top, or the product's part of it. E_USAGE: it is neither.
 */
MUSTCHECK int source_open_folder(struct http *http, const char *path, const char *product,
				 struct source *out, struct error *err);
/* A file by its path below the tree's top. E_NOTFOUND also if the top is not here. */
MUSTCHECK int source_get_top(const struct source *s, const char *path, size_t max, struct buf *out,
			     struct error *err);

/*
 * A single file of this machine, named relative to `folder`: its folder becomes the source, and
 * *name (the caller's) what it is called there. E_NOTFOUND.
 */
MUSTCHECK int source_open_file(struct http *http, const char *folder, const char *path,
			       struct source *out, char **name, struct error *err);

/* From anywhere in the network. E_NOTFOUND if this is a folder: it has to have all. */
MUSTCHECK int source_get_url(const struct source *s, const char *url, size_t max, struct buf *out,
			     struct error *err);
/*
 * A file of a log, where the root says that it is: relative to the tree's top, or elsewhere. In a
 * folder, which has to have all, a log elsewhere has a place by its name, as witnesses have it.
 */
MUSTCHECK int source_get_log(const struct source *s, const struct publisher_log *log,
			     const char *path, size_t max, struct buf *out, struct error *err);
void source_close(struct source *s);

/* As http_get() and http_stream(). */
MUSTCHECK int source_get(const struct source *s, const char *path, size_t max, struct buf *out,
			 struct error *err);
MUSTCHECK int source_stream(const struct source *s, const char *path, uint64_t from, uint64_t max,
			    const struct http_sink *sink, struct error *err);

#endif
