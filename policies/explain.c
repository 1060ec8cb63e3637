/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of reasons as text. They may come from a file, so their form is checked,
 * and what others have written is escaped: no line can pretend to be another.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "policies/policy.h"

enum {
	SOURCE_SHOWN = 16,
	INDENT = 2,
	COST_WAIT = 1,             /* that time passes */
	COST_ACT = 2,              /* that somebody does something */
	COST_IMPOSSIBLE = 1 << 20, /* more than all the rules of a policy together */
};

/* One rule of a tree, borrowed from it. */
struct reason {
	const char *rule, *text, *needs, *when, *not_before, *source;
	enum answer answer, want;
	const json_t *of;
	size_t n;
	size_t missing; /* so many of the parts have to change for it to come to `want` */
};

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static enum answer flip(enum answer a)
{
	return a == ANSWER_UNKNOWN ? a : a == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
}

static int read_answer(const char *name, enum answer *out)
{
	for (enum answer a = ANSWER_NO; name && a <= ANSWER_YES; a++) {
		if (strcmp(answer_name(a), name) == 0) {
			*out = a;
			return 0;
		}
	}
	return E_INVALID;
}

static bool is(const struct reason *w, const char *rule)
{
	return strcmp(w->rule, rule) == 0;
}

static enum answer want_of_parts(const struct reason *w)
{
	return is(w, "not") ? flip(w->want) : w->want;
}

/* How many parts have to be what they have to be, less those that are. */
static int count_missing(const json_t *o, struct reason *w)
{
	json_int_t enough = 1;
	size_t done = 0;

	if (is(w, "at_least"))
		enough = json_integer_value(json_object_get(o, "at_least"));
	else if (is(w, "all"))
		enough = (json_int_t)w->n;
	else if (!is(w, "any") && !is(w, "not"))
		return E_INVALID;
	if (w->n < 1 || w->n > POLICY_NODES_MAX || enough < 1 || enough > (json_int_t)w->n)
		return E_INVALID;
	if (w->want == ANSWER_NO)
		enough = (json_int_t)w->n - enough + 1;
	for (size_t i = 0; i < w->n; i++) {
		enum answer a;

		if (read_answer(text_of(json_array_get(w->of, i), "answer"), &a) < 0)
			return E_INVALID;
		done += a == want_of_parts(w);
	}
	w->missing = (size_t)enough > done ? (size_t)enough - done : 0;
	return 0;
}

static int read_reason(const json_t *o, enum answer want, struct reason *out, struct error *err)
{
	*out = (struct reason){
		.rule = text_of(o, "rule"),
		.text = text_of(o, "text"),
		.needs = text_of(o, "needs"),
		.when = text_of(o, "when"),
		.not_before = text_of(o, "not_before"),
		.source = text_of(o, "source"),
		.want = want,
		.of = json_object_get(o, "of"),
	};
	out->n = json_array_size(out->of);
	if (!out->rule || !out->text || read_answer(text_of(o, "answer"), &out->answer) < 0)
		return error_set(err, E_INVALID, "reasons: want rule, answer and text");
	if (out->of && count_missing(o, out) < 0)
		return error_set(err, E_INVALID, "reasons: %s: want its parts", out->rule);
	return 0;
}

static int put_escaped(struct buf *out, const char *text, struct error *err)
{
	char shown[LOG_ESCAPED_MAX];
	int r = 0;

	for (const char *p = text; *p && r == 0; p++)
		r = buf_add(out, shown, (size_t)(log_escape(shown, (unsigned char)*p) - shown),
			    err);
	return r;
}

/* --- what it would take ----------------------------------------------------------- */

/* The parts that have to change, cheapest first. */
struct choice {
	size_t n;
	struct {
		const json_t *o; /* borrowed */
		long cost;
	} part[];
};

static int cost_of(const json_t *o, enum answer want, size_t depth, long *out, struct error *err);

static int choose(const struct reason *w, size_t depth, struct choice **out, struct error *err)
{
	CLEANUP(freep) struct choice *c = calloc(1, sizeof(*c) + w->n * sizeof(c->part[0]));

	if (!c)
		return error_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		const json_t *part = json_array_get(w->of, i);
		size_t at = c->n;
		long cost;
		int r = cost_of(part, want_of_parts(w), depth + 1, &cost, err);

		if (r < 0)
			return r;
		if (!cost)
			continue;
		for (; at > 0 && c->part[at - 1].cost > cost; at--)
			c->part[at] = c->part[at - 1];
		c->part[at].o = part;
		c->part[at].cost = cost;
		c->n++;
	}
	*out = steal(c);
	return 0;
}

