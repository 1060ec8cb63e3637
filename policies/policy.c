/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/policy.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "lib/json/strict.h"
#include "policies/node.h"
#include "policies/shipped.h"

enum {
	NAME_MAX_LEN = 64,
	TITLE_MAX = 512,
	LIST_MAX = 256,
	LIST_TEXT_MAX = 256,
	COUNT_MAX = 64, /* as many keys as a document can have */
	WHERE_SIZE = 512,
};

#define OPEN(a) (a), ARRAY_LEN(a)

struct parser {
	struct policy *p;
	unsigned depth;
};

static const char *const op_names[OPS] = {
	[OP_ALL] = "all",
	[OP_ANY] = "any",
	[OP_NOT] = "not",
	[OP_AT_LEAST] = "at_least",
	[OP_FACT] = "fact",
	[OP_APPROVALS] = "approvals",
	[OP_ELAPSED] = "elapsed",
	[OP_NOTICE] = "notice",
	[OP_SIGNED_BY] = "signed_by",
	[OP_LOGGED] = "logged",
	[OP_REBUILT_BY] = "rebuilt_by",
	[OP_CONSENT] = "consent",
};

static const struct {
	const char *name, *fact;
} sinces[] = {
	{"notice", "notice.at"},         {"eol", "eol.at"},           {"approval", "approvals.at"},
	{"support", "support.until"},    {"life", "life.at"},         {"targets", "targets.at"},
	{"succession", "succession.at"}, {"rotation", "rotation.at"}, {"proposal", "proposal.at"},
};

static int parse_node(struct parser *ps, const json_t *src, const char *where, size_t *at,
		      struct error *err);

const char *op_name(enum op op)
{
	return op_names[op];
}

/* One member of an object that must have no other. */
static int only_member(const json_t *src, const char *key, const char *where, struct error *err)
{
	if (json_object_size(src) != 1)
		return error_set(err, E_INVALID, "%s: want nothing beside \"%s\"", where, key);
	return 0;
}

static int parse_children(struct parser *ps, size_t at, const json_t *list, const char *where,
			  struct error *err)
{
	size_t i, last = 0;
	json_t *child;

	if (!json_is_array(list))
		return error_set(err, E_INVALID, "%s: want a list", where);
	json_array_foreach(list, i, child)
	{
		char deeper[WHERE_SIZE];
		size_t got;

		(void)snprintf(deeper, sizeof(deeper), "%s[%zu]", where, i);
		int r = parse_node(ps, child, deeper, &got, err);
		if (r < 0)
			return r;
		if (last)
			ps->p->nodes[last].next = got;
		else
			ps->p->nodes[at].first = got;
		last = got;
	}
	/* Nothing asked for is an oversight: `all` of nothing would allow everything. */
	return last ? 0 : error_set(err, E_INVALID, "%s: want at least one", where);
}

static int parse_list(struct parser *ps, size_t at, const json_t *src, const char *where,
		      struct error *err)
{
	const char *key = op_name(ps->p->nodes[at].op);
	int r = only_member(src, key, where, err);
	char deeper[WHERE_SIZE];

	if (r < 0)
		return r;
	(void)snprintf(deeper, sizeof(deeper), "%s.%s", where, key);
	return parse_children(ps, at, json_object_get(src, key), deeper, err);
}

static int parse_not(struct parser *ps, size_t at, const json_t *src, const char *where,
		     struct error *err)
{
	int r = only_member(src, "not", where, err);
	char deeper[WHERE_SIZE];
	size_t got;

	if (r < 0)
		return r;
	(void)snprintf(deeper, sizeof(deeper), "%s.not", where);
	r = parse_node(ps, json_object_get(src, "not"), deeper, &got, err);
	if (r == 0)
		ps->p->nodes[at].first = got;
	return r;
}

static int parse_at_least(struct parser *ps, size_t at, const json_t *src, const char *where,
			  struct error *err)
{
	struct {
		int64_t k;
		json_t *of;
	} v = {0};
	const struct field fields[] = {
		{"at_least", FIELD_INT, offsetof(__typeof__(v), k), false, 1, LIST_MAX, NULL},
		{"of", FIELD_ARRAY, offsetof(__typeof__(v), of), false, 1, LIST_MAX, NULL},
	};
	const struct field_table table = {OPEN(fields), STRICT_CLOSED};
	char deeper[WHERE_SIZE];

	int r = strict_read_table(src, where, &table, &v, err);
	if (r < 0)
		return r;
	if ((size_t)v.k > json_array_size(v.of))
		return error_set(err, E_INVALID, "%s.at_least: want 1 to %zu, got %lld", where,
				 json_array_size(v.of), (long long)v.k);
	ps->p->nodes[at].number = v.k;
	(void)snprintf(deeper, sizeof(deeper), "%s.of", where);
	return parse_children(ps, at, v.of, deeper, err);
}

