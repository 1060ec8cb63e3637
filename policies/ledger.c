/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/ledger.h"

#include <stdio.h>

#include "lib/base/error.h"

enum {
	STATEMENT_MAX = 512 * 1024,
	PROOF_MAX = NOTE_MAX + 8 * 1024,
	PATH_SIZE = 128,
	TAIL_MAX = 16, /* leaves at the end whose proofs may not be written yet */
};

/* Read a file; 1: it is not there. */
static int read_file(const struct ledger *h, const char *path, size_t max, struct buf *out,
		     struct error *err)
{
	int r = h->source->read(h->source->ctx, path, max, out, err);

	return r == E_NOTFOUND ? 1 : r;
}

/* --- proofs ------------------------------------------------------------------ */

static const struct publisher_log *find_log(const struct publisher *p, const char *origin)
{
	for (size_t i = 0; i < p->nlogs; i++)
		if (strcmp(p->logs[i].origin, origin) == 0)
			return &p->logs[i];
	return NULL;
}

static int check_proof(const struct ledger *h, const struct buf *bytes, const struct hash *leaf,
		       enum proof_state *state, struct witnessed *when, struct error *err)
{
	const struct publisher *p = h->publisher;
	struct tlog_proof proof;
	int r = tlog_proof_parse(bytes->data, bytes->len, &proof, err);

	if (r < 0)
		return r;
	const struct publisher_log *log = find_log(p, proof.checkpoint.origin);
	if (!log)
		return error_set(err, E_UNTRUSTED, "log \"%.80s\" is none that root %lld names",
				 proof.checkpoint.origin, (long long)h->query->from->version);

	struct log_policy policy = {.log = log->key};
	struct witnessed seen = {0};
	r = tlog_proof_verify(&proof, leaf, &policy, NULL, err);
	if (r < 0)
		return r;
	policy.witnesses = p->witnesses;
	policy.n = p->nwitnesses;
	policy.threshold = p->witness_threshold;
	/* A true proof that too few witnesses cosigned is not false: it is not enough yet. */
	if (p->witness_threshold > 0) {
		r = tlog_proof_verify(&proof, leaf, &policy, &seen, err);
		if (r == E_UNTRUSTED)
			return 0;
	}
	if (r < 0)
		return r;
	*state = PROOF_GOOD;
	*when = seen;
	return 0;
}

int ledger_prove(const struct ledger *h, const struct leaf *leaf, enum proof_state *state,
		 struct witnessed *when, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "proofs/%s.tlog-proof", leaf->id);
	int r = read_file(h, path, PROOF_MAX, &bytes, err);
	*state = PROOF_MISSING;
	if (r != 0)
		return r < 0 ? r : 0;
	r = check_proof(h, &bytes, &leaf->hash, state, when, err);
	return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

