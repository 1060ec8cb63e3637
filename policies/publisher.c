/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/publisher.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "policies/statement.h"

enum { TEXT_MAX = 1024, URL_MAX = 2048, MIRRORS_MAX = 64, WHERE_SIZE = 64 };

#define WHERE "signed.x-bequest"
#define OPEN(a) \
	&(const struct field_table) \
	{ \
		(a), ARRAY_LEN(a), STRICT_OPEN \
	}
#define IN(member) offsetof(struct reading, member)

static const char *const kinds[] = {"vendor", "stewards", NULL};

/* What strict_read_table() fills before it becomes a struct publisher. */
struct reading {
	json_t *publisher, *logs, *witnesses, *mirrors, *rebuilders;
	bool bridge;
	const char *id, *name, *contact;
	int kind;
	const char *origin, *vkey, *url;
	json_t *keys;
	int64_t threshold;
};

const char *publisher_kind_name(enum publisher_kind k)
{
	return kinds[k];
}

static bool same_key(const struct note_key *a, const struct note_key *b)
{
	return memcmp(a->pub, b->pub, sizeof(a->pub)) == 0;
}

static int read_who(struct reading *r, struct publisher *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "id", .kind = FIELD_TEXT, .offset = IN(id), .min = 1, .max = TEXT_MAX},
		{.key = "name", .kind = FIELD_TEXT, .offset = IN(name), .min = 1, .max = TEXT_MAX},
		{.key = "kind", .kind = FIELD_NAME, .offset = IN(kind), .names = kinds},
		{.key = "contact",
		 .kind = FIELD_TEXT,
		 .offset = IN(contact),
		 .optional = true,
		 .max = TEXT_MAX},
	};
	int e = strict_read_table(r->publisher, WHERE ".publisher", OPEN(fields), r, err);

	if (e < 0)
		return e;
	if (!product_id_ok(r->id))
		return error_set(err, E_INVALID,
				 WHERE ".publisher.id: want [a-z0-9][a-z0-9.-]{0,62}");
	out->id = r->id;
	out->name = r->name;
	out->contact = r->contact;
	out->kind = (enum publisher_kind)r->kind;
	return 0;
}

static int read_log(struct reading *r, json_t *entry, struct publisher *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "origin",
		 .kind = FIELD_TEXT,
		 .offset = IN(origin),
		 .min = 1,
		 .max = NOTE_NAME_MAX},
		{.key = "vkey", .kind = FIELD_TEXT, .offset = IN(vkey), .min = 1, .max = TEXT_MAX},
		{.key = "url", .kind = FIELD_TEXT, .offset = IN(url), .min = 1, .max = URL_MAX},
	};
	struct publisher_log *log = &out->logs[out->nlogs];
	char where[WHERE_SIZE];

	(void)snprintf(where, sizeof(where), WHERE ".logs[%zu]", out->nlogs);
	int e = strict_read_table(entry, where, OPEN(fields), r, err);
	if (e < 0)
		return e;
	e = note_key_parse(r->vkey, &log->key, err);
	if (e < 0)
		return error_prefix(err, e, "%s.vkey", where);
	if (strcmp(log->key.name, r->origin) != 0)
		return error_set(err, E_INVALID, "%s.vkey: want a key named like the origin",
				 where);
	for (size_t i = 0; i < out->nlogs; i++)
		if (strcmp(out->logs[i].origin, r->origin) == 0 ||
		    same_key(&out->logs[i].key, &log->key))
			return error_set(err, E_INVALID, "%s: repeats log %zu", where, i);
	log->origin = r->origin;
	log->url = r->url;
	out->nlogs++;
	return 0;
}

static int read_logs(struct reading *r, struct publisher *out, struct error *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach(r->logs, i, entry)
	{
		int e = read_log(r, entry, out, err);

		if (e < 0)
			return e;
	}
	return 0;
}

static int read_witness(const char *vkey, struct publisher *out, struct error *err)
{
	struct note_key *key = &out->witnesses[out->nwitnesses];

	if (!vkey)
		return error_set(err, E_INVALID, "want text");
	int e = note_key_parse(vkey, key, err);
	if (e < 0)
		return e;
	for (size_t i = 0; i < out->nlogs; i++)
		if (same_key(&out->logs[i].key, key))
			return error_set(err, E_INVALID, "is the key of a log");
	/* A cosignature does not sign its name, so a key under two names would count twice. */
	for (size_t i = 0; i < out->nwitnesses; i++)
		if (same_key(&out->witnesses[i], key) ||
		    strcmp(out->witnesses[i].name, key->name) == 0)
			return error_set(err, E_INVALID, "repeats witness %zu", i);
	out->nwitnesses++;
	return 0;
}

