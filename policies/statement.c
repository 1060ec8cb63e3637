/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/statement.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"

enum {
	TEXT_MAX = 4096,
	ID_MAX = 64,        /* of a product */
	LIST_MAX = 1024,    /* elements of a list in a statement */
	GIT_ID = 40,        /* hex digits of a commit */
	SHARE_MAX = 255,    /* share numbers of libgfshare */
	DRILLS = 64,        /* values of each share, numbered from 0 */
	LEVEL_MAX = 5,      /* of an audit */
	SIGNED_FIELDS = 20, /* the widest type, with room */
};

static const char *const grounds[] = {"declared",   "silence", "support-ended",
				      "insolvency", "order",   NULL};
static const char *const compartments[] = {"public", "restricted", NULL};
static const char *const after_eol[] = {"works", "degraded", "stops", NULL};

/*
 * What strict_read_table() fills: the statement itself, the objects inside that are
 * read in a second step, and one slot of each kind for what is checked and
 * then left to whoever reads that type whole.
 */
struct reading {
	struct statement st;
	json_t *root, *final;
	const char *notice, *eol;
	int ground;

	const char *text;
	int64_t number;
	int choice;
	bool flag;
	json_t *json;
};

#define OPEN(a) \
	&(const struct field_table) \
	{ \
		(a), ARRAY_LEN(a), STRICT_OPEN \
	}
#define IN(member) offsetof(struct reading, member)
#define TEXT(k, opt) \
	{ \
		.key = (k), .kind = FIELD_TEXT, .offset = IN(text), .optional = (opt), .min = 1, \
		.max = TEXT_MAX \
	}
#define ID(k, member, opt) \
	{ \
		.key = (k), .kind = FIELD_HEX, .offset = IN(member), .optional = (opt), \
		.max = SHA256_HEX \
	}
#define TIME(k, member, opt) \
	{ \
		.key = (k), .kind = FIELD_TIME, .offset = IN(member), .optional = (opt) \
	}
#define LIST(k, opt) \
	{ \
		.key = (k), .kind = FIELD_ARRAY, .offset = IN(json), .optional = (opt), \
		.max = LIST_MAX \
	}
#define OBJECT(k, member, opt) \
	{ \
		.key = (k), .kind = FIELD_OBJECT, .offset = IN(member), .optional = (opt), \
		.max = LIST_MAX \
	}
#define NUMBER(k, opt, lo, hi) \
	{ \
		.key = (k), .kind = FIELD_INT, .offset = IN(number), .optional = (opt), \
		.min = (lo), .max = (hi) \
	}
#define NAME(k, member, opt, list) \
	{ \
		.key = (k), .kind = FIELD_NAME, .offset = IN(member), .optional = (opt), \
		.names = (list) \
	}

