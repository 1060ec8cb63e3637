/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What docs/POLICIES.md promises of every policy, tried on thousands that nobody
 * wrote: policies and facts from a generator of numbers that is the same everywhere.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/utc.h"
#include "policies/node.h"
#include "policies/policy.h"
#include "policies/shipped.h"

enum {
	ROUNDS = 600, /* also where a processor is played by a program */
	PRINTED = 375,
	DEPTH = 4,
	YEAR = 365,
	ALLOCATIONS_EACH = 64, /* of a rule, or a member of a set, with reasons */
};

#define START INT64_C(1767225600) /* 2026-01-01 */

/*
 * xorshift64*: good enough, and the same on every machine, as long as no expression asks twice:
 * compilers differ in which of the two comes first.
 */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

static int64_t below(uint64_t *seed, int64_t n)
{
	return (int64_t)((next(seed) >> 33) % (uint64_t)n);
}

/* --- policies ---------------------------------------------------------------------- */

/* What a generated policy may have in it. */
enum taste {
	ANYTHING,
	RISING, /* only what more can never hurt: no `not`, no `<`, no `==`, no `in` */
};

static json_t *make_date(int64_t at)
{
	char text[UTC_SIZE];

	utc_format(at, text);
	return json_string(text);
}

static const struct fact_info *pick_fact(uint64_t *seed)
{
	size_t n = 0;

	while (fact_table[n].name)
		n++;
	return &fact_table[below(seed, (int64_t)n)];
}

static json_t *make_number(const struct fact_info *fact, uint64_t *seed)
{
	return fact->type == FACT_TIME ? make_date(START + below(seed, 3L * YEAR) * DAY_S)
				       : json_integer(below(seed, 2L * YEAR));
}

static json_t *make_words(uint64_t *seed)
{
	json_t *list = json_array();

	for (int64_t n = 1 + below(seed, 3); n > 0; n--)
		(void)json_array_append_new(list, json_sprintf("w%d", (int)below(seed, 6)));
	return list;
}

static json_t *make_compared(const struct fact_info *fact, enum taste taste, uint64_t *seed)
{
	static const char *const words[] = {">=", ">", "<", "<=", "==", "!="};
	const char *word = words[below(seed, taste == RISING ? 2 : 6)];
	json_t *value;

	switch (fact->type) {
	case FACT_BOOL:
		if (taste == RISING || below(seed, 2))
			return json_pack("{s:s}", "fact", fact->name);
		word = below(seed, 2) ? "==" : "!=";
		return json_pack("{s:s, s:b}", "fact", fact->name, word, (int)below(seed, 2));
	case FACT_INT:
		value = make_number(fact, seed);
		if (taste == RISING || below(seed, 6))
			return json_pack("{s:s, s:o}", "fact", fact->name, word, value);
		return json_pack("{s:s, s:[o, o]}", "fact", fact->name, "in", value,
				 make_number(fact, seed));
	case FACT_TIME:
		return json_pack("{s:s, s:o}", "fact", fact->name, word, make_number(fact, seed));
	case FACT_TEXT:
	case FACT_SET:
		if (taste == RISING)
			return json_pack("{s:{s:s}}", "logged", "kind", "w1");
		return json_pack("{s:s, s:o}", "fact", fact->name, "in", make_words(seed));
	}
	return NULL;
}

static json_t *make_elapsed(enum taste taste, uint64_t *seed)
{
	static const char *const since[] = {"notice",  "eol",        "approval", "support", "life",
					    "targets", "succession", "rotation", "proposal"};
	int64_t from = below(seed, 9), to = below(seed, 9);
	json_t *body = json_pack("{s:s, s:I}", "since", since[from], "at_least_days",
				 (json_int_t)(1 + below(seed, YEAR)));

	if (taste == ANYTHING && to != from && below(seed, 2))
		(void)json_object_set_new(body, "until", json_string(since[to]));
	return json_pack("{s:o}", "elapsed", body);
}

static json_t *make_count(uint64_t *seed)
{
	static const char *const ops[] = {"approvals", "signed_by", "rebuilt_by"};
	json_t *n = below(seed, 2) ? json_string("threshold") : json_integer(1 + below(seed, 5));

	return json_pack("{s:{s:o}}", ops[below(seed, 3)], "at_least", n);
}

