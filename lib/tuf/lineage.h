/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineage - the delegated roles of a repository, each with the way down to it
 *
 * For those who have the metadata at hand: a registry its store, a publisher its
 * drafts. Nothing is verified here; a client's walk, which does, is in client.h.
 */
#ifndef LIB_TUF_LINEAGE_H
#define LIB_TUF_LINEAGE_H

#include "lib/tuf/delegation.h"

struct error;
struct lineage;

/*
 * One delegation; all of it lives as long as the lineage. Where several delegate to one
 * role, it belongs to the first of them: by that one it is found by its name, by clients too.
 */
struct descent {
	const struct descent *up; /* NULL: the top-level targets role delegates */
	struct delegation *d;
	bool first;  /* to this role */
	size_t rank; /* roles before it, each counted once */
};

/*
 * The `signed` part of a role, a new reference; asked for once, at the first delegation to it
 * (`at` is NULL for the top-level role). E_NOTFOUND: it has no metadata.
 */
typedef int (*lineage_load_fn)(void *ctx, const char *role, const struct descent *at, json_t **out,
			       struct error *err);

/* `ctx` is borrowed until lineage_free(). */
MUSTCHECK int lineage_new(lineage_load_fn load, void *ctx, struct lineage **out, struct error *err);
void lineage_free(struct lineage *l);
DEFINE_CLEANUP(struct lineage *, lineage_free)

/*
 * The next delegation: level by level, in order of appearance; a role that several
 * delegate to comes as often, and what it delegates once. No more is loaded than
 * it takes. E_NOTFOUND: there are no more. E_INVALID: more than 65536 of them.
 */
MUSTCHECK int lineage_next(struct lineage *l, const struct descent **out, struct error *err);

/* The first delegation to this role that is still to come. E_NOTFOUND. */
MUSTCHECK int lineage_find(struct lineage *l, const char *role, const struct descent **out,
			   struct error *err);

/*
 * Does a client that looks for the role by its name come to it? It looks into no more than
 * TUF_DELEGATIONS_MAX other roles on the way.
 */
bool descent_found(const struct descent *at);

/*
 * Is everyone from the top down to here trusted for `path`? `effort` is counted down as by
 * delegation_trusts(). And until when: the earliest end.
 */
bool descent_trusts(const struct descent *at, const char *path, size_t *effort);
int64_t descent_until(const struct descent *at);

#endif