int ledger_prove_record(const struct ledger *h, struct record *r, struct error *err)
{
	if (r->proof != PROOF_UNREAD)
		return 0;
	return ledger_prove(h, r->leaf, &r->proof, &r->when, err);
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
		int r = ledger_prove(h, &h->chain->leaves[i - 1], &state, &h->now, err);

		if (r < 0)
			return r;
		if (state == PROOF_GOOD) {
			h->end = i;
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
	int r = ledger_prove(h, leaf, &state, &h->root_when, err);

	return r == E_UNTRUSTED ? 0 : r;
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
	if (!h->publisher)
		return error_nomem(err);
	int r = publisher_read(from, "trusted root", h->publisher, err);
	if (r < 0)
		return r;
	h->timed = h->publisher->witness_threshold > 0;
	h->begin = (size_t)(leaf - h->chain->leaves) + 1;
	r = find_end(h, lacking, err);
	return r < 0 || !h->timed ? r : date_root(h, leaf, err);
}

void ledger_close(struct ledger *h)
{
	free(h->publisher);
	free(h->records);
	*h = (struct ledger){0};
}

/* --- documents ------------------------------------------------------------------ */

bool ledger_altered(const struct leaf *leaf, const struct envelope *doc)
{
	return strcmp(envelope_sha256(doc), leaf->sha256) != 0;
}

/* A file that cannot be read is junk only if it is the very junk that was logged. */
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

	if (h->reads++ == LEDGER_READS_MAX)
		return error_set(err, E_INVALID, "leaves.jsonl: asks for more than %d statements",
				 LEDGER_READS_MAX);
	(void)snprintf(path, sizeof(path), "statements/%s.json", leaf->id);
	int r = read_file(h, path, STATEMENT_MAX, &bytes, err);
	if (r > 0) {
		note_missing(h, leaf);
		return 0;
	}
	if (r < 0)
		return r;
	r = envelope_parse(bytes.data, bytes.len, path, &doc, err);
	if (r < 0)
		return r == E_INVALID && logged_as_is(leaf, &bytes) ? 0 : r;
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
	if (st->type == ST_NOTICE)
		rec->evidence =
			(int64_t)json_array_size(json_object_get(envelope_signed(doc), "evidence"));
	rec->date = st->date;
	rec->support_until = st->support_until;
	rec->final = st->final_bridge && strcmp(st->final_bridge, d->bridge) == 0 &&
		     strcmp(st->final_root, d->follows_id) == 0;
	rec->release = rec->final && st->release;
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
	r = statement_read(doc, leaf->kind, &st, &why);
	if (r == 0 && strcmp(st.product, h->query->product) != 0)
		return error_set(err, E_UNTRUSTED, "statements/%s.json: is of product \"%s\"",
				 leaf->id, st.product);
	if (r == 0 && !concerns(d, &st))
		return 0;
	if (r == 0)
		r = check_signer(h, d, doc, &st, rec, &why);
	if (r == 0) {
		fill_record(d, doc, &st, rec);
		*counts = true;
		return 0;
	}
	if (r == E_NOMEM)
		return error_nomem(err);
	/* As logged it is nobody's word. But signatures may have been stripped on the way. */
	if (ledger_altered(leaf, doc))
		return error_set(err, E_UNTRUSTED, "statements/%s.json: was changed (%s)", leaf->id,
				 why.text);
	return 0;
}

/* The types whose statements bear on a release. */
static bool relevant(const struct leaf *leaf, enum statement_type *type)
{
	static const enum statement_type types[] = {
		ST_PRODUCT, ST_HEARTBEAT, ST_EOL, ST_NOTICE, ST_APPROVAL, ST_REFUSAL, ST_OBJECTION};

	if (!statement_type_of(leaf->kind, type))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i] == *type)
			return true;
	return false;
}

static int grow(struct ledger *h, size_t *room, struct error *err)
{
	if (h->n == LEDGER_RECORDS_MAX)
		return error_set(err, E_INVALID, "leaves.jsonl: want at most %d statements",
				 LEDGER_RECORDS_MAX);
	if (h->n < *room)
		return 0;
	size_t more = *room ? *room * 2 : 16;
	struct record *p = realloc(h->records, more * sizeof(*p));
	if (!p)
		return error_nomem(err);
	h->records = p;
	*room = more;
	return 0;
}

int ledger_collect(struct ledger *h, const struct deposit *d, size_t end, struct error *err)
{
	size_t room = 0;

	free(h->records);
	h->records = NULL;
	h->n = 0;
	h->missing = 0;
	for (size_t i = h->begin; i < end; i++) {
		struct record rec = {.leaf = &h->chain->leaves[i]};
		bool counts = false;
		int r = 0;

		rec.targets = strcmp(rec.leaf->kind, "targets") == 0;
		if (rec.targets)
			counts = true;
		else if (relevant(rec.leaf, &rec.type))
			r = read_record(h, d, rec.leaf, &rec, &counts, err);
		/* Of updates in a row the last tells all; a busy channel must not fill the table.
		 */
		bool again = rec.targets && h->n && h->records[h->n - 1].targets;
		if (r == 0 && counts && !again)
			r = grow(h, &room, err);
		if (r < 0)
			return r;
		if (again)
			h->records[h->n - 1] = rec;
		else if (counts)
			h->records[h->n++] = rec;
	}
	return 0;
}
