/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/log/sequencer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tlog/checkpoint.h"
#include "policies/leaf.h"
#include "registry/tree/outbox.h"

enum {
	ENTRY_LENGTH_MAX = 65535,
	/* Those of any one batch, whose last job may be large. */
	PROOFS_A_JOB = LEAVES_A_BATCH + 128,
};

static int read_tile(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *err)
{
	return store_tile(ctx, level, n, width, out, err);
}

struct merkle_store log_tiles(struct store *s)
{
	return (struct merkle_store){.ctx = s, .read = read_tile};
}

static int read_tile_work(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
			  struct error *err)
{
	const struct work *w = ctx;

	return store_tile(w->store, level, n, width, out, err);
}

/* What puts a file of the log: into the outbox, or wherever log_each_file() is asked to. */
struct sink {
	log_file_fn each;
	void *ctx;
};

static int to_outbox(void *ctx, const char *path, const struct buf *content, struct error *err)
{
	return outbox_put(ctx, STAGE_LOG, path, content, err);
}

static struct sink outbox_sink(struct work *w)
{
	return (struct sink){to_outbox, w};
}

static int put_tile(const struct sink *to, int level, uint64_t n, unsigned width,
		    const struct buf *content, struct error *err)
{
	char name[TILE_PATH_SIZE], path[TILE_PATH_SIZE + 4];

	tile_path(level, n, width, name);
	(void)snprintf(path, sizeof(path), "log/%s", name);
	return to->each(to->ctx, path, content, err);
}

static int write_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
		      const struct hash *hashes, struct error *err)
{
	CLEANUP(buf_clear) struct buf content = {0};
	struct work *w = ctx;
	const struct sink to = outbox_sink(w);
	int r = store_tile_set(w->store, level, n, width, hashes, err);

	if (r == 0)
		r = buf_add(&content, hashes, width * sizeof(*hashes), err);
	return r < 0 ? r : put_tile(&to, (int)level, n, width, &content, err);
}

int log_add(struct work *w, struct document_row *doc, struct error *err)
{
	CLEANUP(buf_clear) struct buf data = {0};
	struct leaf l = {.version = doc->version};
	uint64_t size = 0;
	int64_t last = 0;
	int r = store_leaf_last(w->store, doc->product, &last, &l.prev, err);

	if (r == 0)
		r = store_log_size(w->store, &size, err);
	if (r < 0)
		return r;
	(void)snprintf(l.kind, sizeof(l.kind), "%s", doc->type);
	(void)snprintf(l.product, sizeof(l.product), "%s", doc->product);
	(void)snprintf(l.role, sizeof(l.role), "%s", doc->role);
	memcpy(l.id, doc->id, sizeof(l.id));
	memcpy(l.sha256, doc->sha256, sizeof(l.sha256));
	l.seq = last + 1;
	r = leaf_write(&l, &data, err);
	if (r < 0)
		return r;
	assert(data.len <= ENTRY_LENGTH_MAX);
	doc->index = (int64_t)size;
	doc->seq = l.seq;
	r = store_leaf_add(w->store, size, doc, &l.hash, &data, err);
	return r < 0 ? r : work_touch(w, doc->product, err);
}

/* Some leaves in a row. */
struct fresh {
	struct hash *hashes;
	char (*documents)[SHA256_HEX_SIZE];
	char (*products)[PRODUCT_SIZE];
	size_t n;
};

static void fresh_clear(struct fresh *f)
{
	free(f->hashes);
	free(f->documents);
	free(f->products);
}

static int collect(void *ctx, const struct leaf_row *row, struct error *err)
{
	struct fresh *f = ctx;

	(void)err;
	f->hashes[f->n] = row->hash;
	memcpy(f->documents[f->n], row->document, SHA256_HEX_SIZE);
	memcpy(f->products[f->n], row->product, PRODUCT_SIZE);
	f->n++;
	return 0;
}

static int load_fresh(struct work *w, uint64_t from, uint64_t to, struct fresh *f,
		      struct error *err)
{
	size_t n = (size_t)(to - from); /* few of the log */

	f->hashes = calloc(n, sizeof(*f->hashes));
	f->documents = calloc(n, sizeof(*f->documents));
	f->products = calloc(n, sizeof(*f->products));
	if (!f->hashes || !f->documents || !f->products)
		return error_nomem(err);
	return store_leaves(w->store, from, to, collect, f, err);
}

/* An entry of a bundle: its length in two bytes, and itself. */
static int add_entry(void *ctx, const struct leaf_row *row, struct error *err)
{
	const unsigned char head[2] = {(unsigned char)(row->len >> 8),
				       (unsigned char)(row->len & 0xff)};
	int r = buf_add(ctx, head, sizeof(head), err);

	return r < 0 ? r : buf_add(ctx, row->data, row->len, err);
}

