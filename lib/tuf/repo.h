/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repo - making and editing TUF metadata
 *
 * Works on the JSON of `signed` parts: start from nothing or from a published
 * file, edit, raise the version, wrap in an envelope, sign. Output is byte-stable.
 */
#ifndef LIB_TUF_REPO_H
#define LIB_TUF_REPO_H

#include "lib/tuf/role.h"

struct error;

/* Days until expiry of what is made here. */
enum { TUF_ROOT_DAYS = 365, TUF_TARGETS_DAYS = 90, TUF_SNAPSHOT_DAYS = 7, TUF_TIMESTAMP_DAYS = 1 };

/*
 * A `signed` part with _type, spec_version, version, product (may be NULL), and what
 * is its type's own, empty; it expires after its type's days, above.
 */
MUSTCHECK int repo_signed_new(enum tuf_type type, const char *product, int64_t version, int64_t now,
			      json_t **out, struct error *err);

/* A deep copy of a published role's `signed`, version raised by one, expiry renewed. */
MUSTCHECK int repo_signed_next(const struct envelope *doc, int64_t now, int days, json_t **out,
			       struct error *err);

/*
 * What the functions below do to add a key: put it into `keys`, and its id among the `keyids` of
 * `entry`. E_INVALID: another key has that id, whose holder would lose their seat.
 */
MUSTCHECK int repo_keys_add(json_t *keys, const json_t *entry, const char *keyid, json_t *object,
			    struct error *err);

/*
 * Root: add a key (the object is borrowed) to a role, or drop one by its id
 * (E_NOTFOUND), or all; set the threshold. Keys that no role uses leave `keys`.
 */
MUSTCHECK int repo_root_add_key(json_t *root, enum tuf_type role, const char *keyid, json_t *object,
				struct error *err);
MUSTCHECK int repo_root_drop_key(json_t *root, enum tuf_type role, const char *keyid,
				 struct error *err);
MUSTCHECK int repo_root_clear_role(json_t *root, enum tuf_type role, struct error *err);
MUSTCHECK int repo_root_threshold(json_t *root, enum tuf_type role, int64_t threshold,
				  struct error *err);

/* Targets: list a file by path, length, SHA-256 and custom part (borrowed, may be NULL). */
MUSTCHECK int repo_targets_add(json_t *targets, const char *path, int64_t length,
			       const char *sha256, json_t *custom, struct error *err);
MUSTCHECK int repo_targets_drop(json_t *targets, const char *path, struct error *err);

/*
 * Targets: delegate the paths that match `paths`, or whose hash begins with one
 * of `prefixes` (lower-case hex), to a role: arrays of texts, borrowed. It
 * replaces what was delegated to it, but for its keys, its place and members that
 * are not known here; a new one is the last, and not terminating. Delegations are
 * searched in order. E_INVALID: a name, pattern, prefix or threshold that no
 * client takes, or that clients take differently; E_EXISTS: there are hash bins.
 */
MUSTCHECK int repo_delegate(json_t *targets, const char *name, json_t *paths, int64_t threshold,
			    struct error *err);
MUSTCHECK int repo_delegate_hashed(json_t *targets, const char *name, json_t *prefixes,
				   int64_t threshold, struct error *err);

/*
 * Then: nothing after it is searched; it counts until then (INT64_MAX: for
 * good; a member of Bequest's own); it has this place, from 0 on (behind the
 * last: the last). E_NOTFOUND: nothing is delegated to the role.
 */
MUSTCHECK int repo_delegate_terminating(json_t *targets, const char *name, bool terminating,
					struct error *err);
MUSTCHECK int repo_delegate_until(json_t *targets, const char *name, int64_t until,
				  struct error *err);
MUSTCHECK int repo_delegate_place(json_t *targets, const char *name, size_t place,
				  struct error *err);

/* Give it a key (the object is borrowed); take all of its keys; take the delegation back. */
MUSTCHECK int repo_delegate_key(json_t *targets, const char *name, const char *keyid,
				json_t *object, struct error *err);
MUSTCHECK int repo_delegate_clear(json_t *targets, const char *name, struct error *err);
MUSTCHECK int repo_delegate_drop(json_t *targets, const char *name, struct error *err);

/*
 * Targets: delegate all paths to 2^bits hash bins, "<prefix>-<hex>" by the first
 * bits of the path's hash (TAP 15), all of one set of keys. It replaces the bins
 * that there are, but for their keys. E_INVALID; E_EXISTS: there are delegations
 * by name, which cannot stand beside bins.
 */
MUSTCHECK int repo_bins(json_t *targets, const char *prefix, int64_t bits, int64_t threshold,
			struct error *err);
MUSTCHECK int repo_bins_key(json_t *targets, const char *keyid, json_t *object, struct error *err);
MUSTCHECK int repo_bins_drop(json_t *targets, struct error *err);

/* Snapshot or timestamp: record a file's version, length and SHA-256. */
MUSTCHECK int repo_meta_set(json_t *role, const char *file, int64_t version, const void *data,
			    size_t len, struct error *err);

#endif
