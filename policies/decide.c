/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluating a policy over facts. Without reasons nothing is allocated; the
 * work is bounded by the square of the rules and by the members of sets.
 */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "policies/node.h"
#include "policies/words.h"

/* Rules that are not what they have to be wait; NEVER: time alone does not do it. */
#define NEVER INT64_MAX
#define ANY_TIME INT64_MIN

struct finding {
	enum answer answer;
	int64_t when;       /* at that instant it is, if nothing else changes; or NEVER */
	int64_t not_before; /* no earlier, whatever else happens; or ANY_TIME */
};

struct decision {
	const struct policy *p;
	const struct facts *facts;
	struct fact_value now;
	/* A stack: of each rule that is open, the parts so far. */
	struct finding parts[POLICY_NODES_MAX];
	size_t nparts;
};

const char *answer_name(enum answer a)
{
	static const char *const names[] = {"no", "unknown", "yes"};

	return names[a];
}

static enum answer truth(bool yes)
{
	return yes ? ANSWER_YES : ANSWER_NO;
}

static enum answer flip(enum answer a)
{
	return a == ANSWER_UNKNOWN ? a : truth(a == ANSWER_NO);
}

bool list_has(const json_t *list, const char *text)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	return false;
}

int64_t node_count(const struct node *n, const json_t *set)
{
	int64_t have = 0;

	for (size_t i = 0; i < json_array_size(set); i++)
		have += !n->value || list_has(n->value, json_string_value(json_array_get(set, i)));
	return have;
}

bool node_wants_true(const struct node *n, enum answer want)
{
	bool is = n->compare == CMP_TRUE || (n->compare == CMP_EQ) == json_is_true(n->value);

	return is == (want == ANSWER_YES);
}

enum compare compare_opposite(enum compare c)
{
	static const enum compare opposite[] = {
		[CMP_TRUE] = CMP_TRUE, [CMP_EQ] = CMP_NE, [CMP_NE] = CMP_EQ, [CMP_LT] = CMP_GE,
		[CMP_LE] = CMP_GT,     [CMP_GT] = CMP_LE, [CMP_GE] = CMP_LT, [CMP_IN] = CMP_IN,
	};

	return opposite[c];
}

/* --- time -------------------------------------------------------------------------- */

/* At a time that has been, it is not time that is lacking. */
static void wait_for(const struct decision *d, struct finding *f, int64_t at, bool alone)
{
	if (d->now.known && d->now.number >= at)
		return;
	f->when = alone ? at : NEVER;
	f->not_before = at;
}

/* When does the passing of time alone make of a fact what the rule wants? */
static bool find_when(const struct decision *d, const struct node *n, enum answer want, int64_t *at)
{
	enum compare c = want == ANSWER_YES ? n->compare : compare_opposite(n->compare);
	bool more = c == CMP_GE || c == CMP_GT;

	if (n->fact == fact_find("now")) {
		*at = n->number + (c == CMP_GT);
		return more;
	}
	if (!n->fact->since)
		return false;
	struct fact_value start = facts_get(d->facts, fact_find(n->fact->since));
	if (!start.known)
		return false;
	if (n->fact->type == FACT_BOOL) { /* what is promised until then, is over after it */
		*at = start.number + 1;
		return node_wants_true(n, want);
	}
	if (!more || n->number < 0 || n->number > DAYS_MAX)
		return false;
	*at = start.number + (n->number + (c == CMP_GT)) * DAY_S;
	return true;
}

/* Days that count up to a notice stand still from then on, unless they began anew after it. */
static bool stands_still(const struct decision *d, const struct fact_info *fact)
{
	const struct fact_info *until = fact_find(fact->until);

	if (!until)
		return false;
	struct fact_value end = facts_get(d->facts, until);
	struct fact_value start = facts_get(d->facts, fact_find(fact->since));
	return end.known && (fact->type == FACT_BOOL || end.number >= start.number);
}

/* --- rules about facts --------------------------------------------------------------- */

static bool compare_numbers(enum compare c, int64_t a, int64_t b)
{
	switch (c) {
	case CMP_EQ: return a == b;
	case CMP_NE: return a != b;
	case CMP_LT: return a < b;
	case CMP_LE: return a <= b;
	case CMP_GT: return a > b;
	case CMP_GE: return a >= b;
	default: return false;
	}
}

static bool number_in(const json_t *list, int64_t number)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++)
		if (json_integer_value(json_array_get(list, i)) == number)
			return true;
	return false;
}

static bool holds(const struct node *n, const struct fact_value *v)
{
	switch (n->fact->type) {
	case FACT_BOOL: return v->flag == node_wants_true(n, ANSWER_YES);
	case FACT_INT:
	case FACT_TIME:
		return n->compare == CMP_IN ? number_in(n->value, v->number)
					    : compare_numbers(n->compare, v->number, n->number);
	case FACT_TEXT:
		if (n->compare == CMP_IN)
			return list_has(n->value, v->text);
		return (strcmp(v->text, json_string_value(n->value)) == 0) ==
		       (n->compare == CMP_EQ);
	case FACT_SET:
		for (size_t i = 0; i < json_array_size(v->set); i++)
			if (!list_has(n->value, json_string_value(json_array_get(v->set, i))))
				return false;
		return true;
	}
	return false;
}

