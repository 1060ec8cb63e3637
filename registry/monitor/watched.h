/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watched - what is remembered of one product
 */
#ifndef REGISTRY_MONITOR_WATCHED_H
#define REGISTRY_MONITOR_WATCHED_H

#include "lib/tuf/role.h"
#include "policies/leaf.h"
#include "registry/monitor/monitor.h"

struct watched {
	char id[65];
	/* The leaf chain, as far as the log was walked. */
	int64_t seq;
	uint64_t index; /* of the last leaf that was looked at, whatever became of it */
	struct hash leaf;
	int64_t top_root; /* greatest version of a root in it */
	/* What its documents say, as far as they were looked at. */
	int64_t root; /* version in force; 0: none */
	char root_id[SHA256_HEX_SIZE];
	char anchor[SHA256_HEX_SIZE];  /* first root of this publisher, or after its rotation */
	int64_t tenure;                /* publishers so far */
	int64_t promise;               /* support_until of the last product statement; 0: none */
	int64_t kept;                  /* support_until of the last deposit */
	char deposit[SHA256_HEX_SIZE]; /* the last one; "" */
	char follows[SHA256_HEX_SIZE]; /* id of its root */
	int64_t refresh_by;
	int64_t timestamp; /* greatest version of timestamp.json */
	int64_t looked;    /* when fresh.c last did */
};

/* Read what is remembered, or start: everything empty but the name. */
MUSTCHECK int watched_load(struct monitor *m, const char *product, struct watched *out,
			   struct error *err);
MUSTCHECK int watched_save(struct monitor *m, const struct watched *w, struct error *err);

/* Names in the memory. */
void name_leaf(const char *product, int64_t seq, char name[MEMORY_NAME_SIZE]);
void name_queued(const char *product, uint64_t index, char name[MEMORY_NAME_SIZE]);
void name_kept(const char *product, const char *id, char name[MEMORY_NAME_SIZE]);

/* A document that was kept, "d/"; 1: it was not. */
MUSTCHECK int watched_kept(struct monitor *m, const char *product, const char *id,
			   struct envelope **out, struct error *err);
MUSTCHECK int watched_root(struct monitor *m, const char *product, const char *id,
			   struct tuf_root **out, struct error *err);

/*
 * The last version of each targets role under this publisher, as it was logged: put one, go
 * through their names, forget all.
 */
typedef int (*watched_role_fn)(void *ctx, const char *role, struct error *err);
MUSTCHECK int watched_role_put(struct monitor *m, const char *product, const char *role,
			       const struct buf *bytes, struct error *err);
MUSTCHECK int watched_roles(struct monitor *m, const char *product, watched_role_fn each, void *ctx,
			    struct error *err);
MUSTCHECK int watched_roles_drop(struct monitor *m, const char *product, struct error *err);

/*
 * Who has to sign a delegated role: as the first delegation to it says, level by level from the
 * top, in what is in force. The caller clears *out. E_NOTFOUND: nobody delegates to it.
 */
MUSTCHECK int watched_role_keys(struct monitor *m, const char *product, const char *role,
				struct role_keys *out, struct error *err);

/*
 * What had a version first: 1: nothing had. `whose` is a role, or a signer's key id, or "-".
 */
struct versioned {
	char id[SHA256_HEX_SIZE];
	char sha256[SHA256_HEX_SIZE]; /* of the file, as its leaf says */
	uint64_t index;
};
MUSTCHECK int version_get(struct monitor *m, const char *of, int64_t version, struct versioned *out,
			  struct error *err);
MUSTCHECK int version_put(struct monitor *m, const char *of, int64_t version,
			  const struct versioned *v, struct error *err);
/* The greatest below `of`; 0: none. */
MUSTCHECK int version_last(struct monitor *m, const char *of, int64_t *out, struct error *err);

/* The proof of a leaf that was not asked for: at the vantage point that is followed. Appends. */
MUSTCHECK int watched_proof(struct monitor *m, uint64_t index, const struct hash *leaf,
			    struct buf *out, struct error *err);

#endif
