/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render - the convenience files of the public tree: index.json and what finds products
 *
 * Nothing in them is believed without the signed thing that they point to.
 */
#ifndef REGISTRY_TREE_RENDER_H
#define REGISTRY_TREE_RENDER_H

#include <jansson.h>

#include "registry/internal.h"

struct error;

/* For all products that this transaction touched. */
MUSTCHECK int render_touched(struct work *w, struct error *err);

/* products.json, also of an empty registry. */
MUSTCHECK int render_products(struct work *w, struct error *err);

/* The files of hardware ids, from a JSON array of texts. */
MUSTCHECK int render_hardware(struct work *w, const json_t *ids, struct error *err);

/* The object of p/<product>/index.json, which the caller owns. */
MUSTCHECK int render_index(struct store *s, const char *product, json_t **out, struct error *err);

/* "sealed", "notice", "open" or "void". `root` is the id of the current root. */
MUSTCHECK int deposit_state(struct store *s, const struct deposit_row *deposit, const char *root,
			    const char **out, struct error *err);

#endif