static json_t *make_leaf(enum taste taste, uint64_t *seed)
{
	switch (below(seed, 8)) {
	case 0:
	case 1: return make_count(seed);
	case 2: return make_elapsed(taste, seed);
	case 3: return json_pack("{s:s}", "consent", "owner");
	case 4: return json_pack("{s:{s:s}}", "logged", "kind", below(seed, 2) ? "w0" : "w1");
	default: return make_compared(pick_fact(seed), taste, seed);
	}
}

static json_t *make_rule(enum taste taste, int depth, uint64_t *seed)
{
	int64_t kind = depth ? below(seed, 6) : 5;
	json_t *parts;

	if (kind == 3 && taste == ANYTHING)
		return json_pack("{s:o}", "not", make_rule(taste, depth - 1, seed));
	if (kind > 2)
		return make_leaf(taste, seed);
	parts = json_array();
	for (int64_t n = 1 + below(seed, 4); n > 0; n--)
		(void)json_array_append_new(parts, make_rule(taste, depth - 1, seed));
	if (kind == 2) {
		json_int_t k = 1 + below(seed, (int64_t)json_array_size(parts));

		return json_pack("{s:I, s:o}", "at_least", k, "of", parts);
	}
	return json_pack("{s:o}", kind ? "any" : "all", parts);
}

static struct policy *make_policy(enum taste taste, uint64_t *seed)
{
	CLEANUP(json_decrefp)
	json_t *src = json_pack("{s:s, s:i, s:o}", "policy", "made", "version", 1, "allow",
				make_rule(taste, DEPTH, seed));
	struct policy *p = NULL;
	struct error err = {0};

