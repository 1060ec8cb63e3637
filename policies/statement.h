/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement - the signed documents that are no TUF metadata, by type
 *
 * One table says for each type which fields it has and whose signature it
 * needs; docs/PROTOCOL.md and policies/schema/ say the same. Unknown fields
 * are kept and signed; unknown types are refused.
 */
#ifndef POLICIES_STATEMENT_H
#define POLICIES_STATEMENT_H

#include "lib/sign/envelope.h"

struct error;

enum statement_type {
	ST_PRODUCT,
	ST_HEARTBEAT,
	ST_DEPOSIT,
	ST_EOL,
	ST_NOTICE,
	ST_APPROVAL,
	ST_REFUSAL,
	ST_OBJECTION,
	ST_RELEASE,
	ST_ROTATION,
	ST_SUCCESSION,
	ST_AUDIT,
	ST_REBUILD,
	ST_DRILL,
	ST_LOG_MOVE,
	ST_REGISTRY,
	ST_TYPES,
};

/* Whose signature makes it count. */
enum statement_signer {
	BY_ROOT,          /* threshold of the root named in `root` */
	BY_TRUSTEE,       /* one trustee of the deposit it names */
	BY_ONLINE,        /* a registry's online key */
	BY_BOTH_ROOTS,    /* threshold of the from-root and of the to-root */
	BY_ANCHOR,        /* threshold of the anchor's root keys */
	BY_LISTED,        /* an auditor or rebuilder that somebody listed */
	BY_WITNESSES,     /* threshold of the old root's witnesses */
	BY_REGISTRY_ROOT, /* the registry's own root threshold */
};

const char *statement_name(enum statement_type t); /* "eol" */
enum statement_signer statement_signer(enum statement_type t);
bool statement_type_of(const char *name, enum statement_type *out);

/*
 * The parts by which statements refer to each other; text is borrowed from the
 * envelope, NULL where the type has no such field.
 */
struct statement {
	enum statement_type type;
	const struct envelope *doc; /* borrowed */
	const char *product;        /* "" for type registry */
	int64_t version, issued;
	int64_t root_version; /* 0: none */
	const char *root_id;
	const char *deposit, *bridge; /* ids: notice, approval, refusal, release */
	const char
		*target; /* id of the notice or eol that an approval, refusal, objection is for */
	const char *ground;                    /* notice */
	const char *final_root, *final_bridge; /* eol */
	bool release;                          /* eol: opens the deposit without trustees */
	const char *from, *to;                 /* rotation, succession */
	int64_t support_until;                 /* product, objection; 0: not said */
};

/* Check all fields of the type and fill *out. `name` begins the error text. E_INVALID. */
MUSTCHECK int statement_read(const struct envelope *doc, const char *name, struct statement *out,
			     struct error *err);

/* Is this a product id: [a-z0-9][a-z0-9.-]{0,62}? */
bool product_id_ok(const char *id);

#endif
