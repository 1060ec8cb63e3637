/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/release.h"

#include "lib/base/error.h"
#include "lib/base/utc.h"

#define NO_WITNESSES "witnessed time: the current root names no witnesses"
#define NO_TIME "witnessed time for it"
#define NOT_SERVED "a logged document that was not served"
#define SILENCE "silence" /* the ground of a notice */

/*
 * What is judged: the log as it was in one checkpoint, for one notice or for the final end of
 * life. A proof can be made anew in any later checkpoint, so its time comes with the tree it is
 * in: whoever shows an approval as later than it is shows all that was logged by then.
 */
struct moment {
	struct ledger *h;
	const struct deposit *d;
	struct record *notice; /* NULL: none */
	size_t end, upto;      /* leaves and records before these are in it */
	struct witnessed now;
	const char *lacking; /* not NULL: for want of this more may be in it than is known */
	/*
	 * Not NULL: for want of this nothing in it has a time, since all that is known of it is
	 * that the next root was not logged before.
	 */
	const char *timeless;
};

/* Who approves and who refuses at a moment; the last word of each seat counts. */
struct votes {
	uint64_t approve, refuse;
	const struct record *by[SEATS_MAX];
};

/* The vendor's last sign of life, or last update. */
struct sign {
	bool known;
	int64_t at;
	const char *id;
	bool after_notice;
	const char *lacking; /* why it is not known */
};

void ruling_clear(struct ruling *r)
{
	facts_free(r->facts);
	json_decref(r->why);
	json_decref(r->used);
	*r = (struct ruling){0};
}

static bool is_missing(const struct ledger *h, enum statement_type t)
{
	return h->missing >> t & 1;
}

static int set_time(struct facts *f, const char *name, const struct witnessed *when, const char *id,
		    struct error *err)
{
	if (!when->known)
		return facts_set_unknown(f, name, NO_TIME, err);
	return facts_set_int(f, name, when->low, id, err);
}

int release_set_now(const struct ledger *h, const struct witnessed *now, struct facts *f,
		    struct error *err)
{
	if (!h->timed || !now->known)
		return facts_set_unknown(f, "now", h->timed ? NO_TIME : NO_WITNESSES, err);
	return facts_set_int(f, "now", now->high, NULL, err);
}

/* The time up to which something is counted; not known: no such count can be made. */
static struct witnessed counted_to(const struct moment *m, const struct witnessed *when)
{
	return m->timeless ? (struct witnessed){.known = false} : *when;
}

static const char *no_time(const struct moment *m)
{
	return m->timeless ? m->timeless : NO_TIME;
}

/* --- what was said ------------------------------------------------------------ */

static int set_eol(const struct moment *m, struct facts *f, struct error *err)
{
	const struct record *final = NULL, *release = NULL, *last = NULL;
	int r = 0;

	for (size_t i = 0; i < m->upto; i++) {
		const struct record *rec = &m->h->records[i];

		if (rec->type != ST_EOL)
			continue;
		last = rec;
		/* Approvals of a notice are none of an end of life. */
		if (rec->final && !final && !m->notice)
			final = rec;
		if (rec->release && !release && !m->notice)
			release = rec;
	}
	/* What was not served may be an end of life; only a yes is sure then. */
	bool sure = !is_missing(m->h, ST_EOL);
	if (final || sure)
		r = facts_set_bool(f, "eol.final", final != NULL, final ? final->leaf->id : NULL,
				   err);
	if (r == 0 && (release || sure))
		r = facts_set_bool(f, "eol.release", release != NULL,
				   release ? release->leaf->id : NULL, err);
	if (r == 0 && last)
		r = facts_set_int(f, "eol.date", last->date, last->leaf->id, err);
	if (r == 0 && final)
		r = set_time(f, "eol.at", &final->shown.when, final->leaf->id, err);
	return r;
}

static int set_notice(const struct moment *m, struct facts *f, struct error *err)
{
	const struct record *n = m->notice;

	if (!n)
		return 0;
	int r = facts_set_text(f, "notice.ground", n->ground, n->leaf->id, err);
	if (r == 0)
		r = facts_set_int(f, "notice.evidence", n->evidence, n->leaf->id, err);
	return r == 0 ? set_time(f, "notice.at", &n->shown.when, n->leaf->id, err) : r;
}

