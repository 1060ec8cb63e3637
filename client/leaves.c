/* SPDX-License-Identifier: Apache-2.0 */
#include "client/leaves.h"

#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

enum {
	FIRST_ROOM = 64,
	TAIL = 16, /* the newest stay, updates or not: their proofs may not be out yet */
};
/* Streamed, never kept: LEAVES_MAX lines of the usual length, twice. */
#define FILE_BYTES_MAX ((uint64_t)96 << 20)

struct reading {
	const struct state *st;
	struct leaf_reader *reader;
	struct leaf_chain kept;
	size_t room;
	int64_t newest; /* seq */
};

static void reading_end(struct reading *r)
{
	leaf_reader_free(r->reader);
	leaf_chain_clear(&r->kept);
}

static bool is_update(const struct leaf *l)
{
	return strcmp(l->kind, "targets") == 0;
}

/* Leave out the updates between two others. */
static void thin(struct leaf_chain *c)
{
	size_t to = 0, tail = c->n > TAIL ? c->n - TAIL : 0;

	for (size_t i = 0; i < c->n; i++) {
		if (i < tail && is_update(&c->leaves[i]) && is_update(&c->leaves[i + 1]) &&
		    to > 0 && is_update(&c->leaves[to - 1]))
			continue;
		if (to != i)
			c->leaves[to] = c->leaves[i];
		to++;
	}
	c->n = to;
}

static int make_room(struct reading *r, struct error *err)
{
	size_t more = r->room ? r->room * 2 : FIRST_ROOM;
	struct leaf *leaves;

	if (r->kept.n < r->room)
		return 0;
	thin(&r->kept);
	if (r->kept.n && r->kept.n <= r->room / 2)
		return 0;
	if (r->room == LEAVES_KEPT_MAX)
		return r->kept.n < r->room
			       ? 0
			       : error_set(err, E_INVALID,
					   "leaves.jsonl: more than %d leaves that are no updates",
					   LEAVES_KEPT_MAX);
	leaves = realloc(r->kept.leaves, more * sizeof(*leaves));
	if (!leaves)
		return error_nomem(err);
	r->kept.leaves = leaves;
	r->room = more;
	return 0;
}

/* Is it the leaf that was seen in this place before? */
static int compare(const struct state *st, const struct leaf *l, struct error *err)
{
	char hash[SHA256_HEX_SIZE];

	if (l->seq != st->seq)
		return 0;
	hex_encode(l->hash.b, SHA256_LEN, hash);
	if (strcmp(hash, st->leaf) != 0)
		return error_set(err, E_UNTRUSTED,
				 "leaves.jsonl: leaf %" PRId64
				 " is another one than was seen before",
				 st->seq);
	return 0;
}

static int keep(void *ctx, const struct leaf *l, struct error *err)
{
	struct reading *r = ctx;
	int e = compare(r->st, l, err);

	if (e == 0)
		e = make_room(r, err);
	if (e < 0)
		return e;
	r->kept.leaves[r->kept.n++] = *l;
	r->newest = l->seq;
	return 0;
}

static int take(void *ctx, const void *data, size_t len, struct error *err)
{
	const struct reading *r = ctx;

	return leaf_reader_feed(r->reader, data, len, err);
}

int leaves_read(const struct source *from, const char *product, const struct state *st,
		struct leaf_chain *out, struct error *err)
{
	CLEANUP(reading_end) struct reading r = {.st = st};
	const struct leaf_sink each = {keep, &r};
	const struct http_sink bytes = {take, &r};
	int e = leaf_reader_new(product, &each, &r.reader, err);

	if (e == 0)
		e = source_stream(from, "leaves.jsonl", 0, FILE_BYTES_MAX, &bytes, err);
	if (e == 0)
		e = leaf_reader_end(r.reader, err);
	if (e < 0)
		return e;
	if (r.newest < st->seq)
		return error_set(err, E_UNTRUSTED,
				 "leaves.jsonl: %" PRId64 " leaves, but %" PRId64
				 " were seen before",
				 r.newest, st->seq);
	*out = r.kept;
	r.kept = (struct leaf_chain){0};
	return 0;
}

void leaves_remember(const struct leaf *last, struct state *st)
{
	if (last->seq <= st->seq)
		return;
	st->seq = last->seq;
	hex_encode(last->hash.b, SHA256_LEN, st->leaf);
}
