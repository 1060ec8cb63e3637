/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/ledger.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "policies/life.h"
#include "policies/rest.h"

enum {
	STATEMENT_MAX = 512 * 1024,
	PATH_SIZE = 128,
	FIRST_ROOM = 16,
	TAIL_MAX = 16, /* leaves at the end whose proofs may not be written yet */
};

#define LATER \
	"what the log took in after it: a later leaf of the product with its proof, or the " \
	"entries of the log (log/tile/entries)"
#define BEYOND "a proof of it that was made before the next root was logged"

int ledger_file(struct ledger *h, const char *path, size_t max, struct buf *out, struct error *err)
{
	if (h->reads++ == LEDGER_READS_MAX)
		return error_set(err, E_INVALID, "leaves.jsonl: asks for more than %d files",
				 LEDGER_READS_MAX);
	int r = h->source->read(h->source->ctx, path, max, out, err);

	return r == E_NOTFOUND ? 1 : r;
}

/* --- proofs ------------------------------------------------------------------ */

int ledger_read_proof(struct ledger *h, const struct leaf *leaf, struct buf *bytes,
		      struct shown *out, struct error *err)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "proofs/%s.tlog-proof", leaf->id);
	int r = ledger_file(h, path, TLOG_PROOF_MAX, bytes, err);
	if (r != 0)
		return r < 0 ? r : error_set(err, E_NOTFOUND, "%s: is not here", path);
	r = logs_check(h->logs, bytes->data, bytes->len, &leaf->hash, out, err);
	return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

int ledger_prove(struct ledger *h, const struct leaf *leaf, enum proof_state *state,
		 struct shown *shown, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct shown got = {.good = false};

	*state = PROOF_MISSING;
	if (ledger_repeated(h, leaf)) /* what lies beside the document proves its first leaf */
		return 0;
	int r = ledger_read_proof(h, leaf, &bytes, &got, err);
	if (r < 0)
		return r == E_NOTFOUND ? 0 : r;
	if (got.good) {
		*state = PROOF_GOOD;
		*shown = got;
	}
	return 0;
}

int ledger_prove_record(struct ledger *h, struct record *r, struct error *err)
{
	if (r->proof != PROOF_UNREAD)
		return 0;
	return ledger_prove(h, r->leaf, &r->proof, &r->shown, err);
}

/* --- the chain ------------------------------------------------------------------ */

/*
 * Each leaf holds the hash of the one before it, so the proof of one leaf proves
 * all before it. The last few may be so new that their proofs are not out yet.
 */
static int find_end(struct ledger *h, const char **lacking, struct error *err)
{
	size_t tried = 0;

	for (size_t i = h->chain->n; i > h->begin && tried < TAIL_MAX; i--, tried++) {
		enum proof_state state = PROOF_UNREAD;
		struct shown last;
		int r = ledger_prove(h, &h->chain->leaves[i - 1], &state, &last, err);

		if (r < 0)
			return r;
		if (state == PROOF_GOOD) {
			h->end = i;
			h->last = last;
			h->now = last.when;
			return 0;
		}
	}
	*lacking = "something logged after the current root, and its proof under the logs and "
		   "witnesses of that root";
	return 0;
}

/* Its own leaf may be under logs that only the root before it named: then it has no time. */
static int date_root(struct ledger *h, const struct leaf *leaf, struct error *err)
{
	enum proof_state state = PROOF_UNREAD;
	struct shown shown;
	int r = ledger_prove(h, leaf, &state, &shown, err);

	if (r == 0 && state == PROOF_GOOD)
		h->root_when = shown.when;
	return r == E_UNTRUSTED ? 0 : r;
}

/* For sorting. */
struct place {
	const struct leaf *leaf;
};

static int by_id(const void *a, const void *b)
{
	const struct leaf *x = ((const struct place *)a)->leaf;
	const struct leaf *y = ((const struct place *)b)->leaf;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = x < y ? -1 : x > y;
	return order;
}

