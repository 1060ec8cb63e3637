/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/open/case.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"

enum { STATEMENT_MAX = 512 * 1024, PATH_SIZE = 256 };

/* evidence_source.read: a file below p/<product>/. */
static int read_file(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct deposit_case *c = ctx;
	char whole[PATH_SIZE];

	if (!file_path_ok(path))
		return error_set(err, E_INVALID, "%s: no path", path);
	if (snprintf(whole, sizeof(whole), "p/%s/%s", c->product, path) >= PATH_SIZE)
		return error_set(err, E_NOTFOUND, "%s: no such file", path);
	return file_read(c->tree, whole, max, out, err);
}

/* A statement of the product, by id. */
static int read_statement(const struct deposit_case *c, const char *id, struct envelope **out,
			  struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	char path[PATH_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), "p/%s/statements/%s.json", c->product, id);
	r = file_read(c->tree, path, STATEMENT_MAX, &text, err);
	if (r == 0)
		r = envelope_parse(text.data, text.len, path, &doc, err);
	if (r < 0)
		return r;
	if (strcmp(envelope_id(doc), id) != 0)
		return error_set(err, E_UNTRUSTED, "%s: is another document", path);
	*out = steal(doc);
	return 0;
}

int case_open(int tree, const char *product, const char *deposit, struct deposit_case *out,
	      struct error *err)
{
	struct deposit_case c = {.tree = tree, .product = product};
	int r;

	if (!product_id_ok(product))
		return error_set(err, E_INVALID, "product: want a product id");
	r = read_statement(&c, deposit, &c.doc, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTFOUND, "%s has no deposit %s", product, deposit);
	if (r == 0)
		r = deposit_read(c.doc, "deposit.json", &c.deposit, err);
	if (r < 0)
		envelope_free(c.doc);
	else
		*out = c;
	return r;
}

void case_close(struct deposit_case *c)
{
	if (c->doc)
		deposit_clear(&c->deposit);
	envelope_free(c->doc);
	c->doc = NULL;
}

/* The root that the deposit follows: everything about it is judged from there. */
static int read_root(const struct deposit_case *c, struct tuf_root **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	char path[PATH_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), "p/%s/metadata/%" PRId64 ".root.json", c->product,
		       c->deposit.follows_version);
	r = file_read(c->tree, path, TUF_ROOT_MAX, &text, err);
	if (r < 0)
		return r;
	r = tuf_root_parse(text.data, text.len, path, &root, err);
	if (r < 0)
		return r;
	if (strcmp(envelope_id(root->doc), c->deposit.follows_id) != 0)
		return error_set(err, E_UNTRUSTED, "%s: not the root that the deposit follows",
				 path);
	*out = steal(root);
	return 0;
}

/* The policy's reasons, as far as an error's text holds them, on one line. */
static int refuse(const struct evidence *e, struct error *err)
{
	CLEANUP(buf_clear) struct buf why = {0};
	int code = e->released == ANSWER_NO ? E_DENIED : E_NOTYET;

	if (!e->why || policy_lacking(e->why, &why, err) < 0 || !why.len)
		return error_set(err, code, "the deposit is not released: %s",
				 answer_name(e->released));
	return error_set(err, code, "the deposit is not released: %s", why.data);
}

int case_released(const struct deposit_case *c, struct evidence *out, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct deposit_case mutable = *c;
	const struct evidence_source source = {.ctx = &mutable, .read = read_file, .own = true};
	struct evidence_query query = {.product = c->product, .deposit = envelope_id(c->doc)};
	int r = read_root(c, &root, err);

	if (r < 0)
		return r;
	query.from = root;
	r = evidence_gather(&source, &query, out, err);
	if (r == 0 && out->released != ANSWER_YES) {
		r = refuse(out, err);
		evidence_clear(out);
	}
	return r;
}

/* A statement of a trustee about this deposit: whose? NULL: about another, or by nobody here. */
static const struct seat *whose(const struct deposit_case *c, const struct envelope *doc,
				enum statement_type type)
{
	struct error unused;
	struct statement st;

	if (statement_read(doc, "statement", &st, &unused) < 0 || st.type != type ||
	    strcmp(st.product, c->product) != 0 || !st.deposit ||
	    strcmp(st.deposit, envelope_id(c->doc)) != 0)
		return NULL;
	return deposit_signer(&c->deposit, doc);
}

int case_approved(const struct deposit_case *c, const struct leaf_chain *chain,
		  const struct seat *seat, const char *approval, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	const struct leaf *at = leaf_chain_find(chain, approval);
	int r = at ? read_statement(c, approval, &doc, err) : 0;

	assert(seat);
	if (!at || r == E_NOTFOUND)
		return error_set(err, E_DENIED, "approval %s is not in the log", approval);
	if (r < 0)
		return r;
	if (whose(c, doc, ST_APPROVAL) != seat)
		return error_set(err, E_DENIED, "%s is no approval of this deposit by %s", approval,
				 seat->name);
	for (const struct leaf *l = at + 1; l < chain->leaves + chain->n; l++) {
		CLEANUP(envelope_freep) struct envelope *later = NULL;

		if (strcmp(l->kind, statement_name(ST_REFUSAL)) != 0)
			continue;
		r = read_statement(c, l->id, &later, err);
		if (r < 0)
			return r;
		if (whose(c, later, ST_REFUSAL) == seat)
			return error_set(err, E_DENIED, "%s took the approval back", seat->name);
	}
	return 0;
}

int case_declared(const struct leaf_chain *chain, const char *eol, struct error *err)
{
	const struct leaf *at = leaf_chain_find(chain, eol);

	if (!at || strcmp(at->kind, statement_name(ST_EOL)) != 0)
		return error_set(err, E_DENIED, "%s is no end of life in the log", eol);
	return 0;
}

int case_is_open(const struct deposit_case *c, const struct leaf_chain *chain, bool *out,
		 struct error *err)
{
	bool found = false;

	for (size_t i = 0; i < chain->n && !found; i++) {
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		struct statement st;
		int r;

		if (strcmp(chain->leaves[i].kind, statement_name(ST_RELEASE)) != 0)
			continue;
		r = read_statement(c, chain->leaves[i].id, &doc, err);
		if (r == 0)
			r = statement_read(doc, "release", &st, err);
		if (r < 0)
			return r;
		found = strcmp(st.deposit, envelope_id(c->doc)) == 0;
	}
	*out = found;
	return 0;
}
