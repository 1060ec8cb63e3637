/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluating a policy over facts, and saying why. */
#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "policies/node.h"

enum { SOURCE_SHOWN = 16, INDENT = 2 };

/* What became of one node. The texts and `of` are made only if somebody asks why. */
struct finding {
	enum answer answer;
	bool timed; /* only time is missing: it becomes a yes at `when` */
	int64_t when;
	struct buf text, needs;
	json_t *of; /* reasons of the children */
};

struct decision {
	const struct policy *p;
	const struct facts *facts;
	bool explain;
};

static void finding_clear(struct finding *f)
{
	buf_clear(&f->text);
	buf_clear(&f->needs);
	json_decref(f->of);
	*f = (struct finding){0};
}

const char *answer_name(enum answer a)
{
	static const char *const names[] = {"no", "unknown", "yes"};

	return names[a];
}

static enum answer truth(bool yes)
{
	return yes ? ANSWER_YES : ANSWER_NO;
}

static bool in_list(const json_t *list, const char *text)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	return false;
}

/* --- words -------------------------------------------------------------------- */

static int put_time(int64_t at, struct buf *out, struct error *err)
{
	char text[UTC_SIZE];

	utc_format(at, text);
	return buf_puts(out, text, err);
}

static int put_list(const json_t *list, struct buf *out, struct error *err)
{
	size_t n = json_array_size(list);
	int r = n ? 0 : buf_puts(out, "none", err);

	for (size_t i = 0; i < n && r == 0; i++) {
		const json_t *v = json_array_get(list, i);

		if (i)
			r = buf_puts(out, ", ", err);
		if (r == 0 && json_is_integer(v))
			r = buf_printf(out, err, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		else if (r == 0)
			r = buf_puts(out, json_string_value(v), err);
	}
	return r;
}

static int put_value(const struct fact_info *fact, const struct fact_value *v, struct buf *out,
		     struct error *err)
{
	if (!v->known)
		return buf_puts(out, "not known", err);
	switch (fact->type) {
	case FACT_BOOL: return buf_puts(out, v->flag ? "yes" : "no", err);
	case FACT_INT: return buf_printf(out, err, "%" PRId64, v->number);
	case FACT_TIME: return put_time(v->number, out, err);
	case FACT_TEXT: return buf_puts(out, v->text, err);
	case FACT_SET: return put_list(v->set, out, err);
	}
	return 0;
}

/* "at least 180", "one of silence, order". */
static int put_wanted(const struct node *n, struct buf *out, struct error *err)
{
	static const char *const words[] = {
		[CMP_TRUE] = "yes",      [CMP_EQ] = "",         [CMP_NE] = "other than ",
		[CMP_LT] = "less than ", [CMP_LE] = "at most ", [CMP_GT] = "more than ",
		[CMP_GE] = "at least ",  [CMP_IN] = "one of ",
	};
	static const char *const dates[] = {
		[CMP_LT] = "before ",
		[CMP_LE] = "no later than ",
		[CMP_GT] = "after ",
		[CMP_GE] = "no earlier than ",
	};
	enum compare c = n->compare;
	bool date = n->fact->type == FACT_TIME && c >= CMP_LT && c <= CMP_GE;
	int r = buf_puts(out, date ? dates[c] : words[c], err);

	if (r < 0 || c == CMP_TRUE)
		return r;
	if (c == CMP_IN)
		return put_list(n->value, out, err);
	switch (n->fact->type) {
	case FACT_INT: return buf_printf(out, err, "%" PRId64, n->number);
	case FACT_TIME: return put_time(n->number, out, err);
	case FACT_BOOL: return buf_puts(out, json_is_true(n->value) ? "yes" : "no", err);
	default: return buf_puts(out, json_string_value(n->value), err);
	}
}

/* --- one fact ------------------------------------------------------------------- */

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
	bool equal = n->compare == CMP_EQ;

	switch (n->fact->type) {
	case FACT_BOOL:
		return n->compare == CMP_TRUE ? v->flag
					      : (v->flag == json_is_true(n->value)) == equal;
	case FACT_INT:
	case FACT_TIME:
		return n->compare == CMP_IN ? number_in(n->value, v->number)
					    : compare_numbers(n->compare, v->number, n->number);
	case FACT_TEXT:
		if (n->compare == CMP_IN)
			return in_list(n->value, v->text);
		return (strcmp(v->text, json_string_value(n->value)) == 0) == equal;
	case FACT_SET:
		for (size_t i = 0; i < json_array_size(v->set); i++)
			if (!in_list(n->value, json_string_value(json_array_get(v->set, i))))
				return false;
		return true;
	}
	return false;
}

