/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/facts.h"

#include <assert.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"

#define FACT(n, t, m) \
	{ \
		.name = (n), .type = (t), .meaning = (m) \
	}
#define GROWING(n, t, m, from, to) \
	{ \
		.name = (n), .type = (t), .meaning = (m), .since = (from), .until = (to) \
	}
#define GIVEN(n, t, m) \
	{ \
		.name = (n), .type = (t), .meaning = (m), .given = true \
	}

/*
 * Every fact there is. docs/POLICIES.md lists the same, and a test compares the
 * two. First what evidence.c finds, then what a device, a registry and a
 * product's own documents add.
 */
const struct fact_info fact_table[] = {
	FACT("now", FACT_TIME, "the time that enough witnesses have seen"),
	FACT("logged", FACT_SET, "kinds of statements logged under the current root"),

	FACT("eol.final", FACT_BOOL, "a final end of life names this root and this bridge"),
	FACT("eol.release", FACT_BOOL, "the vendor itself released the deposit"),
	FACT("eol.date", FACT_TIME, "the declared end of life"),
	FACT("eol.at", FACT_TIME, "when the final end of life was logged"),

	FACT("notice.ground", FACT_TEXT, "ground of the notice"),
	FACT("notice.evidence", FACT_INT, "pieces of evidence that the notice names"),
	FACT("notice.at", FACT_TIME, "when the notice was logged"),
	FACT("objection", FACT_BOOL, "the vendor's objection stands"),

	FACT("approvals", FACT_SET, "trustees who approve"),
	FACT("approvals.threshold", FACT_INT, "trustees that the deposit asks for"),
	FACT("approvals.at", FACT_TIME, "when the last approval was logged"),
	FACT("refusals", FACT_SET, "trustees who refuse"),

	FACT("support.until", FACT_TIME, "the end of the promised support"),
	GROWING("support.ended", FACT_BOOL, "the promised support has ended", "support.until",
		"notice.at"),
	FACT("life.at", FACT_TIME, "the vendor's last sign of life"),
	GROWING("silence.days", FACT_INT, "days without a sign of life from the vendor", "life.at",
		"notice.at"),
	FACT("targets.at", FACT_TIME, "when the last update was published"),
	GROWING("targets.silence_days", FACT_INT, "days without an update", "targets.at",
		"notice.at"),

	FACT("succession", FACT_BOOL, "a succession to the offered root is logged"),
	FACT("succession.at", FACT_TIME, "when the succession was logged"),
	FACT("rotation", FACT_BOOL, "a rotation to the offered root is logged"),
	FACT("rotation.at", FACT_TIME, "when the rotation was logged"),

	GIVEN("action", FACT_TEXT, "what is to be done"),
	FACT("released", FACT_BOOL, "the change of publisher is backed by evidence"),
	GIVEN("change", FACT_SET, "what the offered root changes"),
	FACT("consent.owner", FACT_BOOL, "the owner consents to exactly this"),
	GIVEN("publisher.kind", FACT_TEXT, "kind of publisher"),
	FACT("metadata.stale_days", FACT_INT, "days since the metadata expired"),
	FACT("rebuilds", FACT_SET, "rebuilders who got the same bits"),
	FACT("rebuilds.threshold", FACT_INT, "rebuilders that the root asks for"),

	FACT("target.digest_matches", FACT_BOOL, "the stored file has the listed digest"),
	FACT("target.length_matches", FACT_BOOL, "the stored file has the listed length"),
	FACT("target.hardware_listed", FACT_BOOL, "it names hardware, all of it the product's own"),
	FACT("target.not_older", FACT_BOOL, "its version is not lower than the published one"),
	FACT("target.sbom", FACT_BOOL, "a bill of materials is published with it"),
	FACT("source.in_repository", FACT_BOOL,
	     "its source commit is in the product's source repository"),
	FACT("source.swhid", FACT_BOOL, "its source has a Software Heritage id"),
	FACT("source.location", FACT_BOOL, "its source has a public location"),
	FACT("signers", FACT_SET, "keys of the role that signed"),
	FACT("signers.threshold", FACT_INT, "signatures that the role asks for"),
	FACT("proposal.at", FACT_TIME, "when the document was first proposed"),

	FACT("root.self_signed", FACT_BOOL, "the first root is signed by its own threshold"),
	FACT("root.threshold", FACT_INT, "signatures that the root role asks for"),
	FACT("operator.admitted", FACT_BOOL, "the operator admitted the product"),

	FACT("product.updatable", FACT_BOOL, "it can get security updates"),
	FACT("product.update_method", FACT_TEXT, "how it gets updates"),
	FACT("product.support_days", FACT_INT, "days of promised support"),
	FACT("product.after_eol", FACT_TEXT, "after the end of support it"),
	FACT("product.notify", FACT_BOOL, "it says how its user learns of updates"),
	FACT("product.options", FACT_INT, "things an owner can do after the end"),
	FACT("product.logs", FACT_INT, "transparency logs that the root names"),
	FACT("product.witnesses", FACT_INT, "witnesses that must cosign"),
	{0},
};