static int find_repeated(struct ledger *h, struct error *err)
{
	size_t n = h->chain->n;
	CLEANUP(freep) struct place *sorted = calloc(n + 1, sizeof(*sorted));

	h->repeated = calloc(n + 1, sizeof(*h->repeated));
	if (!sorted || !h->repeated)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		sorted[i].leaf = &h->chain->leaves[i];
	qsort(sorted, n, sizeof(sorted[0]), by_id);
	for (size_t i = 1; i < n; i++)
		if (strcmp(sorted[i].leaf->id, sorted[i - 1].leaf->id) == 0)
			h->repeated[sorted[i].leaf - h->chain->leaves] = true;
	return 0;
}

bool ledger_repeated(const struct ledger *h, const struct leaf *leaf)
{
	return h->repeated[leaf - h->chain->leaves];
}

int ledger_open(struct ledger *h, const char **lacking, struct error *err)
{
	const struct tuf_root *from = h->query->from;
	const struct leaf *leaf = leaf_chain_first_root(h->chain, from->version);

	if (!leaf) {
		*lacking = "the current root in the log";
		return 0;
	}
	if (strcmp(leaf->id, envelope_id(from->doc)) != 0)
		return error_set(err, E_UNTRUSTED,
				 "leaves.jsonl: the first root %lld in the log is another",
				 (long long)from->version);
	h->publisher = calloc(1, sizeof(*h->publisher));
	h->logs = calloc(1, sizeof(*h->logs));
	if (!h->publisher || !h->logs)
		return error_nomem(err);
	int r = publisher_read(from, "trusted root", h->publisher, err);
	if (r < 0)
		return r;
	logs_init(h->logs, h->publisher, from->version);
	r = logs_follow(h->logs, h->source, h->query->product, h->chain, err);
	if (r < 0)
		return r;
	h->timed = h->publisher->witness_threshold > 0;
	h->begin = (size_t)(leaf - h->chain->leaves) + 1;
	r = find_repeated(h, err);
	if (r == 0)
		r = find_end(h, lacking, err);
	if (r == 0)
		r = life_list(h, err);
	return r < 0 || !h->timed ? r : date_root(h, leaf, err);
}

void ledger_close(struct ledger *h)
{
	free(h->publisher);
	free(h->logs);
	free(h->repeated);
	free(h->life);
	free(h->records);
	*h = (struct ledger){0};
}

bool ledger_thinned(const struct ledger *h, size_t i)
{
	return i > 0 && h->chain->leaves[i].seq != h->chain->leaves[i - 1].seq + 1;
}

/* Where in the log is this leaf? False: nothing that is believed says so. */
static int find_place(struct ledger *h, const struct leaf *leaf, const struct shown *tree,
		      uint64_t *index, bool *found, struct error *err)
{
	enum proof_state state = PROOF_UNREAD;
	struct shown shown;

	*found = h->source->own;
	*index = leaf->index;
	if (*found)
		return 0;
	int r = ledger_prove(h, leaf, &state, &shown, err);
	if (r == 0 && state == PROOF_GOOD && shown.tree == tree->tree) {
		*found = true;
		*index = shown.index;
	}
	return r;
}

/* Nothing that is served is beyond the tree; `next` is after the last leaf shown to be in it. */
static int find_rest(struct ledger *h, const struct leaf *leaf, const struct shown *shown,
		     size_t bound, struct tree_end *out, struct error *err)
{
	bool whole = false;
	size_t end = bound;
	int r = rest_read(h, leaf, shown, &end, &whole, err);

	if (r < 0)
		return r;
	*out = (struct tree_end){.end = bound, .lacking = LATER};
	if (whole && end <= bound)
		*out = (struct tree_end){.end = end};
	return 0;
}

int ledger_tree_end(struct ledger *h, const struct leaf *leaf, const struct shown *shown,
		    size_t bound, struct tree_end *out, struct error *err)
{
	size_t i = (size_t)(leaf - h->chain->leaves) + 1, next = i;
	uint64_t last = shown->index;

	for (; i <= bound && i < h->chain->n; i++) {
		uint64_t index;
		bool found;
		int r = find_place(h, &h->chain->leaves[i], shown, &index, &found, err);

		if (r < 0)
			return r;
		if (!found)
			continue;
		if (index >= shown->size) {
			/* Of updates that are left out before it some may be in the tree. */
			bool more = ledger_thinned(h, i) && &h->chain->leaves[i - 1] > leaf;

			*out = (struct tree_end){.end = more && i < bound ? i + 1 : i};
			return 0;
		}
		last = index;
		next = i + 1;
	}
	*out = (struct tree_end){.end = next};
	if (next > bound)
		*out = (struct tree_end){.end = bound, .lacking = BEYOND, .beyond = true};
	if (next > bound || last + 1 == shown->size)
		return 0;
	out->end = bound;
	return h->source->own ? 0 : find_rest(h, leaf, shown, bound, out, err);
}

