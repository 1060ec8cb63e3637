/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/view.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"

enum {
	CHAIN_MAX = 64 * 1024 * 1024,
	INDEX_MAX = 16 * 1024 * 1024,
	PATH_SIZE = 256,
};

static int get(const struct view *v, const char *below, size_t max, struct buf *out,
	       struct error *err)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof(path), "p/%s/%s", v->product, below);

	if (n < 0 || (size_t)n >= sizeof(path))
		return error_set(err, E_INVALID, "%.80s: too long a path", below);
	return desk_get(v->desk, path, max, out, err);
}

/* One line of root-chain.jsonl: {"version": N, "root": "<base64>"}. */
static int add_root(struct view *v, const char *line, size_t len, struct error *err)
{
	struct {
		int64_t version;
		const char *root;
	} in = {0};
	const struct field fields[] = {
		{.key = "version",
		 .kind = FIELD_INT,
		 .offset = offsetof(__typeof__(in), version),
		 .min = 1,
		 .max = TUF_ROOTS_MAX},
		{.key = "root",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(__typeof__(in), root),
		 .min = 1,
		 .max = BASE64_LEN((int64_t)TUF_ROOT_MAX)},
	};
	CLEANUP(json_decrefp) json_t *object = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	char name[64];
	const struct tuf_root *last = v->roots ? v->roots[v->nroots - 1] : NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct tuf_root **more;
	int r = strict_parse(line, len, NULL, &object, err);

	if (r == 0)
		r = strict_read(object, "", fields, ARRAY_LEN(fields), STRICT_OPEN, &in, err);
	if (r == 0)
		r = base64_decode(in.root, strlen(in.root), &bytes, err);
	if (r < 0)
		return r;
	if (in.version != (int64_t)v->nroots + 1)
		return error_set(err, E_INVALID, "version: want %zu, got %lld", v->nroots + 1,
				 (long long)in.version);
	(void)snprintf(name, sizeof(name), "%lld.root.json", (long long)in.version);
	if (!last) {
		r = tuf_root_parse(bytes.data, bytes.len, name, &root, err);
		if (r == 0)
			r = tuf_root_self_signed(root, err);
	} else {
		r = tuf_root_step(last, bytes.data, bytes.len, name, &root, err);
	}
	if (r == 0 && (!root->product || strcmp(root->product, v->product) != 0))
		r = error_set(err, E_UNTRUSTED, "%s: signed.product: want %s", name, v->product);
	if (r < 0)
		return r;
	more = realloc(v->roots, (v->nroots + 1) * sizeof(struct tuf_root *));
	if (!more)
		return error_nomem(err);
	more[v->nroots++] = steal(root);
	v->roots = more;
	return 0;
}

static int read_chain(struct view *v, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	const char *at, *end;
	int r = get(v, "metadata/root-chain.jsonl", CHAIN_MAX, &text, err);

	if (r < 0)
		return r;
	for (at = text.data, end = at + text.len; at && at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = stop ? (size_t)(stop - at) : (size_t)(end - at);

		if (v->nroots == TUF_ROOTS_MAX)
			return error_set(err, E_INVALID, "root-chain.jsonl: more than %d roots",
					 TUF_ROOTS_MAX);
		r = add_root(v, at, len, err);
		if (r < 0)
			return error_prefix(err, r, "root-chain.jsonl: line %zu", v->nroots + 1);
		at += len + 1;
	}
	return v->nroots ? 0 : error_set(err, E_INVALID, "root-chain.jsonl: no root");
}

static int read_index(struct view *v, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = get(v, "index.json", INDEX_MAX, &text, err);

	if (r == E_NOTFOUND)
		return 0;
	return r < 0 ? r : strict_parse(text.data, text.len, "index.json", &v->index, err);
}

static int check_known(const struct view *v, const char *root_file, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *known = NULL;
	int r = desk_read_root(root_file, &known, err);

	if (r < 0)
		return r;
	if (!view_find_root(v, known->version, envelope_id(known->doc)))
		return error_set(err, E_UNTRUSTED,
				 "%s: the registry's chain does not have this root", root_file);
	return 0;
}

int view_open(const struct desk *desk, const struct common *c, struct view *out, struct error *err)
{
	CLEANUP(view_close) struct view v = {.desk = desk, .product = c->product};
	int r;

	if (!product_id_ok(c->product))
		return error_set(err, E_USAGE, "--product: want [a-z0-9][a-z0-9.-]{0,62}");
	r = read_chain(&v, err);
	if (r == 0)
		r = read_index(&v, err);
	if (r == 0 && c->root)
		r = check_known(&v, c->root, err);
	if (r < 0)
		return r;
	*out = v;
	v = (struct view){0};
	return 0;
}

void view_close(struct view *v)
{
	for (size_t i = 0; i < v->nroots; i++)
		tuf_root_free(v->roots[i]);
	free(v->roots);
	json_decref(v->index);
	*v = (struct view){0};
}

const struct tuf_root *view_root(const struct view *v)
{
	return v->roots[v->nroots - 1];
}

