/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role - the four TUF roles (and delegated targets) as typed values
 *
 * Built from an envelope, which they own. What is not known is kept in the JSON
 * and is written back unchanged. Limits are those of docs/PROTOCOL.md.
 * Source: TUF specification 1.0.34, section 4.
 */
#ifndef LIB_TUF_ROLE_H
#define LIB_TUF_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/sign/envelope.h"

struct error;

/* Largest file of each role, in bytes. */
enum {
	TUF_ROOT_MAX = 512 * 1024,
	TUF_TIMESTAMP_MAX = 16 * 1024,
	TUF_SNAPSHOT_MAX = 2 * 1024 * 1024,
	TUF_TARGETS_MAX = 5 * 1024 * 1024,
	TUF_ROOTS_MAX = 1024,     /* steps of a root chain */
	TUF_DELEGATIONS_MAX = 32, /* delegated roles looked at for one target */
};

enum tuf_type { TUF_ROOT, TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS, TUF_TYPES };

const char *tuf_type_name(enum tuf_type t); /* "root" ... */
size_t tuf_type_max(enum tuf_type t);       /* bytes, above */

struct tuf_root {
	struct envelope *doc; /* owned */
	int64_t version, expires;
	bool consistent_snapshot;
	struct role_keys role[TUF_TYPES];
	json_t *x_bequest;   /* borrowed from doc; NULL if absent */
	const char *product; /* signed.product, borrowed; NULL if absent */
};

/* What timestamp and snapshot say of another file. */
struct tuf_meta {
	int64_t version;
	int64_t length; /* -1: not given */
	json_t *hashes; /* borrowed; NULL: not given */
};

/* timestamp, snapshot and targets: their common part. */
struct tuf_role {
	struct envelope *doc; /* owned */
	enum tuf_type type;
	int64_t version, expires;
	const char *product; /* borrowed; NULL if absent */
};

/* `name` begins every error text. The `type` is checked against signed._type. E_INVALID. */
MUSTCHECK int tuf_root_parse(const void *data, size_t len, const char *name, struct tuf_root **out,
			     struct error *err);
MUSTCHECK int tuf_role_parse(const void *data, size_t len, enum tuf_type type, const char *name,
			     struct tuf_role **out, struct error *err);
void tuf_root_free(struct tuf_root *r);
void tuf_role_free(struct tuf_role *r);
DEFINE_CLEANUP(struct tuf_root *, tuf_root_free)
DEFINE_CLEANUP(struct tuf_role *, tuf_role_free)

/* The entry for `file` ("snapshot.json") in a timestamp or snapshot. E_NOTFOUND, E_INVALID. */
MUSTCHECK int tuf_role_meta(const struct tuf_role *r, const char *file, struct tuf_meta *out,
			    struct error *err);

/* Length and every listed hash must match; an unknown algorithm is a mismatch. E_UNTRUSTED. */
MUSTCHECK int tuf_meta_check(const struct tuf_meta *m, const void *data, size_t len,
			     const char *name, struct error *err);

/*
 * One step of a root chain: parse `data`; demand version from + 1, a threshold
 * of from's root keys and a threshold of its own. Expiry is not looked at
 * (specification 5.3.6). E_INVALID, E_UNTRUSTED.
 */
MUSTCHECK int tuf_root_step(const struct tuf_root *from, const void *data, size_t len,
			    const char *name, struct tuf_root **out, struct error *err);

/* A root that must satisfy its own threshold: the first one of a device. */
MUSTCHECK int tuf_root_self_signed(const struct tuf_root *r, struct error *err);

#endif