static const struct field product_fields[] = {
	TEXT("name", false),
	LIST("hardware", true),
	{.key = "updatable", .kind = FIELD_BOOL, .offset = IN(flag), .optional = true},
	TEXT("update_method", true),
	TIME("support_start", number, true),
	TIME("support_until", st.support_until, true),
	NAME("after_eol", choice, true, after_eol),
	TEXT("notify", true),
	LIST("options_after_eol", true),
	TEXT("class", true),
	TEXT("contact", true),
};
static const struct field deposit_fields[] = {
	ID("bridge", st.bridge, false),
	TIME("support_until", st.support_until, false),
};
static const struct field eol_fields[] = {
	TIME("date", st.date, false),
	TIME("last_security_update", number, true),
	TEXT("reason", true),
	TEXT("successor", true),
	LIST("vulnerabilities", true),
	OBJECT("final", final, true),
	{.key = "release", .kind = FIELD_BOOL, .offset = IN(st.release), .optional = true},
};
static const struct field notice_fields[] = {
	ID("deposit", st.deposit, false),
	ID("bridge", st.bridge, false),
	NAME("ground", ground, false, grounds),
	LIST("evidence", false),
	TEXT("trustee", true),
};
static const struct field approval_fields[] = {
	ID("deposit", st.deposit, false),
	ID("bridge", st.bridge, false),
	ID("notice", notice, true),
	ID("eol", eol, true),
	TEXT("trustee", true),
};
static const struct field objection_fields[] = {
	ID("notice", notice, false),
	TEXT("reason", true),
	TIME("support_until", st.support_until, true),
};
static const struct field release_fields[] = {
	ID("deposit", st.deposit, false), LIST("items", false),       LIST("shares", false),
	LIST("approvals", false),         OBJECT("refs", json, true),
};
static const struct field step_fields[] = {
	ID("from", st.from, false),
	ID("to", st.to, false),
	TEXT("reason", true),
};
static const struct field audit_fields[] = {
	ID("deposit", st.deposit, false),
	NUMBER("level", false, 0, LEVEL_MAX),
	LIST("findings", true),
};
static const struct field rebuild_fields[] = {
	{.key = "commit", .kind = FIELD_HEX, .offset = IN(text), .max = GIT_ID},
	TEXT("swhid", true),
	TEXT("recipe", false),
	ID("sha256", text, false),
};
static const struct field drill_fields[] = {
	ID("deposit", st.deposit, false),
	NAME("compartment", choice, false, compartments),
	NUMBER("number", false, 1, SHARE_MAX),
	NUMBER("drill", false, 0, DRILLS - 1),
	ID("value", text, false),
	OBJECT("checkpoint", json, false),
};
static const struct field move_fields[] = {
	{.key = "origin", .kind = FIELD_TEXT, .offset = IN(st.origin), .min = 1, .max = TEXT_MAX},
	{.key = "size", .kind = FIELD_INT, .offset = IN(st.size)},
	ID("hash", st.hash, false),
	{.key = "vkey", .kind = FIELD_TEXT, .offset = IN(st.vkey), .min = 1, .max = TEXT_MAX},
	TEXT("url", true),
};
static const struct field registry_fields[] = {
	LIST("logs", false),
	OBJECT("online", json, false),
	OBJECT("witnesses", json, true),
	LIST("auditors", true),
	LIST("mirrors", true),
	{.key = "policies", .kind = FIELD_ANY, .offset = IN(json), .optional = true},
};

/* What the elements of a list in a statement have to be. */
enum element { EACH_TEXT, EACH_ID, EACH_EVIDENCE, EACH_ITEM, EACH_SHARE };

struct list {
	const char *key;
	enum element each;
};

static const struct list product_lists[] = {{"hardware", EACH_TEXT},
					    {"options_after_eol", EACH_TEXT}};
static const struct list eol_lists[] = {{"vulnerabilities", EACH_TEXT}};
static const struct list notice_lists[] = {{"evidence", EACH_EVIDENCE}};
static const struct list release_lists[] = {
	{"items", EACH_ITEM}, {"shares", EACH_SHARE}, {"approvals", EACH_ID}};
static const struct list audit_lists[] = {{"findings", EACH_TEXT}};
static const struct list registry_lists[] = {{"mirrors", EACH_TEXT}};

#define FIELDS(a) (a), ARRAY_LEN(a)

static const struct type {
	const char *name;
	enum statement_signer signer;
	const struct field *fields;
	size_t nfields;
	const struct list *lists;
	size_t nlists;
} types[ST_TYPES] = {
	[ST_PRODUCT] = {"product", BY_ROOT, FIELDS(product_fields), FIELDS(product_lists)},
	[ST_HEARTBEAT] = {"heartbeat", BY_ROOT, NULL, 0, NULL, 0},
	[ST_DEPOSIT] = {"deposit", BY_ROOT, FIELDS(deposit_fields), NULL, 0},
	[ST_EOL] = {"eol", BY_ROOT, FIELDS(eol_fields), FIELDS(eol_lists)},
	[ST_NOTICE] = {"notice", BY_TRUSTEE, FIELDS(notice_fields), FIELDS(notice_lists)},
	[ST_APPROVAL] = {"approval", BY_TRUSTEE, FIELDS(approval_fields), NULL, 0},
	[ST_REFUSAL] = {"refusal", BY_TRUSTEE, FIELDS(approval_fields), NULL, 0},
	[ST_OBJECTION] = {"objection", BY_ROOT, FIELDS(objection_fields), NULL, 0},
	[ST_RELEASE] = {"release", BY_ONLINE, FIELDS(release_fields), FIELDS(release_lists)},
	[ST_ROTATION] = {"rotation", BY_ANCHOR, FIELDS(step_fields), NULL, 0},
	[ST_SUCCESSION] = {"succession", BY_BOTH_ROOTS, FIELDS(step_fields), NULL, 0},
	[ST_AUDIT] = {"audit", BY_LISTED, FIELDS(audit_fields), FIELDS(audit_lists)},
	[ST_REBUILD] = {"rebuild", BY_LISTED, FIELDS(rebuild_fields), NULL, 0},
	[ST_DRILL] = {"drill", BY_TRUSTEE, FIELDS(drill_fields), NULL, 0},
	[ST_LOG_MOVE] = {"log-move", BY_WITNESSES, FIELDS(move_fields), NULL, 0},
	[ST_REGISTRY] = {"registry", BY_REGISTRY_ROOT, FIELDS(registry_fields),
			 FIELDS(registry_lists)},
};