static bool find_compare(const json_t *src, enum compare *out, const char **key)
{
	static const char *const words[] = {
		[CMP_EQ] = "==", [CMP_NE] = "!=", [CMP_LT] = "<",  [CMP_LE] = "<=",
		[CMP_GT] = ">",  [CMP_GE] = ">=", [CMP_IN] = "in",
	};

	for (size_t i = CMP_EQ; i < ARRAY_LEN(words); i++) {
		if (json_object_get(src, words[i])) {
			*out = (enum compare)i;
			*key = words[i];
			return true;
		}
	}
	return false;
}

static bool text_ok(const json_t *v)
{
	return json_is_string(v) && json_string_length(v) <= LIST_TEXT_MAX;
}

/* A list of 1 to LIST_MAX texts (or integers) to be compared with. */
static bool list_ok(const json_t *list, bool integers)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (!(integers ? json_is_integer(v) : text_ok(v)))
			return false;
	}
	return n >= 1 && n <= LIST_MAX;
}

/* Has the value the type that this fact is compared with? Fills in `number`. */
static bool value_fits(struct node *n)
{
	bool in = n->compare == CMP_IN, equal = n->compare == CMP_EQ || n->compare == CMP_NE;

	switch (n->fact->type) {
	case FACT_BOOL: return equal && json_is_boolean(n->value);
	case FACT_INT:
		n->number = json_integer_value(n->value);
		return in ? list_ok(n->value, true) : json_is_integer(n->value);
	case FACT_TIME:
		return !in && json_is_string(n->value) &&
		       utc_parse(json_string_value(n->value), &n->number);
	case FACT_TEXT: return in ? list_ok(n->value, false) : equal && text_ok(n->value);
	case FACT_SET: return in && list_ok(n->value, false);
	}
	return false;
}

static int parse_fact(struct parser *ps, size_t at, const json_t *src, const char *where,
		      struct error *err)
{
	const char *name = json_string_value(json_object_get(src, "fact")), *key = "";
	struct node *n = &ps->p->nodes[at];

	n->fact = fact_find(name);
	if (!n->fact)
		return error_set(err, E_INVALID, "%s.fact: \"%.80s\" is no fact", where,
				 name ? name : "");
	if (!find_compare(src, &n->compare, &key)) {
		if (n->fact->type != FACT_BOOL)
			return error_set(err, E_INVALID, "%s: %s is a %s: want a comparison", where,
					 name, fact_type_name(n->fact->type));
		return only_member(src, "fact", where, err);
	}
	if (json_object_size(src) != 2) /* the fact and one comparison */
		return error_set(err, E_INVALID, "%s: want nothing beside \"fact\" and \"%s\"",
				 where, key);
	n->value = json_object_get(src, key);
	if (!value_fits(n))
		return error_set(err, E_INVALID, "%s.%s: cannot be compared with %s, a %s", where,
				 key, name, fact_type_name(n->fact->type));
	return 0;
}

/* The facts that the counting operators read: who did, and how many are asked for. */
static void counted_facts(struct node *n)
{
	static const struct {
		enum op op;
		const char *who, *threshold;
	} counted[] = {
		{OP_APPROVALS, "approvals", "approvals.threshold"},
		{OP_SIGNED_BY, "signers", "signers.threshold"},
		{OP_REBUILT_BY, "rebuilds", "rebuilds.threshold"},
	};

	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		if (counted[i].op == n->op) {
			n->fact = fact_find(counted[i].who);
			n->with = fact_find(counted[i].threshold);
		}
	}
}

/* {"at_least": n | "threshold"}, and for signed_by also "keys". */
static int parse_count(struct parser *ps, size_t at, const json_t *src, const char *where,
		       struct error *err)
{
	struct node *n = &ps->p->nodes[at];
	const char *key = op_name(n->op);
	struct {
		json_t *at_least, *keys;
	} v = {0};
	const struct field fields[] = {
		{"at_least", FIELD_ANY, offsetof(__typeof__(v), at_least), false, 0, 0, NULL},
		{"keys", FIELD_ARRAY, offsetof(__typeof__(v), keys), true, 1, COUNT_MAX, NULL},
	};
	const struct field_table table = {fields, n->op == OP_SIGNED_BY ? 2 : 1, STRICT_CLOSED};
	char deeper[WHERE_SIZE];