int ledger_now_end(struct ledger *h, struct tree_end *out, struct error *err)
{
	*out = (struct tree_end){.end = h->end};
	if (h->source->own)
		return 0;
	if (h->younger) {
		out->lacking = LATER;
		return 0;
	}
	return ledger_tree_end(h, &h->chain->leaves[h->end - 1], &h->last, h->end, out, err);
}

/* --- documents ------------------------------------------------------------------ */

static bool logged_as_is(const struct leaf *leaf, const struct buf *bytes)
{
	char digest[SHA256_HEX_SIZE];

	sha256_hex(bytes->data, bytes->len, digest);
	return strcmp(digest, leaf->sha256) == 0;
}

static int match_leaf(const struct leaf *leaf, const struct envelope *doc, const char *path,
		      struct error *err)
{
	if (strcmp(envelope_id(doc), leaf->id) != 0)
		return error_set(err, E_UNTRUSTED, "%s: is another document, with id %s", path,
				 envelope_id(doc));
	if (strcmp(envelope_type(doc), leaf->kind) != 0 || envelope_version(doc) != leaf->version)
		return error_set(err, E_UNTRUSTED,
				 "%s: is not the %s of version %lld that was logged", path,
				 leaf->kind, (long long)leaf->version);
	return 0;
}

static void note_missing(struct ledger *h, const struct leaf *leaf)
{
	enum statement_type type;

	if (statement_type_of(leaf->kind, &type))
		h->missing |= 1U << type;
}

int ledger_read(struct ledger *h, const struct leaf *leaf, struct envelope **out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "statements/%s.json", leaf->id);
	int r = ledger_file(h, path, STATEMENT_MAX, &bytes, err);
	if (r > 0) {
		note_missing(h, leaf);
		return 0;
	}
	if (r < 0)
		return r;
	if (!logged_as_is(leaf, &bytes))
		return error_set(err, E_UNTRUSTED, "%s: was changed since it was logged", path);
	r = envelope_parse(bytes.data, bytes.len, path, &doc, err);
	if (r < 0)
		return r == E_INVALID ? 0 : r;
	r = match_leaf(leaf, doc, path, err);
	if (r == 0)
		*out = steal(doc);
	return r;
}

int ledger_by_root(const struct ledger *h, const struct envelope *doc, const struct statement *st,
		   struct error *err)
{
	const struct tuf_root *from = h->query->from;

	if (st->root_version != from->version || strcmp(st->root_id, envelope_id(from->doc)) != 0)
		return error_set(err, E_UNTRUSTED, "%s %.16s: is not made under root %lld",
				 statement_name(st->type), envelope_id(doc),
				 (long long)from->version);
	return envelope_verify(doc, &from->role[TUF_ROOT], "the current root", err);
}

/* --- records --------------------------------------------------------------------- */

/* Do the signatures make it count? E_UNTRUSTED: no, and why. */
static int check_signer(const struct ledger *h, const struct deposit *d, const struct envelope *doc,
			const struct statement *st, struct record *rec, struct error *err)
{
	if (statement_signer(st->type) == BY_ROOT)
		return ledger_by_root(h, doc, st, err);
	rec->seats = deposit_signers(d, doc);
	if (!rec->seats)
		return error_set(err, E_UNTRUSTED, "%s %.16s: is signed by no trustee",
				 statement_name(st->type), envelope_id(doc));
	return 0;
}

/* Trustees' statements count for the deposit and the bridge that they name, and no other. */
static bool concerns(const struct deposit *d, const struct statement *st)
{
	if (statement_signer(st->type) != BY_TRUSTEE)
		return true;
	return strcmp(st->deposit, envelope_id(d->head.doc)) == 0 &&
	       strcmp(st->bridge, d->bridge) == 0;
}

