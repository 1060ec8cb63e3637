/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - a git repository, or a bundle of one, made ready for a deposit
 */
#ifndef ESCROW_SOURCE_H
#define ESCROW_SOURCE_H

#include <jansson.h>

#include "lib/base/scratch.h"

struct error;

struct source {
	char *bundle;   /* path of a git bundle, version 2: HEAD, branches and tags */
	json_t *refs;   /* {"refs/heads/main": {"commit", "swhid"}} */
	json_t *issues; /* array of texts: what in the tree of HEAD is not in the bundle */
};

/*
 * Take `from`, a repository or a bundle. Files are made in `scratch`, which
 * must outlive the result. E_USAGE: neither, or not complete in itself.
 */
MUSTCHECK int source_take(const char *from, const struct scratch *scratch, struct source *out,
			  struct error *err);
void source_clear(struct source *s);

#endif
