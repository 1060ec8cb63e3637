/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts - what policies may ask about
 *
 * A closed list of names, each with a type. A fact that was never set is
 * unknown. Facts come only from verified, logged documents and verified time;
 * who sets one also says where it comes from.
 */
#ifndef POLICIES_FACTS_H
#define POLICIES_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;
struct facts;

MUSTCHECK int facts_new(struct facts **out, struct error *err);
void facts_free(struct facts *f);
DEFINE_CLEANUP(struct facts *, facts_free)

/* From {"eol.final": true, ...}, for trying a policy out. E_INVALID: unknown name, wrong type. */
MUSTCHECK int facts_from_json(const json_t *src, struct facts **out, struct error *err);

/* `source` names the document (an id) or the log index, for `why`; it may be NULL. */
MUSTCHECK int facts_set_bool(struct facts *f, const char *name, bool v, const char *source,
			     struct error *err);
MUSTCHECK int facts_set_int(struct facts *f, const char *name, int64_t v, const char *source,
			    struct error *err);
MUSTCHECK int facts_set_text(struct facts *f, const char *name, const char *v, const char *source,
			     struct error *err);
/* Add one member to a fact that is a set of texts (setting it, if it was unknown, to that). */
MUSTCHECK int facts_add(struct facts *f, const char *name, const char *member, const char *source,
			struct error *err);
/* The set is known to have no member so far. */
MUSTCHECK int facts_set_empty(struct facts *f, const char *name, const char *source,
			      struct error *err);

#endif
