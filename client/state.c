/* SPDX-License-Identifier: Apache-2.0 */
#include "client/state.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/random.h"
#include "lib/json/strict.h"

#define STATE_FILE "state.json"
#define STATE_FORMAT "bequest-state/1"
enum { STATE_FILE_MAX = 64 * 1024, STATE_MODE = 0600 };

static const char *const statuses[] = {"unknown", "writing", "ready", "good", "failed", NULL};
static const char *const kinds[] = {"nothing", "handover", "update", NULL};

const char *waiting_name(enum waiting_kind k)
{
	return kinds[k];
}

const char *slot_status_name(enum slot_status s)
{
	return statuses[s];
}

static int random_hex(char out[SHA256_HEX_SIZE], struct error *err)
{
	unsigned char raw[SHA256_LEN];
	int r = random_bytes(raw, sizeof(raw), err);

	if (r == 0)
		hex_encode(raw, sizeof(raw), out);
	return r;
}

int state_new(struct state *out, struct error *err)
{
	struct state s = {0};
	int r = random_hex(s.device, err);

	if (r == 0)
		*out = s;
	return r;
}

/* --- reading ------------------------------------------------------------------ */

/* Every text of the file is at most as long as what it goes into, by its field's max. */
static void copy(char *to, const char *text)
{
	if (text)
		memcpy(to, text, strlen(text) + 1);
}

#define TEXT(type, member, name, longest) \
	{ \
		.key = (name), .kind = FIELD_TEXT, .offset = offsetof(type, member), \
		.max = (longest) \
	}
#define INT(type, member, name) \
	{ \
		.key = (name), .kind = FIELD_INT, .offset = offsetof(type, member) \
	}
#define PART(type, member, name, sort) \
	{ \
		.key = (name), .kind = (sort), .offset = offsetof(type, member) \
	}

/* A digest as this file has it: 64 digits, or nothing. */
static int take_digest(char to[SHA256_HEX_SIZE], const char *text, const char *where,
		       struct error *err)
{
	if (*text && !hex_is(text, SHA256_HEX))
		return error_set(err, E_INVALID, "%s: want 64 hex digits or nothing", where);
	copy(to, text);
	return 0;
}

static int read_slot(const json_t *j, const char *where, struct slot_record *out, struct error *err)
{
	struct {
		int status;
		const char *version, *sha256, *publisher, *entry;
		int64_t size;
	} f;
	static const struct field fields[] = {
		{"status", FIELD_NAME, 0, false, 0, 0, statuses},
		TEXT(__typeof__(f), version, "version", VERSION_MAX),
		TEXT(__typeof__(f), sha256, "sha256", SHA256_HEX),
		TEXT(__typeof__(f), publisher, "publisher", STATE_NAME_MAX),
		TEXT(__typeof__(f), entry, "entry", SHA256_HEX),
		INT(__typeof__(f), size, "size"),
	};
	int r = strict_read(j, where, fields, ARRAY_LEN(fields), STRICT_CLOSED, &f, err);

	if (r == 0)
		r = take_digest(out->sha256, f.sha256, where, err);
	if (r == 0)
		r = take_digest(out->entry, f.entry, where, err);
	if (r < 0)
		return r;
	if (*f.version && !version_ok(f.version))
		return error_set(err, E_INVALID, "%s.version: is none", where);
	out->status = (enum slot_status)f.status;
	out->size = f.size;
	copy(out->version, f.version);
	copy(out->publisher, f.publisher);
	return 0;
}

static int read_offer(const json_t *j, const char *where, struct offer *out, struct error *err)
{
	struct {
		const char *from, *bridge, *after, *evidence, *nonce;
		int64_t shown;
	} f;
	static const struct field fields[] = {
		TEXT(__typeof__(f), from, "from", SHA256_HEX),
		TEXT(__typeof__(f), bridge, "bridge", SHA256_HEX),
		TEXT(__typeof__(f), after, "after", SHA256_HEX),
		TEXT(__typeof__(f), evidence, "evidence", SHA256_HEX),
		TEXT(__typeof__(f), nonce, "nonce", SHA256_HEX),
		INT(__typeof__(f), shown, "shown"),
	};
	int r = strict_read(j, where, fields, ARRAY_LEN(fields), STRICT_CLOSED, &f, err);

	if (r == 0)
		r = take_digest(out->from, f.from, where, err);
	if (r == 0)
		r = take_digest(out->bridge, f.bridge, where, err);
	if (r == 0)
		r = take_digest(out->after, f.after, where, err);
	if (r == 0)
		r = take_digest(out->evidence, f.evidence, where, err);
	if (r == 0)
		r = take_digest(out->nonce, f.nonce, where, err);
	if (r == 0)
		out->shown = f.shown;
	return r;
}

