/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - what is to be sealed, for whom, and what came of it
 *
 * Filled in by the verb `seal`, carried out by sealing.h, described to people by
 * howto.h.
 */
#ifndef ESCROW_PLAN_H
#define ESCROW_PLAN_H

#include "escrow/items.h"
#include "escrow/payload.h"
#include "escrow/shamir.h"
#include "lib/base/utc.h"
#include "lib/sign/pgp_packet.h"
#include "lib/tuf/role.h"
#include "policies/deposit.h"

enum { DRILLS = 64 }; /* values of each share, each published once */

/* Somebody to encrypt to. */
struct holder {
	char *name;
	char encrypt[PGP_FPR_HEX_SIZE]; /* of the subkey; lower-case hex */
	struct buf cert;                /* armoured */
	char keyid[KEYID_MAX + 1];      /* trustees only, as `key` */
	json_t *key;                    /* owned */
};

/* What is known of a compartment once it is sealed. */
struct sealed {
	struct payload_sealed payload;
	char passphrase_sha256[SHA256_HEX_SIZE];
	char share_sha256[SEATS_MAX][SHA256_HEX_SIZE];
	json_t *drills[SEATS_MAX];             /* owned arrays of 64 digests */
	char salted_manifest[SHA256_HEX_SIZE]; /* restricted only */
};

struct plan {
	const char *product;            /* borrowed */
	int64_t version;                /* of the deposit */
	struct tuf_root *root;          /* owned: N */
	struct tuf_root *bridge;        /* owned: N + 1 */
	struct holder seats[SEATS_MAX]; /* seat i has share i + 1 */
	size_t n, k;
	struct holder vendor;      /* opens its own deposit */
	struct holder beneficiary; /* of the restricted compartment, if any */
	struct items items[COMPARTMENTS];
	json_t *refs;   /* owned */
	json_t *policy; /* owned */
	char support_until[UTC_SIZE], refresh_by[UTC_SIZE];
	struct sealed sealed[COMPARTMENTS];
};

void plan_clear(struct plan *p);
bool plan_has(const struct plan *p, enum compartment_kind k);

#endif
