/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place - from the path of a URL to a file of the public tree, and how to serve it
 */
#ifndef REGISTRY_HTTP_PLACE_H
#define REGISTRY_HTTP_PLACE_H

#include <stdbool.h>
#include <stddef.h>

enum { PLACE_MAX = 1024 }; /* longest path below the tree, its NUL included */

/*
 * Decode a raw URL path ("/p/a%20b") to a path below the tree ("p/a b"). A path
 * that ends in '/' gets "index.html". False: no such name can be in the tree.
 * Refused are "..", control characters, an encoded '/' or NUL, a bad escape, temporary files.
 */
bool place_of(const char *url, char out[PLACE_MAX]);

/* How a file of the tree is served, by its name alone. */
struct place_kind {
	const char *content_type;
	const char *cache_control;
	bool page; /* HTML of ours: it gets a Content-Security-Policy */
};

struct place_kind place_kind(const char *path);

#endif