	int r = only_member(src, key, where, err);
	if (r < 0)
		return r;
	(void)snprintf(deeper, sizeof(deeper), "%s.%s", where, key);
	r = strict_read_table(json_object_get(src, key), deeper, &table, &v, err);
	if (r < 0)
		return r;
	counted_facts(n);
	n->value = v.keys;
	if (v.keys && !list_ok(v.keys, false))
		return error_set(err, E_INVALID, "%s.keys: want key ids", deeper);
	n->number = json_integer_value(v.at_least);
	n->threshold = json_is_string(v.at_least) &&
		       strcmp(json_string_value(v.at_least), "threshold") == 0;
	if (!n->threshold && (n->number < 1 || n->number > COUNT_MAX))
		return error_set(err, E_INVALID, "%s.at_least: want 1 to %d, or \"threshold\"",
				 deeper, COUNT_MAX);
	return 0;
}

static const struct fact_info *since_fact(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(sinces); i++)
		if (strcmp(sinces[i].name, name) == 0)
			return fact_find(sinces[i].fact);
	return NULL;
}

static int parse_elapsed(struct parser *ps, size_t at, const json_t *src, const char *where,
			 struct error *err)
{
	struct {
		const char *since, *until;
		int64_t days;
	} v = {.until = "now"};
	static const struct field fields[] = {
		{"since", FIELD_TEXT, offsetof(__typeof__(v), since), false, 1, LIST_TEXT_MAX,
		 NULL},
		{"until", FIELD_TEXT, offsetof(__typeof__(v), until), true, 1, LIST_TEXT_MAX, NULL},
		{"at_least_days", FIELD_INT, offsetof(__typeof__(v), days), false, 1, DAYS_MAX,
		 NULL},
	};
	const struct field_table table = {OPEN(fields), STRICT_CLOSED};
	struct node *n = &ps->p->nodes[at];
	char deeper[WHERE_SIZE];

	int r = only_member(src, "elapsed", where, err);
	if (r < 0)
		return r;
	(void)snprintf(deeper, sizeof(deeper), "%s.elapsed", where);
	r = strict_read_table(json_object_get(src, "elapsed"), deeper, &table, &v, err);
	if (r < 0)
		return r;
	n->fact = since_fact(v.since);
	n->with = strcmp(v.until, "now") == 0 ? fact_find("now") : since_fact(v.until);
	n->number = v.days;
	if (!n->fact)
		return error_set(err, E_INVALID, "%s.since: \"%.80s\" is nothing to count from",
				 deeper, v.since);
	if (!n->with || n->with == n->fact)
		return error_set(err, E_INVALID, "%s.until: \"%.80s\" is nothing to count to",
				 deeper, v.until);
	return 0;
}

static int parse_notice(struct parser *ps, size_t at, const json_t *src, const char *where,
			struct error *err)
{
	json_t *ground = NULL;
	const struct field fields[] = {{"ground", FIELD_ARRAY, 0, false, 1, LIST_MAX, NULL}};
	const struct field_table table = {OPEN(fields), STRICT_CLOSED};
	struct node *n = &ps->p->nodes[at];
	char deeper[WHERE_SIZE];

	int r = only_member(src, "notice", where, err);
	if (r < 0)
		return r;
	(void)snprintf(deeper, sizeof(deeper), "%s.notice", where);
	r = strict_read_table(json_object_get(src, "notice"), deeper, &table, &ground, err);
	if (r < 0)
		return r;
	if (!list_ok(ground, false))
		return error_set(err, E_INVALID, "%s.ground: want texts", deeper);
	n->fact = fact_find("notice.ground");
	n->compare = CMP_IN;
	n->value = ground;
	return 0;
}

static int parse_logged(struct parser *ps, size_t at, const json_t *src, const char *where,
			struct error *err)
{
	const char *kind = NULL;
	const struct field fields[] = {{"kind", FIELD_TEXT, 0, false, 1, LIST_TEXT_MAX, NULL}};
	const struct field_table table = {OPEN(fields), STRICT_CLOSED};
	struct node *n = &ps->p->nodes[at];
	char deeper[WHERE_SIZE];

	int r = only_member(src, "logged", where, err);
	if (r < 0)
		return r;
	(void)snprintf(deeper, sizeof(deeper), "%s.logged", where);
	const json_t *body = json_object_get(src, "logged");
	r = strict_read_table(body, deeper, &table, &kind, err);
	if (r < 0)
		return r;
	n->fact = fact_find("logged");
	n->value = json_object_get(body, "kind");
	return 0;
}

static int parse_consent(struct parser *ps, size_t at, const json_t *src, const char *where,
			 struct error *err)
{
	const char *who = json_string_value(json_object_get(src, "consent"));
	struct node *n = &ps->p->nodes[at];
	int r = only_member(src, "consent", where, err);

	if (r < 0)
		return r;
	if (!who || strcmp(who, "owner") != 0)
		return error_set(err, E_INVALID, "%s.consent: want \"owner\"", where);
	n->fact = fact_find("consent.owner");
	return 0;
}