static int read_consent(const json_t *j, struct consent *out, struct error *err)
{
	struct {
		json_t *to;
		const char *product, *by;
		int64_t at;
	} f;
	static const struct field fields[] = {
		PART(__typeof__(f), to, "to", FIELD_OBJECT),
		TEXT(__typeof__(f), product, "product", STATE_NAME_MAX),
		TEXT(__typeof__(f), by, "by", STATE_NAME_MAX),
		INT(__typeof__(f), at, "at"),
	};
	int r = strict_read(j, "consent", fields, ARRAY_LEN(fields), STRICT_CLOSED, &f, err);

	if (r == 0)
		r = read_offer(f.to, "consent.to", &out->to, err);
	if (r < 0)
		return r;
	copy(out->product, f.product);
	copy(out->by, f.by);
	out->at = f.at;
	return 0;
}

static int read_failed(const json_t *list, struct state *out, struct error *err)
{
	struct {
		const char *entry, *version;
	} f;
	static const struct field fields[] = {
		{"entry", FIELD_HEX, 0, false, 0, SHA256_HEX, NULL},
		TEXT(__typeof__(f), version, "version", VERSION_MAX),
	};

	for (size_t i = 0; i < json_array_size(list); i++) {
		int r = strict_read(json_array_get(list, i), "failed", fields, ARRAY_LEN(fields),
				    STRICT_CLOSED, &f, err);

		if (r < 0)
			return r;
		copy(out->failed[i].entry, f.entry);
		copy(out->failed[i].version, f.version);
		out->nfailed = i + 1;
	}
	return 0;
}

static int read_logs(const json_t *list, struct state *out, struct error *err)
{
	struct {
		const char *log, *root;
		int64_t size;
	} f;
	static const struct field fields[] = {
		TEXT(__typeof__(f), log, "log", STATE_LOG_NAME_MAX),
		{"root", FIELD_HEX, offsetof(__typeof__(f), root), false, 0, SHA256_HEX, NULL},
		INT(__typeof__(f), size, "size"),
	};

	for (size_t i = 0; i < json_array_size(list); i++) {
		int r = strict_read(json_array_get(list, i), "logs", fields, ARRAY_LEN(fields),
				    STRICT_CLOSED, &f, err);

		if (r < 0)
			return r;
		copy(out->logs[i].log, f.log);
		copy(out->logs[i].root, f.root);
		out->logs[i].size = f.size;
		out->nlogs = i + 1;
	}
	return 0;
}

static int read_waiting(const json_t *j, struct state *out, struct error *err)
{
	struct {
		int kind;
		const char *id, *reason;
	} f;
	static const struct field fields[] = {
		{"kind", FIELD_NAME, 0, false, 0, 0, kinds},
		TEXT(__typeof__(f), id, "id", SHA256_HEX),
		TEXT(__typeof__(f), reason, "reason", STATE_REASON_MAX),
	};
	int r = strict_read(j, "waiting", fields, ARRAY_LEN(fields), STRICT_CLOSED, &f, err);

	if (r == 0)
		r = take_digest(out->waiting.id, f.id, "waiting.id", err);
	if (r < 0)
		return r;
	out->waiting.kind = (enum waiting_kind)f.kind;
	copy(out->waiting.reason, f.reason);
	return 0;
}

static int read_last(const json_t *j, struct state *out, struct error *err)
{
	struct {
		const char *verb;
		int64_t exit, at;
	} f;
	static const struct field fields[] = {
		TEXT(__typeof__(f), verb, "verb", STATE_NAME_MAX),
		INT(__typeof__(f), exit, "exit"),
		INT(__typeof__(f), at, "at"),
	};
	int r = strict_read(j, "last", fields, ARRAY_LEN(fields), STRICT_CLOSED, &f, err);

	if (r < 0)
		return r;
	copy(out->last.verb, f.verb);
	out->last.exit = f.exit;
	out->last.at = f.at;
	return 0;
}

/* The members of the file's one object. */
struct top {
	const char *format, *device, *leaf, *stale, *left, *log;
	int64_t since, witnessed, seq;
	json_t *slots, *failed, *offer, *refused, *consent, *waiting, *last, *logs, *kept;
};

