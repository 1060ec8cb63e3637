/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - delegated roles in a publisher's folder
 */
#ifndef REGISTRY_PUBLISH_CHANNEL_H
#define REGISTRY_PUBLISH_CHANNEL_H

#include "registry/publish/work.h"

struct error;

/*
 * Append the name of the role that is to list `path`: `role` itself, or the hash bin that
 * the path falls into, of which a draft is started if need be. E_USAGE: nobody delegates
 * to the role, or not this path.
 */
MUSTCHECK int channel_for(struct work *w, const char *role, const char *path, struct buf *out,
			  struct error *err);

/*
 * After an edit of what `parent` delegates: start a first draft of each role that has
 * no metadata, and the next one of each whose metadata no longer has the
 * signatures that are asked for. *out is what was started: an array of names.
 */
MUSTCHECK int channel_follow(struct work *w, const char *parent, json_t **out, struct error *err);

#endif
