/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts - what policies may ask about
 *
 * A closed list of names (the table in facts.c; docs/POLICIES.md prints it), each
 * with a type. A fact that was never set is unknown. Facts come only from
 * verified, logged documents and verified time; who sets one also says where it
 * comes from. Setting one again replaces it.
 */
#ifndef POLICIES_FACTS_H
#define POLICIES_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;
struct facts;

/* Most members of one set, and bytes of one text. */
enum { FACT_MEMBERS_MAX = 1024, FACT_TEXT_MAX = 4096 };

enum fact_type { FACT_BOOL, FACT_INT, FACT_TIME, FACT_TEXT, FACT_SET };

struct fact_info {
	const char *name;
	enum fact_type type;
	const char *meaning; /* for people: reads on after "yes" or "no", or before a value */
	const char *since;   /* FACT_INT in days, FACT_BOOL: the FACT_TIME it depends on, or NULL */
	const char *until; /* the FACT_TIME at which that stops counting, once it is known; NULL */
	bool given;        /* part of the question: nothing that anybody does changes it */
};

/* The table, ended by a zero entry; and one entry of it, or NULL. */
extern const struct fact_info fact_table[];
const struct fact_info *fact_find(const char *name);
const char *fact_type_name(enum fact_type t); /* "boolean" */

/* What is known of one fact; borrowed from the facts. */
struct fact_value {
	bool known;
	bool flag;           /* FACT_BOOL */
	int64_t number;      /* FACT_INT; FACT_TIME in seconds since the Unix epoch */
	const char *text;    /* FACT_TEXT */
	const json_t *set;   /* FACT_SET: array of distinct texts */
	const char *source;  /* id of the document it comes from; NULL: not said */
	int64_t index;       /* of that document in the log; -1: not said */
	const json_t *from;  /* FACT_SET: array of {"member", "source", "index"?}; NULL: not said */
	const char *why_not; /* while unknown: what is lacking, for people; or NULL */
};

MUSTCHECK int facts_new(struct facts **out, struct error *err);
void facts_free(struct facts *f);
DEFINE_CLEANUP(struct facts *, facts_free)

/*
 * From {"eol.final": true, "now": "2026-01-01T00:00:00Z", "approvals": ["ann"]},
 * for trying a policy out; null leaves one unknown. E_INVALID: unknown name, wrong type.
 */
MUSTCHECK int facts_from_json(json_t *src, struct facts **out, struct error *err);

/* In the same form: the known ones. The caller owns *out. */
MUSTCHECK int facts_to_json(const struct facts *f, json_t **out, struct error *err);

/* `fact` is an entry of fact_table. */
struct fact_value facts_get(const struct facts *f, const struct fact_info *fact);

/*
 * Each demands a fact of its type (facts_set_int also takes a FACT_TIME): a
 * wrong name is a bug and asserted. `source` names the document by its id, for
 * `why`; it may be NULL. E_NOMEM; E_INVALID: too long, too many.
 */
MUSTCHECK int facts_set_bool(struct facts *f, const char *name, bool v, const char *source,
			     struct error *err);
MUSTCHECK int facts_set_int(struct facts *f, const char *name, int64_t v, const char *source,
			    struct error *err);
MUSTCHECK int facts_set_text(struct facts *f, const char *name, const char *v, const char *source,
			     struct error *err);
/*
 * Add one member to a fact that is a set of texts (setting it, if it was unknown, to
 * that). `source` is of this member. One that is there already stays as it is.
 */
MUSTCHECK int facts_add(struct facts *f, const char *name, const char *member, const char *source,
			struct error *err);
/* The set is known to have no member so far. */
MUSTCHECK int facts_set_empty(struct facts *f, const char *name, const char *source,
			      struct error *err);
/* Make it unknown, and say what is lacking. */
MUSTCHECK int facts_set_unknown(struct facts *f, const char *name, const char *why_not,
				struct error *err);

/* The document `id` is in the log at `index`: note that with all that comes from it. */
MUSTCHECK int facts_locate(struct facts *f, const char *id, uint64_t index, struct error *err);

#endif