static int read_parts(const struct top *f, struct state *s, struct error *err)
{
	int r = read_slot(json_object_get(f->slots, "A"), "slots.A", &s->slot[SLOT_A], err);

	if (r == 0)
		r = read_slot(json_object_get(f->slots, "B"), "slots.B", &s->slot[SLOT_B], err);
	if (r == 0)
		r = read_failed(f->failed, s, err);
	if (r == 0)
		r = read_offer(f->offer, "offer", &s->offer, err);
	if (r == 0)
		r = read_offer(f->refused, "refused", &s->refused, err);
	if (r == 0)
		r = read_consent(f->consent, &s->consent, err);
	if (r == 0)
		r = read_waiting(f->waiting, s, err);
	if (r == 0)
		r = read_last(f->last, s, err);
	if (r == 0)
		r = take_digest(s->leaf, f->leaf, "leaf", err);
	if (r == 0)
		r = read_logs(f->logs, s, err);
	if (r == 0 && f->kept)
		r = read_slot(f->kept, "kept", &s->kept, err);
	return r;
}

static void unref(json_t **j)
{
	json_decref(*j);
}

int state_parse(const void *data, size_t len, struct state *out, struct error *err)
{
	static const struct field fields[] = {
		TEXT(struct top, format, "format", STATE_NAME_MAX),
		{"device", FIELD_HEX, offsetof(struct top, device), false, 0, SHA256_HEX, NULL},
		TEXT(struct top, leaf, "leaf", SHA256_HEX),
		INT(struct top, since, "since"),
		INT(struct top, witnessed, "witnessed"),
		INT(struct top, seq, "seq"),
		PART(struct top, slots, "slots", FIELD_OBJECT),
		{"failed", FIELD_ARRAY, offsetof(struct top, failed), false, 0, STATE_FAILED_MAX,
		 NULL},
		PART(struct top, offer, "offer", FIELD_OBJECT),
		PART(struct top, refused, "refused", FIELD_OBJECT),
		PART(struct top, consent, "consent", FIELD_OBJECT),
		PART(struct top, waiting, "waiting", FIELD_OBJECT),
		PART(struct top, last, "last", FIELD_OBJECT),
		/* These came later: a device that lacks them has seen nothing of the kind. */
		{"logs", FIELD_ARRAY, offsetof(struct top, logs), true, 0, STATE_LOGS_MAX, NULL},
		{"kept", FIELD_OBJECT, offsetof(struct top, kept), true, 0, 0, NULL},
		{"left", FIELD_TEXT, offsetof(struct top, left), true, 0, VERSION_MAX, NULL},
		{"stale", FIELD_TEXT, offsetof(struct top, stale), true, 0, STATE_STALE_MAX, NULL},
		{"log", FIELD_TEXT, offsetof(struct top, log), true, 0, STATE_LOG_MAX, NULL},
	};
	CLEANUP(unref) json_t *j = NULL;
	struct state s = {0};
	struct top f = {0};
	int r = strict_parse(data, len, STATE_FILE, &j, err);

	if (r < 0)
		return r;
	r = strict_read(j, "", fields, ARRAY_LEN(fields), STRICT_OPEN, &f, err);
	if (r == 0 && strcmp(f.format, STATE_FORMAT) != 0)
		r = error_set(err, E_INVALID, "format: want " STATE_FORMAT);
	if (r == 0)
		r = read_parts(&f, &s, err);
	if (r < 0)
		return error_prefix(err, r, STATE_FILE);
	if (f.left && *f.left && !version_ok(f.left))
		return error_set(err, E_INVALID, STATE_FILE ": left: is no version");
	copy(s.device, f.device);
	s.since = f.since;
	s.witnessed = f.witnessed;
	s.seq = f.seq;
	copy(s.stale, f.stale);
	copy(s.left, f.left);
	copy(s.log, f.log);
	*out = s;
	return 0;
}

int state_load(int dir, struct state *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = file_read(dir, STATE_FILE, STATE_FILE_MAX, &text, err);

	return r == 0 ? state_parse(text.data ? text.data : "", text.len, out, err) : r;
}

/* --- writing ------------------------------------------------------------------ */

/* These give new references, NULL when memory is out; json_pack's "o" hands NULL on. */
static json_t *slot_json(const struct slot_record *r)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "status", statuses[r->status], "version",
			 r->version, "sha256", r->sha256, "size", (json_int_t)r->size, "publisher",
			 r->publisher, "entry", r->entry);
}

static json_t *offer_json(const struct offer *o)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "from", o->from, "bridge", o->bridge,
			 "after", o->after, "evidence", o->evidence, "nonce", o->nonce, "shown",
			 (json_int_t)o->shown);
}

