/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/leaf.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "policies/statement.h"

enum { FIRST_LEAVES = 16, LINE_MAX = LEAF_MAX + 64 };

static const char *const tuf_roles[] = {"root", "targets", "snapshot", "timestamp", NULL};

/* A leaf as it is read; borrowed. */
struct reading {
	const char *kind, *product, *role, *id, *sha256, *prev;
	int64_t version, seq;
};

#define TEXT(k, size) \
	{ \
		.key = #k, .kind = FIELD_TEXT, .offset = offsetof(struct reading, k), .min = 1, \
		.max = (size)-1 \
	}
#define HEX(k) \
	{ \
		.key = #k, .kind = FIELD_HEX, .offset = offsetof(struct reading, k), \
		.max = SHA256_HEX \
	}
#define COUNT(k) \
	{ \
		.key = #k, .kind = FIELD_INT, .offset = offsetof(struct reading, k), .min = 1, \
		.max = (INT64_C(1) << 53) - 1 \
	}

static bool is_tuf_role(const char *kind)
{
	for (const char *const *r = tuf_roles; *r; r++)
		if (strcmp(kind, *r) == 0)
			return true;
	return false;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* What a leaf must be beyond the form of each field. */
static int check(const struct leaf *l, struct error *err)
{
	static const struct hash none;

	if (!product_id_ok(l->product))
		return error_set(err, E_INVALID, "product: not a product id");
	if (!hex_is(l->id, SHA256_HEX) || !hex_is(l->sha256, SHA256_HEX))
		return error_set(err, E_INVALID, "id, sha256: want 64 hex digits");
	if (l->version < 1 || l->seq < 1)
		return error_set(err, E_INVALID, "version, seq: want 1 or more");
	if (!*l->kind || !is_printable(l->kind) || !is_printable(l->role))
		return error_set(err, E_INVALID,
				 "kind, role: want a text without control characters");
	if (is_tuf_role(l->kind) != (*l->role != '\0'))
		return error_set(err, E_INVALID, "role: want one for a TUF role, and only there");
	if ((l->seq == 1) != (memcmp(l->prev.b, none.b, sizeof(none.b)) == 0))
		return error_set(err, E_INVALID, "prev: want 64 zeros for seq 1, and only there");
	return 0;
}

static int read_object(json_t *object, const char *where, struct leaf *out, struct error *err)
{
	static const struct field fields[] = {
		TEXT(kind, sizeof(out->kind)),
		TEXT(product, sizeof(out->product)),
		{.key = "role",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct reading, role),
		 .optional = true,
		 .min = 1,
		 .max = sizeof(out->role) - 1},
		HEX(id),
		HEX(sha256),
		COUNT(version),
		COUNT(seq),
		HEX(prev),
	};
	struct reading in = {.role = ""};
	struct leaf l = {.index = 0};
	int r = strict_read(object, where, fields, ARRAY_LEN(fields), STRICT_CLOSED, &in, err);

	if (r < 0)
		return r;
	if (json_is_null(json_object_get(object, "role")))
		return error_set(err, E_INVALID, "role: want a text");
	/* Lengths were checked by the table. */
	memcpy(l.kind, in.kind, strlen(in.kind));
	memcpy(l.product, in.product, strlen(in.product));
	memcpy(l.role, in.role, strlen(in.role));
	memcpy(l.id, in.id, SHA256_HEX);
	memcpy(l.sha256, in.sha256, SHA256_HEX);
	l.version = in.version;
	l.seq = in.seq;
	(void)hex_decode(in.prev, l.prev.b, sizeof(l.prev.b)); /* it is hex: the table saw to it */
	r = check(&l, err);
	if (r == 0)
		*out = l;
	return r;
}

/* Append the canonical form, of which the hash is. */
static int write_object(const json_t *object, struct leaf *l, struct buf *out, struct error *err)
{
	size_t start = out->len;
	int r = canon_write(object, out, err);

	if (r == 0)
		merkle_leaf(out->data + start, out->len - start, &l->hash);
	return r;
}

