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
 * Fields besides _type, spec_version, product, version, issued, and `root`
 * {"version", "id"}, which BY_ROOT types must have. `?` marks what may be
 * absent or null; an id is 64 lower-case hex digits; a time is
 * YYYY-MM-DDTHH:MM:SSZ; lists are of text unless said otherwise.
 *
 *	product    name, hardware? (list), updatable? (true or false), update_method?,
 *	           support_start?, support_until? (times), after_eol? ("works",
 *	           "degraded", "stops"), notify?, options_after_eol? (list), class? (such
 *	           as "router"), contact?
 *	heartbeat  none
 *	deposit    see deposit.h
 *	eol        date (time), last_security_update? (time), reason?, successor?,
 *	           vulnerabilities? (list), final? {root, bridge} (ids), release?
 *	notice     deposit, bridge (ids), ground ("declared", "silence",
 *	           "support-ended", "insolvency", "order"), evidence (list of
 *	           {id or sha256, url?})
 *	approval, refusal  deposit, bridge (ids), one of notice and eol (id)
 *	objection  notice (id), reason?, support_until? (time)
 *	release    deposit (id), items (list of {path, size, sha256}), shares (list
 *	           of {number, sha256}), approvals (list of ids), refs? (object)
 *	rotation, succession  from, to (ids of roots), reason?; a `root` must be `from`
 *	audit      deposit (id), level (0 to 5), findings? (list)
 *	rebuild    commit (40 hex digits), swhid?, recipe, sha256 (of the image)
 *	drill      deposit (id), compartment, number (of the share), drill (0 to 63),
 *	           value (64 hex digits), checkpoint (object)
 *	log-move   origin, size, hash (64 hex digits), vkey, url?
 *	registry   logs (list), online (object), witnesses? (object), auditors?
 *	           (list), mirrors? (list), policies?; no product
 *
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
	const char *target;           /* id: what an approval, refusal or objection is for */
	const char *ground;           /* notice */
	const char *final_root, *final_bridge; /* eol */
	bool release;                          /* eol: opens the deposit without trustees */
	const char *from, *to;                 /* rotation, succession */
	int64_t support_until;                 /* product, deposit, objection; 0: not said */
	int64_t date;                          /* eol */
	const char *origin, *hash, *vkey;      /* log-move */
	int64_t size;                          /* log-move */
};

/* Check all fields of the type and fill *out. `name` begins the error text. E_INVALID. */
MUSTCHECK int statement_read(const struct envelope *doc, const char *name, struct statement *out,
			     struct error *err);

/* Is this a product id: [a-z0-9][a-z0-9.-]{0,62}? */
bool product_id_ok(const char *id);

#endif
