/* SPDX-License-Identifier: Apache-2.0 */
/* The log: leaves against documents, the tree over them, its proofs and all its files. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tlog/checkpoint.h"
#include "policies/leaf.h"
#include "registry/fsck/fsck.h"
#include "registry/log/sequencer.h"
#include "registry/tree/outbox.h"

enum { PROOF_MAX = 128 * 1024, LEVELS = 64 };

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
	struct published_row shown;
	struct buf note; /* the checkpoint that is shown */
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

static void proof_path(const struct leaf_row *row, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "p/%s/proofs/%s.tlog-proof", row->product, row->document);
}

static int check_proof(struct log_walk *c, const struct leaf_row *row, const struct leaf *l,
		       struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct tlog_proof proof;
	char path[PATH_SIZE];
	int r;

	proof_path(row, path);
	r = file_read(c->f->w->r->public, path, PROOF_MAX, &bytes, err);
	if (r == 0)
		r = tlog_proof_parse(bytes.data, bytes.len, &proof, err);
	if (r == 0 && proof.index != row->index)
		r = error_set(err, E_UNTRUSTED, "%s: is for leaf %" PRIu64, path, proof.index);
	return r < 0 ? r : tlog_proof_verify(&proof, &l->hash, &c->policy, NULL, err);
}

/* Any checkpoint over the leaf will do: the one of its batch is gone, the present one is here. */
static int repair_proof(struct log_walk *c, const struct leaf_row *row, struct error *err)
{
	CLEANUP(buf_clear) struct buf proof = {0};
	char path[PATH_SIZE];
	int r = log_prove(c->f->w->store, row->index, c->shown.size, &c->note, &proof, err);

	proof_path(row, path);
	return r < 0 ? r : outbox_put(c->f->w, STAGE_LOG, path, &proof, err);
}

static int each_leaf(void *ctx, const struct leaf_row *row, struct error *err)
{
	struct log_walk *c = ctx;
	struct error why = {0};
	struct leaf l;
	bool repaired = false;
	int r = check_leaf(c, row, &l, &why);

	c->f->leaves++;
	tower_add(&c->tower, &row->hash);
	/* The others wait for their witnesses. */
	if (r == 0 && row->index < c->shown.proved) {
		r = check_proof(c, row, &l, &why);
		repaired = r < 0 && c->f->repair;
	}
	if (r == 0)
		return 0;
	r = repaired ? repair_proof(c, row, err) : 0;
	return r < 0 ? r : fsck_problem(c->f, row->document, why.text, repaired, err);
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

static int check_file(void *ctx, const char *path, const struct buf *content, struct error *err)
{
	CLEANUP(buf_clear) struct buf file = {0};
	struct fsck *f = ctx;
	struct error why = {0};
	int r = file_read(f->w->r->public, path, content->len + 1, &file, &why);

	if (r == 0 && file.len == content->len && memcmp(file.data, content->data, file.len) == 0)
		return 0;
	if (r == 0)
		(void)error_set(&why, E_UNTRUSTED, "is not what the database has");
	if (f->repair) {
		r = outbox_put(f->w, STAGE_LOG, path, content, err);
		if (r < 0)
			return r;
	}
	return fsck_problem(f, path, why.text, f->repair, err);
}

static void walk_clear(struct log_walk *c)
{
	buf_clear(&c->note);
}

int fsck_log(struct fsck *f, struct error *err)
{
	CLEANUP(walk_clear)
	struct log_walk c = {.f = f, .policy = {.log = *keys_log(f->w->r->keys)}};
	struct error why = {0};
	int r = store_published(f->w->store, &c.shown, &c.note, err);

	if (r == 0)
		r = store_leaves(f->w->store, 0, INT64_MAX, each_leaf, &c, err);
	if (r == 0 && check_checkpoint(&c, &why) < 0)
		return fsck_problem(f, LOG_CHECKPOINT, why.text, false, err);
	return r < 0 ? r : log_each_file(f->w->store, check_file, f, err);
}