static int read_witnesses(struct reading *r, struct publisher *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "keys",
		 .kind = FIELD_ARRAY,
		 .offset = IN(keys),
		 .max = PUBLISHER_WITNESSES_MAX},
		{.key = "threshold",
		 .kind = FIELD_INT,
		 .offset = IN(threshold),
		 .max = PUBLISHER_WITNESSES_MAX},
	};
	json_t *entry;
	size_t i;

	if (!r->witnesses)
		return 0;
	int e = strict_read_table(r->witnesses, WHERE ".witnesses", OPEN(fields), r, err);
	if (e < 0)
		return e;
	json_array_foreach(r->keys, i, entry)
	{
		e = read_witness(json_string_value(entry), out, err);
		if (e < 0)
			return error_prefix(err, e, WHERE ".witnesses.keys[%zu]", i);
	}
	if ((size_t)r->threshold > out->nwitnesses)
		return error_set(err, E_INVALID, WHERE ".witnesses.threshold: want 0 to %zu",
				 out->nwitnesses);
	out->witness_threshold = (size_t)r->threshold;
	return 0;
}

static int check_mirrors(const json_t *mirrors, struct error *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach(mirrors, i, entry) if (
		!json_is_string(entry) ||
		json_string_length(entry) >
			URL_MAX) return error_set(err, E_INVALID,
						  WHERE
						  ".mirrors[%zu]: want text of at most %d bytes",
						  i, URL_MAX);
	return 0;
}

/* Read once here, so that whoever counts rebuilders later cannot meet a surprise. */
static int check_rebuilders(struct reading *r, struct error *err)
{
	static const struct field fields[] = {
		{.key = "keys", .kind = FIELD_OBJECT, .offset = IN(keys), .max = KEYS_MAX},
		{.key = "threshold",
		 .kind = FIELD_INT,
		 .offset = IN(threshold),
		 .min = 1,
		 .max = KEYS_MAX},
	};
	struct role_keys keys = {0};

	if (!r->rebuilders)
		return 0;
	int e = strict_read_table(r->rebuilders, WHERE ".rebuilders", OPEN(fields), r, err);
	if (e == 0)
		e = role_keys_parse(r->keys, NULL, r->threshold, WHERE ".rebuilders", &keys, err);
	role_keys_clear(&keys);
	return e;
}

static int read_all(json_t *body, struct publisher *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "publisher", .kind = FIELD_OBJECT, .offset = IN(publisher)},
		{.key = "bridge", .kind = FIELD_BOOL, .offset = IN(bridge), .optional = true},
		{.key = "mirrors",
		 .kind = FIELD_ARRAY,
		 .offset = IN(mirrors),
		 .optional = true,
		 .max = MIRRORS_MAX},
		{.key = "logs",
		 .kind = FIELD_ARRAY,
		 .offset = IN(logs),
		 .optional = true,
		 .max = PUBLISHER_LOGS_MAX},
		{.key = "witnesses",
		 .kind = FIELD_OBJECT,
		 .offset = IN(witnesses),
		 .optional = true},
		{.key = "rebuilders",
		 .kind = FIELD_OBJECT,
		 .offset = IN(rebuilders),
		 .optional = true},
	};
	struct reading r = {0};

	if (!body)
		return error_set(err, E_INVALID, WHERE ": want an object, got nothing");
	int e = strict_read_table(body, WHERE, OPEN(fields), &r, err);
	if (e == 0)
		e = read_who(&r, out, err);
	if (e == 0)
		e = read_logs(&r, out, err);
	if (e == 0)
		e = read_witnesses(&r, out, err);
	if (e == 0)
		e = check_mirrors(r.mirrors, err);
	if (e == 0)
		e = check_rebuilders(&r, err);
	out->bridge = r.bridge;
	out->mirrors = r.mirrors;
	out->rebuilders = r.rebuilders;
	return e;
}

int publisher_read(const struct tuf_root *root, const char *name, struct publisher *out,
		   struct error *err)
{
	CLEANUP(freep) struct publisher *p = calloc(1, sizeof(*p)); /* many KiB: not on the stack */

	if (!p)
		return error_nomem(err);
	int r = read_all(root->x_bequest, p, err);
	if (r != 0)
		return error_prefix(err, r, "%s", name);
	*out = *p;
	return 0;
}

int publisher_witness_keys(const struct publisher *p, struct role_keys *out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_object();
	int r = 0;

	if (p->witness_threshold < 1)
		return error_set(err, E_INVALID, "want witnesses, and a threshold of them");
	for (size_t i = 0; r == 0 && i < p->nwitnesses; i++) {
		char keyid[KEYID_MAX + 1];
		json_t *object = NULL;

		if (p->witnesses[i].type != NOTE_COSIGNATURE)
			continue;
		r = key_object_ed25519(p->witnesses[i].pub, &object, keyid, err);
		if (r == 0 && json_object_set_new(list, keyid, object) < 0)
			r = error_nomem(err);
	}
	return r < 0 ? r
		     : role_keys_parse(list, NULL, (int64_t)p->witness_threshold, "witnesses", out,
				       err);
}