int leaf_write(struct leaf *l, struct buf *out, struct error *err)
{
	char prev[SHA256_HEX_SIZE];
	json_auto_t *object = NULL;
	int r = check(l, err);

	if (r < 0)
		return error_prefix(err, r, "leaf");
	hex_encode(l->prev.b, sizeof(l->prev.b), prev);
	/* In canonical order, so that nothing is sorted. */
	object = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:I, s:s, s:I}", "id", l->id, "kind",
			   l->kind, "prev", prev, "product", l->product, "role",
			   *l->role ? l->role : NULL, "seq", (json_int_t)l->seq, "sha256",
			   l->sha256, "version", (json_int_t)l->version);
	return object ? write_object(object, l, out, err) : error_nomem(err);
}

int leaf_parse(const void *data, size_t len, struct leaf *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf again = {0};
	json_auto_t *object = NULL;
	struct leaf l;
	int r;

	if (len > LEAF_MAX)
		return error_set(err, E_INVALID, "leaf: longer than %d bytes", LEAF_MAX);
	r = strict_parse(data, len, NULL, &object, err);
	if (r == 0)
		r = read_object(object, "", &l, err);
	if (r < 0)
		return error_prefix(err, r, "leaf");
	r = write_object(object, &l, &again, err);
	if (r < 0)
		return r;
	if (again.len != len || memcmp(again.data, data, len) != 0)
		return error_set(err, E_INVALID, "leaf: not canonical JSON");
	*out = l;
	return 0;
}

/* --- chains ---------------------------------------------------------------- */

struct leaf_reader {
	char product[sizeof(((struct leaf *)0)->product)];
	struct leaf_sink sink;
	struct buf line; /* begun, and not ended yet */
	struct leaf last;
	size_t n; /* leaves so far */
};

/* Does `l` continue the chain? */
static int follows(const struct leaf_reader *c, const struct leaf *l, struct error *err)
{
	const struct leaf *last = c->n ? &c->last : NULL;
	int64_t want = last ? last->seq + 1 : 1;

	if (strcmp(l->product, c->product) != 0)
		return error_set(err, E_UNTRUSTED, "a leaf of product %s", l->product);
	if (last && l->seq == last->seq)
		return error_set(err, E_UNTRUSTED, "two leaves with seq %" PRId64, l->seq);
	if (l->seq != want)
		return error_set(err, E_UNTRUSTED, "seq: want %" PRId64 ", got %" PRId64, want,
				 l->seq);
	if (last && memcmp(l->prev.b, last->hash.b, sizeof(l->prev.b)) != 0)
		return error_set(err, E_UNTRUSTED, "prev: not the hash of the leaf before");
	if (last && l->index <= last->index)
		return error_set(err, E_UNTRUSTED, "index: not above that of the leaf before");
	return 0;
}

/* A line of leaves.jsonl. */
struct line {
	int64_t index;
	json_t *leaf; /* borrowed */
};

static int read_line(const char *line, size_t len, struct leaf *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "index", .kind = FIELD_INT, .offset = offsetof(struct line, index)},
		{.key = "leaf", .kind = FIELD_OBJECT, .offset = offsetof(struct line, leaf)},
	};
	struct line in = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	json_auto_t *object = NULL;
	int r;

	if (len > LINE_MAX)
		return error_set(err, E_INVALID, "longer than %d bytes", LINE_MAX);
	r = strict_parse(line, len, NULL, &object, err);
	if (r == 0)
		r = strict_read(object, "", fields, ARRAY_LEN(fields), STRICT_CLOSED, &in, err);
	if (r == 0)
		r = read_object(in.leaf, "leaf", out, err);
	if (r < 0)
		return r;
	out->index = (uint64_t)in.index;
	return write_object(in.leaf, out, &bytes, err);
}

int leaf_reader_new(const char *product, const struct leaf_sink *sink, struct leaf_reader **out,
		    struct error *err)
{
	struct leaf_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return error_nomem(err);
	(void)snprintf(r->product, sizeof(r->product), "%s", product);
	r->sink = *sink;
	*out = r;
	return 0;
}

void leaf_reader_free(struct leaf_reader *r)
{
	if (r)
		buf_clear(&r->line);
	free(r);
}

