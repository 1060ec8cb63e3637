/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/evidence.h"

#include <assert.h>

#include "lib/base/error.h"
#include "policies/ledger.h"
#include "policies/release.h"

#define NO_DEPOSIT "a logged deposit that was not served"

/* A deposit that is logged; each that is judged costs a pass over the log. */
struct candidate {
	const struct leaf *leaf;
	bool approved; /* somebody says so: whether it counts is judged with it */
};

/* A logged deposit, read; `doc` is NULL if there is none. */
struct paper {
	const struct leaf *leaf;
	struct envelope *doc; /* owned, as the next */
	struct deposit d;
};

static void paper_clear(struct paper *p)
{
	deposit_clear(&p->d);
	envelope_free(p->doc);
	*p = (struct paper){0};
}

/* One gathering: the history, what is being made of it, and what is lacking. */
struct search {
	struct ledger h;
	struct evidence *e;
	const struct leaf *offered; /* of root N+1; NULL: not logged */
	struct shown shown;         /* of `offered`, if it was asked for */
	const char *lacking;        /* set: the answer is unknown, for want of this */
	struct error wrong;         /* why a document that claimed to be it was not */
	struct candidate *deposits; /* owned; in leaf order */
	size_t ndeposits;
	struct paper first, later; /* owned: the first on root N, and one that is better */
	struct paper *judged;      /* of the two, that on which the answer rests; NULL: none */
};

static const struct evidence_query *query(const struct search *s)
{
	return s->h.query;
}

/* --- the chain and the offered root ------------------------------------------- */

static int read_leaves(struct search *s, struct error *err)
{
	const struct evidence_source *src = s->h.source;
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r;

	if (src->leaves)
		return src->leaves(src->ctx, &s->e->chain, err);
	r = src->read(src->ctx, "leaves.jsonl", LEDGER_LEAVES_MAX, &bytes, err);
	if (r < 0)
		return r;
	return leaf_chain_parse(bytes.data, bytes.len, query(s)->product, &s->e->chain, err);
}

static int read_chain(struct search *s, struct error *err)
{
	int r = read_leaves(s, err);

	if (r == E_NOTFOUND) {
		s->lacking = "the product's leaf chain";
		return 0;
	}
	return r < 0 ? r : ledger_open(&s->h, &s->lacking, err);
}

static int check_roots(const struct evidence_query *q, struct error *err)
{
	const struct tuf_root *roots[] = {q->from, q->to};

	assert(q->product && q->from);
	for (size_t i = 0; i < ARRAY_LEN(roots) && roots[i]; i++)
		if (!roots[i]->product || strcmp(roots[i]->product, q->product) != 0)
			return error_set(err, E_UNTRUSTED,
					 "root %lld: is of product \"%.80s\", not \"%s\"",
					 (long long)roots[i]->version,
					 roots[i]->product ? roots[i]->product : "", q->product);
	if (q->to && q->to->version != q->from->version + 1)
		return error_set(err, E_UNTRUSTED, "root %lld: does not follow root %lld",
				 (long long)q->to->version, (long long)q->from->version);
	return 0;
}

/* The first root N+1 in the log is the only one. */
static int find_offered(struct search *s, struct error *err)
{
	const struct evidence_query *q = query(s);
	const struct leaf *leaf = leaf_chain_first_root(&s->e->chain, q->from->version + 1);
	enum proof_state state = PROOF_UNREAD;

	s->offered = leaf;
	if (!q->to || (!leaf && q->ahead))
		return 0;
	if (!leaf) {
		s->lacking = "the offered root in the log";
		return 0;
	}
	if (strcmp(leaf->id, envelope_id(q->to->doc)) != 0)
		return error_set(err, E_UNTRUSTED,
				 "root %lld: is not the first of its version in the log",
				 (long long)q->to->version);
	int r = ledger_prove(&s->h, leaf, &state, &s->shown, err);
	if (r == 0 && state != PROOF_GOOD)
		s->lacking = "a log proof of the offered root under the logs and witnesses of the "
			     "current one";
	return r;
}

/* A checkpoint that is younger than the last leaf says more of the time. */
static int take_now(struct search *s, struct error *err)
{
	const struct buf *bytes = query(s)->checkpoint;
	struct witnessed now = {0};
	struct error why;

	if (!bytes)
		return 0;
	int r = logs_now(s->h.logs, bytes->data, bytes->len, &now, &why);
	if (r == 0 && now.known && (!s->h.now.known || now.high > s->h.now.high)) {
		s->h.now = now;
		s->h.younger = true;
	}
	return r == E_NOMEM ? error_nomem(err) : 0;
}