static void fill_record(const struct deposit *d, const struct envelope *doc,
			const struct statement *st, struct record *rec)
{
	rec->type = st->type;
	if (st->target)
		memcpy(rec->target, st->target, sizeof(rec->target));
	rec->ground = st->ground;
	rec->issued = st->issued;
	if (st->type == ST_NOTICE)
		rec->evidence =
			(int64_t)json_array_size(json_object_get(envelope_signed(doc), "evidence"));
	rec->date = st->date;
	rec->support_until = st->support_until;
	rec->final = st->final_bridge && strcmp(st->final_bridge, d->bridge) == 0 &&
		     strcmp(st->final_root, d->follows_id) == 0;
	rec->release = rec->final && st->release;
}

int ledger_read_own(const struct ledger *h, const struct envelope *doc, const struct leaf *leaf,
		    struct statement *st, struct error *why, struct error *err)
{
	int r = statement_read(doc, leaf->kind, st, why);

	if (r == 0 && strcmp(st->product, h->query->product) != 0)
		return error_set(err, E_UNTRUSTED, "statements/%s.json: is of product \"%s\"",
				 leaf->id, st->product);
	return 0;
}

/* Sets *counts if the statement is a record. */
static int read_record(struct ledger *h, const struct deposit *d, const struct leaf *leaf,
		       struct record *rec, bool *counts, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct error why = {0};
	struct statement st;
	int r = ledger_read(h, leaf, &doc, err);

	if (r < 0 || !doc)
		return r;
	r = ledger_read_own(h, doc, leaf, &st, &why, err);
	if (r < 0 || (!why.code && !concerns(d, &st)))
		return r;
	if (!why.code)
		r = check_signer(h, d, doc, &st, rec, &why);
	if (why.code)
		return why.code == E_NOMEM ? error_nomem(err) : 0;
	fill_record(d, doc, &st, rec);
	*counts = true;
	return r;
}

/* --- who says how much -------------------------------------------------------------- */

/* What was said so far, by those who have only so many words. */
struct words {
	unsigned seat[SEATS_MAX], type[ST_TYPES];
};

/* Does it still count? Of a document that several signed, the seats with words left. */
static bool spend(struct words *w, struct record *rec)
{
	if (statement_signer(rec->type) == BY_ROOT)
		return w->type[rec->type]++ < LEDGER_VENDOR_WORDS;
	for (size_t s = 0; s < SEATS_MAX; s++)
		if (rec->seats >> s & 1 && w->seat[s]++ >= LEDGER_SEAT_WORDS)
			rec->seats &= ~(UINT64_C(1) << s);
	return rec->seats != 0;
}

/* The types whose statements bear on a release, and that have to be read for it. */
static bool relevant(const struct leaf *leaf, enum statement_type *type)
{
	static const enum statement_type types[] = {ST_PRODUCT,  ST_EOL,     ST_NOTICE,
						    ST_APPROVAL, ST_REFUSAL, ST_OBJECTION};

	if (!statement_type_of(leaf->kind, type))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i] == *type)
			return true;
	return false;
}

static int grow(struct ledger *h, size_t *room, struct error *err)
{
	if (h->n < *room)
		return 0;
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	struct record *p = realloc(h->records, more * sizeof(*p));
	if (!p)
		return error_nomem(err);
	h->records = p;
	*room = more;
	return 0;
}

int ledger_collect(struct ledger *h, const struct deposit *d, size_t end, struct error *err)
{
	struct words words = {.seat = {0}};
	size_t room = 0;

	free(h->records);
	h->records = NULL;
	h->n = 0;
	h->missing = 0;
	h->upto = end;
	for (size_t i = h->begin; i < end; i++) {
		struct record rec = {.leaf = &h->chain->leaves[i]};
		bool counts = false;
		int r = 0;

		if (relevant(rec.leaf, &rec.type) && !ledger_repeated(h, rec.leaf))
			r = read_record(h, d, rec.leaf, &rec, &counts, err);
		counts = r == 0 && counts && spend(&words, &rec);
		if (counts)
			r = grow(h, &room, err);
		if (r < 0)
			return r;
		if (counts)
			h->records[h->n++] = rec;
	}
	return 0;
}
