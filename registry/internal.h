/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal - what the parts of the registry share behind registry.h
 *
 * Everything that changes something is a job. Jobs from all threads queue up;
 * one thread at a time leads: it runs what is queued, each job in a savepoint
 * of one transaction, has the new leaves sequenced under one signed checkpoint,
 * commits, does the outbox, and then wakes the others. So a hundred documents
 * that come together cost one commit and one checkpoint.
 */
#ifndef REGISTRY_INTERNAL_H
#define REGISTRY_INTERNAL_H

#include <pthread.h>

#include "lib/base/error.h"
#include "registry/config.h"
#include "registry/keys.h"
#include "registry/registry.h"
#include "registry/store/store.h"

struct cosign;
struct evidence;
struct evidence_query;
struct evidence_source;
struct job;
struct tuf_root;

enum {
	LEAVES_A_BATCH = 256, /* of the log; a job is never split */
};

struct registry {
	int data, public, lock; /* descriptors */
	struct config config;
	struct keys *keys;
	struct store *store;
	uint64_t log_head;          /* 1 + the tree size that log.head has; 0: not known */
	pthread_mutex_t store_lock; /* of the store: who leads or reads */
	pthread_mutex_t mutex;      /* of what follows; never held while waiting for store_lock */
	pthread_cond_t turn;        /* a job is done, or the lead is free */
	bool leading;
	struct job *first, **last;
	char forked[ERROR_TEXT_MAX]; /* why nothing more may be logged, or ""; of store_lock */

	/* Where witnesses have to cosign. */
	struct cosign *cosign; /* who asks them; NULL: nobody, or it is ending */
	uint64_t proved;       /* leaves whose proofs are in the tree */
	pthread_cond_t shown;  /* `proved` grew */
	unsigned waiting;      /* threads that wait for that */
	bool late;             /* the last one waited in vain */
};

/* What a job works with; lives as long as one transaction. */
struct work {
	struct registry *r;
	struct store *store; /* r's */
	int64_t now;         /* seconds since the Unix epoch, read once */
	bool dirty;          /* an earlier job of this transaction changed something */
	bool again;          /* set by a job that needs the tree to show all of that first */
	uint64_t log_size;   /* before this transaction */
	char (*touched)[PRODUCT_SIZE]; /* products whose indexes are to be written anew */
	size_t ntouched, touched_cap;
};

typedef int (*job_fn)(struct work *w, void *arg, struct error *err);

/*
 * Run `fn` as a job and wait until what it did is durable and in the tree. What
 * it returns is returned; a negative value undoes what it did. It may be run
 * more than once, so it must not consume `arg`.
 */
MUSTCHECK int registry_work(struct registry *r, job_fn fn, void *arg, struct error *err);

/* Run `fn` for reading: nothing is committed; what it returns is returned. */
MUSTCHECK int registry_read(struct registry *r, job_fn fn, void *arg, struct error *err);

/* The product's indexes are stale. */
MUSTCHECK int work_touch(struct work *w, const char *product, struct error *err);

/* --- for jobs, and for those who read --- */

/* A root of the product by version, from the store. E_NOTFOUND. */
MUSTCHECK int load_root(struct store *s, const char *product, int64_t version,
			struct tuf_root **out, struct error *err);

/* Files below p/<product>/ of our own tree, as policies/evidence.h wants them. */
struct own_tree {
	int public;
	const char *product;
};
MUSTCHECK int own_tree_read(void *own_tree, const char *path, size_t max, struct buf *out,
			    struct error *err);

/*
 * Is this deposit released, by its own policy and the evidence in our tree?
 * `out` is released with evidence_clear(). The deposit must follow `from`.
 */
MUSTCHECK int deposit_evidence(struct registry *r, const char *product, const struct tuf_root *from,
			       const char *deposit, struct evidence *out, struct error *err);

/*
 * The same in a job. E_BUSY with w->again set: earlier jobs of this transaction
 * are not in the tree yet.
 */
MUSTCHECK int work_evidence(struct work *w, const char *product, const struct tuf_root *from,
			    const char *deposit, struct evidence *out, struct error *err);

/*
 * In a job, too: does a logged succession or rotation carry this step, whose root is not in the
 * log yet? The time is that of our newest checkpoint, if enough witnesses signed it. `q` has all
 * but `ahead` and `checkpoint`.
 */
MUSTCHECK int work_step(struct work *w, const struct evidence_query *q, struct evidence *out,
			struct error *err);

#endif