/* --- a deposit -------------------------------------------------------------------- */

/* Is this the deposit whose release would carry the step? */
static bool wanted(const struct search *s, const struct envelope *doc)
{
	const struct evidence_query *q = query(s);
	const char *bridge = json_string_value(json_object_get(envelope_signed(doc), "bridge"));

	if (!q->to)
		return q->deposit && strcmp(envelope_id(doc), q->deposit) == 0;
	return bridge && strcmp(bridge, envelope_id(q->to->doc)) == 0;
}

/* By the vendor, on this root: whether it is the step's or not. */
static int read_on_root(const struct search *s, struct paper *p, struct error *why)
{
	int r = deposit_read(p->doc, "deposit.json", &p->d, why);

	if (r < 0)
		return r;
	if (strcmp(p->d.head.product, query(s)->product) != 0)
		return error_set(why, E_UNTRUSTED, "deposit %.16s: is of product \"%s\"",
				 envelope_id(p->doc), p->d.head.product);
	r = ledger_by_root(&s->h, p->doc, &p->d.head, why);
	return r < 0 ? error_prefix(why, r, "deposit %.16s", envelope_id(p->doc)) : 0;
}

/* Of deposits that nobody asked for by their root, those whose time is over. */
static int check_void(const struct search *s, const struct paper *p, struct error *err)
{
	if (query(s)->to || !s->offered || strcmp(s->offered->id, p->d.bridge) == 0)
		return 0;
	return error_set(err, E_DENIED, "deposit %.16s: is void since root %lld",
			 envelope_id(p->doc), (long long)s->offered->version);
}

/* Where the leaves end that may count: a root N+1 ends the time of root N. */
static size_t end_of_time(const struct search *s)
{
	size_t end = s->h.end;

	if (s->offered && (size_t)(s->offered - s->e->chain.leaves) < end)
		end = (size_t)(s->offered - s->e->chain.leaves);
	return end;
}

static bool has_approval(const struct ledger *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->records[i].type == ST_APPROVAL)
			return true;
	return false;
}

static int rule(struct search *s, const struct leaf *leaf, const struct deposit *d,
		struct ruling *out, struct error *err)
{
	enum proof_state state = PROOF_UNREAD;
	struct shown shown;

	int r = ledger_prove(&s->h, leaf, &state, &shown, err);
	if (r == 0 && state != PROOF_GOOD) {
		s->lacking = "the log proof of the deposit";
		return 0;
	}
	if (r == 0)
		r = ledger_collect(&s->h, d, end_of_time(s), err);
	/* One that another has taken the place of was released by its own trustees, or not. */
	if (r < 0 || (s->e->by && !has_approval(&s->h)))
		return r;
	return release_judge(&s->h, d, leaf, out, err);
}

/* Of several deposits for one bridge (refreshed ones) the last is kept, or a released one. */
static void take_deposit(struct search *s, struct paper *p, struct ruling *ruling)
{
	struct evidence *e = s->e;

	s->judged = &s->first;
	if (p != &s->first) {
		paper_clear(&s->later);
		s->later = *p;
		*p = (struct paper){0};
		s->judged = &s->later;
	}
	facts_free(e->facts);
	json_decref(e->why);
	json_decref(e->used);
	e->by = "deposit";
	e->facts = steal(ruling->facts);
	e->why = steal(ruling->why);
	e->used = steal(ruling->used);
	e->released = ruling->answer;
}

/*
 * The first deposit on root N. It fixes bridge, trustees and policy, or whoever has the vendor's
 * keys for a day could add one that is open at once.
 */
static int find_first(struct search *s, struct error *err)
{
	for (size_t i = 0; !s->first.doc && i < s->ndeposits; i++) {
		CLEANUP(paper_clear) struct paper p = {.leaf = s->deposits[i].leaf};
		struct error why;

		int r = ledger_read(&s->h, p.leaf, &p.doc, err);
		if (r < 0)
			return r;
		if (!p.doc && s->h.missing & 1U << ST_DEPOSIT) {
			s->lacking = NO_DEPOSIT;
			return 0;
		}
		r = p.doc ? read_on_root(s, &p, &why) : E_NOTFOUND;
		if (r == E_NOMEM)
			return error_nomem(err);
		if (r == 0) {
			s->first = p;
			p = (struct paper){0};
		}
	}
	return 0;
}