	if (!src || policy_parse(src, "made", &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

/* --- facts ------------------------------------------------------------------------- */

static json_t *make_value(const struct fact_info *fact, uint64_t *seed)
{
	json_t *set;

	switch (fact->type) {
	case FACT_BOOL: return json_boolean(below(seed, 2));
	case FACT_TEXT: return json_sprintf("w%d", (int)below(seed, 6));
	case FACT_INT:
	case FACT_TIME: break;
	case FACT_SET:
		set = json_array();
		for (int64_t n = below(seed, 5); n > 0; n--)
			(void)json_array_append_new(set, json_sprintf("w%d", (int)(n - 1)));
		return set;
	}
	if (strstr(fact->name, "threshold"))
		return json_integer(1 + below(seed, 4));
	return make_number(fact, seed);
}

/* Two of three are known. */
static json_t *make_facts(uint64_t *seed)
{
	json_t *o = json_object();

	for (const struct fact_info *f = fact_table; f->name; f++)
		if (below(seed, 3))
			assert_int_equal(json_object_set_new(o, f->name, make_value(f, seed)), 0);
	return o;
}

static enum answer decide(const struct policy *p, json_t *facts, json_t **why)
{
	CLEANUP(facts_freep) struct facts *f = NULL;
	enum answer answer = ANSWER_NO;
	struct error err = {0};

	if (facts_from_json(facts, &f, &err) < 0 || policy_decide(p, f, &answer, why, &err) < 0)
		fail_msg("%s", err.text);
	return answer;
}

static void complain(const struct policy *p, json_t *facts, const char *what)
{
	CLEANUP(freep) char *rule = json_dumps(p->src, JSON_COMPACT);
	CLEANUP(freep) char *known = json_dumps(facts, JSON_COMPACT);

	(void)printf("%s\n%s\n", rule, known);
	fail_msg("%s", what);
}

/* --- knowing more ------------------------------------------------------------------- */

static void knowing_more_never_turns_an_answer_over(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_facts(&seed);
		enum answer before = decide(p, facts, NULL);

		for (const struct fact_info *f = fact_table; f->name; f++) {
			if (json_object_get(facts, f->name) || below(&seed, 4))
				continue;
			assert_int_equal(json_object_set_new(facts, f->name, make_value(f, &seed)),
					 0);
			enum answer after = decide(p, facts, NULL);
			if (before != ANSWER_UNKNOWN && after != before)
				complain(p, facts, f->name);
			before = after;
		}
	}
}

/* The same the other way, on what ships: to forget something never makes a no of a yes. */
static void shipped_policies_with_less_known_are_unknown_at_worst(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (const struct shipped *s = shipped; s->name; s++) {
		CLEANUP(policy_freep) struct policy *p = NULL;

		assert_int_equal(policy_shipped(s->name, &p, NULL), 0);
		for (int i = 0; i < ROUNDS / 10; i++) {
			CLEANUP(json_decrefp) json_t *facts = make_facts(&seed);
			enum answer before = decide(p, facts, NULL);

			for (const struct fact_info *f = fact_table; f->name; f++) {
				CLEANUP(json_decrefp) json_t *less = json_copy(facts);

				(void)json_object_del(less, f->name);
				enum answer after = decide(p, less, NULL);
				if (after != before && after != ANSWER_UNKNOWN)
					complain(p, facts, f->name);
			}
		}
	}
}

/* --- more ---------------------------------------------------------------------------- */

/* May a rule count from this date? Then a later one means less time. */
static bool starts_a_period(const char *name)
{
	static const char *const starts[] = {"notice.at",     "eol.at",      "approvals.at",
					     "support.until", "life.at",     "targets.at",
					     "succession.at", "rotation.at", "proposal.at"};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (strcmp(starts[i], name) == 0)
			return true;
	return false;
}

/* Raise one known fact; false: that is not promised of this one. */
static bool raise_fact(const struct fact_info *f, json_t *facts, uint64_t *seed)
{
	json_t *v = json_object_get(facts, f->name), *more = NULL;
	int64_t at;

	if (!v || strstr(f->name, "threshold") || starts_a_period(f->name))
		return false;
	switch (f->type) {
	case FACT_BOOL: more = json_true(); break;
	case FACT_INT: more = json_integer(json_integer_value(v) + below(seed, YEAR)); break;
	case FACT_TIME:
		assert_true(utc_parse(json_string_value(v), &at));
		more = make_date(at + below(seed, YEAR) * DAY_S);
		break;
	case FACT_SET:
		more = json_deep_copy(v);
		(void)json_array_append_new(more, json_sprintf("w%d", (int)below(seed, 9)));
		break;
	case FACT_TEXT: return false;
	}
	assert_int_equal(json_object_set_new(facts, f->name, more), 0);
	return true;
}

static void more_never_hurts_a_rising_policy(void **state)
{
	uint64_t seed = 3;
	int raised = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(RISING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_facts(&seed);
		enum answer before = decide(p, facts, NULL);

		for (const struct fact_info *f = fact_table; f->name; f++) {
			if (below(&seed, 4) || !raise_fact(f, facts, &seed))
				continue;
			enum answer after = decide(p, facts, NULL);
			if (after < before)
				complain(p, facts, f->name);
			raised += after > before;
			before = after;
		}
	}
	assert_true(raised > ROUNDS / 50); /* it happens that more helps */
}

/* Any policy without a `not`, whatever it compares, as long as that is not the set itself. */
static void one_more_approval_never_hurts(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_facts(&seed);
		CLEANUP(freep) char *text = json_dumps(p->src, JSON_COMPACT);
		json_t *who = json_object_get(facts, "approvals");

		if (!who || strstr(text, "\"not\"") || strstr(text, "\"fact\":\"approvals\""))
			continue;
		enum answer before = decide(p, facts, NULL);
		assert_int_equal(json_array_append_new(who, json_string("one more")), 0);
		if (decide(p, facts, NULL) < before)
			complain(p, facts, "approvals");
	}
}

/* --- time ----------------------------------------------------------------------------- */

static bool date_of(const json_t *facts, const char *name, int64_t *at)
{
	const char *text = json_string_value(json_object_get(facts, name));

	return text && utc_parse(text, at);
}

/* What follows from a time: days that go on until a notice ends them, and the end of support. */
static void set_clock(json_t *facts, int64_t now)
{
	static const struct {
		const char *days, *since;
	} counts[] = {{"silence.days", "life.at"}, {"targets.silence_days", "targets.at"}};
	int64_t start, notice, until;
	bool noticed = date_of(facts, "notice.at", &notice);

	(void)json_object_set_new(facts, "now", make_date(now));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		(void)json_object_del(facts, counts[i].days);
		if (!date_of(facts, counts[i].since, &start))
			continue;
		int64_t end = noticed && notice >= start ? notice : now;
		(void)json_object_set_new(facts, counts[i].days,
					  json_integer((end - start) / DAY_S));
	}
	(void)json_object_del(facts, "support.ended");
	if (date_of(facts, "support.until", &until))
		(void)json_object_set_new(facts, "support.ended",
					  json_boolean((noticed ? notice : now) > until));
}

