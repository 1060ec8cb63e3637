/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher - who holds a product's root role, and when that has changed
 *
 * Reads `signed.x-bequest` of a root, and compares two roots by key material,
 * so that a change of publisher cannot hide in a rotation that keeps the name.
 */
#ifndef POLICIES_PUBLISHER_H
#define POLICIES_PUBLISHER_H

#include "lib/tlog/checkpoint.h"
#include "lib/tuf/role.h"

struct error;

enum publisher_kind { PUBLISHER_VENDOR, PUBLISHER_STEWARDS };
enum { PUBLISHER_LOGS_MAX = 8, PUBLISHER_WITNESSES_MAX = 32 };

struct publisher_log {
	const char *origin, *url; /* borrowed */
	struct note_key key;
};

struct publisher {
	const char *id, *name, *contact; /* borrowed from the root; contact may be NULL */
	enum publisher_kind kind;
	bool bridge;
	struct publisher_log logs[PUBLISHER_LOGS_MAX];
	size_t nlogs;
	struct note_key witnesses[PUBLISHER_WITNESSES_MAX];
	size_t nwitnesses, witness_threshold;
	json_t *mirrors;    /* borrowed array of text; NULL if absent */
	json_t *rebuilders; /* borrowed; NULL if absent */
};

/*
 * E_INVALID: absent or malformed; `name` begins the error text. Also refused: a
 * log key under another name than its origin, a key twice, a witness key that
 * is a log's, a threshold above the number of witnesses.
 */
MUSTCHECK int publisher_read(const struct tuf_root *root, const char *name, struct publisher *out,
			     struct error *err);

/*
 * The witnesses as keys that sign documents, a `log-move`, by their threshold. E_INVALID: there
 * are none.
 */
MUSTCHECK int publisher_witness_keys(const struct publisher *p, struct role_keys *out,
				     struct error *err);

const char *publisher_kind_name(enum publisher_kind k);

/* Why a step is a change of publisher; 0: it is none. Bits may be combined. */
enum publisher_change {
	CHANGE_NAME = 1,       /* publisher.id or kind differs */
	CHANGE_KEYS = 2,       /* fewer old keys remain than the old threshold */
	CHANGE_THRESHOLD = 4,  /* the root threshold falls */
	CHANGE_NEW_QUORUM = 8, /* a quorum can be made of keys that the anchor does not have */
	/* logs or witnesses dropped, the witness threshold falls, or new witnesses reach it alone
	 */
	CHANGE_LOGS = 16,
};

/*
 * Compare `to` with the previous root `from` and with `anchor`, the last root
 * that init or the owner accepted (may be the same). Returns bits.
 */
MUSTCHECK int publisher_compare(const struct tuf_root *anchor, const struct tuf_root *from,
				const struct tuf_root *to, unsigned *change, struct error *err);

/*
 * The keys of which any one may sign: `whom` is "rebuilders" or "auditors" of the root's
 * x-bequest. E_UNTRUSTED: it lists none. Cleared by the caller.
 */
MUSTCHECK int publisher_listed(const struct tuf_root *root, const char *whom, struct role_keys *out,
			       struct error *err);

/* "the root threshold falls; logs or witnesses are dropped", for people. */
MUSTCHECK int publisher_change_text(unsigned change, struct buf *out, struct error *err);

#endif