static int set_logged(const struct moment *m, struct facts *f, struct error *err)
{
	int r = facts_add(f, "logged", statement_name(ST_DEPOSIT), NULL, err);

	for (size_t i = 0; i < m->upto && r == 0; i++)
		r = facts_add(f, "logged", statement_name(m->h->records[i].type), NULL, err);
	return r;
}

/* What is in the tree is not younger than it, whatever its own proof shows. */
static int64_t latest(const struct moment *m, const struct witnessed *when)
{
	return m->now.known && m->now.high < when->high ? m->now.high : when->high;
}

/*
 * When the notice was given, for all that ends with it or is counted against it. By a proof that
 * was made anew it would be as young as anybody likes; so it is as old as it says, too.
 */
static struct witnessed given(const struct moment *m)
{
	struct witnessed when = m->notice->shown.when;

	when.high = latest(m, &when);
	if (m->notice->issued < when.high)
		when.high = m->notice->issued;
	if (m->notice->issued < when.low)
		when.low = m->notice->issued;
	return when;
}

/* --- objections ------------------------------------------------------------------ */

/* Does objection `o`, which counts, stand against the notice? */
static int weigh_objection(const struct moment *m, struct record *o, enum answer *out,
			   struct error *err)
{
	if (strcmp(o->target, m->notice->leaf->id) == 0) {
		*out = ANSWER_YES;
		return 0;
	}
	/* Given in a row, one notice could else outlive the objections to the others. */
	if (o > m->notice) {
		*out = o->on != RECORD_NONE && &m->h->records[o->on] < m->notice ? ANSWER_YES
										 : ANSWER_NO;
		return 0;
	}
	/* One against an earlier notice protects from the next for a while. */
	*out = ANSWER_UNKNOWN;
	int r = ledger_prove_record(m->h, o, err);
	if (r == 0 && o->shown.when.known && counted_to(m, &m->notice->shown.when).known)
		*out = given(m).high - o->shown.when.low < (int64_t)OBJECTION_DAYS * DAY_S
			       ? ANSWER_YES
			       : ANSWER_NO;
	return r;
}

static int set_objection(const struct moment *m, struct facts *f, struct error *err)
{
	enum answer stands = is_missing(m->h, ST_OBJECTION) ? ANSWER_UNKNOWN : ANSWER_NO;
	const struct leaf *last = NULL;
	const char *id = NULL;
	size_t count = 0;

	for (size_t i = 0; m->notice && i < m->upto && stands != ANSWER_YES; i++) {
		struct record *rec = &m->h->records[i];
		enum answer a = ANSWER_NO;

		if (rec->type != ST_OBJECTION)
			continue;
		bool updated = false;
		int r = last ? ledger_updated(m->h, last, rec->leaf, &updated, err) : 0;
		if (r < 0)
			return r;
		if (updated)
			count = 0;
		last = rec->leaf;
		if (++count > OBJECTIONS_MAX)
			continue;
		r = weigh_objection(m, rec, &a, err);
		if (r < 0)
			return r;
		if (a > stands)
			stands = a;
		if (a == ANSWER_YES)
			id = rec->leaf->id;
	}
	if (!m->notice || stands != ANSWER_UNKNOWN)
		return facts_set_bool(f, "objection", stands == ANSWER_YES && m->notice, id, err);
	return facts_set_unknown(f, "objection",
				 is_missing(m->h, ST_OBJECTION) ? NOT_SERVED : no_time(m), err);
}

/* --- approvals ------------------------------------------------------------------- */

/* Is this vote about what is judged: the notice, or any final end of life? */
static bool votes_here(const struct moment *m, const struct record *vote)
{
	if (vote->on == RECORD_NONE)
		return false;
	const struct record *on = &m->h->records[vote->on];
	return m->notice ? on == m->notice : on->type == ST_EOL && on->final;
}