/* A count of days grows by itself, and support ends by itself: when is it enough? */
static void find_when(const struct decision *d, const struct node *n, struct finding *f)
{
	const struct fact_info *since = fact_find(n->fact->since);
	bool more = n->compare == CMP_GE || n->compare == CMP_GT;

	if (!since || f->answer != ANSWER_NO || n->number < 0 || n->number > DAYS_MAX)
		return;
	struct fact_value start = facts_get(d->facts, since);
	if (!start.known)
		return;
	if (n->fact->type == FACT_INT && more) {
		f->timed = true;
		f->when = start.number + (n->number + (n->compare == CMP_GT)) * DAY_S;
	} else if (n->fact->type == FACT_BOOL && n->compare == CMP_TRUE) {
		f->timed = true;
		f->when = start.number;
	}
}

static int explain_fact(const struct node *n, const struct fact_value *v, struct finding *f,
			struct error *err)
{
	int r = buf_puts(&f->text, n->fact->meaning, err);

	if (r == 0 && (n->compare != CMP_TRUE || !v->known))
		r = buf_puts(&f->text, ": ", err);
	if (r == 0 && (n->compare != CMP_TRUE || !v->known))
		r = put_value(n->fact, v, &f->text, err);
	if (r < 0 || f->answer == ANSWER_YES)
		return r;
	if (!v->known && v->why_not)
		return buf_puts(&f->needs, v->why_not, err);
	r = buf_printf(&f->needs, err, "%s to be ", n->fact->name);
	return r < 0 ? r : put_wanted(n, &f->needs, err);
}

static int judge_fact(const struct decision *d, const struct node *n, struct finding *f,
		      struct error *err)
{
	struct fact_value v = facts_get(d->facts, n->fact);

	f->answer = v.known ? truth(holds(n, &v)) : ANSWER_UNKNOWN;
	find_when(d, n, f);
	return d->explain ? explain_fact(n, &v, f, err) : 0;
}

static int judge_logged(const struct decision *d, const struct node *n, struct finding *f,
			struct error *err)
{
	struct fact_value v = facts_get(d->facts, n->fact);
	const char *kind = json_string_value(n->value);

	f->answer = v.known ? truth(in_list(v.set, kind)) : ANSWER_UNKNOWN;
	if (!d->explain)
		return 0;
	int r = buf_printf(&f->text, err, "a statement of kind %s is logged", kind);
	if (r < 0 || f->answer == ANSWER_YES)
		return r;
	return v.why_not ? buf_puts(&f->needs, v.why_not, err)
			 : buf_printf(&f->needs, err, "a statement of kind %s in the log", kind);
}

static int judge_consent(const struct decision *d, const struct node *n, struct finding *f,
			 struct error *err)
{
	struct fact_value v = facts_get(d->facts, n->fact);

	f->answer = v.known ? truth(v.flag) : ANSWER_UNKNOWN;
	if (!d->explain)
		return 0;
	int r = buf_puts(&f->text, n->fact->meaning, err);
	if (r < 0 || f->answer == ANSWER_YES)
		return r;
	return buf_puts(&f->needs, v.why_not ? v.why_not : "the owner's consent", err);
}

/* --- how many -------------------------------------------------------------------- */

static int explain_count(const struct node *n, const struct fact_value *who, int64_t have,
			 const struct fact_value *threshold, struct finding *f, struct error *err)
{
	int64_t want = n->threshold ? threshold->number : n->number;
	int r = buf_printf(&f->text, err, "%s: ", n->fact->meaning);

	if (r == 0)
		r = put_value(n->fact, who, &f->text, err);
	if (r == 0 && n->threshold && (!threshold->known || want < 1))
		return buf_printf(&f->needs, err, "%s to be %s", n->with->name,
				  threshold->known ? "at least 1" : "known");
	if (r == 0)
		r = buf_printf(&f->text, err, " (%" PRId64 " of %" PRId64 ")", have, want);
	if (r < 0 || f->answer == ANSWER_YES)
		return r;
	if (!who->known)
		return buf_puts(&f->needs, who->why_not ? who->why_not : "them to be known", err);
	r = buf_printf(&f->needs, err, "%" PRId64 " more", want - have);
	if (r == 0 && n->value)
		r = buf_puts(&f->needs, " of ", err);
	return r == 0 && n->value ? put_list(n->value, &f->needs, err) : r;
}

