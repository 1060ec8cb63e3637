/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - registry.json: what this registry says of itself, signed by its root key
 */
#ifndef REGISTRY_RECORD_H
#define REGISTRY_RECORD_H

#include "registry/internal.h"

struct error;

/* A job: write registry.json, its version one higher, unless it says the same already. */
MUSTCHECK int record_publish(struct work *w, void *unused, struct error *err);

#endif
