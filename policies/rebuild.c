/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/rebuild.h"

#include <string.h>

#include "lib/base/error.h"
#include "policies/ledger.h"

#define NO_REBUILDERS "rebuilders: the current root lists none"

struct search {
	struct ledger h;
	const struct rebuild_query *q;
	struct role_keys keys; /* of the rebuilders, with their threshold */
	struct facts *f;
};

static void search_clear(struct search *s)
{
	ledger_close(&s->h);
	role_keys_clear(&s->keys);
}

static const char *text_of(const struct envelope *doc, const char *key)
{
	return json_string_value(json_object_get(envelope_signed(doc), key));
}

static bool says(const struct envelope *doc, const char *key, const char *value)
{
	const char *text = text_of(doc, key);

	return text && strcmp(text, value) == 0;
}

/* Who of them signed a statement of exactly this? Junk that the log took in is nothing. */
static uint64_t signers(const struct search *s, const struct leaf *leaf, const struct envelope *doc)
{
	struct error ignored;
	struct statement st;
	uint64_t who = 0;

	if (statement_read(doc, leaf->kind, &st, &ignored) < 0 ||
	    strcmp(st.product, s->q->product) != 0 || !says(doc, "sha256", s->q->sha256) ||
	    !says(doc, "commit", s->q->commit))
		return 0;
	(void)envelope_count(doc, &s->keys, &who);
	return who;
}

static int take(struct search *s, const struct leaf *leaf, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	enum proof_state state = PROOF_MISSING;
	struct shown shown;
	uint64_t who;
	int r = ledger_read(&s->h, leaf, &doc, err);

	if (r < 0 || !doc)
		return r;
	who = signers(s, leaf, doc);
	if (who)
		r = ledger_prove(&s->h, leaf, &state, &shown, err);
	/* Its proof may be under logs that only an earlier root named. */
	if (r == E_UNTRUSTED || (r == 0 && state != PROOF_GOOD))
		return 0;
	for (size_t i = 0; i < s->keys.n && r == 0; i++)
		if (who >> i & 1)
			r = facts_add(s->f, "rebuilds", key_id(s->keys.keys[i]), leaf->id, err);
	return r < 0 ? r : facts_locate(s->f, leaf->id, leaf->index, err);
}

static int64_t found(const struct search *s)
{
	return (int64_t)json_array_size(facts_get(s->f, fact_find("rebuilds")).set);
}

static int search(struct search *s, struct error *err)
{
	int r = facts_set_empty(s->f, "rebuilds", NULL, err);

	for (size_t i = s->h.end; i > 0 && r == 0 && found(s) < (int64_t)s->keys.n; i--)
		if (strcmp(s->h.chain->leaves[i - 1].kind, statement_name(ST_REBUILD)) == 0)
			r = take(s, &s->h.chain->leaves[i - 1], err);
	if (r == 0 && (s->h.missing >> ST_REBUILD & 1) && found(s) < s->keys.threshold)
		return facts_set_unknown(s->f, "rebuilds", "a logged rebuild that was not served",
					 err);
	return r;
}

static int read_chain(const struct evidence_source *src, const char *product,
		      struct leaf_chain *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r;

	if (src->leaves)
		return src->leaves(src->ctx, out, err);
	r = src->read(src->ctx, "leaves.jsonl", LEDGER_LEAVES_MAX, &bytes, err);
	return r < 0 ? r : leaf_chain_parse(bytes.data, bytes.len, product, out, err);
}

/* The rebuilders of the root; none: *listed is false. */
static int read_rebuilders(struct search *s, bool *listed, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r = who ? publisher_read(s->q->root, "trusted root", who, err) : error_nomem(err);

	*listed = r == 0 && who->rebuilders;
	if (!*listed)
		return r;
	json_int_t threshold = json_integer_value(json_object_get(who->rebuilders, "threshold"));
	r = role_keys_parse(json_object_get(who->rebuilders, "keys"), NULL, threshold, "rebuilders",
			    &s->keys, err);
	return r < 0 ? r
		     : facts_set_int(s->f, "rebuilds.threshold", threshold,
				     envelope_id(s->q->root->doc), err);
}

int rebuild_facts(const struct evidence_source *src, const struct rebuild_query *q, struct facts *f,
		  struct error *err)
{
	const struct evidence_query query = {.product = q->product, .from = q->root};
	CLEANUP(leaf_chain_clear) struct leaf_chain chain = {0};
	CLEANUP(search_clear)
	struct search s = {.h = {.source = src, .query = &query, .chain = &chain}, .q = q, .f = f};
	const char *lacking = NULL;
	bool listed;
	int r = read_rebuilders(&s, &listed, err);

	if (r == 0 && !listed)
		r = facts_set_unknown(f, "rebuilds.threshold", NO_REBUILDERS, err);
	if (r < 0 || !listed)
		return r < 0 ? r : facts_set_unknown(f, "rebuilds", NO_REBUILDERS, err);
	if (!q->commit || !*q->commit)
		return facts_set_unknown(
			f, "rebuilds", "the commit in the image's metadata that it was built from",
			err);
	r = read_chain(src, q->product, &chain, err);
	if (r == E_NOTFOUND)
		lacking = "the product's leaf chain";
	else if (r == 0)
		r = ledger_open(&s.h, &lacking, err);
	if (lacking)
		return facts_set_unknown(f, "rebuilds", lacking, err);
	return r < 0 ? r : search(&s, err);
}
