/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - what a registry (or a mirror) says of a product, checked here
 *
 * The chain of roots is walked from the first one, each step verified. The
 * index tells where statements are; each is verified when it is fetched.
 */
#ifndef ESCROW_VIEW_H
#define ESCROW_VIEW_H

#include "escrow/desk.h"
#include "policies/deposit.h"
#include "policies/evidence.h"

struct error;

struct view {
	const struct desk *desk; /* borrowed */
	const char *product;     /* borrowed */
	struct tuf_root **roots; /* owned; roots[i] is version i + 1 */
	size_t nroots;
	json_t *index; /* owned; NULL: the product has none yet */
};

/*
 * Fetch. If `root_file` is given, the root in it must be one of the chain
 * (E_UNTRUSTED): what a person knows by other ways counts more than a registry's
 * word. E_NOTFOUND: no such product here.
 */
MUSTCHECK int view_open(const struct desk *desk, const struct common *c, struct view *out,
			struct error *err);
void view_close(struct view *v);

const struct tuf_root *view_root(const struct view *v); /* the newest */
/* The root that a statement names; NULL: not in the chain. */
const struct tuf_root *view_find_root(const struct view *v, int64_t version, const char *id);

/* A document of the index. */
struct entry {
	const char *type, *id;
	int64_t version, seq;
};
/* The i-th entry of this type (0 is the oldest); false: there are no more. */
bool view_entry(const struct view *v, enum statement_type type, size_t i, struct entry *out);
int64_t view_next_version(const struct view *v, enum statement_type type);

/*
 * Fetch a statement by id. One that is signed by a root's threshold is verified
 * under the root it names. E_UNTRUSTED: it is not what the id says, or not signed.
 */
MUSTCHECK int view_statement(const struct view *v, const char *id, struct envelope **doc,
			     struct statement *out, struct error *err);

/* A deposit by id, or, `id` NULL, the one of the highest version. E_NOTFOUND.
 */
MUSTCHECK int view_deposit(const struct view *v, const char *id, struct envelope **doc,
			   struct deposit *out, struct error *err);

/* May this deposit be opened? The judgement of policies/evidence.h on the public tree. */
MUSTCHECK int view_evidence(const struct view *v, const struct deposit *d, struct evidence *out,
			    struct error *err);

#endif