/* After the notice lapsed; or before it was given, if that was logged with a date to come. */
static bool out_of_time(const struct moment *m, const struct record *vote)
{
	if (m->notice && vote->issued + (int64_t)VOTE_OLDER_DAYS * DAY_S < m->notice->issued)
		return true;
	return m->notice && m->notice->shown.when.known && vote->shown.when.known &&
	       latest(m, &vote->shown.when) - given(m).low > (int64_t)NOTICE_DAYS * DAY_S;
}

static int count_votes(const struct moment *m, struct votes *v, struct error *err)
{
	for (size_t i = 0; i < m->upto; i++) {
		struct record *rec = &m->h->records[i];
		bool approval = rec->type == ST_APPROVAL;

		if ((!approval && rec->type != ST_REFUSAL) || !votes_here(m, rec))
			continue;
		int r = approval ? ledger_prove_record(m->h, rec, err) : 0;
		if (r < 0)
			return r;
		if (approval && (rec->proof != PROOF_GOOD || out_of_time(m, rec)))
			continue;
		v->approve = approval ? v->approve | rec->seats : v->approve & ~rec->seats;
		v->refuse = approval ? v->refuse & ~rec->seats : v->refuse | rec->seats;
		for (size_t s = 0; s < m->d->nseats; s++)
			if (rec->seats >> s & 1)
				v->by[s] = rec;
	}
	return 0;
}

/* `by` has the vote of each seat. */
static int set_members(const struct moment *m, struct facts *f, const char *name, uint64_t seats,
		       const struct record *const *by, struct error *err)
{
	int r = facts_set_empty(f, name, NULL, err);

	for (size_t s = 0; s < m->d->nseats && r == 0; s++)
		if (seats >> s & 1)
			r = facts_add(f, name, m->d->seats[s].name, by[s]->leaf->id, err);
	return r;
}

static int set_approvals(const struct moment *m, const struct votes *v, struct facts *f,
			 struct error *err)
{
	const struct record *last = NULL;
	int r = facts_set_int(f, "approvals.threshold", m->d->trustees.threshold,
			      envelope_id(m->d->head.doc), err);

	for (size_t s = 0; s < m->d->nseats; s++)
		if ((v->approve >> s & 1) && (!last || v->by[s] > last))
			last = v->by[s];
	if (r == 0 && is_missing(m->h, ST_REFUSAL))
		return facts_set_unknown(f, "approvals", NOT_SERVED, err);
	if (r == 0)
		r = set_members(m, f, "approvals", v->approve, v->by, err);
	if (r == 0)
		r = set_members(m, f, "refusals", v->refuse, v->by, err);
	if (r == 0 && last && m->timeless)
		r = facts_set_unknown(f, "approvals.at", m->timeless, err);
	else if (r == 0 && last && last->shown.when.known)
		r = facts_set_int(f, "approvals.at", latest(m, &last->shown.when), last->leaf->id,
				  err);
	return r;
}

/* --- silence ----------------------------------------------------------------------- */

/* The promise in the deposit, and how far later promises can move it. */
static int64_t support_until(const struct moment *m)
{
	int64_t until = m->d->support_until;
	int64_t most = until + (int64_t)PROMISE_DAYS * DAY_S;

	for (size_t i = 0; i < m->upto; i++) {
		int64_t promise = m->h->records[i].support_until;

		if (promise > until)
			until = promise < most ? promise : most;
	}
	return until;
}

/* After the end of support heartbeats no longer count; updates always do. */
static int last_sign(const struct moment *m, bool updates_only, int64_t until, struct sign *out,
		     struct error *err)
{
	struct last_life last;
	int r = ledger_life(m->h, m->end, updates_only, until, &last, err);

	if (r < 0)
		return r;
	const struct sign_of_life *life = last.sign;
	*out = (struct sign){.known = m->h->root_when.known,
			     .at = m->h->root_when.low,
			     .id = envelope_id(m->h->query->from->doc),
			     .lacking = NO_TIME};
	if (life)
		*out = (struct sign){.known = life->when.known && !life->missing,
				     .at = last.at,
				     .id = life->leaf->id,
				     .after_notice = m->notice && life->leaf > m->notice->leaf,
				     .lacking = life->missing ? NOT_SERVED : NO_TIME};
	return 0;
}

