/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/monitor/watched.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "lib/tuf/lineage.h"
#include "registry/monitor/tiles.h"

enum { VERSION_DIGITS = 16 };

struct stored {
	int64_t seq, index, top_root, root, tenure, promise, kept, refresh_by, timestamp, looked;
	const char *leaf, *root_id, *anchor, *deposit, *follows;
};

#define NUMBER(m) \
	{ \
#m, FIELD_INT, offsetof(struct stored, m), .max = INT64_MAX \
	}
/* An id, or "-". */
#define ID(m) \
	{ \
#m, FIELD_TEXT, offsetof(struct stored, m), .max = SHA256_HEX \
	}
static const struct field fields[] = {
	NUMBER(seq),     NUMBER(index), NUMBER(top_root),   NUMBER(root),      NUMBER(tenure),
	NUMBER(promise), NUMBER(kept),  NUMBER(refresh_by), NUMBER(timestamp), NUMBER(looked),
	ID(leaf),        ID(root_id),   ID(anchor),         ID(deposit),       ID(follows),
};

static int name_product(const char *product, char name[MEMORY_NAME_SIZE], struct error *err)
{
	if (snprintf(name, MEMORY_NAME_SIZE, "p/%s", product) > 2 + 64)
		return error_set(err, E_INVALID, "%.80s: no product id", product);
	return 0;
}

static void take_id(const char *text, char out[SHA256_HEX_SIZE])
{
	if (strcmp(text, "-") != 0)
		(void)snprintf(out, SHA256_HEX_SIZE, "%s", text);
}

int watched_load(struct monitor *m, const char *product, struct watched *out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *o = NULL;
	char name[MEMORY_NAME_SIZE];
	struct stored s = {
		.leaf = "-", .root_id = "-", .anchor = "-", .deposit = "-", .follows = "-"};
	int r = name_product(product, name, err);

	if (r == 0)
		r = memory_get_json(m->memory, name, &o, err);
	if (r == 0)
		r = strict_read(o, name, fields, ARRAY_LEN(fields), STRICT_CLOSED, &s, err);
	if (r < 0)
		return r;
	*out = (struct watched){.seq = s.seq,
				.index = (uint64_t)s.index,
				.top_root = s.top_root,
				.root = s.root,
				.tenure = s.tenure,
				.promise = s.promise,
				.kept = s.kept,
				.refresh_by = s.refresh_by,
				.timestamp = s.timestamp,
				.looked = s.looked};
	(void)snprintf(out->id, sizeof(out->id), "%s", product);
	if (r == 1)
		return 0;
	if (!hex_decode(s.leaf, out->leaf.b, sizeof(out->leaf.b)))
		return error_set(err, E_INVALID, "monitor.db: %s: leaf: want 64 hex digits", name);
	take_id(s.root_id, out->root_id);
	take_id(s.anchor, out->anchor);
	take_id(s.deposit, out->deposit);
	take_id(s.follows, out->follows);
	return 0;
}

static const char *or_none(const char *id)
{
	return id[0] ? id : "-";
}

int watched_save(struct monitor *m, const struct watched *w, struct error *err)
{
	char name[MEMORY_NAME_SIZE], leaf[SHA256_HEX_SIZE];
	int r = name_product(w->id, name, err);

	if (r < 0)
		return r;
	hex_encode(w->leaf.b, sizeof(w->leaf.b), leaf);
	return memory_put_json(
		m->memory, name,
		json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s}",
			"seq", (json_int_t)w->seq, "index", (json_int_t)w->index, "top_root",
			(json_int_t)w->top_root, "root", (json_int_t)w->root, "tenure",
			(json_int_t)w->tenure, "promise", (json_int_t)w->promise, "kept",
			(json_int_t)w->kept, "refresh_by", (json_int_t)w->refresh_by, "timestamp",
			(json_int_t)w->timestamp, "looked", (json_int_t)w->looked, "leaf", leaf,
			"root_id", or_none(w->root_id), "anchor", or_none(w->anchor), "deposit",
			or_none(w->deposit), "follows", or_none(w->follows)),
		err);
}

void name_leaf(const char *product, int64_t seq, char name[MEMORY_NAME_SIZE])
{
	(void)snprintf(name, MEMORY_NAME_SIZE, "s/%s/%016" PRIx64, product, (uint64_t)seq);
}

void name_queued(const char *product, uint64_t index, char name[MEMORY_NAME_SIZE])
{
	(void)snprintf(name, MEMORY_NAME_SIZE, "q/%s/%016" PRIx64, product, index);
}

void name_kept(const char *product, const char *id, char name[MEMORY_NAME_SIZE])
{
	(void)snprintf(name, MEMORY_NAME_SIZE, "d/%s/%s", product, id);
}

static int kept_bytes(struct monitor *m, const char *product, const char *id, struct buf *out,
		      struct error *err)
{
	char name[MEMORY_NAME_SIZE];

	name_kept(product, id, name);
	return memory_get(m->memory, name, out, err);
}

int watched_kept(struct monitor *m, const char *product, const char *id, struct envelope **out,
		 struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = kept_bytes(m, product, id, &bytes, err);

	return r != 0 ? r : envelope_parse(bytes.data, bytes.len, id, out, err);
}

int watched_root(struct monitor *m, const char *product, const char *id, struct tuf_root **out,
		 struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = kept_bytes(m, product, id, &bytes, err);

	if (r == 1)
		return error_set(err, E_UNTRUSTED, "root %.16s: is not known", id);
	return r < 0 ? r : tuf_root_parse(bytes.data, bytes.len, "root.json", out, err);
}

