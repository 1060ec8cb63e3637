/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tuf_sim - a TUF repository and a client's store, both in memory
 *
 * A test edits the `signed` parts as JSON, publishes them with whatever keys it
 * likes, and runs a client against the result; the requests that the client
 * made are on record. Helpers abort on failure: only the client is under test.
 */
#ifndef TESTS_TUF_SIM_H
#define TESTS_TUF_SIM_H

#include "lib/sign/signer.h"
#include "lib/tuf/client.h"

enum { SIM_SIGNERS_MAX = 8, SIM_ROLES_MAX = 64, SIM_ROLE_SIZE = 64 };

struct sim_role {
	char *name; /* "root", "targets", "a-delegated-role" */
	enum tuf_type type;
	json_t *body; /* the `signed` part, for the test to edit */
	struct signer *signers[SIM_SIGNERS_MAX];
	size_t nsigners, lent; /* the first `lent` belong to the one that this is a copy of */
};

/* Append a document as `n` signers sign it; false: it has no canonical form. */
typedef bool sim_writer(json_t *body, struct signer *const *by, size_t n, struct buf *out);

struct sim_file {
	char *name;
	struct buf bytes;
	int fail; /* an E_ code that reading or writing it gives; 0: none */
};
struct sim_files {
	struct sim_file *list;
	size_t n;
};

struct tuf_sim {
	int64_t now;         /* the client's clock, and when things are published */
	sim_writer *write;   /* NULL: as people's programs write documents */
	bool listing_hashes; /* snapshot and timestamp list length and hash; from the start on */
	struct sim_role *roles[SIM_ROLES_MAX]; /* the first four by enum tuf_type */
	size_t nroles;
	struct sim_files remote, local;
	struct buf requests;  /* what sim_requests() will tell */
	struct buf told;      /* what it told last */
	struct tuf_options o; /* of the sessions that sim_refresh() opens; `now` is put in */
};

/* Every top-level role at version 1, published; the client has root.json. */
struct tuf_sim *sim_new(void);

/* The same once more, with the same keys: `of` has to live longer. Costs far less. */
struct tuf_sim *sim_copy(const struct tuf_sim *of);
void sim_free(struct tuf_sim *s);
DEFINE_CLEANUP(struct tuf_sim *, sim_free)

struct tuf_io sim_io(struct tuf_sim *s);

struct sim_role *sim_role(struct tuf_sim *s, const char *name);
int64_t sim_version(const struct sim_role *role);
void sim_set_version(struct sim_role *role, int64_t version);
void sim_set_expiry(struct sim_role *role, int64_t at);

/* Append the role as its signers sign it now. */
void sim_document(const struct sim_role *role, struct buf *out);

/*
 * Sign and put it where clients look; note its version (and hash) in the body of
 * the snapshot, or the timestamp, that lists it, without publishing that.
 */
void sim_publish(struct tuf_sim *s, const char *name);
void sim_bump(struct tuf_sim *s, const char *name);    /* version + 1 and sim_publish() */
void sim_release(struct tuf_sim *s, const char *name); /* bump it, the snapshot and the timestamp */

/* Keys of a top-level role in the body of the root: one more; a new one for all the old. */
void sim_add_key(struct tuf_sim *s, const char *name, const char *kind);
void sim_rotate(struct tuf_sim *s, const char *name);
void sim_drop_signer(struct sim_role *role, size_t i);
void sim_add_stranger(struct sim_role *role); /* a signer whose key nobody lists */

/* List a target in a role; delegate (a comma-separated list of patterns) to a new role. */
void sim_target(struct tuf_sim *s, const char *role, const char *path, const char *content);
struct sim_role *sim_delegate(struct tuf_sim *s, const char *from, const char *name,
			      const char *patterns, bool terminating);

/* Files by name; NULL if there is none. */
struct sim_file *sim_remote(struct tuf_sim *s, const char *name);
struct sim_file *sim_local(struct tuf_sim *s, const char *name);
void sim_put(struct sim_files *files, const char *name, const void *data, size_t len);
void sim_put_copy(struct tuf_sim *s, const char *name, const char *from); /* within remote */
void sim_forget(struct sim_files *files, const char *name);

/* A file within remote, as JSON to play with, which the caller owns; put back by sim_replace(). */
json_t *sim_take(struct tuf_sim *s, const char *name);
void sim_replace(struct tuf_sim *s, const char *name, json_t *doc_take);

/* One session: open and refresh. Or one that searches, too; the role that lists the target. */
int sim_refresh(struct tuf_sim *s, struct error *err);
int sim_find(struct tuf_sim *s, const char *path, char role[SIM_ROLE_SIZE], struct error *err);

/* Version of a role in the client's store; 0: it has none, or no readable one. */
int64_t sim_trusts(struct tuf_sim *s, const char *name);

/* The names fetched since the last call, separated by spaces; valid until the next one. */
const char *sim_requests(struct tuf_sim *s);

#endif