static int check_first(const struct search *s, const struct envelope *doc, struct error *err)
{
	const char *what = s->first.doc ? deposit_differs(s->first.doc, doc) : NULL;

	return what ? error_set(err, E_UNTRUSTED,
				"deposit %.16s: signed.%s: differs from deposit %.16s, the first "
				"on this root",
				envelope_id(doc), what, envelope_id(s->first.doc))
		    : 0;
}

static int try_deposit(struct search *s, const struct leaf *leaf, struct error *err)
{
	CLEANUP(paper_clear) struct paper other = {.leaf = leaf};
	CLEANUP(ruling_clear) struct ruling ruling = {0};
	struct paper *p = leaf == s->first.leaf ? &s->first : &other;

	int r = p->doc ? 0 : ledger_read(&s->h, leaf, &p->doc, err);
	if (r < 0)
		return r;
	if (!p->doc) {
		s->lacking = NO_DEPOSIT;
		return 0;
	}
	if (!wanted(s, p->doc)) {
		if (!s->wrong.code)
			(void)error_set(&s->wrong, E_UNTRUSTED,
					"deposit %.16s: its bridge is another root than the "
					"offered one",
					leaf->id);
		return 0;
	}
	if (p == &other)
		r = read_on_root(s, p, &s->wrong);
	if (r == 0)
		r = check_void(s, p, &s->wrong);
	if (r == 0)
		r = check_first(s, p->doc, &s->wrong);
	if (r < 0)
		return r == E_NOMEM ? error_nomem(err) : 0;
	r = rule(s, leaf, &p->d, &ruling, err);
	if (r < 0 || !ruling.facts)
		return r;
	/* The latest is there already, unless an earlier one is released and it is not. */
	if (!s->e->by || ruling.answer == ANSWER_YES)
		take_deposit(s, p, &ruling);
	return 0;
}

static int list_deposits(struct search *s, struct error *err)
{
	size_t end = end_of_time(s), n = 0;

	for (size_t i = s->h.begin; i < end; i++)
		n += strcmp(s->e->chain.leaves[i].kind, statement_name(ST_DEPOSIT)) == 0;
	s->deposits = calloc(n + 1, sizeof(*s->deposits));
	if (!s->deposits)
		return error_nomem(err);
	for (size_t i = s->h.begin; i < end; i++) {
		const struct leaf *leaf = &s->e->chain.leaves[i];

		if (strcmp(leaf->kind, statement_name(ST_DEPOSIT)) == 0 &&
		    !ledger_repeated(&s->h, leaf))
			s->deposits[s->ndeposits++].leaf = leaf;
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)a)->leaf->id,
		      ((const struct candidate *)b)->leaf->id);
}

static int by_place(const void *a, const void *b)
{
	const struct leaf *x = ((const struct candidate *)a)->leaf;
	const struct leaf *y = ((const struct candidate *)b)->leaf;

	return x < y ? -1 : x > y;
}

static int id_is(const void *id, const void *c)
{
	return strcmp(id, ((const struct candidate *)c)->leaf->id);
}

/* While the deposits are sorted by id. */
static int mark_approved(struct search *s, struct error *err)
{
	for (size_t i = s->h.begin; i < end_of_time(s); i++) {
		const struct leaf *leaf = &s->e->chain.leaves[i];
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		struct candidate *about;
		const char *id;

		if (strcmp(leaf->kind, statement_name(ST_APPROVAL)) != 0 ||
		    ledger_repeated(&s->h, leaf))
			continue;
		int r = ledger_read(&s->h, leaf, &doc, err);
		if (r < 0)
			return r;
		id = doc ? json_string_value(json_object_get(envelope_signed(doc), "deposit"))
			 : NULL;
		about = id ? bsearch(id, s->deposits, s->ndeposits, sizeof(*about), id_is) : NULL;
		if (about)
			about->approved = true;
	}
	return 0;
}