static void judge_fact(const struct decision *d, const struct node *n, enum answer want,
		       struct finding *f)
{
	struct fact_value v = facts_get(d->facts, n->fact);
	int64_t at;

	f->answer = v.known ? truth(holds(n, &v)) : ANSWER_UNKNOWN;
	if (f->answer != want && find_when(d, n, want, &at))
		wait_for(d, f, at, v.known && !stands_still(d, n->fact));
}

static enum answer judge_logged(const struct decision *d, const struct node *n)
{
	struct fact_value v = facts_get(d->facts, n->fact);

	return v.known ? truth(list_has(v.set, json_string_value(n->value))) : ANSWER_UNKNOWN;
}

/* approvals, signed_by, rebuilt_by: a set against a number or a threshold. */
static enum answer judge_count(const struct decision *d, const struct node *n)
{
	struct fact_value who = facts_get(d->facts, n->fact);
	struct fact_value threshold = facts_get(d->facts, n->with);
	int64_t have = node_count(n, who.set);

	if (!who.known || (n->threshold && !threshold.known))
		return ANSWER_UNKNOWN;
	if (n->threshold) /* one below 1 would be met by nobody at all */
		return truth(threshold.number >= 1 && have >= threshold.number);
	return truth(have >= n->number);
}

static void judge_elapsed(const struct decision *d, const struct node *n, enum answer want,
			  struct finding *f)
{
	struct fact_value start = facts_get(d->facts, n->fact);
	struct fact_value end = facts_get(d->facts, n->with);
	bool to_now = n->with == fact_find("now");

	f->answer = ANSWER_UNKNOWN;
	if (start.known && end.known)
		f->answer = truth(end.number - start.number >= n->number * DAY_S);
	/* Counted to a date in the future, such as the end of support, it is not time that lacks.
	 */
	if (f->answer != want && want == ANSWER_YES && start.known &&
	    n->with != fact_find("support.until"))
		wait_for(d, f, start.number + n->number * DAY_S, to_now && end.known);
}

static void judge(const struct decision *d, const struct node *n, enum answer want,
		  struct finding *f)
{
	switch (n->op) {
	case OP_APPROVALS:
	case OP_SIGNED_BY:
	case OP_REBUILT_BY: f->answer = judge_count(d, n); break;
	case OP_ELAPSED: judge_elapsed(d, n, want, f); break;
	case OP_LOGGED: f->answer = judge_logged(d, n); break;
	default: judge_fact(d, n, want, f); break;
	}
}

/* --- logic ------------------------------------------------------------------------ */

static int decide_node(struct decision *d, size_t at, enum answer want, struct finding *f,
		       json_t **why, struct error *err);

/* What the parts of a rule came to, and their reasons if they are asked for. */
struct tally {
	size_t n, yes, unknown;
	json_t *of;
};

/* The instant at which so many of the parts have come; by one or the other member. */
static int64_t kth(const struct decision *d, size_t base, size_t k, bool alone)
{
	for (size_t i = base; i < d->nparts; i++) {
		int64_t at = alone ? d->parts[i].when : d->parts[i].not_before;
		size_t earlier = 0, same = 0;

		for (size_t j = base; j < d->nparts; j++) {
			int64_t other = alone ? d->parts[j].when : d->parts[j].not_before;

			earlier += other < at;
			same += other == at;
		}
		if (earlier < k && k <= earlier + same)
			return at;
	}
	return alone ? NEVER : ANY_TIME;
}

/*
 * all, any and at_least are one rule: enough yes. Kleene: unknown may turn out
 * either way. For a no it takes so many that what is left is not enough.
 */
static int decide_logic(struct decision *d, const struct node *n, enum answer want,
			struct finding *f, struct tally *t, struct error *err)
{
	size_t base = d->nparts, enough = 1;
	bool inverse = n->op == OP_NOT;
	enum answer each = inverse ? flip(want) : want;

	for (size_t at = n->first; at; at = d->p->nodes[at].next) {
		struct finding part;
		json_t *why = NULL;
		int r = decide_node(d, at, each, &part, t->of ? &why : NULL, err);

		if (r == 0 && t->of && json_array_append_new(t->of, why) < 0)
			r = error_nomem(err);
		if (r < 0)
			return r;
		if (part.answer == each) /* as at all times, so that it holds nothing up */
			part.when = part.not_before = ANY_TIME;
		d->parts[d->nparts++] = part;
		t->n++;
		t->yes += part.answer == ANSWER_YES;
		t->unknown += part.answer == ANSWER_UNKNOWN;
	}
	if (n->op == OP_ALL)
		enough = t->n;
	else if (n->op == OP_AT_LEAST)
		enough = (size_t)n->number;
	f->answer = t->yes >= enough                ? ANSWER_YES
		    : t->yes + t->unknown >= enough ? ANSWER_UNKNOWN
						    : ANSWER_NO;
	if (inverse)
		f->answer = flip(f->answer);
	if (want == ANSWER_NO)
		enough = t->n - enough + 1;
	if (f->answer != want) {
		f->when = kth(d, base, enough, true);
		f->not_before = kth(d, base, enough, false);
	}
	d->nparts = base;
	return 0;
}