/* A ground has to hold when the notice is given, so its days end there. */
static struct witnessed days_end(const struct moment *m, bool after_notice)
{
	const struct witnessed notice = m->notice ? given(m) : m->now;

	return counted_to(m, after_notice ? &m->now : &notice);
}

/* A sign of life ends a notice of silence for good; another ground has to hold again. */
static int64_t count_days(const struct moment *m, const struct sign *s, int64_t end)
{
	if (end <= s->at || (s->after_notice && strcmp(m->notice->ground, SILENCE) == 0))
		return 0;
	return (end - s->at) / DAY_S;
}

static int set_days(const struct moment *m, const char *at, const char *days, const struct sign *s,
		    struct facts *f, struct error *err)
{
	const struct witnessed end = days_end(m, s->after_notice);

	if (!s->known || !end.known) {
		const char *lacking = s->known ? no_time(m) : s->lacking;
		int r = facts_set_unknown(f, at, lacking, err);

		return r < 0 ? r : facts_set_unknown(f, days, lacking, err);
	}
	int r = facts_set_int(f, at, s->at, s->id, err);
	return r < 0 ? r : facts_set_int(f, days, count_days(m, s, latest(m, &end)), s->id, err);
}

static int set_silence(const struct moment *m, struct facts *f, struct error *err)
{
	static const char *const names[] = {"support.ended", "life.at", "silence.days",
					    "targets.at", "targets.silence_days"};
	int64_t promised = support_until(m);
	const struct witnessed end = days_end(m, false);
	struct sign life = {0}, update = {0};
	int r = 0;

	for (size_t i = 0; !m->h->timed && i < ARRAY_LEN(names) && r == 0; i++)
		r = facts_set_unknown(f, names[i], NO_WITNESSES, err);
	if (r < 0)
		return r;
	if (is_missing(m->h, ST_PRODUCT) || is_missing(m->h, ST_OBJECTION))
		return facts_set_unknown(f, "support.until", NOT_SERVED, err);
	r = facts_set_int(f, "support.until", promised, envelope_id(m->d->head.doc), err);
	if (r < 0 || !m->h->timed)
		return r;
	if (end.known)
		r = facts_set_bool(f, "support.ended", latest(m, &end) > promised, NULL, err);
	else if (m->timeless)
		r = facts_set_unknown(f, "support.ended", m->timeless, err);
	if (r == 0)
		r = last_sign(m, true, promised, &update, err);
	if (r == 0)
		r = set_days(m, "targets.at", "targets.silence_days", &update, f, err);
	if (r == 0)
		r = last_sign(m, false, promised, &life, err);
	return r < 0 ? r : set_days(m, "life.at", "silence.days", &life, f, err);
}

/* --- the decision ------------------------------------------------------------------- */

/* Only documents whose proofs hold are evidence. */
static int prove_subject(const struct moment *m, struct error *err)
{
	for (size_t i = 0; i < m->upto; i++) {
		struct record *rec = &m->h->records[i];

		if (rec->type != ST_EOL)
			continue;
		int r = ledger_prove_record(m->h, rec, err);
		if (r < 0)
			return r;
		if (rec->proof != PROOF_GOOD)
			rec->final = rec->release = false;
	}
	return m->notice ? ledger_prove_record(m->h, m->notice, err) : 0;
}

static int make_facts(const struct moment *m, struct votes *v, struct facts **out,
		      struct error *err)
{
	CLEANUP(facts_freep) struct facts *f = NULL;
	int r = facts_new(&f, err);

	if (r == 0)
		r = prove_subject(m, err);
	if (r == 0)
		r = count_votes(m, v, err);
	if (r == 0 && m->timeless)
		r = facts_set_unknown(f, "now", m->timeless, err);
	else if (r == 0)
		r = release_set_now(m->h, &m->now, f, err);
	if (r == 0)
		r = set_logged(m, f, err);
	if (r == 0)
		r = set_eol(m, f, err);
	if (r == 0)
		r = set_notice(m, f, err);
	if (r == 0)
		r = set_objection(m, f, err);
	if (r == 0)
		r = set_approvals(m, v, f, err);
	if (r == 0)
		r = set_silence(m, f, err);
	if (r < 0)
		return r;
	*out = steal(f);
	return 0;
}