/* How many keys of `a` are in `b` too, by material. */
static size_t shared(const struct role_keys *a, const struct role_keys *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += role_keys_has(b, a->keys[i]);
	return n;
}

static bool has_log(const struct publisher *p, const struct publisher_log *log)
{
	for (size_t i = 0; i < p->nlogs; i++)
		if (strcmp(p->logs[i].origin, log->origin) == 0 &&
		    same_key(&p->logs[i].key, &log->key))
			return true;
	return false;
}

static bool has_witness(const struct publisher *p, const struct note_key *key)
{
	for (size_t i = 0; i < p->nwitnesses; i++)
		if (same_key(&p->witnesses[i], key))
			return true;
	return false;
}

static bool drops_logs(const struct publisher *from, const struct publisher *to)
{
	for (size_t i = 0; i < from->nlogs; i++)
		if (!has_log(to, &from->logs[i]))
			return true;
	for (size_t i = 0; i < from->nwitnesses; i++)
		if (!has_witness(to, &from->witnesses[i]))
			return true;
	if (to->witness_threshold < from->witness_threshold)
		return true;
	/* As with root keys: newcomers must not be able to make up the quorum alone. */
	return from->witness_threshold > 0 &&
	       to->nwitnesses - from->nwitnesses >= to->witness_threshold;
}

/* What of the step from `from` to `to` shows in the keys of the root role. */
static unsigned compare_keys(const struct role_keys *from, const struct role_keys *to)
{
	unsigned change = 0;

	if ((int64_t)shared(from, to) < from->threshold)
		change |= CHANGE_KEYS;
	if (to->threshold < from->threshold)
		change |= CHANGE_THRESHOLD;
	return change;
}

static unsigned compare_publishers(const struct publisher *from, const struct publisher *to)
{
	unsigned change = 0;

	if (strcmp(from->id, to->id) != 0 || from->kind != to->kind)
		change |= CHANGE_NAME;
	if (drops_logs(from, to))
		change |= CHANGE_LOGS;
	return change;
}

int publisher_compare(const struct tuf_root *anchor, const struct tuf_root *from,
		      const struct tuf_root *to, unsigned *change, struct error *err)
{
	const struct tuf_root *roots[] = {anchor, from, to};
	static const char *const names[] = {"anchor root", "trusted root", "offered root"};
	CLEANUP(freep) struct publisher *p = calloc(ARRAY_LEN(roots), sizeof(*p));
	const struct role_keys *old = &anchor->role[TUF_ROOT], *new = &to->role[TUF_ROOT];

	if (!p)
		return error_nomem(err);
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		int r = publisher_read(roots[i], names[i], &p[i], err);

		if (r != 0)
			return r;
	}

	unsigned found = compare_keys(old, new) | compare_publishers(&p[0], &p[2]);
	found |= compare_keys(&from->role[TUF_ROOT], new) | compare_publishers(&p[1], &p[2]);
	if ((int64_t)(new->n - shared(new, old)) >= new->threshold)
		found |= CHANGE_NEW_QUORUM;
	*change = found;
	return 0;
}

int publisher_change_text(unsigned change, struct buf *out, struct error *err)
{
	static const struct {
		unsigned bit;
		const char *text;
	} texts[] = {
		{CHANGE_NAME, "the publisher's id or kind is another"},
		{CHANGE_KEYS, "fewer old root keys remain than the old threshold"},
		{CHANGE_THRESHOLD, "the root threshold falls"},
		{CHANGE_NEW_QUORUM, "new root keys can make up a threshold alone"},
		{CHANGE_LOGS, "logs or witnesses are dropped or outvoted"},
	};
	const char *between = "";

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (!(change & texts[i].bit))
			continue;
		int r = buf_printf(out, err, "%s%s", between, texts[i].text);

		if (r < 0)
			return r;
		between = "; ";
	}
	return 0;
}

/* --- whom a root lists ------------------------------------------------------ */

int publisher_listed(const struct tuf_root *root, const char *whom, struct role_keys *out,
		     struct error *err)
{
	json_t *keys = json_object_get(json_object_get(root->x_bequest, whom), "keys");

	if (!json_is_object(keys))
		return error_set(err, E_UNTRUSTED, "root %lld lists no %s",
				 (long long)root->version, whom);
	return role_keys_parse(keys, NULL, 1, "signed.x-bequest", out, err);
}