enum { FACTS = ARRAY_LEN(fact_table) - 1 };

static const char *const type_names[] = {"boolean", "integer", "date", "text", "set"};

/* JSON holds the values: it owns text and sets, and is printed as it is. */
struct entry {
	json_t *value; /* NULL: unknown */
	char *source;
	int64_t index; /* meaningful with `source` */
	json_t *from;  /* of the members of a set; NULL: nothing is said of any */
	char *why_not;
};

struct facts {
	struct entry entry[FACTS];
};

const struct fact_info *fact_find(const char *name)
{
	for (size_t i = 0; name && i < FACTS; i++)
		if (strcmp(fact_table[i].name, name) == 0)
			return &fact_table[i];
	return NULL;
}

const char *fact_type_name(enum fact_type t)
{
	return type_names[t];
}

int facts_new(struct facts **out, struct error *err)
{
	struct facts *f = calloc(1, sizeof(*f));

	if (!f)
		return error_nomem(err);
	*out = f;
	return 0;
}

static void forget(struct entry *e)
{
	json_decref(e->value);
	json_decref(e->from);
	free(e->source);
	free(e->why_not);
	*e = (struct entry){0};
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < FACTS; i++)
		forget(&f->entry[i]);
	free(f);
}

static struct entry *entry_of(struct facts *f, const char *name, enum fact_type type)
{
	const struct fact_info *fact = fact_find(name);

	assert(fact && (fact->type == type || (fact->type == FACT_TIME && type == FACT_INT)));
	return &f->entry[fact - fact_table];
}

/* `value_take` NULL: out of memory. */
static int put(struct entry *e, json_t *value_take, const char *source, struct error *err)
{
	CLEANUP(json_decrefp) json_t *value = value_take;
	CLEANUP(freep) char *copy = source ? strdup(source) : NULL;

	if (!value || (source && !copy))
		return error_nomem(err);
	forget(e);
	e->value = steal(value);
	e->source = steal(copy);
	e->index = -1;
	return 0;
}

int facts_set_bool(struct facts *f, const char *name, bool v, const char *source, struct error *err)
{
	return put(entry_of(f, name, FACT_BOOL), json_boolean(v), source, err);
}

int facts_set_int(struct facts *f, const char *name, int64_t v, const char *source,
		  struct error *err)
{
	return put(entry_of(f, name, FACT_INT), json_integer(v), source, err);
}

static int check_text(const char *name, const char *v, struct error *err)
{
	if (strlen(v) > FACT_TEXT_MAX)
		return error_set(err, E_INVALID, "%s: want at most %d bytes", name, FACT_TEXT_MAX);
	return 0;
}

/* Bytes that are no UTF-8 cannot become JSON; they are data, not lack of memory. */
static int make_text(const char *name, const char *v, json_t **out, struct error *err)
{
	int r = check_text(name, v, err);

	if (r < 0)
		return r;
	*out = json_string(v);
	return *out ? 0 : error_set(err, E_INVALID, "%s: want UTF-8", name);
}

int facts_set_text(struct facts *f, const char *name, const char *v, const char *source,
		   struct error *err)
{
	struct entry *e = entry_of(f, name, FACT_TEXT);
	json_t *text;
	int r = make_text(name, v, &text, err);

	return r < 0 ? r : put(e, text, source, err);
}

static bool has_member(const json_t *set, const char *member)
{
	json_t *v;
	size_t i;

	json_array_foreach(set, i, v) if (strcmp(json_string_value(v), member) == 0) return true;
	return false;
}

/* Where one member comes from. */
static int note_member(struct entry *e, const char *member, const char *source, struct error *err)
{
	if (!e->from)
		e->from = json_array();
	json_t *o = json_pack("{s:s, s:s}", "member", member, "source", source);
	return json_array_append_new(e->from, o) < 0 ? error_nomem(err) : 0;
}

int facts_add(struct facts *f, const char *name, const char *member, const char *source,
	      struct error *err)
{
	struct entry *e = entry_of(f, name, FACT_SET);
	json_t *text;
	int r = 0;

	if (!e->value)
		r = put(e, json_array(), NULL, err);
	if (r < 0 || has_member(e->value, member))
		return r;
	if (json_array_size(e->value) >= FACT_MEMBERS_MAX)
		return error_set(err, E_INVALID, "%s: want at most %d members", name,
				 FACT_MEMBERS_MAX);
	r = make_text(name, member, &text, err);
	if (r < 0)
		return r;
	if (json_array_append_new(e->value, text) < 0)
		return error_nomem(err);
	return source ? note_member(e, member, source, err) : 0;
}

