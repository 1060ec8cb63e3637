/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review - would clients take it? What a publisher asks before it publishes
 *
 * tuf_root_step(), tuf_role_parse() and envelope_verify() say what every client
 * demands of the bytes. Here is the rest: what would be taken, and then help
 * nobody, because it is past its time, cannot be satisfied, or is never reached.
 * Signatures are not looked at: a draft is reviewed before it is signed.
 */
#ifndef LIB_TUF_REVIEW_H
#define LIB_TUF_REVIEW_H

#include "lib/tuf/lineage.h"
#include "lib/tuf/role.h"

struct error;

/*
 * As the last root of a chain: it is not expired, each role's threshold can be
 * reached by keys of schemes that are known here, it has no fifth role, for which
 * python-tuf and tuf-js refuse it, and is no larger than what these two fetch,
 * REVIEW_ROOT_MAX bytes. E_INVALID.
 */
enum { REVIEW_ROOT_MAX = 512000 };
MUSTCHECK int review_root(const struct tuf_root *root, int64_t now, struct error *err);

/*
 * Targets, top-level or delegated: not expired, a version above `last` (0: none
 * yet), hashes that a client can check, paths whose files can be named under
 * consistent snapshots (REVIEW_FILE_NAME_MAX), no more than fits the role. Of its
 * delegations: names that can be those of files, thresholds that can be reached,
 * `terminating` written out, without which python-tuf, tough and tuf-js refuse
 * all, patterns that all clients read alike, and no role that no search would come to, because a
 * terminating one stands before it, or as many others as a client looks at. E_INVALID.
 */
enum { REVIEW_FILE_NAME_MAX = 255 - SHA256_HEX - 1 };
MUSTCHECK int review_targets(const struct tuf_role *role, int64_t last, int64_t now,
			     struct error *err);

/* Is every path that the role lists trusted to it, all the way down? E_INVALID names one. */
MUSTCHECK int review_paths(const json_t *targets, const struct descent *at, struct error *err);

/* A pattern that clients read alike: no empty part, and nothing special but `*` and `?`. */
bool review_pattern_ok(const char *pattern);

/* 1 to 64 lower-case hex digits. */
bool review_prefix_ok(const char *prefix);

#endif
