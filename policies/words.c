/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/words.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/utc.h"

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

/* "at least 180", "none of silence, order". */
static int put_wanted(const struct node *n, enum answer want, struct buf *out, struct error *err)
{
	static const char *const words[] = {
		[CMP_EQ] = "",         [CMP_NE] = "other than ", [CMP_LT] = "less than ",
		[CMP_LE] = "at most ", [CMP_GT] = "more than ",  [CMP_GE] = "at least ",
	};
	static const char *const dates[] = {
		[CMP_EQ] = "",        [CMP_NE] = "other than ",
		[CMP_LT] = "before ", [CMP_LE] = "no later than ",
		[CMP_GT] = "after ",  [CMP_GE] = "no earlier than ",
	};
	bool date = n->fact->type == FACT_TIME;
	enum compare c = want == ANSWER_YES ? n->compare : compare_opposite(n->compare);

	if (n->fact->type == FACT_BOOL)
		return buf_puts(out, node_wants_true(n, want) ? "yes" : "no", err);
	if (c == CMP_IN) {
		static const char *const in[2][2] = {{"none of ", "one of "},
						     {"something beyond ", "nothing beyond "}};
		bool set = n->fact->type == FACT_SET; /* each of its members has to be listed */
		int r = buf_puts(out, in[set][want == ANSWER_YES], err);

		return r < 0 ? r : put_list(n->value, out, err);
	}
	int r = buf_puts(out, (date ? dates : words)[c], err);
	if (r < 0 || date)
		return r < 0 ? r : put_time(n->number, out, err);
	if (n->fact->type == FACT_INT)
		return buf_printf(out, err, "%" PRId64, n->number);
	return buf_puts(out, json_string_value(n->value), err);
}

/* --- what a rule says ------------------------------------------------------------- */

static int say_count(const struct node *n, const struct facts *facts, const struct fact_value *v,
		     struct buf *out, struct error *err)
{
	int r = buf_printf(out, err, "%s: ", n->fact->meaning);
	int64_t want = n->number;

	if (r == 0)
		r = put_value(n->fact, v, out, err);
	if (r == 0 && n->threshold) {
		struct fact_value threshold = facts_get(facts, n->with);

		if (!threshold.known || threshold.number < 1)
			return r;
		want = threshold.number;
	}
	return r < 0 ? r
		     : buf_printf(out, err, " (%" PRId64 " of %" PRId64 ")", node_count(n, v->set),
				  want);
}

static int say_elapsed(const struct node *n, const struct facts *facts,
		       const struct fact_value *start, struct buf *out, struct error *err)
{
	struct fact_value end = facts_get(facts, n->with);
	int r = buf_printf(out, err, "%" PRId64 " days from \"%s\" to \"%s\": ", n->number,
			   n->fact->meaning, n->with->meaning);

	if (r == 0 && start->known && end.known)
		return buf_printf(out, err, "%" PRId64 " so far",
				  (end.number - start->number) / DAY_S);
	return r < 0 ? r : buf_puts(out, "not known", err);
}

int words_fact(const struct node *n, const struct facts *facts, struct buf *out, struct error *err)
{
	struct fact_value v = facts_get(facts, n->fact);

	switch (n->op) {
	case OP_APPROVALS:
	case OP_SIGNED_BY:
	case OP_REBUILT_BY: return say_count(n, facts, &v, out, err);
	case OP_ELAPSED: return say_elapsed(n, facts, &v, out, err);
	case OP_LOGGED:
		return buf_printf(out, err, "a statement of kind %s is logged",
				  json_string_value(n->value));
	default: break;
	}
	int r = buf_puts(out, n->fact->meaning, err);
	/* The answer says it all of a fact that was found to be so or not. */
	if (r < 0 || (n->compare == CMP_TRUE && v.known))
		return r;
	r = buf_puts(out, ": ", err);
	return r < 0 ? r : put_value(n->fact, &v, out, err);
}

int words_logic(const struct node *n, size_t yes, size_t parts, struct buf *out, struct error *err)
{
	switch (n->op) {
	case OP_ALL: return buf_printf(out, err, "all of these (%zu of %zu)", yes, parts);
	case OP_ANY: return buf_printf(out, err, "any of these (%zu of %zu)", yes, parts);
	case OP_NOT: return buf_puts(out, "not this", err);
	default:
		return buf_printf(out, err, "at least %" PRId64 " of these (%zu of %zu)", n->number,
				  yes, parts);
	}
}

/* --- what it needs ---------------------------------------------------------------- */

static int need_known(const struct fact_info *fact, const struct fact_value *v, struct buf *out,
		      struct error *err)
{
	return v->why_not ? buf_puts(out, v->why_not, err)
			  : buf_printf(out, err, "\"%s\" to be known", fact->meaning);
}

static int need_count(const struct node *n, const struct facts *facts, enum answer want,
		      struct buf *out, struct error *err)
{
	struct fact_value who = facts_get(facts, n->fact), threshold = {0};
	int64_t have = node_count(n, who.set), enough = n->number;

	if (n->threshold) {
		threshold = facts_get(facts, n->with);
		if (!threshold.known)
			return need_known(n->with, &threshold, out, err);
		enough = threshold.number;
		if (enough < 1)
			return buf_printf(out, err, "\"%s\" to be at least 1", n->with->meaning);
	}
	if (!who.known)
		return need_known(n->fact, &who, out, err);
	bool yes = want == ANSWER_YES;
	int r = buf_printf(out, err, "\"%s\" to have %" PRId64 " %s", n->fact->meaning,
			   yes ? enough - have : have - enough + 1, yes ? "more" : "fewer");
	if (r == 0 && n->value)
		r = buf_puts(out, ", of ", err);
	return r == 0 && n->value ? put_list(n->value, out, err) : r;
}

static int need_elapsed(const struct node *n, const struct facts *facts, enum answer want,
			struct buf *out, struct error *err)
{
	struct fact_value start = facts_get(facts, n->fact), end = facts_get(facts, n->with);

	if (!start.known || !end.known)
		return start.known ? need_known(n->with, &end, out, err)
				   : need_known(n->fact, &start, out, err);
	int r = buf_printf(out, err, "\"%s\" to be %s ", n->with->meaning,
			   want == ANSWER_YES ? "no earlier than" : "before");
	return r < 0 ? r : put_time(start.number + n->number * DAY_S, out, err);
}

int words_needed(const struct node *n, const struct facts *facts, enum answer want, struct buf *out,
		 struct error *err)
{
	struct fact_value v = facts_get(facts, n->fact);

	if (n->fact->given && v.known)
		return 0;
	switch (n->op) {
	case OP_APPROVALS:
	case OP_SIGNED_BY:
	case OP_REBUILT_BY: return need_count(n, facts, want, out, err);
	case OP_ELAPSED: return need_elapsed(n, facts, want, out, err);
	case OP_LOGGED:
		if (!v.known && v.why_not)
			return buf_puts(out, v.why_not, err);
		return buf_printf(out, err, "%s statement of kind %s in the log",
				  want == ANSWER_YES ? "a" : "no", json_string_value(n->value));
	case OP_CONSENT:
		if (!v.known && v.why_not)
			return buf_puts(out, v.why_not, err);
		return buf_puts(out,
				want == ANSWER_YES ? "the owner's consent"
						   : "that the owner does not consent",
				err);
	default: break;
	}
	if (!v.known && v.why_not)
		return buf_puts(out, v.why_not, err);
	int r = buf_printf(out, err, "\"%s\" to be ", n->fact->meaning);
	return r < 0 ? r : put_wanted(n, want, out, err);
}