int facts_set_empty(struct facts *f, const char *name, const char *source, struct error *err)
{
	return put(entry_of(f, name, FACT_SET), json_array(), source, err);
}

int facts_set_unknown(struct facts *f, const char *name, const char *why_not, struct error *err)
{
	const struct fact_info *fact = fact_find(name);
	char *copy = strdup(why_not);

	assert(fact);
	if (!copy)
		return error_nomem(err);
	struct entry *e = &f->entry[fact - fact_table];
	forget(e);
	e->why_not = copy;
	return 0;
}

int facts_locate(struct facts *f, const char *id, uint64_t index, struct error *err)
{
	for (size_t i = 0; i < FACTS; i++) {
		struct entry *e = &f->entry[i];
		json_t *one;
		size_t at;

		if (e->source && strcmp(e->source, id) == 0)
			e->index = (int64_t)index;
		json_array_foreach(e->from, at, one)
		{
			json_t *number;

			if (strcmp(json_string_value(json_object_get(one, "source")), id) != 0)
				continue;
			number = json_integer((json_int_t)index);
			if (json_object_set_new(one, "index", number) < 0)
				return error_nomem(err);
		}
	}
	return 0;
}

struct fact_value facts_get(const struct facts *f, const struct fact_info *fact)
{
	const struct entry *e = &f->entry[fact - fact_table];

	return (struct fact_value){
		.known = e->value != NULL,
		.flag = json_is_true(e->value),
		.number = json_integer_value(e->value),
		.text = json_string_value(e->value),
		.set = json_is_array(e->value) ? e->value : NULL,
		.source = e->source,
		.index = e->source ? e->index : -1,
		.from = e->from,
		.why_not = e->why_not,
	};
}

static int set_members(struct facts *f, const char *name, const json_t *list, struct error *err)
{
	json_t *v;
	size_t i;
	int r = facts_set_empty(f, name, NULL, err);

	json_array_foreach(list, i, v)
	{
		if (r == 0 && !json_is_string(v))
			r = error_set(err, E_INVALID, "%s[%zu]: want text", name, i);
		if (r == 0)
			r = facts_add(f, name, json_string_value(v), NULL, err);
	}
	return r;
}

static int set_json(struct facts *f, const struct fact_info *fact, const json_t *v,
		    struct error *err)
{
	int64_t at;

	switch (fact->type) {
	case FACT_BOOL:
		if (json_is_boolean(v))
			return facts_set_bool(f, fact->name, json_is_true(v), NULL, err);
		break;
	case FACT_INT:
		if (json_is_integer(v))
			return facts_set_int(f, fact->name, json_integer_value(v), NULL, err);
		break;
	case FACT_TIME:
		if (json_is_string(v) && utc_parse(json_string_value(v), &at))
			return facts_set_int(f, fact->name, at, NULL, err);
		break;
	case FACT_TEXT:
		if (json_is_string(v))
			return facts_set_text(f, fact->name, json_string_value(v), NULL, err);
		break;
	case FACT_SET:
		if (json_is_array(v))
			return set_members(f, fact->name, v, err);
		break;
	}
	return error_set(err, E_INVALID, "%s: want a %s", fact->name, type_names[fact->type]);
}

int facts_from_json(json_t *src, struct facts **out, struct error *err)
{
	CLEANUP(facts_freep) struct facts *f = NULL;
	const char *name;
	json_t *v;

	if (!json_is_object(src))
		return error_set(err, E_INVALID, "facts: want an object");
	int r = facts_new(&f, err);
	if (r < 0)
		return r;
	json_object_foreach(src, name, v)
	{
		const struct fact_info *fact = fact_find(name);

		if (!fact)
			return error_set(err, E_INVALID, "\"%.80s\" is no fact", name);
		r = json_is_null(v) ? 0 : set_json(f, fact, v, err);
		if (r < 0)
			return r;
	}
	*out = steal(f);
	return 0;
}

int facts_to_json(const struct facts *f, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *o = json_object();

	if (!o)
		return error_nomem(err);
	for (size_t i = 0; i < FACTS; i++) {
		const struct entry *e = &f->entry[i];
		char at[UTC_SIZE];
		json_t *v;

		if (!e->value)
			continue;
		if (fact_table[i].type == FACT_TIME) {
			utc_format(json_integer_value(e->value), at);
			v = json_string(at);
		} else {
			v = json_clone(e->value);
		}
		if (json_object_set_new(o, fact_table[i].name, v) < 0)
			return error_nomem(err);
	}
	*out = steal(o);
	return 0;
}
