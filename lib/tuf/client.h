/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - the TUF client workflow (specification 1.0.34, section 5)
 *
 * No I/O of its own: fetching, the local store and the time are passed in. One
 * `struct tuf` is one session with one fixed reference time.
 */
#ifndef LIB_TUF_CLIENT_H
#define LIB_TUF_CLIENT_H

#include "lib/tuf/role.h"

struct error;
struct tuf;

/*
 * Memory. A session has at no time more allocated than
 *
 *	TUF_MEMORY_BASE + TUF_MEMORY_FACTOR * text_max
 *
 * bytes, its JSON and libcrypto's objects with it, whatever a repository sends. `text_max` bounds
 * the sizes of the metadata files that it holds at once, TUF_FILE_EXTRA added to each: root,
 * timestamp, snapshot, targets, the one that is to replace one of these, and every targets role
 * that was looked into since tuf_open(), older ones of the same name too. A file that does not fit
 * is refused before it is parsed. The factor is that of the worst text that is taken at all
 * (lib/json/strict.h); usual metadata of n bytes takes about 10 * n.
 */
enum {
	TUF_TEXT_MAX = 32 * 1024 * 1024, /* where the options say nothing */
	TUF_FILE_EXTRA = 1024,
	TUF_MEMORY_BASE = 2 * 1024 * 1024,
	TUF_MEMORY_FACTOR = 36,
};

struct tuf_io {
	void *ctx;
	/* Append a metadata file ("2.root.json", URL-quoted) of at most `max` bytes. E_NOTFOUND: a
	 * 404. */
	int (*fetch)(void *ctx, const char *name, size_t max, struct buf *out, struct error *err);
	/* The local store, plain names ("root.json"). load: E_NOTFOUND. save is atomic and durable.
	 */
	int (*load)(void *ctx, const char *name, size_t max, struct buf *out, struct error *err);
	int (*save)(void *ctx, const char *name, const void *data, size_t len, struct error *err);
};

struct tuf_options {
	int64_t now;         /* the reference time of every expiry check */
	const char *product; /* demand signed.product to equal this everywhere; NULL: do not ask */
	bool keep_root;      /* do not look for a newer root: the caller walks the chain itself */
	int64_t stale_s;     /* accept any role for so long after its expiry; 0: strict */
	/* Refuse a version so much further ahead of the last one (of 0, for the first); 0: never.
	 */
	int64_t version_jump_max;
	size_t text_max; /* of metadata held at once, see above; 0: TUF_TEXT_MAX */
};

/*
 * Load the trusted root and whatever else is usable from the store; no fetch.
 * E_NOTFOUND: there is no root. E_INVALID, E_UNTRUSTED: of the root only; other
 * files that are spoilt, or signed by keys that the root dropped, do not count.
 * `io` and `o` are copied, what io.ctx points to is borrowed.
 */
MUSTCHECK int tuf_open(const struct tuf_io *io, const struct tuf_options *o, struct tuf **out,
		       struct error *err);
void tuf_close(struct tuf *t);
DEFINE_CLEANUP(struct tuf *, tuf_close)

/*
 * Root chain (up to TUF_ROOTS_MAX steps), timestamp, snapshot, top-level targets.
 * On failure what was verified stays stored. E_NET: transport, or a file that has
 * to be there is not; E_INVALID, E_UNTRUSTED: what was fetched is malformed, or
 * is expired, a rollback, wrongly signed.
 */
MUSTCHECK int tuf_refresh(struct tuf *t, struct error *err);

const struct tuf_root *tuf_trusted_root(const struct tuf *t);

/* Any role but the root; NULL: none yet. Valid until the next tuf_refresh(). */
const struct tuf_role *tuf_trusted(const struct tuf *t, enum tuf_type type);
bool tuf_is_stale(const struct tuf *t);       /* something in use is past its expiry */
int64_t tuf_stale_since(const struct tuf *t); /* the first such expiry; 0: there is none */

struct tuf_target {
	const char *path; /* borrowed, as `object` is: valid until tuf_close() */
	int64_t length;
	json_t *object;   /* the whole entry: length, hashes, custom */
	const char *role; /* the role that vouches for it */
};

/*
 * Search top-level and delegated targets, fetching what roles it takes.
 * E_NOTFOUND: nobody entitled lists it. E_NOTYET: there is no complete and fresh
 * metadata, stored or refreshed. A delegated role that fails ends the search.
 */
MUSTCHECK int tuf_find(struct tuf *t, const char *path, struct tuf_target *out, struct error *err);

/*
 * Every target that one role ("targets" or a delegated one) lists and is entitled to; stop
 * early when `each` returns non-zero, which is returned. E_NOTFOUND: no such role. E_INVALID: more
 * rules and paths than DELEGATION_EFFORT (delegation.h) is for.
 */
MUSTCHECK int tuf_each_target(struct tuf *t, const char *role,
			      int (*each)(void *ctx, const struct tuf_target *target), void *ctx,
			      struct error *err);

/* A delegated role as its delegator wants it, fetched if need be. */
struct tuf_delegated {
	const struct tuf_role *role; /* valid until tuf_close() */
	int64_t until; /* the earliest end on the way down to it; INT64_MAX: for good */
};

/* The first delegation to `role`, level by level. E_NOTFOUND: there is none. E_NOTYET as above. */
MUSTCHECK int tuf_delegated(struct tuf *t, const char *role, struct tuf_delegated *out,
			    struct error *err);

/* "<dir>/<hash>.<name>" under consistent snapshots, URL-quoted; the caller frees *out. */
MUSTCHECK int tuf_target_url(const struct tuf *t, const struct tuf_target *target, char **out,
			     struct error *err);

/*
 * Is what streams past the target: its length, and every listed hash? `target` is borrowed until
 * tuf_check_free(); the memory taken does not depend on its length. E_UNTRUSTED, also from
 * tuf_check_new() if the target lists no hash, or one that is not known here.
 */
struct tuf_check;
MUSTCHECK int tuf_check_new(const struct tuf_target *target, struct tuf_check **out,
			    struct error *err);
void tuf_check_add(struct tuf_check *c, const void *data, size_t len);
MUSTCHECK int tuf_check_end(struct tuf_check *c, struct error *err); /* once, when all was added */
void tuf_check_free(struct tuf_check *c);                            /* NULL is a no-op */
DEFINE_CLEANUP(struct tuf_check *, tuf_check_free)

/* The same of a whole file, by pread; the one function here that is not in the small library. */
MUSTCHECK int tuf_target_check_fd(const struct tuf_target *target, int fd, struct error *err);

/* Percent-encode all but A-Za-z0-9_.~- (and '/', if `keep_slash`); the caller frees *out. */
MUSTCHECK int tuf_quote(const char *text, bool keep_slash, char **out, struct error *err);

#endif