/* Facts as they could be at START: what happened did so before, promises may be for later. */
static json_t *make_world(uint64_t *seed)
{
	json_t *facts = make_facts(seed);

	for (const struct fact_info *f = fact_table; f->name; f++) {
		int64_t at = START - below(seed, YEAR) * DAY_S;

		at -= below(seed, DAY_S);
		if (strcmp(f->name, "support.until") == 0)
			at += (int64_t)YEAR / 2 * DAY_S;
		if (f->type == FACT_TIME && json_object_get(facts, f->name))
			(void)json_object_set_new(facts, f->name, make_date(at));
	}
	set_clock(facts, START);
	return facts;
}

static void at_when_it_is_a_yes_and_not_a_second_before(void **state)
{
	uint64_t seed = 5;
	int timed = 0;

	(void)state;
	for (int i = 0; i < 2 * ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(RISING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_world(&seed);
		CLEANUP(json_decrefp) json_t *why = NULL;
		int64_t at;

		(void)decide(p, facts, &why);
		if (!date_of(why, "when", &at))
			continue;
		timed++;
		assert_true(at > START);
		set_clock(facts, at - 1);
		if (decide(p, facts, NULL) == ANSWER_YES)
			complain(p, facts, "a yes before `when`");
		set_clock(facts, at);
		if (decide(p, facts, NULL) != ANSWER_YES)
			complain(p, facts, "no yes at `when`");
	}
	assert_true(timed > ROUNDS / 50);
}

static void time_does_not_take_a_yes_back(void **state)
{
	uint64_t seed = 6;
	int yes = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(RISING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_world(&seed);

		if (decide(p, facts, NULL) != ANSWER_YES)
			continue;
		yes++;
		for (int years = 1; years < 64; years *= 2) {
			set_clock(facts,
				  START + (int64_t)years * YEAR * DAY_S + below(&seed, DAY_S));
			if (decide(p, facts, NULL) != ANSWER_YES)
				complain(p, facts, "a yes that ended");
		}
	}
	assert_true(yes > ROUNDS / 20);
}

/* Until `now` anything may be said, signed, found out or promised; what is logged stays. */
static void drift(json_t *facts, int64_t now, uint64_t *seed)
{
	for (const struct fact_info *f = fact_table; f->name; f++) {
		int64_t old = START - (int64_t)YEAR * DAY_S, at;
		bool promise =
			strcmp(f->name, "support.until") == 0 || strcmp(f->name, "eol.date") == 0;

		if (below(seed, 2))
			continue;
		if (f->type != FACT_TIME) {
			(void)json_object_set_new(facts, f->name, make_value(f, seed));
			continue;
		}
		(void)date_of(facts, f->name, &old);
		at = old + below(seed, 2L * YEAR) * DAY_S;
		if (at > now && !promise)
			at = now;
		if (at >= old)
			(void)json_object_set_new(facts, f->name, make_date(at));
	}
	set_clock(facts, now);
}

static void before_not_before_nothing_makes_it_a_yes(void **state)
{
	uint64_t seed = 7;
	int bound = 0;

	(void)state;
	for (int i = 0; i < 2 * ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_world(&seed);
		CLEANUP(json_decrefp) json_t *why = NULL;
		int64_t at;

		(void)decide(p, facts, &why);
		if (!date_of(why, "not_before", &at) || at <= START)
			continue;
		bound++;
		for (int k = 0; k < 8; k++) {
			CLEANUP(json_decrefp) json_t *later = json_deep_copy(facts);

			drift(later, at - 1 - (k ? below(&seed, at - START) : 0), &seed);
			if (decide(p, later, NULL) == ANSWER_YES)
				complain(p, later, "a yes before `not_before`");
		}
	}
	assert_true(bound > ROUNDS / 50);
}

/* --- the tree -------------------------------------------------------------------------- */

static enum answer flip(enum answer a)
{
	return (enum answer)(ANSWER_YES - (int)a);
}

static enum answer answer_of(const json_t *why)
{
	const char *text = json_string_value(json_object_get(why, "answer"));

	for (enum answer a = ANSWER_NO; a <= ANSWER_YES; a++)
		if (strcmp(answer_name(a), text) == 0)
			return a;
	fail_msg("\"%s\" is no answer", text);
	return ANSWER_NO;
}

/*
 * The answer by another way: `all` is the least of the parts, `any` the greatest, at
 * least k the k-th greatest. `done`: as if all that is needed were so.
 */
static enum answer recompute(const json_t *why, enum answer want, bool done)
{
	const char *rule = json_string_value(json_object_get(why, "rule"));
	const json_t *of = json_object_get(why, "of");
	size_t n = json_array_size(of), found[3] = {0}, k;

	if (!of)
		return done && json_object_get(why, "needs") ? want : answer_of(why);
	if (strcmp(rule, "not") == 0)
		return flip(recompute(json_array_get(of, 0), flip(want), done));
	for (size_t i = 0; i < n; i++)
		found[recompute(json_array_get(of, i), want, done)]++;
	k = strcmp(rule, "all") == 0 ? n
	    : strcmp(rule, "any") == 0
		    ? 1
		    : (size_t)json_integer_value(json_object_get(why, "at_least"));
	return found[ANSWER_YES] >= k                           ? ANSWER_YES
	       : found[ANSWER_YES] + found[ANSWER_UNKNOWN] >= k ? ANSWER_UNKNOWN
								: ANSWER_NO;
}

static void the_answer_follows_from_the_reasons(void **state)
{
	uint64_t seed = 8;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_facts(&seed), *why = NULL;
		enum answer answer = decide(p, facts, &why);

		if (answer != decide(p, facts, NULL) || answer != answer_of(why) ||
		    answer != recompute(why, ANSWER_YES, false))
			complain(p, facts, "the reasons say something else");
	}
}