/* Which of several deposits are approvals about? */
static int find_approved(struct search *s, struct error *err)
{
	if (s->ndeposits < 2)
		return 0;
	qsort(s->deposits, s->ndeposits, sizeof(*s->deposits), by_id);
	int r = mark_approved(s, err);
	qsort(s->deposits, s->ndeposits, sizeof(*s->deposits), by_place);
	return r;
}

/*
 * Latest first, since a refreshed deposit takes the place of the one before. Of the
 * others only those that were approved can be released where it is not: so that no
 * number of refreshes buries a release, and nothing that a log makes up does.
 */
static int search_deposits(struct search *s, struct error *err)
{
	int r = list_deposits(s, err);

	if (r == 0)
		r = find_first(s, err);
	if (r < 0 || s->lacking)
		return r;
	r = find_approved(s, err);
	for (size_t i = s->ndeposits; r == 0 && i > 0; i--) {
		const struct candidate *c = &s->deposits[i - 1];

		if (s->e->by && s->e->released == ANSWER_YES)
			break;
		if (!s->e->by || c->approved)
			r = try_deposit(s, c->leaf, err);
	}
	return r;
}

/* --- a succession or a rotation ------------------------------------------------------ */

struct step {
	enum statement_type type;
	const char *fact, *at, *policy;
};

static const struct step succession = {ST_SUCCESSION, "succession", "succession.at",
				       "change/succession"};
static const struct step rotation = {ST_ROTATION, "rotation", "rotation.at", "change/rotation"};

/* A vendor's lost keys would else be found again by whoever has them. */
static int check_new_keys(const struct evidence_query *q, struct error *err)
{
	const struct role_keys *keys = &q->to->role[TUF_ROOT];
	const struct tuf_root *known[] = {q->from, q->anchor};

	for (size_t i = 0; i < q->nearlier + ARRAY_LEN(known); i++) {
		const struct tuf_root *old =
			i < q->nearlier ? q->earlier[i] : known[i - q->nearlier];

		for (size_t k = 0; old && k < keys->n; k++)
			if (role_keys_has(&old->role[TUF_ROOT], keys->keys[k]))
				return error_set(err, E_UNTRUSTED,
						 "succession: a vendor returns with new keys, and "
						 "root %lld has one of these",
						 (long long)old->version);
	}
	return 0;
}

/* A succession is for stewards; a vendor that keeps its name shows a rotation. */
static int check_parties(const struct search *s, enum statement_type type, struct error *err)
{
	const struct evidence_query *q = query(s);
	const struct publisher *from = s->h.publisher;
	CLEANUP(freep) struct publisher *to = calloc(1, sizeof(*to));

	if (!to)
		return error_nomem(err);
	int r = publisher_read(q->to, "offered root", to, err);
	if (r < 0)
		return r;
	if (type == ST_SUCCESSION && from->kind != PUBLISHER_STEWARDS)
		return error_set(err, E_UNTRUSTED,
				 "succession: a vendor's product changes hands by a deposit");
	if (type == ST_SUCCESSION && to->kind == PUBLISHER_VENDOR)
		return check_new_keys(q, err);
	if (type == ST_ROTATION && (from->kind != to->kind || strcmp(from->id, to->id) != 0))
		return error_set(err, E_UNTRUSTED, "rotation: the publisher is another");
	return 0;
}

static int check_step(const struct search *s, const struct envelope *doc,
		      const struct statement *st, struct error *err)
{
	const struct evidence_query *q = query(s);
	const struct tuf_root *by = st->type == ST_ROTATION && q->anchor ? q->anchor : q->from;
	const char *name = statement_name(st->type);

	if (strcmp(st->product, q->product) != 0)
		return error_set(err, E_UNTRUSTED, "%s: is of product \"%s\"", name, st->product);
	/* Devices have different anchors, and one step: it is named by the root that it leaves. */
	if (strcmp(st->from, envelope_id(q->from->doc)) != 0)
		return error_set(err, E_UNTRUSTED, "%s: is from another root", name);
	int r = envelope_verify(doc, &by->role[TUF_ROOT],
				st->type == ST_ROTATION ? "the anchor" : "the root it leaves", err);
	if (r == 0 && st->type == ST_SUCCESSION)
		r = envelope_verify(doc, &q->to->role[TUF_ROOT], "the root it leads to", err);
	return r < 0 ? r : check_parties(s, st->type, err);
}

