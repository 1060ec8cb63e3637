/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split - the documents in a request body, each as the bytes it was sent as
 *
 * Documents are kept and served byte for byte, so an array is cut at its commas
 * and not written anew.
 */
#ifndef REGISTRY_DOCUMENTS_SPLIT_H
#define REGISTRY_DOCUMENTS_SPLIT_H

#include <stddef.h>

#include "lib/base/compiler.h"

struct error;

enum { SPLIT_MAX = 64 };

struct slice {
	const char *data; /* borrowed from the body */
	size_t len;
};

/*
 * One JSON object, or an array of 1 to SPLIT_MAX objects. Each slice is again
 * one JSON object, to be parsed by whoever takes it. E_INVALID.
 */
MUSTCHECK int split_documents(const void *body, size_t len, struct slice out[SPLIT_MAX], size_t *n,
			      struct error *err);

#endif
