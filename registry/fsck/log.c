/* SPDX-License-Identifier: Apache-2.0 */
/* The log: leaves against documents, the tree over them, checkpoint, proofs and leaf chains. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tlog/checkpoint.h"
#include "policies/leaf.h"
#include "registry/fsck/fsck.h"
#include "registry/log/sequencer.h"

enum { PROOF_MAX = 128 * 1024, CHAIN_MAX = 64 * 1024 * 1024, LEVELS = 64 };

/* RFC 6962's tree over leaves that come one by one: roots of the complete subtrees so far. */
struct tower {
	struct hash roots[LEVELS];
	uint64_t size;
};

static void tower_add(struct tower *t, const struct hash *leaf)
{
	struct hash h = *leaf;
	size_t level = 0;

	for (uint64_t n = t->size; n & 1; n >>= 1)
		merkle_node(&t->roots[level++], &h, &h);
	t->roots[level] = h;
	t->size++;
}

static void tower_root(const struct tower *t, struct hash *out)
{
	bool any = false;

	merkle_empty(out);
	for (size_t level = 0; level < LEVELS; level++) {
		if (!(t->size & (UINT64_C(1) << level)))
			continue;
		if (any)
			merkle_node(&t->roots[level], out, out);
		else
			*out = t->roots[level];
		any = true;
	}
}

struct log_walk {
	struct fsck *f;
	struct tower tower;
	struct log_policy policy;
};

/* The leaf is the one of its document, and hashes to what is stored. */
static int check_leaf(struct log_walk *c, const struct leaf_row *row, struct leaf *out,
		      struct error *err)
{
	struct document_row doc = {0};
	int r = leaf_parse(row->data, row->len, out, err);

	if (r == 0)
		r = store_document(c->f->w->store, row->document, &doc, NULL, err);
	if (r < 0)
		return r;
	if (strcmp(out->id, doc.id) != 0 || strcmp(out->sha256, doc.sha256) != 0 ||
	    strcmp(out->kind, doc.type) != 0 || strcmp(out->product, doc.product) != 0 ||
	    strcmp(out->role, doc.role) != 0 || out->version != doc.version || out->seq != doc.seq)
		return error_set(err, E_UNTRUSTED, "leaf %" PRIu64 ": is not that of its document",
				 row->index);
	if (memcmp(out->hash.b, row->hash.b, sizeof(row->hash.b)) != 0)
		return error_set(err, E_UNTRUSTED, "leaf %" PRIu64 ": has another hash",
				 row->index);
	return 0;
}

static int check_proof(struct log_walk *c, const struct leaf_row *row, const struct leaf *l,
		       struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct tlog_proof proof;
	char path[PATH_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), "p/%s/proofs/%s.tlog-proof", row->product,
		       row->document);
	r = file_read(c->f->w->r->public, path, PROOF_MAX, &bytes, err);
	if (r == 0)
		r = tlog_proof_parse(bytes.data, bytes.len, &proof, err);
	if (r == 0 && proof.index != row->index)
		r = error_set(err, E_UNTRUSTED, "%s: is for leaf %" PRIu64, path, proof.index);
	return r < 0 ? r : tlog_proof_verify(&proof, &l->hash, &c->policy, NULL, err);
}

static int each_leaf(void *ctx, const struct leaf_row *row, struct error *err)
{
	struct log_walk *c = ctx;
	struct error why = {0};
	struct leaf l;
	int r = check_leaf(c, row, &l, &why);

	c->f->leaves++;
	tower_add(&c->tower, &row->hash);
	if (r == 0)
		r = check_proof(c, row, &l, &why);
	return r < 0 ? fsck_problem(c->f, row->document, why.text, false, err) : 0;
}

static int check_checkpoint(struct log_walk *c, struct error *err)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct checkpoint head = {0};
	struct hash root;
	uint64_t size = 0;
	int r = store_checkpoint(c->f->w->store, &size, &note, err);

	if (r == 0)
		r = checkpoint_parse(note.data, note.len, &head, err);
	if (r == 0)
		r = checkpoint_verify(&head, &c->policy, NULL, err);
	if (r < 0)
		return r;
	tower_root(&c->tower, &root);
	if (head.size != c->tower.size || memcmp(head.root.b, root.b, sizeof(root.b)) != 0)
		return error_set(err, E_UNTRUSTED, "is not over these %" PRIu64 " leaves",
				 c->tower.size);
	return log_check(c->f->w->r, err);
}

static int check_chain(void *ctx, const char *product, struct error *err)
{
	CLEANUP(leaf_chain_clear) struct leaf_chain chain = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct fsck *f = ctx;
	struct error why = {0};
	struct hash last;
	char path[PATH_SIZE];
	int64_t seq = 0;
	int r = store_leaf_last(f->w->store, product, &seq, &last, err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "p/%s/leaves.jsonl", product);
	r = file_read(f->w->r->public, path, CHAIN_MAX, &bytes, &why);
	if (r == 0)
		r = leaf_chain_parse(bytes.data, bytes.len, product, &chain, &why);
	if (r == 0 && (chain.n != (size_t)seq || chain.n == 0 ||
		       memcmp(chain.leaves[chain.n - 1].hash.b, last.b, sizeof(last.b)) != 0))
		r = error_set(&why, E_UNTRUSTED, "does not end with leaf %" PRId64, seq);
	return r < 0 ? fsck_problem(f, path, why.text, false, err) : 0;
}

int fsck_log(struct fsck *f, struct error *err)
{
	struct log_walk c = {.f = f, .policy = {.log = *keys_log(f->w->r->keys)}};
	struct error why = {0};
	int r = store_leaves(f->w->store, 0, INT64_MAX, each_leaf, &c, err);

	if (r == 0 && check_checkpoint(&c, &why) < 0)
		r = fsck_problem(f, LOG_CHECKPOINT, why.text, false, err);
	return r < 0 ? r : store_products(f->w->store, check_chain, f, err);
}
