/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages - what people read: HTML made when something is published
 *
 * Made from the public tree alone (index.json, roots, targets, statements), so
 * that a mirror can make the same. No script, all text escaped, links relative.
 * Nothing here is evidence: each page links the signed files behind it.
 */
#ifndef REGISTRY_PAGES_PAGES_H
#define REGISTRY_PAGES_PAGES_H

#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

/* Write p/<product>/index.html, after p/<product>/index.json. `public` is the tree. */
MUSTCHECK int pages_product(int public, const char *product, int64_t now, struct error *err);

/* Write index.html, after products.json and registry.json. */
MUSTCHECK int pages_home(int public, int64_t now, struct error *err);

#endif