static int put_entries(struct store *s, uint64_t first, uint64_t size, const struct sink *to,
		       struct error *err)
{
	for (uint64_t n = first / TILE_WIDTH; n * TILE_WIDTH < size; n++) {
		CLEANUP(buf_clear) struct buf bundle = {0};
		uint64_t from = n * TILE_WIDTH;
		uint64_t end = size - from < TILE_WIDTH ? size : from + TILE_WIDTH;
		int r = store_leaves(s, from, end, add_entry, &bundle, err);

		if (r == 0)
			r = put_tile(to, -1, n, (unsigned)(end - from), &bundle, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int sign_checkpoint(struct work *w, uint64_t size, const struct hash *root, struct buf *out,
			   struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = checkpoint_format(w->r->config.origin, size, root, &text, err);

	if (r == 0)
		r = buf_add(out, text.data, text.len, err);
	if (r == 0)
		r = buf_puts(out, "\n", err);
	if (r == 0)
		r = keys_sign_checkpoint(w->r->keys, &text, out, err);
	return r < 0 ? r : store_checkpoint_set(w->store, size, out, err);
}

int log_prove(struct store *s, uint64_t index, uint64_t size, const struct buf *note,
	      struct buf *out, struct error *err)
{
	const struct merkle_store tiles = log_tiles(s);
	struct merkle_proof siblings;
	int r = merkle_prove_inclusion(&tiles, index, size, &siblings, err);

	return r < 0 ? r : tlog_proof_format(index, &siblings, note->data, note->len, out, err);
}

/* The proofs of leaves `from` on, under the checkpoint `note` over `size`. */
static int put_proofs(struct work *w, const struct fresh *f, uint64_t from, uint64_t size,
		      const struct buf *note, struct error *err)
{
	for (size_t i = 0; i < f->n; i++) {
		CLEANUP(buf_clear) struct buf proof = {0};
		char path[PATH_SIZE];
		int r = log_prove(w->store, from + i, size, note, &proof, err);

		if (r < 0)
			return r;
		(void)snprintf(path, sizeof(path), "p/%s/proofs/%s.tlog-proof", f->products[i],
			       f->documents[i]);
		r = outbox_put(w, STAGE_LOG, path, &proof, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int log_publish(struct work *w, uint64_t size, const struct buf *note, bool *more,
		struct error *err)
{
	CLEANUP(fresh_clear) struct fresh f = {0};
	struct published_row shown;
	uint64_t from, to;
	int r = store_published(w->store, &shown, NULL, err);

	if (r < 0)
		return r;
	*more = false;
	if (size < shown.size)
		return 0;
	from = shown.proved;
	to = size - from > PROOFS_A_JOB ? from + PROOFS_A_JOB : size;
	if (from < to)
		r = load_fresh(w, from, to, &f, err);
	if (r == 0)
		r = put_proofs(w, &f, from, size, note, err);
	shown = (struct published_row){size, to};
	if (r == 0)
		r = store_published_set(w->store, &shown, note, err);
	if (r == 0)
		r = outbox_put(w, STAGE_LOG, LOG_CHECKPOINT, note, err);
	*more = to < size;
	return r;
}

int log_catch_up(struct work *w, void *more, struct error *err)
{
	CLEANUP(buf_clear) struct buf shown_note = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct published_row shown;
	uint64_t size = 0;
	int r = store_published(w->store, &shown, &shown_note, err);

	if (r == 0)
		r = store_checkpoint(w->store, &size, &note, err);
	*(bool *)more = false;
	if (r < 0)
		return r;
	if (shown_note.len && shown.proved < shown.size)
		return log_publish(w, shown.size, &shown_note, more, err);
	if (w->r->config.threshold || (shown_note.len && shown.size == size))
		return 0;
	return log_publish(w, size, &note, more, err);
}

static int add_line(void *ctx, const struct leaf_row *row, struct error *err)
{
	struct leaf l;
	int r = leaf_parse(row->data, row->len, &l, err);

	if (r < 0)
		return r;
	l.index = row->index;
	return leaf_line(&l, ctx, err);
}

static int put_chain(struct store *s, const char *product, const struct sink *to, struct error *err)
{
	CLEANUP(buf_clear) struct buf lines = {0};
	char path[PATH_SIZE];
	int r = store_product_leaves(s, product, add_line, &lines, err);

	if (r < 0 || !lines.len) /* admitted, and nothing more yet */
		return r;
	(void)snprintf(path, sizeof(path), "p/%s/leaves.jsonl", product);
	return to->each(to->ctx, path, &lines, err);
}

static int put_chains(struct work *w, const struct fresh *f, struct error *err)
{
	const struct sink to = outbox_sink(w);

	for (size_t i = 0; i < f->n; i++) {
		bool done = false;
		int r;

		for (size_t k = 0; k < i && !done; k++)
			done = strcmp(f->products[k], f->products[i]) == 0;
		if (done)
			continue;
		r = put_chain(w->store, f->products[i], &to, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int log_seal(struct work *w, struct error *err)
{
	const struct merkle_store tiles = {.ctx = w, .read = read_tile_work, .write = write_tile};
	const struct sink to = outbox_sink(w);
	CLEANUP(fresh_clear) struct fresh f = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct hash root;
	uint64_t size = 0;
	bool more;
	int r = store_log_size(w->store, &size, err);

	if (r < 0 || size == w->log_size)
		return r;
	if (w->r->forked[0])
		return error_set(err, E_BUSY, "the log is closed: %s", w->r->forked);
	r = load_fresh(w, w->log_size, size, &f, err);
	if (r == 0)
		r = merkle_append(&tiles, w->log_size, f.hashes, f.n, err);
	if (r == 0)
		r = put_entries(w->store, w->log_size, size, &to, err);
	if (r == 0)
		r = merkle_root(&tiles, size, &root, err);
	if (r == 0)
		r = sign_checkpoint(w, size, &root, &note, err);
	if (r == 0)
		r = put_chains(w, &f, err);
	if (r < 0 || w->r->config.threshold)
		return r;
	return log_publish(w, size, &note, &more, err);
}

/* --- all of it, as the store has it --- */

static int each_tile(struct store *s, uint64_t size, const struct sink *to, struct error *err)
{
	for (unsigned level = 0; level * TILE_HEIGHT < 64; level++) {
		uint64_t hashes = size >> (level * TILE_HEIGHT);

		for (uint64_t n = 0; n * TILE_WIDTH < hashes; n++) {
			CLEANUP(buf_clear) struct buf content = {0};
			struct hash tile[TILE_WIDTH];
			uint64_t left = hashes - n * TILE_WIDTH;
			unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
			int r = store_tile(s, level, n, width, tile, err);

			if (r == 0)
				r = buf_add(&content, tile, width * sizeof(*tile), err);
			if (r == 0)
				r = put_tile(to, (int)level, n, width, &content, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

struct chains {
	struct store *s;
	const struct sink *to;
};

static int each_chain(void *ctx, const char *product, struct error *err)
{
	const struct chains *c = ctx;

	return put_chain(c->s, product, c->to, err);
}

int log_each_file(struct store *s, log_file_fn each, void *ctx, struct error *err)
{
	const struct sink to = {each, ctx};
	CLEANUP(buf_clear) struct buf note = {0};
	struct chains chains = {s, &to};
	struct published_row shown;
	uint64_t size = 0;
	int r = store_log_size(s, &size, err);

	if (r == 0)
		r = each_tile(s, size, &to, err);
	if (r == 0)
		r = put_entries(s, 0, size, &to, err);
	if (r == 0)
		r = store_published(s, &shown, &note, err);
	if (r == 0 && note.len)
		r = each(ctx, LOG_CHECKPOINT, &note, err);
	return r < 0 ? r : store_products(s, each_chain, &chains, err);
}

int log_start(struct work *w, struct error *err)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct hash root;
	uint64_t size = 0;

	if (store_checkpoint(w->store, &size, &note, NULL) == 0)
		return 0;
	merkle_empty(&root);
	return sign_checkpoint(w, 0, &root, &note, err);
}

int log_compare(struct registry *r, const struct checkpoint *head, const char *who,
		struct error *err)
{
	const struct merkle_store tiles = log_tiles(r->store);
	struct hash root;
	uint64_t size = 0;
	int e = store_log_size(r->store, &size, err);

	if (e < 0)
		return e;
	if (head->size > size)
		return error_set(
			err, E_UNTRUSTED,
			"registry.db: has %" PRIu64 " leaves, but %s was signed for %" PRIu64
			": this is an old copy, and going on from it would fork the log; put the "
			"newest registry.db back, or start another log with init in a new folder",
			size, who, head->size);
	merkle_empty(&root);
	if (head->size > 0)
		e = merkle_root(&tiles, head->size, &root, err);
	if (e < 0)
		return e;
	if (memcmp(root.b, head->root.b, sizeof(root.b)) != 0)
		return error_set(
			err, E_UNTRUSTED,
			"registry.db: its first %" PRIu64 " leaves are not those that %s was "
			"signed for: the log was forked; put the right registry.db back, or start "
			"another log with init in a new folder",
			head->size, who);
	return 0;
}

/* Is what this file says of our log what the store says? */
static int check_head(struct registry *r, int dir, const char *path, struct error *err)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct log_policy policy = {.log = *keys_log(r->keys)};
	struct checkpoint head = {0};
	int e;

	e = file_read(dir, path, NOTE_MAX, &note, err);
	if (e == E_NOTFOUND) /* and nothing else: a disk that fails is no reason to forget */
		return 0;
	if (e == 0)
		e = checkpoint_parse(note.data, note.len, &head, err);
	if (e == 0)
		e = checkpoint_verify(&head, &policy, NULL, err);
	if (e < 0)
		return error_prefix(err, e, "%s", path);
	return log_compare(r, &head, path, err);
}

int log_check(struct registry *r, struct error *err)
{
	int e = check_head(r, r->data, LOG_HEAD, err);

	return e < 0 ? e : check_head(r, r->public, LOG_CHECKPOINT, err);
}

int log_remember(struct registry *r, struct error *err)
{
	CLEANUP(buf_clear) struct buf note = {0};
	uint64_t size = 0;
	int e = store_checkpoint(r->store, &size, &note, err);

	if (e < 0 || r->log_head == size + 1)
		return e;
	e = file_write(r->data, LOG_HEAD, note.data, note.len, 0600, err);
	if (e == 0)
		r->log_head = size + 1;
	return e;
}
