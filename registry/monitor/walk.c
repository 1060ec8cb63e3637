/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every new leaf, a bundle at a time. One inclusion proof of a bundle's first leaf binds all of
 * it to the checkpoint, since its other leaves are the proof's siblings: so each step is
 * certain before it is kept, and no more than a bundle and a few tiles are in memory.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/texts.h"
#include "registry/monitor/tiles.h"
#include "registry/monitor/watched.h"

struct bundle {
	uint64_t n;
	unsigned width;
	struct buf bytes;
	struct log_entry entry[TILE_WIDTH];
	struct hash hash[TILE_WIDTH];
	struct monitor_tiles *above;
};

static void bundle_free(struct bundle *b)
{
	if (b)
		buf_clear(&b->bytes);
	free(b);
}
DEFINE_CLEANUP(struct bundle *, bundle_free)

/* What is there, and the hashes of what is in the tree. */
static int split(struct bundle *b, struct error *err)
{
	int r = entries_split(b->bytes.data, b->bytes.len, b->width, b->entry, err);

	for (unsigned i = 0; r == 0 && i < b->width; i++)
		merkle_leaf(b->entry[i].data, b->entry[i].len, &b->hash[i]);
	return r;
}

/* The tile over the bundle is made of the bundle itself; all others are the log's. */
static int read_over(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *err)
{
	const struct bundle *b = ctx;
	const struct merkle_store s = tiles_reader(b->above);

	if (level || n != b->n)
		return s.read(s.ctx, level, n, width, out, err);
	memcpy(out, b->hash, width * sizeof(*out));
	return 0;
}

static int bind(struct bundle *b, const struct checkpoint *c, struct error *err)
{
	const struct merkle_store s = {.ctx = b, .read = read_over};
	struct merkle_proof proof;
	int r = merkle_prove_inclusion(&s, b->n * TILE_WIDTH, c->size, &proof, err);

	return r < 0 ? r
		     : merkle_check_inclusion(&b->hash[0], b->n * TILE_WIDTH, c->size, &proof,
					      &c->root, err);
}

static int load(const struct monitor *m, struct bundle *b, struct error *err)
{
	int r = tiles_entries(m->lead, b->n, b->width, &b->bytes, err);

	if (r == 0)
		r = split(b, err);
	return r < 0 ? r : bind(b, &m->lead->head, err);
}

/* --- leaf chains ---------------------------------------------------------------------- */

/* One leaf, and what it is held against. */
struct link {
	const struct log_entry *entry;
	struct leaf leaf;
	struct watched w;
};

/* The bytes of the leaf at `index`, from its bundle. 1: they could not be had. */
static int fetch_leaf(const struct monitor *m, uint64_t index, struct buf *out, struct error *err)
{
	CLEANUP(bundle_freep) struct bundle *b = calloc(1, sizeof(*b));
	uint64_t size = m->lead->head.size, first = index - index % TILE_WIDTH;
	struct error none;

	if (!b)
		return error_nomem(err);
	b->n = index / TILE_WIDTH;
	b->width = size - first < TILE_WIDTH ? (unsigned)(size - first) : TILE_WIDTH;
	b->above = m->tiles;
	if (load(m, b, &none) < 0)
		return 1;
	return buf_add(out, b->entry[index - first].data, b->entry[index - first].len, err);
}

/* Keep both leaves, each with its proof: nobody can say that one of them is not in the log. */
static int keep_two(struct monitor *m, const struct link *l, uint64_t other,
		    char folder[EVIDENCE_SIZE], struct error *err)
{
	CLEANUP(buf_clear) struct buf first = {0};
	CLEANUP(buf_clear) struct buf first_proof = {0};
	CLEANUP(buf_clear) struct buf proof = {0};
	struct hash hash;
	int r = fetch_leaf(m, other, &first, err);

	if (r == 0) {
		merkle_leaf(first.data, first.len, &hash);
		r = watched_proof(m, other, &hash, &first_proof, err);
	}
	if (r >= 0)
		r = watched_proof(m, l->leaf.index, &l->leaf.hash, &proof, err);
	if (r < 0)
		return r;
	const struct exhibit files[] = {
		{"a.leaf.json", first.data, first.len},
		{"a.tlog-proof", first_proof.data, first_proof.len},
		{"b.leaf.json", l->entry->data, l->entry->len},
		{"b.tlog-proof", proof.data, proof.len},
	};
	return monitor_keep(m, "two-leaves", files, ARRAY_LEN(files), folder, err);
}