/* approvals, signed_by, rebuilt_by: a set against a number or a threshold. */
static int judge_count(const struct decision *d, const struct node *n, struct finding *f,
		       struct error *err)
{
	struct fact_value who = facts_get(d->facts, n->fact);
	struct fact_value threshold = facts_get(d->facts, n->with);
	int64_t have = 0;

	for (size_t i = 0; i < json_array_size(who.set); i++)
		have += !n->value ||
			in_list(n->value, json_string_value(json_array_get(who.set, i)));
	if (!who.known || (n->threshold && !threshold.known))
		f->answer = ANSWER_UNKNOWN;
	else if (n->threshold) /* a threshold below one would be met by nobody at all */
		f->answer = truth(threshold.number >= 1 && have >= threshold.number);
	else
		f->answer = truth(have >= n->number);
	return d->explain ? explain_count(n, &who, have, &threshold, f, err) : 0;
}

/* --- time ------------------------------------------------------------------------- */

static int explain_elapsed(const struct node *n, const struct fact_value *start,
			   const struct fact_value *end, struct finding *f, struct error *err)
{
	bool known = start->known && end->known;
	int r = buf_printf(&f->text, err, "%" PRId64 " days from \"%s\" to \"%s\"", n->number,
			   n->fact->meaning, n->with->meaning);

	if (r == 0 && known)
		r = buf_printf(&f->text, err, ": %" PRId64 " so far",
			       (end->number - start->number) / DAY_S);
	else if (r == 0)
		r = buf_puts(&f->text, ": not known", err);
	if (r < 0 || f->answer == ANSWER_YES)
		return r;
	if (known) {
		r = buf_printf(&f->needs, err, "%s to be no earlier than ", n->with->name);
		return r < 0 ? r : put_time(start->number + n->number * DAY_S, &f->needs, err);
	}
	const struct fact_value *lack = start->known ? end : start;
	if (lack->why_not)
		return buf_puts(&f->needs, lack->why_not, err);
	return buf_printf(&f->needs, err, "%s to be known",
			  start->known ? n->with->name : n->fact->name);
}

static int judge_elapsed(const struct decision *d, const struct node *n, struct finding *f,
			 struct error *err)
{
	struct fact_value start = facts_get(d->facts, n->fact);
	struct fact_value end = facts_get(d->facts, n->with);
	struct fact_value now = facts_get(d->facts, fact_find("now"));

	f->answer = ANSWER_UNKNOWN;
	if (start.known && end.known)
		f->answer = truth(end.number - start.number >= n->number * DAY_S);
	/* Before that instant nothing can help; after it, counting to now, nothing else is needed.
	 */
	int64_t enough = start.number + n->number * DAY_S;
	if (start.known && now.known && f->answer != ANSWER_YES && now.number < enough) {
		f->timed = true;
		f->when = enough;
	}
	return d->explain ? explain_elapsed(n, &start, &end, f, err) : 0;
}

/* --- logic ------------------------------------------------------------------------ */

static int decide_node(const struct decision *d, size_t at, struct finding *f, json_t **why,
		       struct error *err);

/* What the children of a node came to. */
struct tally {
	size_t n, yes, unknown;
	size_t timed;
	int64_t whens[POLICY_NODES_MAX]; /* of the `timed` ones, rising */
};

static void tally_add(struct tally *t, const struct finding *f)
{
	t->n++;
	t->yes += f->answer == ANSWER_YES;
	t->unknown += f->answer == ANSWER_UNKNOWN;
	if (!f->timed)
		return;
	size_t i = t->timed++;
	for (; i > 0 && t->whens[i - 1] > f->when; i--)
		t->whens[i] = t->whens[i - 1];
	t->whens[i] = f->when;
}