static int take_line(struct leaf_reader *r, const char *line, size_t len, struct error *err)
{
	struct leaf l = {.index = 0};
	int e;

	if (r->n == LEAVES_MAX)
		return error_set(err, E_INVALID, "leaves.jsonl: more than %d leaves", LEAVES_MAX);
	e = read_line(line, len, &l, err);
	if (e == 0)
		e = follows(r, &l, err);
	if (e < 0)
		return error_prefix(err, e, "leaves.jsonl: line %zu", r->n + 1);
	r->last = l;
	r->n++;
	return r->sink.take(r->sink.ctx, &r->last, err);
}

int leaf_reader_feed(struct leaf_reader *r, const void *data, size_t len, struct error *err)
{
	const char *at = len ? data : "", *end = at + len; /* of nothing, data may be NULL */
	int e = 0;

	while (e == 0 && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t piece = (size_t)((stop ? stop : end) - at);

		if (stop && !r->line.len) {
			e = take_line(r, at, piece, err);
		} else if (r->line.len + piece > LINE_MAX) {
			e = error_set(err, E_INVALID,
				      "leaves.jsonl: line %zu: longer than %d bytes", r->n + 1,
				      LINE_MAX);
		} else {
			e = buf_add(&r->line, at, piece, err);
			if (e == 0 && stop) {
				e = take_line(r, r->line.data, r->line.len, err);
				buf_cut(&r->line, 0);
			}
		}
		at += piece + (stop != NULL);
	}
	return e;
}

int leaf_reader_end(const struct leaf_reader *r, struct error *err)
{
	if (r->line.len)
		return error_set(err, E_INVALID, "leaves.jsonl: line %zu: cut short", r->n + 1);
	return 0;
}

/* A whole chain that grows. */
struct growing {
	struct leaf_chain chain;
	size_t room;
};

static void growing_clear(struct growing *g)
{
	leaf_chain_clear(&g->chain);
}

static int add(void *ctx, const struct leaf *l, struct error *err)
{
	struct growing *g = ctx;
	struct leaf_chain *c = &g->chain;

	if (c->n == g->room) {
		size_t more = g->room ? g->room * 2 : FIRST_LEAVES;
		struct leaf *leaves = realloc(c->leaves, more * sizeof(*leaves));

		if (!leaves)
			return error_nomem(err);
		c->leaves = leaves;
		g->room = more;
	}
	c->leaves[c->n++] = *l;
	return 0;
}

int leaf_chain_parse(const void *data, size_t len, const char *product, struct leaf_chain *out,
		     struct error *err)
{
	CLEANUP(growing_clear) struct growing g = {.room = 0};
	CLEANUP(leaf_reader_freep) struct leaf_reader *reader = NULL;
	const struct leaf_sink sink = {add, &g};
	int r = leaf_reader_new(product, &sink, &reader, err);

	if (r == 0)
		r = leaf_reader_feed(reader, data, len, err);
	if (r == 0)
		r = leaf_reader_end(reader, err);
	if (r < 0)
		return r;
	*out = g.chain;
	g.chain = (struct leaf_chain){0};
	return 0;
}

void leaf_chain_clear(struct leaf_chain *c)
{
	free(c->leaves);
	*c = (struct leaf_chain){0};
}

const struct leaf *leaf_chain_find(const struct leaf_chain *c, const char *id)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->leaves[i].id, id) == 0)
			return &c->leaves[i];
	return NULL;
}

const struct leaf *leaf_chain_first_root(const struct leaf_chain *c, int64_t version)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->leaves[i].version == version && strcmp(c->leaves[i].kind, "root") == 0)
			return &c->leaves[i];
	return NULL;
}

int leaf_line(const struct leaf *l, struct buf *out, struct error *err)
{
	struct leaf copy = *l;
	size_t start = out->len;
	int r = buf_printf(out, err, "{\"index\":%" PRIu64 ",\"leaf\":", l->index);

	if (r == 0)
		r = leaf_write(&copy, out, err);
	if (r == 0)
		r = buf_puts(out, "}\n", err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}