const char *statement_name(enum statement_type t)
{
	return types[t].name;
}

enum statement_signer statement_signer(enum statement_type t)
{
	return types[t].signer;
}

bool statement_type_of(const char *name, enum statement_type *out)
{
	for (size_t i = 0; name && i < ST_TYPES; i++) {
		if (strcmp(types[i].name, name) == 0) {
			*out = (enum statement_type)i;
			return true;
		}
	}
	return false;
}

bool product_id_ok(const char *id)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	if (!id || *id == '.' || *id == '-')
		return false;
	size_t n = strspn(id, letters);
	return n >= 1 && n < ID_MAX && id[n] == '\0';
}

/* Element `i` of a list of objects or texts. */
static int check_element(json_t *v, enum element kind, const char *where, struct error *err)
{
	struct {
		const char *id, *sha256, *text;
		int64_t number;
	} e = {0};
	const struct field evidence[] = {
		{"id", FIELD_HEX, offsetof(__typeof__(e), id), true, 0, SHA256_HEX, NULL},
		{"sha256", FIELD_HEX, offsetof(__typeof__(e), sha256), true, 0, SHA256_HEX, NULL},
		{"url", FIELD_TEXT, offsetof(__typeof__(e), text), true, 1, TEXT_MAX, NULL},
	};
	const struct field item[] = {
		{"path", FIELD_TEXT, offsetof(__typeof__(e), text), false, 1, TEXT_MAX, NULL},
		{"size", FIELD_INT, offsetof(__typeof__(e), number), false, 0, 0, NULL},
		{"sha256", FIELD_HEX, offsetof(__typeof__(e), sha256), false, 0, SHA256_HEX, NULL},
	};
	const struct field share[] = {
		{"number", FIELD_INT, offsetof(__typeof__(e), number), false, 1, SHARE_MAX, NULL},
		{"sha256", FIELD_HEX, offsetof(__typeof__(e), sha256), false, 0, SHA256_HEX, NULL},
	};
	int r = 0;

	switch (kind) {
	case EACH_TEXT:
		if (!json_is_string(v) || json_string_length(v) < 1 ||
		    json_string_length(v) > TEXT_MAX)
			return error_set(err, E_INVALID, "%s: want text of 1 to %d bytes", where,
					 TEXT_MAX);
		return 0;
	case EACH_ID:
		if (!hex_is(json_string_value(v), SHA256_HEX))
			return error_set(err, E_INVALID, "%s: want %d lower-case hex digits", where,
					 SHA256_HEX);
		return 0;
	case EACH_ITEM: return strict_read_table(v, where, OPEN(item), &e, err);
	case EACH_SHARE: return strict_read_table(v, where, OPEN(share), &e, err);
	case EACH_EVIDENCE:
		r = strict_read_table(v, where, OPEN(evidence), &e, err);
		if (r == 0 && !e.id == !e.sha256)
			return error_set(err, E_INVALID, "%s: want one of id and sha256", where);
		return r;
	}
	return r;
}

