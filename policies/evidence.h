/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence - was this change of publisher released, and may the whole world see it?
 *
 * The one implementation of "The switch" (docs/PROTOCOL.md), used by devices
 * before they change hands, by trustees before they hand over a share, and by
 * the registry before it takes one. No I/O: documents come through a callback,
 * by id, and everything is verified here.
 */
#ifndef POLICIES_EVIDENCE_H
#define POLICIES_EVIDENCE_H

#include "lib/tlog/checkpoint.h"
#include "policies/deposit.h"
#include "policies/leaf.h"
#include "policies/policy.h"
#include "policies/publisher.h"

struct error;

/* Where documents and proofs come from: the public tree, a memory stick, the registry's store. */
struct evidence_source {
	void *ctx;
	/* Append a file below p/<product>/, such as "statements/<id>.json". E_NOTFOUND. */
	int (*read)(void *ctx, const char *path, size_t max, struct buf *out, struct error *err);
};

struct evidence_query {
	const char *product;
	const struct tuf_root *from; /* root N */
	const struct tuf_root *to;   /* the offered N+1; NULL: is the deposit released at all? */
	const char *deposit;         /* wanted deposit id when `to` is NULL; else NULL */
};

/* What was found; owned by the caller, released by evidence_clear(). */
struct evidence {
	struct envelope *deposit_doc;
	struct deposit deposit;
	struct facts *facts;
	enum answer released;         /* by the deposit's own release policy */
	json_t *why;                  /* of that decision */
	json_t *used;                 /* ids of the documents it rests on, in leaf order */
	char digest[SHA256_HEX_SIZE]; /* over `used`: what an owner consents to */
	struct leaf_chain chain;
	struct witnessed when; /* of the newest checkpoint used */
};

/*
 * Gather and judge. E_UNTRUSTED: something contradicts (another step, another
 * deposit or product, not the first root N+1 in the chain, a broken chain, a bad
 * proof). What is missing makes `released` unknown, never yes.
 */
MUSTCHECK int evidence_gather(const struct evidence_source *s, const struct evidence_query *q,
			      struct evidence *out, struct error *err);
void evidence_clear(struct evidence *e);

#endif