static int decide_children(const struct decision *d, const struct node *n, struct tally *t,
			   struct finding *f, struct error *err)
{
	if (d->explain) {
		f->of = json_array();
		if (!f->of)
			return error_nomem(err);
	}
	for (size_t at = n->first; at; at = d->p->nodes[at].next) {
		CLEANUP(finding_clear) struct finding child = {0};
		json_t *why = NULL;
		int r = decide_node(d, at, &child, d->explain ? &why : NULL, err);

		if (r < 0)
			return r;
		if (d->explain && json_array_append_new(f->of, why) < 0)
			return error_nomem(err);
		tally_add(t, &child);
	}
	return 0;
}

static int explain_logic(const struct node *n, const struct tally *t, struct finding *f,
			 struct error *err)
{
	switch (n->op) {
	case OP_ALL: return buf_printf(&f->text, err, "all of these (%zu of %zu)", t->yes, t->n);
	case OP_ANY: return buf_printf(&f->text, err, "any of these (%zu of %zu)", t->yes, t->n);
	case OP_NOT: return buf_puts(&f->text, "not this", err);
	default:
		return buf_printf(&f->text, err, "at least %" PRId64 " of these (%zu of %zu)",
				  n->number, t->yes, t->n);
	}
}

/* all, any and at_least are one rule: enough yes. Kleene: unknown may turn out either way. */
static int judge_logic(const struct decision *d, const struct node *n, struct finding *f,
		       struct error *err)
{
	CLEANUP(freep) struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return error_nomem(err);
	int r = decide_children(d, n, t, f, err);
	if (r < 0)
		return r;

	size_t want = n->op == OP_ALL ? t->n : n->op == OP_ANY ? 1 : (size_t)n->number;
	if (n->op == OP_NOT)
		f->answer = t->unknown ? ANSWER_UNKNOWN : truth(t->yes == 0);
	else if (t->yes >= want)
		f->answer = ANSWER_YES;
	else
		f->answer = t->yes + t->unknown >= want ? ANSWER_UNKNOWN : ANSWER_NO;
	if (n->op != OP_NOT && f->answer != ANSWER_YES && t->yes + t->timed >= want) {
		f->timed = true;
		f->when = t->whens[want - t->yes - 1];
	}
	return d->explain ? explain_logic(n, t, f, err) : 0;
}

static int judge(const struct decision *d, const struct node *n, struct finding *f,
		 struct error *err)
{
	switch (n->op) {
	case OP_FACT:
	case OP_NOTICE: return judge_fact(d, n, f, err);
	case OP_APPROVALS:
	case OP_SIGNED_BY:
	case OP_REBUILT_BY: return judge_count(d, n, f, err);
	case OP_ELAPSED: return judge_elapsed(d, n, f, err);
	case OP_LOGGED: return judge_logged(d, n, f, err);
	case OP_CONSENT: return judge_consent(d, n, f, err);
	default: return judge_logic(d, n, f, err);
	}
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

static json_t *fact_json(const struct fact_info *fact, const struct fact_value *v)
{
	char at[UTC_SIZE];

	switch (fact->type) {
	case FACT_BOOL: return json_boolean(v->flag);
	case FACT_INT: return json_integer(v->number);
	case FACT_TIME: utc_format(v->number, at); return json_string(at);
	case FACT_TEXT: return json_string(v->text);
	case FACT_SET: return json_copy((json_t *)(uintptr_t)v->set); /* only read */
	}
	return NULL;
}

static int reason(const struct decision *d, const struct node *n, struct finding *f, json_t **why,
		  struct error *err)
{
	CLEANUP(json_decrefp) json_t *o = json_object();
	char when[UTC_SIZE] = "";
	bool ok = o != NULL;