typedef int (*parse_fn)(struct parser *ps, size_t at, const json_t *src, const char *where,
			struct error *err);

static const parse_fn parsers[OPS] = {
	[OP_ALL] = parse_list,          [OP_ANY] = parse_list,         [OP_NOT] = parse_not,
	[OP_AT_LEAST] = parse_at_least, [OP_FACT] = parse_fact,        [OP_APPROVALS] = parse_count,
	[OP_ELAPSED] = parse_elapsed,   [OP_NOTICE] = parse_notice,    [OP_SIGNED_BY] = parse_count,
	[OP_LOGGED] = parse_logged,     [OP_REBUILT_BY] = parse_count, [OP_CONSENT] = parse_consent,
};

static int parse_node(struct parser *ps, const json_t *src, const char *where, size_t *at,
		      struct error *err)
{
	size_t op = 0;

	if (!json_is_object(src))
		return error_set(err, E_INVALID, "%s: want an object", where);
	if (ps->p->n == POLICY_NODES_MAX)
		return error_set(err, E_INVALID, "%s: want at most %d rules", where,
				 POLICY_NODES_MAX);
	if (ps->depth == POLICY_DEPTH_MAX)
		return error_set(err, E_INVALID, "%s: want rules at most %d deep", where,
				 POLICY_DEPTH_MAX);
	while (op < OPS && !json_object_get(src, op_names[op]))
		op++;
	if (op == OPS)
		return error_set(err, E_INVALID, "%s: has no known operator", where);

	*at = ps->p->n++;
	ps->p->nodes[*at].op = (enum op)op;
	ps->depth++;
	int r = parsers[op](ps, *at, src, where, err);
	ps->depth--;
	return r;
}

static bool name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789./-";

	return strchr("./-", *name) == NULL && strspn(name, letters) == strlen(name);
}

static int read_policy(struct policy *p, struct error *err)
{
	struct {
		const char *name, *title;
		int64_t version;
		json_t *allow;
	} v = {0};
	static const struct field fields[] = {
		{"policy", FIELD_TEXT, offsetof(__typeof__(v), name), false, 1, NAME_MAX_LEN, NULL},
		{"version", FIELD_INT, offsetof(__typeof__(v), version), false, 1, INT32_MAX, NULL},
		{"title", FIELD_TEXT, offsetof(__typeof__(v), title), true, 1, TITLE_MAX, NULL},
		{"allow", FIELD_OBJECT, offsetof(__typeof__(v), allow), false, 0, 0, NULL},
	};
	const struct field_table table = {OPEN(fields), STRICT_CLOSED};
	struct parser ps = {.p = p};
	size_t top;

	int r = strict_read_table(p->src, "", &table, &v, err);
	if (r < 0)
		return r;
	if (!name_ok(v.name))
		return error_set(err, E_INVALID, "policy: want a name of [a-z0-9./-], got \"%s\"",
				 v.name);
	p->name = v.name;
	return parse_node(&ps, v.allow, "allow", &top, err);
}

int policy_parse(json_t *src, const char *name, struct policy **out, struct error *err)
{
	CLEANUP(policy_freep) struct policy *p = calloc(1, sizeof(*p));

	if (!p)
		return error_nomem(err);
	if (!json_is_object(src))
		return error_set(err, E_INVALID, "%s: want an object", name);
	/* Whole: less than all of what has to hold would be another policy. */
	p->src = json_clone(src);
	if (!p->src)
		return error_nomem(err);
	int r = read_policy(p, err);
	if (r < 0)
		return error_prefix(err, r, "%s", name);
	*out = steal(p);
	return 0;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	json_decref(p->src);
	free(p);
}

const char *policy_name(const struct policy *p)
{
	return p->name;
}

bool policy_asks(const struct policy *p, const char *fact)
{
	const struct fact_info *info = fact_find(fact);

	for (size_t i = 0; info && i < p->n; i++)
		if (p->nodes[i].fact == info || p->nodes[i].with == info)
			return true;
	return false;
}

static const struct shipped *find_shipped(const char *name)
{
	for (const struct shipped *s = shipped; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

json_t *policy_shipped_json(const char *name)
{
	const struct shipped *s = find_shipped(name);
	json_t *src;

	if (!s || strict_parse(s->text, strlen(s->text), name, &src, NULL) < 0)
		return NULL;
	return src;
}

int policy_shipped(const char *name, struct policy **out, struct error *err)
{
	const struct shipped *s = find_shipped(name);
	CLEANUP(json_decrefp) json_t *src = NULL;

	if (!s)
		return error_set(err, E_NOTFOUND, "no policy \"%.80s\" is shipped", name);
	int r = strict_parse(s->text, strlen(s->text), name, &src, err);
	return r < 0 ? r : policy_parse(src, name, out, err);
}