static bool counts_as_used(const struct moment *m, const struct votes *v, const struct record *rec)
{
	if (rec == m->notice || (!m->notice && rec->type == ST_EOL && rec->final))
		return true;
	for (size_t s = 0; s < m->d->nseats; s++)
		if ((v->approve >> s & 1) && v->by[s] == rec)
			return true;
	return false;
}

static int list_used(const struct moment *m, const struct votes *v, const struct leaf *deposit,
		     json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *used = json_array();
	bool put = false;

	for (size_t i = 0; i <= m->upto; i++) {
		const struct record *rec = i < m->upto ? &m->h->records[i] : NULL;

		if (!put && (!rec || rec->leaf > deposit)) {
			put = true;
			if (json_array_append_new(used, json_string(deposit->id)) < 0)
				return error_nomem(err);
		}
		if (rec && counts_as_used(m, v, rec) &&
		    json_array_append_new(used, json_string(rec->leaf->id)) < 0)
			return error_nomem(err);
	}
	*out = steal(used);
	return 0;
}

/* What one moment comes to; the reasons only where they will be shown. */
struct result {
	struct moment m;
	enum answer answer;
	size_t approvals;
};

static int judge(const struct moment *m, const struct policy *p, struct result *out,
		 struct error *err)
{
	CLEANUP(facts_freep) struct facts *f = NULL;
	struct votes v = {0};
	int r = make_facts(m, &v, &f, err);

	*out = (struct result){.m = *m};
	/* A notice without its proof is not there. */
	if (r < 0 || (m->notice && m->notice->proof != PROOF_GOOD))
		return r;
	for (uint64_t left = v.approve; left; left &= left - 1)
		out->approvals++;
	return policy_decide(p, f, &out->answer, NULL, err);
}

static void resolve_targets(struct ledger *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct record *rec = &h->records[i];

		rec->on = RECORD_NONE;
		for (size_t j = 0; *rec->target && j < i; j++)
			if (strcmp(h->records[j].leaf->id, rec->target) == 0)
				rec->on = j;
	}
}

/* How many records are before this leaf? */
static size_t records_before(const struct ledger *h, size_t end)
{
	size_t n = h->n;

	while (n > 0 && h->records[n - 1].leaf >= h->chain->leaves + end)
		n--;
	return n;
}

/* Could the answer become a yes with this very record? Then say what is to be judged. */
static int decisive(const struct moment *now, size_t i, struct moment *m, bool *yes,
		    struct error *err)
{
	struct record *rec = &now->h->records[i];

	*m = *now;
	m->notice = NULL;
	*yes = rec->type == ST_EOL ? rec->final
				   : rec->type == ST_APPROVAL && rec->on != RECORD_NONE;
	if (!*yes)
		return 0;
	if (rec->type == ST_APPROVAL && now->h->records[rec->on].type == ST_NOTICE)
		m->notice = &now->h->records[rec->on];
	int r = ledger_prove_record(now->h, rec, err);
	*yes = r == 0 && rec->proof == PROOF_GOOD;
	if (r < 0 || !*yes)
		return r;
	struct tree_end tree;
	r = ledger_tree_end(now->h, rec->leaf, &rec->shown, now->end, &tree, err);
	if (r < 0)
		return r;
	m->end = tree.end;
	m->now = rec->shown.when;
	if (tree.beyond) /* then all before the next root counts, at no time */
		m->timeless = tree.lacking;
	else
		m->lacking = tree.lacking;
	m->upto = records_before(now->h, m->end);
	return 0;
}

/*
 * The first moment at which the policy said yes: *best is of one where all is known, or else of
 * one where more may have been logged by then.
 */
static int find_moment(const struct moment *end, const struct policy *p, struct result *best,
		       struct error *err)
{
	struct result got = {0};

	for (size_t i = 0; i < end->h->n; i++) {
		struct moment m;
		bool yes;
		int r = decisive(end, i, &m, &yes, err);

		if (r == 0 && yes)
			r = judge(&m, p, &got, err);
		if (r < 0)
			return r;
		if (!yes || got.answer != ANSWER_YES)
			continue;
		if (!m.lacking || best->answer != ANSWER_YES)
			*best = got;
		if (!m.lacking)
			return 0;
	}
	return 0;
}