	if (f->timed)
		utc_format(f->when, when);
	ok = ok && put_member(o, "rule", true, json_string(op_name(n->op))) &&
	     put_member(o, "answer", true, json_string(answer_name(f->answer))) &&
	     put_member(o, "text", true, json_stringn(f->text.data, f->text.len));
	if (ok && n->fact) {
		struct fact_value v = facts_get(d->facts, n->fact);

		ok = put_member(o, "fact", true, json_string(n->fact->name)) &&
		     put_member(o, "value", v.known, v.known ? fact_json(n->fact, &v) : NULL) &&
		     put_member(o, "source", v.source, json_string(v.source));
	}
	ok = ok &&
	     put_member(o, "needs", f->needs.len, json_stringn(f->needs.data, f->needs.len)) &&
	     put_member(o, "when", f->timed, json_string(when)) &&
	     put_member(o, "of", json_array_size(f->of), json_incref(f->of));
	if (!ok)
		return error_nomem(err);
	*why = steal(o);
	return 0;
}

static int decide_node(const struct decision *d, size_t at, struct finding *f, json_t **why,
		       struct error *err)
{
	const struct node *n = &d->p->nodes[at];
	int r = judge(d, n, f, err);

	return r < 0 || !why ? r : reason(d, n, f, why, err);
}

int policy_decide(const struct policy *p, const struct facts *f, enum answer *out, json_t **why,
		  struct error *err)
{
	const struct decision d = {.p = p, .facts = f, .explain = why != NULL};
	CLEANUP(finding_clear) struct finding top = {0};
	int r = decide_node(&d, 0, &top, why, err);

	if (r == 0)
		*out = top.answer;
	return r;
}

static int explain_line(const json_t *why, size_t depth, struct buf *out, struct error *err)
{
	const char *needs = json_string_value(json_object_get(why, "needs"));
	const char *when = json_string_value(json_object_get(why, "when"));
	const char *source = json_string_value(json_object_get(why, "source"));
	const char *answer = json_string_value(json_object_get(why, "answer"));
	const char *text = json_string_value(json_object_get(why, "text"));

	if (!answer || !text)
		return error_set(err, E_INVALID, "reasons: want answer and text");
	int r = buf_printf(out, err, "%*s%-7s  %s", (int)(depth * INDENT), "", answer, text);
	if (r == 0 && needs)
		r = buf_printf(out, err, "; needs %s", needs);
	if (r == 0 && when)
		r = buf_printf(out, err, "; in time by itself at %s", when);
	if (r == 0 && source)
		r = buf_printf(out, err, " [%.*s]", SOURCE_SHOWN, source);
	return r < 0 ? r : buf_puts(out, "\n", err);
}

static int explain_tree(const json_t *why, size_t depth, struct buf *out, struct error *err)
{
	const json_t *of = json_object_get(why, "of");
	int r = 0;

	if (depth > POLICY_DEPTH_MAX)
		return error_set(err, E_INVALID, "reasons: want at most %d levels",
				 POLICY_DEPTH_MAX);
	r = explain_line(why, depth, out, err);
	for (size_t i = 0; i < json_array_size(of) && r == 0; i++)
		r = explain_tree(json_array_get(of, i), depth + 1, out, err);
	return r;
}

int policy_explain(const json_t *why, struct buf *out, struct error *err)
{
	return explain_tree(why, 0, out, err);
}

/* The parts of a `not` are what it wants to fail: it speaks for itself. */
static int lacking_tree(const json_t *why, size_t depth, struct buf *out, struct error *err)
{
	const char *needs = json_string_value(json_object_get(why, "needs"));
	const char *when = json_string_value(json_object_get(why, "when"));
	const char *answer = json_string_value(json_object_get(why, "answer"));
	const char *text = json_string_value(json_object_get(why, "text"));
	const char *rule = json_string_value(json_object_get(why, "rule"));
	const json_t *of = json_object_get(why, "of");
	int r = 0;

	if (!answer || !text || !rule || depth > POLICY_DEPTH_MAX)
		return error_set(err, E_INVALID, "reasons: want rule, answer and text");
	if (strcmp(answer, answer_name(ANSWER_YES)) == 0)
		return 0;
	if (of && strcmp(rule, "not") != 0) {
		for (size_t i = 0; i < json_array_size(of) && r == 0; i++)
			r = lacking_tree(json_array_get(of, i), depth + 1, out, err);
		return r;
	}
	r = buf_printf(out, err, "%s%s: %s", out->len ? "; " : "", answer, text);
	if (r == 0 && needs)
		r = buf_printf(out, err, ", needs %s", needs);
	if (r == 0 && when)
		r = buf_printf(out, err, ", in time by itself at %s", when);
	return r;
}

int policy_lacking(const json_t *why, struct buf *out, struct error *err)
{
	return lacking_tree(why, 0, out, err);
}