/* --- targets roles -------------------------------------------------------------------- */

static void name_roles(const char *product, const char *role, char name[MEMORY_NAME_SIZE])
{
	(void)snprintf(name, MEMORY_NAME_SIZE, "d/%s/role/%.128s", product, role);
}

int watched_role_put(struct monitor *m, const char *product, const char *role,
		     const struct buf *bytes, struct error *err)
{
	char name[MEMORY_NAME_SIZE];

	name_roles(product, role, name);
	return memory_put(m->memory, name, bytes->data, bytes->len, err);
}

int watched_roles(struct monitor *m, const char *product, watched_role_fn each, void *ctx,
		  struct error *err)
{
	char prefix[MEMORY_NAME_SIZE], name[MEMORY_NAME_SIZE];
	int r = 0;

	name_roles(product, "", prefix);
	(void)snprintf(name, sizeof(name), "%s", prefix);
	while (r == 0) {
		r = memory_next(m->memory, prefix, name, err);
		if (r == 0)
			r = each(ctx, name + strlen(prefix), err);
	}
	return r < 0 ? r : 0;
}

struct roles {
	struct monitor *m;
	const char *product;
};

static int drop_role(void *ctx, const char *role, struct error *err)
{
	const struct roles *of = ctx;
	char name[MEMORY_NAME_SIZE];

	name_roles(of->product, role, name);
	return memory_drop(of->m->memory, name, err);
}

int watched_roles_drop(struct monitor *m, const char *product, struct error *err)
{
	struct roles of = {m, product};

	return watched_roles(m, product, drop_role, &of, err);
}

static int load_role(void *ctx, const char *role, const struct descent *at, json_t **out,
		     struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	const struct roles *of = ctx;
	char name[MEMORY_NAME_SIZE];
	int r;

	(void)at;
	name_roles(of->product, role, name);
	r = memory_get(of->m->memory, name, &bytes, err);
	if (r == 1)
		return error_set(err, E_NOTFOUND, "%s: no version was logged", role);
	if (r == 0)
		r = envelope_parse(bytes.data, bytes.len, name, &doc, err);
	if (r == 0)
		*out = json_incref(envelope_signed(doc));
	return r;
}

int watched_role_keys(struct monitor *m, const char *product, const char *role,
		      struct role_keys *out, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	struct roles of = {m, product};
	const struct descent *at = NULL;
	int r = lineage_new(load_role, &of, &lineage, err);

	if (r == 0)
		r = lineage_find(lineage, role, &at, err);
	return r != 0 ? r : delegation_keys(at->d, out, err);
}

/* --- versions ------------------------------------------------------------------------- */

static int name_version(const char *of, int64_t version, char name[MEMORY_NAME_SIZE],
			struct error *err)
{
	if (snprintf(name, MEMORY_NAME_SIZE, "r/%s/%016" PRIx64, of, (uint64_t)version) >
	    MEMORY_NAME_MAX)
		return error_set(err, E_INVALID, "%.80s: too long a name", of);
	return 0;
}

int version_get(struct monitor *m, const char *of, int64_t version, struct versioned *out,
		struct error *err)
{
	CLEANUP(buf_clear) struct buf value = {0};
	char name[MEMORY_NAME_SIZE], *end = NULL;
	int r = name_version(of, version, name, err);

	if (r == 0)
		r = memory_get(m->memory, name, &value, err);
	if (r != 0)
		return r;
	if (value.len <= SHA256_HEX)
		return error_set(err, E_INVALID, "monitor.db: %s: want an id and an index", name);
	memcpy(out->id, value.data, SHA256_HEX);
	out->id[SHA256_HEX] = '\0';
	out->sha256[0] = '\0';
	out->index = strtoull(value.data + SHA256_HEX, &end, 10);
	if (*end == ' ' && strlen(end + 1) == SHA256_HEX)
		memcpy(out->sha256, end + 1, sizeof(out->sha256));
	return 0;
}

int version_put(struct monitor *m, const char *of, int64_t version, const struct versioned *v,
		struct error *err)
{
	char name[MEMORY_NAME_SIZE], value[2 * SHA256_HEX_SIZE + 24];
	int r = name_version(of, version, name, err);
	int len = snprintf(value, sizeof(value), "%s %" PRIu64 " %s", v->id, v->index, v->sha256);

	return r < 0 ? r : memory_put(m->memory, name, value, (size_t)len, err);
}

int version_last(struct monitor *m, const char *of, int64_t *out, struct error *err)
{
	char prefix[MEMORY_NAME_SIZE], name[MEMORY_NAME_SIZE];
	int r = name_version(of, 0, prefix, err);

	*out = 0;
	if (r < 0)
		return r;
	prefix[strlen(prefix) - VERSION_DIGITS] = '\0';
	r = memory_last(m->memory, prefix, name, err);
	if (r == 0)
		*out = (int64_t)strtoull(name + strlen(prefix), NULL, 16);
	return r < 0 ? r : 0;
}

int watched_proof(struct monitor *m, uint64_t index, const struct hash *leaf, struct buf *out,
		  struct error *err)
{
	const struct merkle_store s = tiles_reader(m->tiles);
	const struct checkpoint *c = &m->lead->head;
	struct merkle_proof siblings;
	int r = merkle_prove_inclusion(&s, index, c->size, &siblings, err);

	if (r == 0)
		r = merkle_check_inclusion(leaf, index, c->size, &siblings, &c->root, err);
	return r < 0 ? r
		     : tlog_proof_format(index, &siblings, m->lead->note.data, m->lead->note.len,
					 out, err);
}
