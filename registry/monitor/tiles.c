/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/monitor/tiles.h"

#include <stdio.h>

#include "lib/base/error.h"

int tiles_open(const struct vantage *of, uint64_t size, struct monitor_tiles **out,
	       struct error *err)
{
	struct monitor_tiles *t = calloc(1, sizeof(*t));

	if (!t)
		return error_nomem(err);
	t->of = of;
	t->size = size;
	*out = t;
	return 0;
}

/* Which file of the log: a tile, or at level -1 a bundle of entries. */
struct piece {
	int level;
	uint64_t n;
	unsigned width;
	size_t max; /* bytes */
};

/* It may have grown to a full one meanwhile. */
static int read_piece(const struct vantage *of, const struct piece *p, struct buf *out,
		      struct error *err)
{
	const unsigned widths[] = {p->width, TILE_WIDTH};
	int r = E_NOTFOUND;

	for (size_t i = 0; r == E_NOTFOUND && i < (p->width == TILE_WIDTH ? 1 : 2); i++) {
		char name[TILE_PATH_SIZE], path[TILE_PATH_SIZE + 4];

		tile_path(p->level, p->n, widths[i], name);
		(void)snprintf(path, sizeof(path), "log/%s", name);
		r = of->read(of->ctx, path, p->max, out, err);
	}
	return r;
}

int tiles_entries(const struct vantage *of, uint64_t n, unsigned width, struct buf *out,
		  struct error *err)
{
	const struct piece p = {-1, n, width, ENTRIES_BYTES_MAX};

	return read_piece(of, &p, out, err);
}

static struct monitor_tile *find(struct monitor_tiles *t, unsigned level, uint64_t n,
				 unsigned width)
{
	for (size_t i = 0; i < TILES_CACHED; i++)
		if (t->tile[i].used && t->tile[i].level == level && t->tile[i].n == n &&
		    t->tile[i].width >= width)
			return &t->tile[i];
	return NULL;
}

static struct monitor_tile *oldest(struct monitor_tiles *t)
{
	struct monitor_tile *best = &t->tile[0];

	for (size_t i = 0; i < TILES_CACHED; i++) {
		if (!t->tile[i].used)
			return &t->tile[i];
		if (t->tile[i].age < best->age)
			best = &t->tile[i];
	}
	return best;
}

static int read_tile(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *err)
{
	struct monitor_tiles *t = ctx;
	struct monitor_tile *tile = find(t, level, n, width);
	uint64_t has = (t->size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH;
	unsigned ask = has < TILE_WIDTH ? (unsigned)has : TILE_WIDTH;
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r;

	if (!tile) {
		const struct piece p = {(int)level, n, ask, sizeof(t->tile[0].hashes)};

		r = read_piece(t->of, &p, &bytes, err);
		if (r < 0)
			return r;
		if (bytes.len % sizeof(*out) || bytes.len < ask * sizeof(*out))
			return error_set(err, E_INVALID,
					 "tile %u/%llu: want %u hashes, got %zu "
					 "bytes",
					 level, (unsigned long long)n, ask, bytes.len);
		tile = oldest(t);
		tile->used = true;
		tile->level = level;
		tile->n = n;
		tile->width = (unsigned)(bytes.len / sizeof(*out));
		memcpy(tile->hashes, bytes.data, bytes.len);
	}
	tile->age = ++t->clock;
	memcpy(out, tile->hashes, width * sizeof(*out));
	return 0;
}

struct merkle_store tiles_reader(struct monitor_tiles *t)
{
	return (struct merkle_store){.ctx = t, .read = read_tile};
}

/* Tiles that were never had are no lie; tiles that are none are. */
static enum relation of_failure(int code)
{
	return code == E_INVALID || code == E_UNTRUSTED ? DAMAGED : UNKNOWN;
}

int tiles_relate(struct monitor_tiles *t, const struct claim *small, const struct claim *large,
		 enum relation *out, struct rift *rift, struct error *why)
{
	const struct merkle_store s = tiles_reader(t);
	struct rift found = {.proof.n = 0};
	int r;

	*out = GROWN;
	if (small->size == large->size) {
		if (memcmp(&small->root, &large->root, sizeof(small->root)) == 0)
			return 0;
		found.root = large->root;
	} else {
		r = merkle_root(&s, small->size, &found.root, why);
		if (r == 0)
			r = merkle_prove_consistency(&s, small->size, large->size, &found.proof,
						     why);
		if (r == 0) /* so that a bad tile is not taken for another history */
			r = merkle_check_consistency(small->size, &found.root, large->size,
						     &large->root, &found.proof, why);
		if (r == E_NOMEM)
			return r;
		if (r < 0) {
			*out = of_failure(r);
			return 0;
		}
		if (memcmp(&small->root, &found.root, sizeof(found.root)) == 0)
			return 0;
	}
	*out = FORKED;
	if (rift)
		*rift = found;
	return 0;
}
