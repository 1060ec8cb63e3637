/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tiles.h"

#include "lib/base/error.h"

struct tiles *tiles_new(void)
{
	return calloc(1, sizeof(struct tiles));
}

static bool fails(const struct tiles *t)
{
	return t->fail_after && t->reads + t->writes >= t->fail_after;
}

/* The place of a tile; t->n if there is none. */
static size_t find(const struct tiles *t, unsigned level, uint64_t n)
{
	size_t i = t->n;

	while (i--) /* the youngest first */
		if (t->tile[i].level == level && t->tile[i].n == n)
			return i;
	return t->n;
}

static int read_tile(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *err)
{
	struct tiles *t = ctx;
	size_t i = find(t, level, n);

	if (fails(t))
		return error_set(err, E_SYS, "tile cannot be read");
	t->reads++;
	if (i == t->n || width < 1 || width > t->tile[i].width)
		return error_set(err, E_NOTFOUND, "no tile %u/%u of width %u", level, (unsigned)n,
				 width);
	memcpy(out, t->tile[i].hashes, width * sizeof(*out));
	return 0;
}

static int write_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
		      const struct hash *hashes, struct error *err)
{
	struct tiles *t = ctx;
	size_t i = find(t, level, n);

	if (fails(t) || i == TILES_MAX)
		return error_set(err, E_SYS, "tile cannot be written");
	t->writes++;
	if (i < t->n &&
	    (width <= t->tile[i].width ||
	     memcmp(hashes, t->tile[i].hashes, t->tile[i].width * sizeof(*hashes)) != 0))
		return error_set(err, E_EXISTS, "tile %u/%u is rewritten", level, (unsigned)n);
	t->tile[i].level = level;
	t->tile[i].n = n;
	t->tile[i].width = width;
	memcpy(t->tile[i].hashes, hashes, width * sizeof(*hashes));
	t->n += i == t->n;
	return 0;
}

struct merkle_store tiles_store(struct tiles *t)
{
	return (struct merkle_store){.ctx = t, .read = read_tile, .write = write_tile};
}