/* Sets *good if the leaf's statement is the one that carries this step. */
static int try_step(struct search *s, const struct leaf *leaf, bool *good, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct statement st;
	int r = ledger_read(&s->h, leaf, &doc, err);

	if (r < 0)
		return r;
	if (!doc) {
		s->lacking = "a logged statement that was not served";
		return 0;
	}
	if (statement_read(doc, leaf->kind, &st, &s->wrong) < 0 ||
	    strcmp(st.to, envelope_id(query(s)->to->doc)) != 0)
		return 0;
	r = check_step(s, doc, &st, &s->wrong);
	if (r == E_NOMEM)
		return error_nomem(err);
	*good = r == 0;
	return 0;
}

/* What a step's statement is judged by: the log as it was at one moment. */
struct view {
	const struct step *step;
	const struct leaf *leaf;
	const struct witnessed *at, *now;
	struct tree_end log; /* what is in the log by then */
};

/* Has the publisher objected to this rotation, under root N, by then? */
static int find_objection(struct search *s, const struct view *v, struct facts *f,
			  struct error *err)
{
	const char *id = v->leaf->id;

	for (size_t i = s->h.begin; i < v->log.end; i++) {
		const struct leaf *leaf = &s->e->chain.leaves[i];
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		struct error why = {0};
		struct statement st;

		if (strcmp(leaf->kind, statement_name(ST_OBJECTION)) != 0)
			continue;
		int r = ledger_read(&s->h, leaf, &doc, err);
		if (r < 0)
			return r;
		if (!doc)
			return facts_set_unknown(f, "objection", "a logged objection", err);
		r = statement_read(doc, leaf->kind, &st, &why);
		if (r < 0 || strcmp(st.target, id) != 0)
			continue;
		r = ledger_by_root(&s->h, doc, &st, &why);
		if (r < 0)
			continue;
		r = facts_set_bool(f, "objection", true, leaf->id, err);
		return r < 0 ? r : facts_locate(f, leaf->id, leaf->index, err);
	}
	if (v->log.lacking)
		return facts_set_unknown(f, "objection", v->log.lacking, err);
	return facts_set_bool(f, "objection", false, NULL, err);
}

/* Ask the step's policy; *facts, *why are set whatever the answer. */
static int judge_view(struct search *s, const struct view *v, struct evidence *e, struct error *err)
{
	CLEANUP(policy_freep) struct policy *p = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	json_t *why = NULL;
	int r = facts_new(&f, err);

	if (r == 0)
		r = facts_set_bool(f, v->step->fact, true, v->leaf->id, err);
	if (r == 0 && v->at->known)
		r = facts_set_int(f, v->step->at, v->at->low, v->leaf->id, err);
	if (r == 0)
		r = release_set_now(&s->h, v->now, f, err);
	if (r == 0)
		r = find_objection(s, v, f, err);
	if (r == 0)
		r = facts_locate(f, v->leaf->id, v->leaf->index, err);
	if (r == 0)
		r = policy_shipped(v->step->policy, &p, err);
	if (r == 0)
		r = policy_decide(p, f, &e->released, &why, err);
	if (r < 0)
		return r;
	facts_free(e->facts);
	json_decref(e->why);
	e->facts = steal(f);
	e->why = why;
	return 0;
}

/*
 * The step was taken when root N+1 was logged: what held then holds for ever. If the time was
 * not over then, it may be by now.
 */
static int judge_moments(struct search *s, struct view *v, struct error *err)
{
	struct ledger *h = &s->h;
	int r = 0;

	if (s->offered) {
		v->now = &s->shown.when;
		r = ledger_tree_end(h, s->offered, &s->shown, h->end, &v->log, err);
		if (r == 0)
			r = judge_view(s, v, s->e, err);
		if (r < 0 || s->e->released == ANSWER_YES)
			return r;
	}
	v->now = &h->now;
	r = ledger_now_end(h, &v->log, err);
	return r < 0 ? r : judge_view(s, v, s->e, err);
}

static int judge_step(struct search *s, const struct step *step, const struct leaf *leaf,
		      struct error *err)
{
	enum proof_state state = PROOF_UNREAD;
	struct evidence *e = s->e;
	struct shown shown = {0};
	struct view view = {.step = step, .leaf = leaf, .at = &shown.when};