/* What it takes, at least, for this to come to `want`. */
static int cost_of(const json_t *o, enum answer want, size_t depth, long *out, struct error *err)
{
	CLEANUP(freep) struct choice *c = NULL;
	struct reason w = {0};
	int r = depth > POLICY_DEPTH_MAX
			? error_set(err, E_INVALID, "reasons: want at most %d levels",
				    POLICY_DEPTH_MAX)
			: read_reason(o, want, &w, err);

	if (r < 0)
		return r;
	*out = w.when ? COST_WAIT : w.needs ? COST_ACT : COST_IMPOSSIBLE;
	if (w.answer == want)
		*out = 0;
	if (!w.of || w.answer == want)
		return 0;
	r = choose(&w, depth, &c, err);
	if (r < 0)
		return r;
	*out = 0;
	for (size_t i = 0; i < w.missing && i < c->n; i++)
		*out += c->part[i].cost;
	if (*out > COST_IMPOSSIBLE)
		*out = COST_IMPOSSIBLE;
	return 0;
}

/* One rule about a fact: "1 more of "trustees who approve"". */
static int lacking_fact(const struct reason *w, struct buf *out, struct error *err)
{
	const char *date = w->when ? w->when : w->not_before;
	int r = put_escaped(out, w->needs ? w->needs : w->text, err);

	if (r == 0 && !w->needs)
		r = buf_puts(out, ", which nobody can change", err);
	if (r < 0 || !date || (w->needs && strstr(w->needs, date)))
		return r;
	r = buf_puts(out, w->when ? " (by itself at " : " (not before ", err);
	if (r == 0)
		r = put_escaped(out, date, err);
	return r < 0 ? r : buf_puts(out, ")", err);
}

/* Does a part say that it needs what one before it needs? */
static bool repeats(const struct choice *c, size_t at)
{
	const char *needs = text_of(c->part[at].o, "needs");

	for (size_t i = 0; needs && i < at; i++) {
		const char *other = text_of(c->part[i].o, "needs");

		if (other && strcmp(needs, other) == 0)
			return true;
	}
	return false;
}

static void drop_repeats(struct choice *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		c->part[n] = c->part[i];
		n += !repeats(c, n);
	}
	c->n = n;
}

static int lacking_tree(const json_t *o, enum answer want, size_t depth, bool inside,
			struct buf *out, struct error *err);

/* "2 of (", or with 0 a bracket alone. */
static int open_list(size_t count, struct buf *out, struct error *err)
{
	return count ? buf_printf(out, err, "%zu of (", count) : buf_puts(out, "(", err);
}

/* Keep the parts that could change, or, if that is not enough, those that nobody can. */
static void narrow(struct choice *c, bool possible)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if ((c->part[i].cost < COST_IMPOSSIBLE) == possible)
			c->part[n++] = c->part[i];
	c->n = n;
}

/*
 * The parts of `w` that could change, or if that is not enough, those that nobody can.
 * `inside`: the list stands in another, so that an "or" takes brackets.
 */
static int lacking_parts(const struct reason *w, long cost, size_t depth, bool inside,
			 struct buf *out, struct error *err)
{
	CLEANUP(freep) struct choice *c = NULL;
	int r = choose(w, depth, &c, err);

	if (r < 0)
		return r;
	narrow(c, cost < COST_IMPOSSIBLE);
	bool each = w->missing >= c->n || cost >= COST_IMPOSSIBLE;
	if (each)
		drop_repeats(c);
	bool some = !each && w->missing > 1, several = c->n > 1;
	bool brackets = several && (some || (inside && !each));
	const char *comma = each ? " and " : some ? ", " : brackets ? " or " : "; or ";

	if (brackets)
		r = open_list(some ? w->missing : 0, out, err);
	for (size_t i = 0; i < c->n && r == 0; i++) {
		r = buf_puts(out, i ? comma : "", err);
		if (r == 0)
			r = lacking_tree(c->part[i].o, want_of_parts(w), depth + 1,
					 inside || several, out, err);
	}
	return r < 0 ? r : buf_puts(out, brackets ? ")" : "", err);
}

/* What would make this come to `want`, as a formula. */
static int lacking_tree(const json_t *o, enum answer want, size_t depth, bool inside,
			struct buf *out, struct error *err)
{
	struct reason w = {0};
	long cost;
	int r = cost_of(o, want, depth, &cost, err);

	if (r == 0)
		r = read_reason(o, want, &w, err);
	if (r != 0 || w.answer == want)
		return r;
	return w.of ? lacking_parts(&w, cost, depth, inside, out, err) : lacking_fact(&w, out, err);
}