static json_t *failed_json(const struct state *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->nfailed; i++) {
		json_t *one = json_pack("{s:s, s:s}", "entry", s->failed[i].entry, "version",
					s->failed[i].version);

		if (json_array_append_new(list, one) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *logs_json(const struct state *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->nlogs; i++) {
		const struct seen_log *l = &s->logs[i];
		json_t *one = json_pack("{s:s, s:I, s:s}", "log", l->log, "size",
					(json_int_t)l->size, "root", l->root);

		if (json_array_append_new(list, one) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *state_json(const struct state *s)
{
	const struct consent *c = &s->consent;

	return json_pack(
		"{s:s, s:s, s:I, s:{s:o, s:o}, s:o, s:o, s:o, s:{s:o, s:s, s:s, s:I}, s:I, s:I, "
		"s:s, s:{s:s, s:s, s:s}, s:{s:s, s:I, s:I}, s:o, s:o, s:s, s:s, s:s}",
		"format", STATE_FORMAT, "device", s->device, "since", (json_int_t)s->since, "slots",
		"A", slot_json(&s->slot[SLOT_A]), "B", slot_json(&s->slot[SLOT_B]), "failed",
		failed_json(s), "offer", offer_json(&s->offer), "refused", offer_json(&s->refused),
		"consent", "to", offer_json(&c->to), "product", c->product, "by", c->by, "at",
		(json_int_t)c->at, "witnessed", (json_int_t)s->witnessed, "seq", (json_int_t)s->seq,
		"leaf", s->leaf, "waiting", "kind", kinds[s->waiting.kind], "id", s->waiting.id,
		"reason", s->waiting.reason, "last", "verb", s->last.verb, "exit",
		(json_int_t)s->last.exit, "at", (json_int_t)s->last.at, "logs", logs_json(s),
		"kept", slot_json(&s->kept), "stale", s->stale, "left", s->left, "log", s->log);
}

int state_save(const struct state *s, int dir, struct error *err)
{
	CLEANUP(unref) json_t *j = state_json(s);
	CLEANUP(freep) char *text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;

	if (!text)
		return error_nomem(err);
	return file_write(dir, STATE_FILE, text, strlen(text), STATE_MODE, err);
}

/* --- meaning ------------------------------------------------------------------ */

/* A byte that goes into state.json must leave it readable: ASCII without controls. */
static void tidy(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			*text = '?';
}

void state_wait(struct state *s, enum waiting_kind kind, const char *id, const char *fmt, ...)
{
	va_list ap;

	s->waiting.kind = kind;
	(void)snprintf(s->waiting.id, sizeof(s->waiting.id), "%s", id);
	va_start(ap, fmt);
	(void)vsnprintf(s->waiting.reason, sizeof(s->waiting.reason), fmt, ap);
	va_end(ap);
	tidy(s->waiting.reason);
}

void state_log(struct state *s, const char *text)
{
	(void)snprintf(s->log, sizeof(s->log), "%.*s", STATE_LOG_MAX, text);
	tidy(s->log);
}

void state_fail(struct state *s, const struct slot_record *r)
{
	struct failed_update *f;

	if (!r->entry[0] || state_has_failed(s, r->entry))
		return;
	if (s->nfailed == STATE_FAILED_MAX) {
		memmove(s->failed, s->failed + 1, sizeof(s->failed) - sizeof(s->failed[0]));
		s->nfailed--;
	}
	f = &s->failed[s->nfailed++];
	memcpy(f->entry, r->entry, sizeof(f->entry));
	memcpy(f->version, r->version, sizeof(f->version));
}

bool state_has_failed(const struct state *s, const char *entry)
{
	for (size_t i = 0; i < s->nfailed; i++)
		if (strcmp(s->failed[i].entry, entry) == 0)
			return true;
	return false;
}

bool offer_same_step(const struct offer *a, const struct offer *b)
{
	return a->bridge[0] && strcmp(a->from, b->from) == 0 && strcmp(a->bridge, b->bridge) == 0 &&
	       strcmp(a->after, b->after) == 0;
}

bool offer_same(const struct offer *a, const struct offer *b)
{
	return offer_same_step(a, b) && strcmp(a->evidence, b->evidence) == 0;
}

bool consent_holds(const struct state *s, const char *product, const struct offer *o)
{
	const struct consent *c = &s->consent;

	return strcmp(c->product, product) == 0 && offer_same(&c->to, o) && c->to.nonce[0] &&
	       strcmp(c->to.nonce, s->offer.nonce) == 0;
}