static int tell_two(struct monitor *m, const struct link *l, struct error *err)
{
	struct happening h = {.level = LEVEL_ALARM,
			      .kind = "two-leaves",
			      .product = l->w.id,
			      .id = l->leaf.id,
			      .has_index = true,
			      .index = l->leaf.index};
	char name[MEMORY_NAME_SIZE], folder[EVIDENCE_SIZE];
	uint64_t other = 0;
	int r;

	name_leaf(l->w.id, l->leaf.seq, name);
	r = memory_get_number(m->memory, name, &other, err);
	if (r == 0)
		r = keep_two(m, l, other, folder, err);
	if (r < 0)
		return r;
	h.evidence = folder;
	return monitor_tell(m, &h, err,
			    "leaves %" PRIu64 " and %" PRIu64 " both have seq %" PRId64
			    ": the log shows two histories of the product; see %s",
			    other, l->leaf.index, l->leaf.seq, folder);
}

/* Does the leaf go on from the product's last one? It is taken as the last in any case but one. */
static int chain(struct monitor *m, struct link *l, struct error *err)
{
	struct happening h = {.level = LEVEL_ALARM,
			      .product = l->w.id,
			      .id = l->leaf.id,
			      .has_index = true,
			      .index = l->leaf.index};
	char name[MEMORY_NAME_SIZE];
	int r = 0;

	if (l->leaf.seq <= l->w.seq)
		return tell_two(m, l, err);
	if (l->leaf.seq != l->w.seq + 1) {
		h.kind = "gap";
		r = monitor_tell(m, &h, err,
				 "leaf %" PRIu64 " has seq %" PRId64 ", after seq %" PRId64
				 ": something between them is not in the log",
				 l->leaf.index, l->leaf.seq, l->w.seq);
	} else if (memcmp(&l->leaf.prev, &l->w.leaf, sizeof(l->w.leaf)) != 0) {
		h.kind = "broken-chain";
		r = monitor_tell(m, &h, err,
				 "leaf %" PRIu64 " with seq %" PRId64
				 " names another leaf before it than the last one",
				 l->leaf.index, l->leaf.seq);
	}
	l->w.seq = l->leaf.seq;
	l->w.leaf = l->leaf.hash;
	if (strcmp(l->leaf.kind, "root") == 0 && l->leaf.version > l->w.top_root)
		l->w.top_root = l->leaf.version;
	name_leaf(l->w.id, l->leaf.seq, name);
	return r < 0 ? r : memory_put_number(m->memory, name, l->leaf.index, err);
}

static int take_leaf(struct monitor *m, const struct log_entry *e, uint64_t index,
		     struct error *err)
{
	const struct happening h = {
		.level = LEVEL_ALARM, .kind = "bad-leaf", .has_index = true, .index = index};
	struct link l = {.entry = e};
	char name[MEMORY_NAME_SIZE];
	struct error why = {0};
	int r = leaf_parse(e->data, e->len, &l.leaf, &why);

	if (r == E_NOMEM)
		return error_nomem(err);
	if (r < 0)
		return monitor_tell(m, &h, err, "leaf %" PRIu64 " is none: %s", index, why.text);
	if (!monitor_watches(m, l.leaf.product))
		return 0;
	l.leaf.index = index;
	r = watched_load(m, l.leaf.product, &l.w, err);
	/* Of a walk that begins anew for other products: this one is known. */
	if (r == 0 && l.w.seq && index <= l.w.index)
		return 0;
	l.w.index = index;
	if (r == 0)
		r = chain(m, &l, err);
	name_queued(l.leaf.product, index, name);
	if (r == 0)
		r = memory_put(m->memory, name, e->data, e->len, err);
	return r < 0 ? r : watched_save(m, &l.w, err);
}