const struct tuf_root *view_find_root(const struct view *v, int64_t version, const char *id)
{
	if (version < 1 || (uint64_t)version > v->nroots || !id)
		return NULL;
	const struct tuf_root *root = v->roots[version - 1];

	return strcmp(envelope_id(root->doc), id) == 0 ? root : NULL;
}

bool view_entry(const struct view *v, enum statement_type type, size_t i, struct entry *out)
{
	const json_t *list = json_object_get(v->index, "documents");
	const json_t *one;
	size_t at;

	json_array_foreach(list, at, one)
	{
		struct entry e = {.type = json_string_value(json_object_get(one, "type")),
				  .id = json_string_value(json_object_get(one, "id")),
				  .version = json_integer_value(json_object_get(one, "version")),
				  .seq = json_integer_value(json_object_get(one, "seq"))};

		if (!e.type || strcmp(e.type, statement_name(type)) != 0 ||
		    !hex_is(e.id, SHA256_HEX))
			continue;
		if (i-- > 0)
			continue;
		*out = e;
		return true;
	}
	return false;
}

int64_t view_next_version(const struct view *v, enum statement_type type)
{
	struct entry e;
	int64_t highest = 0;

	for (size_t i = 0; view_entry(v, type, i, &e); i++)
		if (e.version > highest)
			highest = e.version;
	return highest + 1;
}

/* Whatever a root's threshold has to sign is checked under the root it names. */
static int check_root(const struct view *v, const struct statement *s, struct error *err)
{
	const struct tuf_root *root = view_find_root(v, s->root_version, s->root_id);
	char whose[64];

	if (statement_signer(s->type) != BY_ROOT)
		return 0;
	if (!root)
		return error_set(err, E_UNTRUSTED, "signed.root: not a root of this product");
	(void)snprintf(whose, sizeof(whose), "root %lld", (long long)root->version);
	return envelope_verify(s->doc, &root->role[TUF_ROOT], whose, err);
}

int view_statement(const struct view *v, const char *id, struct envelope **doc,
		   struct statement *out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	struct statement s = {0};
	char path[PATH_SIZE];
	int r;

	if (!hex_is(id, SHA256_HEX))
		return error_set(err, E_USAGE, "%.80s: want an id of %d hex digits", id,
				 SHA256_HEX);
	(void)snprintf(path, sizeof(path), "statements/%s.json", id);
	r = get(v, path, DOCUMENT_MAX, &text, err);
	if (r == 0)
		r = envelope_parse(text.data, text.len, path, &e, err);
	if (r == 0)
		r = statement_read(e, path, &s, err);
	if (r < 0)
		return r;
	if (strcmp(envelope_id(e), id) != 0)
		return error_set(err, E_UNTRUSTED, "%s: has the id %s", path, envelope_id(e));
	if (!s.product || strcmp(s.product, v->product) != 0)
		return error_set(err, E_UNTRUSTED, "%s: signed.product: want %s", path, v->product);
	r = check_root(v, &s, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	*doc = steal(e);
	*out = s;
	return 0;
}

/* The highest version is the one in force. */
static const char *newest_deposit(const struct view *v, struct entry *e)
{
	struct entry best = {0};
	struct entry one;

	for (size_t i = 0; view_entry(v, ST_DEPOSIT, i, &one); i++)
		if (one.version > best.version)
			best = one;
	*e = best;
	return best.id;
}

int view_deposit(const struct view *v, const char *id, struct envelope **doc, struct deposit *out,
		 struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	struct statement s;
	struct entry newest;
	int r;

	if (!id)
		id = newest_deposit(v, &newest);
	if (!id)
		return error_set(err, E_NOTFOUND, "%s: no deposit here", v->product);
	r = view_statement(v, id, &e, &s, err);
	if (r == 0)
		r = deposit_read(e, id, out, err);
	if (r < 0)
		return r;
	*doc = steal(e);
	return 0;
}

static int read_public(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	return get(ctx, path, max, out, err);
}

static int read_log(void *ctx, const char *origin, const char *path, size_t max, struct buf *out,
		    struct error *err)
{
	const struct view *v = ctx;
	char whole[PATH_SIZE];

	(void)origin; /* a registry has one log */
	(void)snprintf(whole, sizeof(whole), "log/%s", path);
	return desk_get(v->desk, whole, max, out, err);
}

int view_evidence(const struct view *v, const struct deposit *d, struct evidence *out,
		  struct error *err)
{
	struct view copy = *v; /* the callback's context is not const */
	const struct evidence_source source = {.ctx = &copy, .read = read_public, .log = read_log};
	struct evidence_query q = {.product = v->product,
				   .from = view_find_root(v, d->follows_version, d->follows_id),
				   .deposit = envelope_id(d->head.doc)};

	if (!q.from)
		return error_set(err, E_UNTRUSTED, "deposit: signed.follows_root: not a root of %s",
				 v->product);
	return evidence_gather(&source, &q, out, err);
}