static void what_is_needed_is_enough(void **state)
{
	uint64_t seed = 9;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_facts(&seed), *why = NULL;
		CLEANUP(buf_clear) struct buf lacking = {0}, shown = {0}, whole = {0};
		enum answer answer = decide(p, facts, &why);

		assert_int_equal(policy_lacking(why, &lacking, NULL), 0);
		assert_int_equal(policy_explain(why, false, &shown, NULL), 0);
		assert_int_equal(policy_explain(why, true, &whole, NULL), 0);
		assert_true(shown.len <= whole.len);
		assert_int_equal(answer == ANSWER_YES, lacking.len == 0);
		bool possible = !lacking.len || !strstr(lacking.data, "nobody can change");
		if (possible != (recompute(why, ANSWER_YES, true) == ANSWER_YES))
			complain(p, facts, lacking.data ? lacking.data : "nothing");
	}
}

/* --- bounds ---------------------------------------------------------------------------- */

static size_t members(const json_t *facts)
{
	const char *name;
	json_t *v;
	size_t n = 0;

	json_object_foreach((json_t *)(uintptr_t)facts, name, v) n += json_array_size(v);
	return n;
}

static void check_bounds(const struct policy *p, json_t *src)
{
	CLEANUP(facts_freep) struct facts *f = NULL;
	CLEANUP(json_decrefp) json_t *why = NULL;
	enum answer answer;

	assert_int_equal(facts_from_json(src, &f, NULL), 0);
	oom_after(0); /* not one */
	int r = policy_decide(p, f, &answer, NULL, NULL);
	assert_false(oom_fired());
	assert_int_equal(r, 0);

	size_t most = ALLOCATIONS_EACH * (p->n + p->n * members(src));
	oom_after((long)most);
	r = policy_decide(p, f, &answer, &why, NULL);
	assert_false(oom_fired());
	assert_int_equal(r, 0);
}

/* `all` in `all`, as deep as may be, and the deepest as wide as may be. */
static struct policy *make_largest(void)
{
	json_t *parts = json_array(), *rule;
	struct policy *p = NULL;
	struct error err = {0};

