/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deposit - the signed manifest of an escrow deposit (docs/PROTOCOL.md, "Deposit")
 *
 * What a registry checks before it keeps one, what a trustee reads before
 * approving, and what a device takes trustees, threshold and release policy from.
 */
#ifndef POLICIES_DEPOSIT_H
#define POLICIES_DEPOSIT_H

#include "lib/sign/envelope.h"
#include "policies/statement.h"

struct error;
struct policy;

/* As many as one document may have keys; shares are numbered 1 to 255 all the same. */
enum { SEATS_MAX = KEYS_MAX };
enum compartment_kind { COMPARTMENT_PUBLIC, COMPARTMENT_RESTRICTED, COMPARTMENTS };

struct seat {
	const char *name, *keyid;
	const char *encryption_fpr; /* 40 hex digits, lower case */
	int64_t number;             /* of the share, 1..255 */
	/* Of the plaintext share; NULL: no such compartment. */
	const char *share_sha256[COMPARTMENTS];
	json_t *drills[COMPARTMENTS]; /* borrowed array of 64 digests; NULL: none were made */
};

struct compartment {
	bool present;
	const char *sha256; /* of payload.tar.gpg */
	int64_t size;
	const char *passphrase_sha256;
	const char *out;             /* "public" or "undertaking" */
	const char *beneficiary;     /* fingerprint; NULL for public */
	const char *salted_manifest; /* restricted only: SHA-256(salt || MANIFEST.sha256) */
};

/* A file of the deposit's folder that the registry stores: path, size, digest. */
struct deposit_file {
	const char *path, *sha256;
	int64_t size;
};

struct deposit {
	struct statement head;
	int64_t follows_version;
	const char *follows_id;
	const char *bridge;        /* id of the bridge root */
	struct role_keys trustees; /* owned */
	struct seat seats[SEATS_MAX];
	size_t nseats;
	struct compartment compartments[COMPARTMENTS];
	json_t *items; /* borrowed array of {"path", "size", "sha256"}: public items */
	json_t *refs;  /* borrowed object: ref name -> {"commit", "swhid"} */
	struct policy *release_policy; /* owned */
	int64_t support_until, refresh_by;
	struct deposit_file *files; /* owned array, borrowed text */
	size_t nfiles;
};

/*
 * Read a `deposit` statement. Everything in *out that is borrowed lives as long
 * as `doc`; release with deposit_clear(). Checked: 2 <= k < n, one seat and one
 * share number for each trustee key, every path, size and digest, payload and
 * shares among `files`, `follows_root` the root that signs, and a release
 * policy that loads. E_INVALID.
 */
MUSTCHECK int deposit_read(const struct envelope *doc, const char *name, struct deposit *out,
			   struct error *err);
void deposit_clear(struct deposit *d);

const char *compartment_name(enum compartment_kind k); /* "public" */

/*
 * Which seats signed this notice, approval or refusal: bit i is d->seats[i].
 * More than one may have: a document gains signatures, and each is a vote.
 */
uint64_t deposit_signers(const struct deposit *d, const struct envelope *doc);

/* The first of them; NULL: none. */
const struct seat *deposit_signer(const struct deposit *d, const struct envelope *doc);

/*
 * One root, one bridge: of several deposits on one root the first fixes bridge, trustees and
 * release policy, and a later one may change its payload only. The member of `signed` in which
 * they differ; NULL: none.
 */
const char *deposit_differs(const struct envelope *first, const struct envelope *later);

#endif