/* --- reasons ------------------------------------------------------------------------ */

/* A member that may be absent; `v_take` NULL though wanted is lack of memory. */
static bool put_member(json_t *o, const char *key, bool wanted, json_t *v_take)
{
	if (wanted)
		return json_object_set_new(o, key, v_take) == 0;
	json_decref(v_take);
	return true;
}

static bool put_text(json_t *o, const char *key, const struct buf *text)
{
	return put_member(o, key, text->len > 0, json_stringn(text->data, text->len));
}

static json_t *fact_json(const struct fact_info *fact, const struct fact_value *v)
{
	char at[UTC_SIZE];

	switch (fact->type) {
	case FACT_BOOL: return json_boolean(v->flag);
	case FACT_INT: return json_integer(v->number);
	case FACT_TIME: utc_format(v->number, at); return json_string(at);
	case FACT_TEXT: return json_string(v->text);
	case FACT_SET: return json_clone(v->set);
	}
	return NULL;
}

static bool put_fact(json_t *o, const struct fact_info *fact, const struct facts *facts)
{
	struct fact_value v = facts_get(facts, fact);

	return put_member(o, "fact", true, json_string(fact->name)) &&
	       put_member(o, "value", v.known, v.known ? fact_json(fact, &v) : NULL) &&
	       put_member(o, "source", v.source, v.source ? json_string(v.source) : NULL) &&
	       put_member(o, "index", v.index >= 0, json_integer(v.index)) &&
	       put_member(o, "from", v.from, v.from ? json_clone(v.from) : NULL);
}

static bool put_when(json_t *o, const struct finding *f)
{
	char at[UTC_SIZE];

	if (f->when != NEVER) {
		utc_format(f->when, at);
		return put_member(o, "when", true, json_string(at));
	}
	utc_format(f->not_before, at);
	return put_member(o, "not_before", f->not_before != ANY_TIME, json_string(at));
}

/*
 * One rule as a part of the tree; `text` is what it says and what it needs, which may be
 * empty. NULL: no memory.
 */
static json_t *make_reason(const struct decision *d, const struct node *n, const struct finding *f,
			   const struct buf text[2], json_t *of)
{
	CLEANUP(json_decrefp) json_t *o = json_object();
	bool ok = o != NULL;

	ok = ok && put_member(o, "rule", true, json_string(op_name(n->op))) &&
	     put_member(o, "answer", true, json_string(answer_name(f->answer))) &&
	     put_text(o, "text", &text[0]) &&
	     put_member(o, "at_least", n->op == OP_AT_LEAST, json_integer(n->number)) &&
	     (!n->fact || put_fact(o, n->fact, d->facts)) && put_text(o, "needs", &text[1]) &&
	     put_when(o, f) && put_member(o, "of", of != NULL, json_incref(of));
	return ok ? steal(o) : NULL;
}

static void clear_texts(struct buf (*text)[2])
{
	buf_clear(&(*text)[0]);
	buf_clear(&(*text)[1]);
}

static int decide_node(struct decision *d, size_t at, enum answer want, struct finding *f,
		       json_t **why, struct error *err)
{
	const struct node *n = &d->p->nodes[at];
	CLEANUP(json_decrefp) json_t *of = n->fact || !why ? NULL : json_array();
	CLEANUP(clear_texts) struct buf text[2] = {0};
	struct tally t = {.of = of};
	int r = 0;

	*f = (struct finding){.when = NEVER, .not_before = ANY_TIME};
	if (n->fact)
		judge(d, n, want, f);
	else if (why && !of)
		r = error_nomem(err);
	else
		r = decide_logic(d, n, want, f, &t, err);
	if (r < 0 || !why)
		return r;
	r = n->fact ? words_fact(n, d->facts, &text[0], err)
		    : words_logic(n, t.yes, t.n, &text[0], err);
	if (r == 0 && n->fact && f->answer != want)
		r = words_needed(n, d->facts, want, &text[1], err);
	if (r < 0)
		return r;
	json_t *made = make_reason(d, n, f, text, of);
	if (!made)
		return error_nomem(err);
	*why = made;
	return 0;
}

int policy_decide(const struct policy *p, const struct facts *f, enum answer *out, json_t **why,
		  struct error *err)
{
	struct decision d = {.p = p, .facts = f, .nparts = 0};
	struct finding top;

	d.now = facts_get(f, fact_find("now"));
	int r = decide_node(&d, 0, ANSWER_YES, &top, why, err);

	if (r == 0)
		*out = top.answer;
	return r;
}