	while (json_array_size(parts) < POLICY_NODES_MAX - POLICY_DEPTH_MAX + 1)
		(void)json_array_append_new(
			parts, json_pack("{s:{s:s}}", "approvals", "at_least", "threshold"));
	rule = json_pack("{s:o}", "any", parts);
	for (int i = 2; i < POLICY_DEPTH_MAX; i++)
		rule = json_pack("{s:o}", "not", rule);
	CLEANUP(json_decrefp)
	json_t *src =
		json_pack("{s:s, s:i, s:o}", "policy", "largest", "version", 1, "allow", rule);
	if (policy_parse(src, "largest", &p, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(p->n, POLICY_NODES_MAX);
	return p;
}

static void evaluation_ends_and_its_memory_is_bounded(void **state)
{
	CLEANUP(policy_freep) struct policy *largest = make_largest();
	CLEANUP(json_decrefp)
	json_t *many =
		json_pack("{s:[], s:i}", "approvals", "approvals.threshold", FACT_MEMBERS_MAX + 1);
	uint64_t seed = 10;

	(void)state;
	for (int i = 0; i < FACT_MEMBERS_MAX; i++)
		(void)json_array_append_new(json_object_get(many, "approvals"),
					    json_sprintf("trustee %d", i));
	json_set_alloc_funcs(oom_malloc, free);
	check_bounds(largest, many);
	for (int i = 0; i < ROUNDS / 4; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_facts(&seed);

		check_bounds(p, facts);
	}
	json_set_alloc_funcs(malloc, free);
}

/* Whole reasons or none, and no answer without them. */
static void lack_of_memory_is_no_answer(void **state)
{
	uint64_t seed = 11;

	(void)state;
	json_set_alloc_funcs(oom_malloc, free);
	for (int i = 0; i < 20; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *src = make_facts(&seed), *whole = NULL;
		CLEANUP(facts_freep) struct facts *f = NULL;
		bool fired = true;

		(void)decide(p, src, &whole);
		assert_int_equal(facts_from_json(src, &f, NULL), 0);
		for (long n = 0; fired; n++) {
			CLEANUP(json_decrefp) json_t *why = NULL;
			enum answer answer = (enum answer)7;

			oom_after(n);
			int r = policy_decide(p, f, &answer, &why, NULL);
			fired = oom_fired();
			assert_true(r == 0 || (fired && r == E_NOMEM));
			assert_int_equal(r < 0, answer == (enum answer)7);
			assert_int_equal(r < 0, why == NULL);
			assert_true(r < 0 || json_equal(why, whole));
		}
	}
	json_set_alloc_funcs(malloc, free);
}

/* The bytes of what thousands of policies say, on every machine. */
static void reasons_are_the_same_bytes_on_every_machine(void **state)
{
	static const char wanted[] =
		"79778255dc826b4cc7ce6e3b39dc7d0e39e46cd8060850adb2e917af8bc8c2aa";
	CLEANUP(buf_clear) struct buf all = {0};
	char got[SHA256_HEX_SIZE];
	uint64_t seed = 12;

	(void)state;
	for (int i = 0; i < PRINTED; i++) {
		CLEANUP(policy_freep) struct policy *p = make_policy(ANYTHING, &seed);
		CLEANUP(json_decrefp) json_t *facts = make_world(&seed), *why = NULL;

		(void)decide(p, facts, &why);
		CLEANUP(freep) char *text = json_dumps(why, JSON_COMPACT);
		assert_int_equal(buf_puts(&all, text, NULL), 0);
	}
	sha256_hex(all.data, all.len, got);
	assert_string_equal(got, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knowing_more_never_turns_an_answer_over),
		cmocka_unit_test(shipped_policies_with_less_known_are_unknown_at_worst),
		cmocka_unit_test(more_never_hurts_a_rising_policy),
		cmocka_unit_test(one_more_approval_never_hurts),
		cmocka_unit_test(at_when_it_is_a_yes_and_not_a_second_before),
		cmocka_unit_test(time_does_not_take_a_yes_back),
		cmocka_unit_test(before_not_before_nothing_makes_it_a_yes),
		cmocka_unit_test(the_answer_follows_from_the_reasons),
		cmocka_unit_test(what_is_needed_is_enough),
		cmocka_unit_test(evaluation_ends_and_its_memory_is_bounded),
		cmocka_unit_test(lack_of_memory_is_no_answer),
		cmocka_unit_test(reasons_are_the_same_bytes_on_every_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