static int check_lists(const json_t *body, const struct type *t, struct error *err)
{
	for (size_t i = 0; i < t->nlists; i++) {
		const json_t *list = json_object_get(body, t->lists[i].key);
		json_t *v;
		size_t at;

		json_array_foreach(list, at, v)
		{
			char where[64];

			(void)snprintf(where, sizeof(where), "signed.%s[%zu]", t->lists[i].key, at);
			int r = check_element(v, t->lists[i].each, where, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* {"version", "id"} of the root under which the statement is verified. */
static int read_root(struct reading *r, struct error *err)
{
	const struct field fields[] = {
		{.key = "version",
		 .kind = FIELD_INT,
		 .offset = IN(st.root_version),
		 .min = 1,
		 .max = INT32_MAX},
		ID("id", st.root_id, false),
	};

	return strict_read_table(r->root, "signed.root", OPEN(fields), r, err);
}

static int read_final(struct reading *r, struct error *err)
{
	const struct field fields[] = {
		ID("root", st.final_root, false),
		ID("bridge", st.final_bridge, false),
	};
	int e = strict_read_table(r->final, "signed.final", OPEN(fields), r, err);

	if (e < 0)
		return e;
	if (strcmp(r->st.final_root, r->st.root_id) != 0)
		return error_set(err, E_INVALID, "signed.final.root: want the id in signed.root");
	return 0;
}

/* What one type's table cannot say. */
static int check_type(struct reading *r, struct error *err)
{
	switch (r->st.type) {
	case ST_EOL:
		if (r->st.release && !r->final)
			return error_set(err, E_INVALID, "signed.release: true wants signed.final");
		return r->final ? read_final(r, err) : 0;
	case ST_NOTICE: r->st.ground = grounds[r->ground]; return 0;
	case ST_OBJECTION: r->st.target = r->notice; return 0;
	case ST_APPROVAL:
	case ST_REFUSAL:
		if (!r->notice == !r->eol)
			return error_set(err, E_INVALID, "signed: want one of notice and eol");
		r->st.target = r->notice ? r->notice : r->eol;
		return 0;
	case ST_ROTATION:
	case ST_SUCCESSION:
		if (strcmp(r->st.from, r->st.to) == 0)
			return error_set(err, E_INVALID, "signed.to: want another id than from");
		if (r->st.root_id && strcmp(r->st.root_id, r->st.from) != 0)
			return error_set(err, E_INVALID, "signed.root.id: want the id in from");
		return 0;
	default: return 0;
	}
}

static int read_body(const struct envelope *doc, const struct type *t, struct reading *r,
		     struct error *err)
{
	struct field fields[SIGNED_FIELDS] = {
		TIME("issued", st.issued, false),
		{.key = "product",
		 .kind = FIELD_TEXT,
		 .offset = IN(st.product),
		 .min = 1,
		 .max = ID_MAX},
		OBJECT("root", root, t->signer != BY_ROOT),
	};
	/* The registry's record is of no product, and its `root` may be something else. */
	size_t n = r->st.type == ST_REGISTRY ? 1 : 3;

	for (size_t i = 0; i < t->nfields; i++)
		fields[n++] = t->fields[i];

	int e = strict_read_table(envelope_signed(doc), "signed",
				  &(const struct field_table){fields, n, STRICT_OPEN}, r, err);
	if (e < 0)
		return e;
	if (r->st.type != ST_REGISTRY && !product_id_ok(r->st.product))
		return error_set(err, E_INVALID,
				 "signed.product: want [a-z0-9][a-z0-9.-]{0,62}, got \"%.80s\"",
				 r->st.product);
	if (r->root)
		e = read_root(r, err);
	if (e == 0)
		e = check_lists(envelope_signed(doc), t, err);
	return e < 0 ? e : check_type(r, err);
}

int statement_read(const struct envelope *doc, const char *name, struct statement *out,
		   struct error *err)
{
	struct reading r = {.st = {.doc = doc, .product = "", .version = envelope_version(doc)}};

	if (!statement_type_of(envelope_type(doc), &r.st.type))
		return error_set(err, E_INVALID, "%s: signed._type: \"%.40s\" is no statement",
				 name, envelope_type(doc));

	int e = read_body(doc, &types[r.st.type], &r, err);
	if (e < 0)
		return error_prefix(err, e, "%s", name);
	*out = r.st;
	return 0;
}
