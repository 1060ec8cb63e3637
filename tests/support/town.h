/* SPDX-License-Identifier: Apache-2.0 */
/*
 * town - a registry in a temporary folder, and the people who write to it
 *
 * A vendor (root 2 of 3), three trustees (2 of 3), three stewards (root 2 of 3)
 * and a maintainer, all with Ed25519 keys. The makers give `signed` parts for a
 * test to edit; town_post() signs and submits. Helpers abort on failure: only
 * the registry is under test.
 */
#ifndef TESTS_TOWN_H
#define TESTS_TOWN_H

#include <jansson.h>

#include "lib/sign/signer.h"
#include "registry/registry.h"
#include "tests/support/cosign.h"

struct error;

enum { TOWN_PEOPLE = 3, TOWN_THRESHOLD = 2, TOWN_DOCS_MAX = 8 };

#define TOWN_PRODUCT "acme.x1"

struct town {
	char *dir; /* the data folder */
	struct registry *r;
	int64_t now;
	struct signer *vendor[TOWN_PEOPLE], *trustee[TOWN_PEOPLE], *steward[TOWN_PEOPLE];
	struct signer *maintainer;
	struct witness witness[TOWN_PEOPLE];
	size_t witnesses; /* that roots name from now on; all but one must cosign (0) */
};

struct town *town_new(bool open_admission);
void town_free(struct town *t);
DEFINE_CLEANUP(struct town *, town_free)

/*
 * What the witnesses say of the newest checkpoint and of these documents' proofs, by
 * id: seen at `at`.
 */
void town_cosign(struct town *t, int64_t at, const char *const *ids, size_t n);

/* Close the registry and open it again; the result of registry_open(). */
int town_reopen(struct town *t, struct error *err);

/* A document under way: its `signed` part, and who signs it. */
struct paper {
	json_t *body; /* owned until town_post() */
	struct signer *by[2 * TOWN_PEOPLE];
	size_t nby;
};

/* Whoever signs: the first n of them, added to those that sign already. */
void paper_sign(struct paper *p, struct signer *const *who, size_t n);

/* `kind` "vendor" or "stewards" decides people, publisher id and online keys. */
struct paper town_root(struct town *t, int64_t version, const char *kind);
/* One of other people (2 of 3), with the targets keys of that kind; nobody has signed it. */
struct paper town_root_of(struct town *t, int64_t version, const char *kind, const char *publisher,
			  struct signer *const *who);
/* The bridge: root `version` for the stewards with throw-away online keys, signed by the vendor. */
struct paper town_bridge(struct town *t, int64_t version);
/* Signed by the vendor's first (kind vendor) or by the maintainer. */
struct paper town_targets(struct town *t, int64_t version, const char *kind);
void town_add_target(struct paper *targets, const char *path, const char *content,
		     json_t *custom_take);
/* Delegate what matches `path` to a role of one key. */
void town_delegate(struct paper *targets, const char *name, const char *path,
		   const struct signer *to);
/* A delegated role, which it names, with nothing in it. */
struct paper town_channel(struct town *t, int64_t version, const char *name, struct signer *by);
/* A statement by the root role; more members are the test's to add. */
struct paper town_statement(struct town *t, const char *type, int64_t version,
			    const struct paper *root);
struct paper town_deposit(struct town *t, int64_t version, const struct paper *root,
			  const struct paper *bridge);
struct paper town_product(struct town *t, int64_t version, const struct paper *root);
/* By one trustee; `eol` is the id of the end of life that it is about. */
struct paper town_approval(struct town *t, size_t who, int64_t version, const char *deposit,
			   const char *bridge, const char *eol);

/* The id of a `signed` part. */
void paper_id(const struct paper *p, char out[SHA256_HEX_SIZE]);
struct paper paper_copy(const struct paper *p);
void paper_clear(struct paper *p);

/*
 * Sign and submit; papers are released unless `keep`. Returns registry_submit()'s result;
 * *reply (may be NULL) is the caller's.
 */
int town_post(struct town *t, struct paper *papers, size_t n, json_t **reply, struct error *err);
int town_post1(struct town *t, struct paper p, struct error *err);

/* Post one and demand its state: "published", "waiting" or "proposal". */
void town_expect(struct town *t, struct paper p, const char *state);

/* Upload a blob whole. */
int town_upload(struct town *t, const char *content, struct error *err);

/* A file of the public tree, as text or parsed; the caller frees. NULL: it is not there. */
char *town_read(const struct town *t, const char *path);
json_t *town_json(const struct town *t, const char *path);

/* Append a paper as its signers sign it. */
void paper_write(const struct paper *p, struct buf *out);

/* Root 1, a product statement, and targets 1 with one image, all published. *root is the caller's.
 */
void town_settle(struct town *t, struct paper *root);

/* From there: a deposit of `bridge`, all of its blobs here. `id` is the deposit's. */
void town_seal(struct town *t, const struct paper *root, const struct paper *bridge,
	       char id[SHA256_HEX_SIZE]);

/* From there: a final eol and two approvals. */
void town_end(struct town *t, const struct paper *root, const struct paper *bridge,
	      const char *deposit);

/* What a TUF client and a reader of indexes rely on; "" or what is wrong. The caller frees. */
char *town_broken(const struct town *t);

#endif