	int r = ledger_prove(&s->h, leaf, &state, &shown, err);
	if (r < 0)
		return r;
	if (state != PROOF_GOOD) {
		s->lacking = "the log proof of the statement";
		return 0;
	}
	r = judge_moments(s, &view, err);
	if (r < 0)
		return r;
	e->by = step->fact;
	json_decref(e->used);
	e->used = json_pack("[s]", leaf->id);
	return e->used ? 0 : error_nomem(err);
}

static int search_steps(struct search *s, const struct step *step, struct error *err)
{
	for (size_t i = 0; i < s->h.end; i++) {
		const struct leaf *leaf = &s->e->chain.leaves[i];
		bool good = false;

		if (s->e->by || strcmp(leaf->kind, statement_name(step->type)) != 0)
			continue;
		int r = try_step(s, leaf, &good, err);
		if (r == 0 && good)
			r = judge_step(s, step, leaf, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- together ------------------------------------------------------------------------- */

static int search_all(struct search *s, struct error *err)
{
	static const struct step *const steps[] = {&succession, &rotation};
	int r = query(s)->ahead ? 0 : search_deposits(s, err);

	for (size_t i = 0; r == 0 && query(s)->to && !s->e->by && i < ARRAY_LEN(steps); i++)
		r = search_steps(s, steps[i], err);
	return r;
}

static int gather(struct search *s, struct error *err)
{
	int r = check_roots(query(s), err);

	if (r == 0)
		r = read_chain(s, err);
	if (r == 0 && !s->lacking)
		r = find_offered(s, err);
	if (r == 0 && !s->lacking)
		r = take_now(s, err);
	if (r < 0 || s->lacking)
		return r;
	r = search_all(s, err);
	if (r < 0 || s->e->by)
		return r;
	/* Nothing carries the step. Something that claimed to is worse than nothing at all. */
	if (!s->lacking && s->wrong.code)
		return error_set(err, s->wrong.code == E_DENIED ? E_DENIED : E_UNTRUSTED, "%s",
				 s->wrong.text);
	if (!s->lacking)
		s->lacking = query(s)->to ? "a logged deposit, succession or rotation for this step"
					  : "the deposit in the log";
	return 0;
}

static int explain_lack(struct evidence *e, const char *lacking, struct error *err)
{
	e->released = ANSWER_UNKNOWN;
	e->why = release_lack(lacking);
	e->used = json_array();
	if (!e->why || !e->used)
		return error_nomem(err);
	return facts_new(&e->facts, err);
}

static int digest_used(struct evidence *e, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	json_t *id;
	size_t i;

	json_array_foreach(e->used, i, id)
	{
		int r = buf_printf(&text, err, "%s\n", json_string_value(id));

		if (r < 0)
			return r;
	}
	sha256_hex(text.data ? text.data : "", text.len, e->digest);
	return 0;
}

static int finish(struct search *s, struct error *err)
{
	struct evidence *e = s->e;
	const char *first = json_string_value(json_array_get(e->used, 0));
	int r = e->by ? 0 : explain_lack(e, s->lacking, err);

	if (r == 0 && e->released != ANSWER_UNKNOWN)
		r = facts_set_bool(e->facts, "released", e->released == ANSWER_YES, first, err);
	else if (r == 0)
		r = facts_set_unknown(e->facts, "released", "evidence that is not there yet", err);
	e->when = s->h.now;
	e->proven = s->h.end;
	if (s->judged) {
		e->deposit_doc = steal(s->judged->doc);
		e->deposit = s->judged->d;
		s->judged->d = (struct deposit){0};
	}
	return r < 0 ? r : digest_used(e, err);
}

int evidence_gather(const struct evidence_source *src, const struct evidence_query *q,
		    struct evidence *out, struct error *err)
{
	CLEANUP(evidence_clear) struct evidence e = {0};
	struct search s = {.h = {.source = src, .query = q, .chain = &e.chain}, .e = &e};

	int r = gather(&s, err);
	if (r == 0)
		r = finish(&s, err);
	ledger_close(&s.h);
	free(s.deposits);
	paper_clear(&s.first);
	paper_clear(&s.later);
	if (r < 0)
		return r;
	*out = e;
	e = (struct evidence){0};
	return 0;
}

void evidence_clear(struct evidence *e)
{
	deposit_clear(&e->deposit);
	envelope_free(e->deposit_doc);
	facts_free(e->facts);
	json_decref(e->why);
	json_decref(e->used);
	leaf_chain_clear(&e->chain);
	*e = (struct evidence){0};
}
