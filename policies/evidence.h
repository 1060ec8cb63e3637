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
#include "policies/logs.h"
#include "policies/policy.h"
#include "policies/publisher.h"

struct error;

struct evidence_query {
	const char *product;
	const struct tuf_root *from;   /* root N */
	const struct tuf_root *to;     /* the offered N+1; NULL: is the deposit released at all? */
	const struct tuf_root *anchor; /* signs a rotation; NULL: `from` */
	const char *deposit;           /* wanted deposit id when `to` is NULL; else NULL */
	/* Older roots that are known: a product returns to a vendor by keys of none of them. */
	const struct tuf_root *const *earlier;
	size_t nearlier;
	/*
	 * A registry, before it logs `to`: its leaf is not demanded yet, and only a succession or
	 * a rotation is looked for.
	 */
	bool ahead;
	/* A log's newest checkpoint, which tells the time if enough witnesses signed; or NULL. */
	const struct buf *checkpoint;
};

/* What was found; owned by the caller, released by evidence_clear(). */
struct evidence {
	struct envelope *deposit_doc; /* NULL: a succession, a rotation, or nothing yet */
	struct deposit deposit;
	struct facts *facts;          /* what the policy was asked about, and `released` */
	const char *by;               /* "deposit", "succession", "rotation"; NULL: nothing yet */
	enum answer released;         /* by the deposit's own release policy, or by change/<by> */
	json_t *why;                  /* of that decision */
	json_t *used;                 /* ids of the documents it rests on, in leaf order */
	char digest[SHA256_HEX_SIZE]; /* over `used`: what an owner consents to */
	struct leaf_chain chain;
	size_t proven;         /* so many leaves of it are proved to be in the log */
	struct witnessed when; /* of the newest checkpoint used */
};

/*
 * Gather and judge. `released` is yes only if all of it holds. What is not known
 * (a file that was not served, a step that is not logged, time) makes it unknown,
 * and `why` says what; a document without its proof is no evidence. A yes, and `digest` with it,
 * does not change when more is logged. With `to`, its own log proof is demanded too. E_UNTRUSTED:
 * something contradicts (another step, another deposit or product, not the first root N+1 in the
 * chain, a broken chain, a bad proof, a file that was changed). E_DENIED, without `to`: another
 * root N+1 made the deposit void.
 */
MUSTCHECK int evidence_gather(const struct evidence_source *s, const struct evidence_query *q,
			      struct evidence *out, struct error *err);
void evidence_clear(struct evidence *e);

#endif
