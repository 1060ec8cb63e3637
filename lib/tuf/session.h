/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - what client.c (the refresh) and find.c (the search) share; no others include it
 */
#ifndef LIB_TUF_SESSION_H
#define LIB_TUF_SESSION_H

#include "lib/tuf/client.h"
#include "lib/tuf/delegation.h"

struct error;

/* A targets role, kept until tuf_close() because targets are borrowed from it. */
struct loaded {
	struct loaded *older;
	char *name;
	struct tuf_role *role;
};

struct tuf {
	struct tuf_io io;
	struct tuf_options o;
	char *product; /* what o.product points to */
	struct tuf_root *root;
	struct tuf_role *role[TUF_TYPES]; /* verified under `root`; [TUF_ROOT] is not used */
	bool snapshot_disowned; /* there was a local snapshot that `root` no longer vouches for */
	bool complete;          /* timestamp, snapshot and targets fit each other and are fresh */
	int64_t stale_since;    /* the first expiry of what is in use and past it; 0: nothing is */
	struct loaded *loaded;  /* delegated roles, and replaced top-level ones; the last first */
};

/* One metadata file that another one lists. */
struct listed {
	enum tuf_type type;
	const char *role;             /* "snapshot", "targets", a delegated role's name */
	struct tuf_meta meta;         /* what the lister says of it */
	const struct role_keys *keys; /* who must have signed it */
	int64_t last;                 /* highest version trusted so far; 0: none */
};

/* How large a file of this type may be, in view of those that are held: 0 to tuf_type_max(). */
size_t session_room(const struct tuf *t, enum tuf_type type);

/* Append ".json" to a role's quoted name: its name in the store. The caller frees *out. */
MUSTCHECK int session_local_name(const char *role, char **out, struct error *err);

/* From the store, as far as `keys` vouch for it. E_NOTFOUND, E_INVALID, E_UNTRUSTED, E_NOMEM. */
MUSTCHECK int session_load(const struct tuf *t, enum tuf_type type, const char *role,
			   const struct role_keys *keys, struct tuf_role **out, struct error *err);

/* Is a role that we have just the one that is listed, and fresh? */
bool session_is_current(const struct tuf *t, const struct tuf_role *role, const struct listed *l);

/* Fetch and verify all but what only one role asks for; not stored yet. E_NET for a 404. */
MUSTCHECK int session_fetch(struct tuf *t, const struct listed *l, struct tuf_role **out,
			    struct error *err);

/* Demand freshness (E_UNTRUSTED), then store the bytes. */
MUSTCHECK int session_keep(struct tuf *t, const char *role, const struct tuf_role *r,
			   struct error *err);

/* Keep a role (taken in any case) until the session ends. */
MUSTCHECK int session_remember(struct tuf *t, const char *name, struct tuf_role *role_take,
			       struct error *err);

/* Note that a role of this expiry is in use. */
void session_use(struct tuf *t, int64_t expires);

#endif