int policy_lacking(const json_t *why, struct buf *out, struct error *err)
{
	struct reason top;
	int r = read_reason(why, ANSWER_YES, &top, err);

	if (r < 0 || top.answer == ANSWER_YES)
		return r;
	r = buf_puts(out, "needs ", err);
	return r < 0 ? r : lacking_tree(why, ANSWER_YES, 0, false, out, err);
}

/* --- the tree ---------------------------------------------------------------------- */

static int explain_source(const json_t *o, const struct reason *w, struct buf *out,
			  struct error *err)
{
	const json_t *index = json_object_get(o, "index");
	CLEANUP(buf_clear) struct buf id = {0};
	int r = buf_printf(&id, err, " [%.*s", SOURCE_SHOWN, w->source);

	if (r == 0)
		r = put_escaped(out, id.data, err);
	if (r == 0 && json_is_integer(index))
		r = buf_printf(out, err, ", log %" JSON_INTEGER_FORMAT, json_integer_value(index));
	return r < 0 ? r : buf_puts(out, "]", err);
}

/*
 * What a rule needs, beside its own text: that names the fact already, so that
 * `"days without an update" to be at least 1095` becomes "at least 1095"; of a fact that is so or
 * not, nothing is left to say.
 */
static int explain_needs(const struct reason *w, struct buf *out, struct error *err)
{
	static const char *const verbs[] = {"\" to be ", "\" to have "};
	const char *needs = w->needs;

	for (size_t i = 0; *w->needs == '"' && i < ARRAY_LEN(verbs); i++) {
		const char *end = strstr(w->needs + 1, verbs[i]);

		if (end && strncmp(w->needs + 1, w->text, (size_t)(end - w->needs - 1)) == 0)
			needs = end + strlen(verbs[i]);
	}
	if (needs != w->needs && (strcmp(needs, "yes") == 0 || strcmp(needs, "no") == 0))
		return 0;
	int r = buf_puts(out, "; needs ", err);
	return r < 0 ? r : put_escaped(out, needs, err);
}

static int explain_line(const json_t *o, const struct reason *w, size_t depth, struct buf *out,
			struct error *err)
{
	const char *date = w->when ? w->when : w->not_before;
	bool dated = date && (w->when || !w->needs || !strstr(w->needs, date));
	int r = buf_printf(out, err, "%*s%-7s  ", (int)(depth * INDENT), "",
			   answer_name(w->answer));

	if (r == 0)
		r = put_escaped(out, w->text, err);
	if (r == 0 && w->needs && !w->when) /* time by itself brings what it needs */
		r = explain_needs(w, out, err);
	if (r == 0 && dated)
		r = buf_puts(out, w->when ? "; by itself at " : "; not before ", err);
	if (r == 0 && dated)
		r = put_escaped(out, date, err);
	if (r == 0 && w->source)
		r = explain_source(o, w, out, err);
	return r < 0 ? r : buf_puts(out, "\n", err);
}

/*
 * Of what is as it has to be, the parts that made it so; of what is not, the parts
 * that could, or if nobody can change it, those that nobody can.
 */
static int matters(const json_t *part, const struct reason *w, size_t depth, long cost, bool *out,
		   struct error *err)
{
	long of_part;
	int r = cost_of(part, want_of_parts(w), depth + 1, &of_part, err);

	if (r < 0)
		return r;
	*out = w->answer == w->want
		       ? of_part == 0
		       : of_part && (of_part >= COST_IMPOSSIBLE) == (cost >= COST_IMPOSSIBLE);
	return 0;
}

static int explain_tree(const json_t *o, enum answer want, size_t depth, bool whole,
			struct buf *out, struct error *err)
{
	struct reason w = {0};
	long cost;
	int r = cost_of(o, want, depth, &cost, err);

	if (r == 0)
		r = read_reason(o, want, &w, err);
	if (r == 0)
		r = explain_line(o, &w, depth, out, err);
	for (size_t i = 0; i < w.n && r == 0; i++) {
		const json_t *part = json_array_get(w.of, i);
		bool shown = whole;

		if (!whole)
			r = matters(part, &w, depth, cost, &shown, err);
		if (r == 0 && shown)
			r = explain_tree(part, want_of_parts(&w), depth + 1, whole, out, err);
	}
	return r;
}

int policy_explain(const json_t *why, bool whole, struct buf *out, struct error *err)
{
	return explain_tree(why, ANSWER_YES, 0, whole, out, err);
}
