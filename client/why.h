/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why - the last decisions, rule by rule, for `bequest-client why`
 *
 * state/why.json is {"handover": {"release": tree, "owner": tree} | null,
 * "update": {"targets": [...], "policy": tree | null} | null}. It is written
 * only when it changes.
 */
#ifndef CLIENT_WHY_H
#define CLIENT_WHY_H

#include "client/device.h"

#include <jansson.h>

struct error;

/* What is passed is borrowed; NULL is null. */
MUSTCHECK int why_handover(const struct device *d, json_t *why, struct error *err);
MUSTCHECK int why_update(const struct device *d, json_t *targets, json_t *policy,
			 struct error *err);

/* The whole record, new reference; an object of nulls if there is none. */
MUSTCHECK int why_read(const struct device *d, json_t **out, struct error *err);

#endif