/* --- the walk ------------------------------------------------------------------------- */

struct stretch {
	const struct bundle *b;
	uint64_t from; /* first leaf of the bundle that is new */
};

static int take_bundle(struct monitor *m, void *arg, struct error *err)
{
	const struct stretch *s = arg;
	uint64_t first = s->b->n * TILE_WIDTH, end = first + s->b->width;
	int r = 0;

	for (uint64_t i = s->from; r == 0 && i < end; i++)
		r = take_leaf(m, &s->b->entry[i - first], i, err);
	return r < 0 ? r : memory_put_number(m->memory, "next", end, err);
}

/* A bundle that is not as signed is a fault; one that is not here may come. */
static int refuse(struct monitor *m, const struct bundle *b, int code, const struct error *why,
		  struct error *err)
{
	struct happening h = {.level = LEVEL_ALARM, .kind = "entries", .scope = m->lead->url};

	m->incomplete = true;
	if (code == E_NET || code == E_BUSY || code == E_NOTFOUND) {
		h.level = LEVEL_WARNING;
		h.patience = m->limits.grace;
	} else if (code != E_INVALID && code != E_UNTRUSTED) {
		return error_set(err, code, "%s", why->text);
	}
	return monitor_trouble(m, &h, err, "entries from leaf %" PRIu64 " on: %s",
			       b->n * TILE_WIDTH, why->text);
}

/* Is every product that concerns us one that did so far? */
static bool is_known(const struct monitor *m, const json_t *then)
{
	const json_t *only = json_object_get(then, "only");

	for (size_t i = 0; only && i < m->nproducts; i++) {
		bool there = false;
		const json_t *p;
		size_t k;

		json_array_foreach(only, k, p) there =
			there || strcmp(json_string_value(p), m->products[i]) == 0;
		if (!there)
			return false;
	}
	return !only || m->products;
}

/* Of a product that joins, the leaves that were passed by are looked at: from the first one on. */
static int take_products(struct monitor *m, void *arg, struct error *err)
{
	CLEANUP(json_decrefp)
	json_t *only = m->products ? json_texts(m->products, m->nproducts) : NULL;
	int r;

	(void)arg;
	if (m->products && !only)
		return error_nomem(err);
	r = memory_put_json(m->memory, "products", json_pack("{s:O*}", "only", only), err);
	return r < 0 ? r : memory_put_number(m->memory, "next", 0, err);
}

static int check_products(struct monitor *m, struct error *err)
{
	CLEANUP(json_decrefp) json_t *then = NULL;
	int r = memory_get_json(m->memory, "products", &then, err);

	if (r < 0 || (then && is_known(m, then)))
		return r;
	return monitor_step(m, take_products, NULL, err);
}

int monitor_walk(struct monitor *m, struct error *err)
{
	CLEANUP(bundle_freep) struct bundle *b = calloc(1, sizeof(*b));
	uint64_t size = m->lead->head.size, next = 0, stop;
	int r = b ? check_products(m, err) : error_nomem(err);

	if (r == 0)
		r = memory_get_number(m->memory, "next", &next, err);

	stop = size - next > (uint64_t)m->limits.leaves ? next + (uint64_t)m->limits.leaves : size;
	while (r == 0 && next < stop) {
		struct stretch s = {b, next};
		struct error why = {0};
		uint64_t first = next - next % TILE_WIDTH;

		b->n = next / TILE_WIDTH;
		b->width = size - first < TILE_WIDTH ? (unsigned)(size - first) : TILE_WIDTH;
		b->above = m->tiles;
		buf_clear(&b->bytes);
		r = load(m, b, &why);
		if (r < 0)
			return refuse(m, b, r, &why, err);
		r = monitor_step(m, take_bundle, &s, err);
		next = first + b->width;
	}
	if (r == 0 && next < size)
		m->incomplete = true;
	return r < 0 ? r : monitor_fine(m, "entries", m->lead->url, err);
}