/* How things stand at the end, which is no answer if not all is known by then. */
static int find_state(const struct moment *end, const struct policy *p, struct result *best,
		      struct error *err)
{
	struct result got = {0};

	int r = judge(end, p, best, err);
	for (size_t i = 0; i < end->h->n && r == 0; i++) {
		struct moment m = *end;

		m.notice = &end->h->records[i];
		if (m.notice->type != ST_NOTICE)
			continue;
		r = judge(&m, p, &got, err);
		if (r == 0 && m.notice->proof == PROOF_GOOD &&
		    (got.answer > best->answer ||
		     (got.answer == best->answer && got.approvals >= best->approvals)))
			*best = got;
	}
	if (r == 0 && best->answer == ANSWER_YES) {
		struct tree_end now;

		r = ledger_now_end(end->h, &now, err);
		best->m.lacking = now.lacking;
		if (r == 0 && end->end < end->h->end) /* the next root came before */
			best->m.lacking =
				"a proof of what decided it that was made before the next root was logged";
	}
	return r;
}

static int find_result(const struct moment *end, const struct policy *p, struct result *best,
		       struct error *err)
{
	struct result first = {0}, last = {0};
	int r = find_moment(end, p, &first, err);

	if (r == 0 && (first.answer != ANSWER_YES || first.m.lacking))
		r = find_state(end, p, &last, err);
	if (r < 0)
		return r;
	*best = first;
	if (first.answer != ANSWER_YES ||
	    (first.m.lacking && last.answer == ANSWER_YES && !last.m.lacking))
		*best = last;
	return 0;
}

/* For the reasons: where in the log the documents are that the facts come from. */
static int locate(const struct moment *m, const struct leaf *deposit, struct facts *f,
		  struct error *err)
{
	const struct leaf *root = leaf_chain_find(m->h->chain, envelope_id(m->h->query->from->doc));
	int r = facts_locate(f, deposit->id, deposit->index, err);

	if (r == 0 && root)
		r = facts_locate(f, root->id, root->index, err);
	for (size_t i = 0; i < m->upto && r == 0; i++)
		r = facts_locate(f, m->h->records[i].leaf->id, m->h->records[i].leaf->index, err);
	for (size_t i = 0; i < m->h->nlife && r == 0; i++)
		if (m->h->life[i].read)
			r = facts_locate(f, m->h->life[i].leaf->id, m->h->life[i].leaf->index, err);
	return r;
}

json_t *release_lack(const char *lacking)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "rule", "evidence", "answer",
			 answer_name(ANSWER_UNKNOWN), "text", "evidence of the release in the log",
			 "needs", lacking);
}

/* What may have been logged by then could have been an objection, a refusal, a sign of life. */
static int doubt(const struct moment *m, struct ruling *r, struct error *err)
{
	if (!m->lacking || r->answer != ANSWER_YES)
		return 0;
	json_decref(r->why);
	r->answer = ANSWER_UNKNOWN;
	r->why = release_lack(m->lacking);
	return r->why ? 0 : error_nomem(err);
}

int release_judge(struct ledger *h, const struct deposit *d, const struct leaf *leaf,
		  struct ruling *out, struct error *err)
{
	const struct moment end = {.h = h, .d = d, .end = h->upto, .upto = h->n, .now = h->now};
	struct ruling ruling = {0};
	struct result best = {0};
	struct votes v = {0};

	resolve_targets(h);
	int r = find_result(&end, d->release_policy, &best, err);
	if (r == 0)
		r = make_facts(&best.m, &v, &ruling.facts, err);
	if (r == 0)
		r = locate(&best.m, leaf, ruling.facts, err);
	if (r == 0)
		r = policy_decide(d->release_policy, ruling.facts, &ruling.answer, &ruling.why,
				  err);
	if (r == 0)
		r = list_used(&best.m, &v, leaf, &ruling.used, err);
	if (r == 0)
		r = doubt(&best.m, &ruling, err);
	if (r < 0) {
		ruling_clear(&ruling);
		return r;
	}
	*out = ruling;
	return 0;
}
