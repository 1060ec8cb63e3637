/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which log this is, what each vantage point shows of it, and whom to follow.
 *
 * The log's key is the one given by hand; else the one remembered; else, once, the one
 * in registry.json. Its record is believed if it is signed by its own root keys, and
 * later ones if they are signed by the keys of the one before, too.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "lib/sign/envelope.h"
#include "registry/monitor/tiles.h"

enum { RECORD_MAX = 512 * 1024 };

/* --- registry.json -------------------------------------------------------------------- */

struct record {
	struct envelope *doc; /* owned */
	json_t *logs, *online, *witnesses, *root;
};

static void record_clear(struct record *r)
{
	envelope_free(r->doc);
}

static const struct field record_fields[] = {
	{"logs", FIELD_ARRAY, offsetof(struct record, logs), .min = 1, .max = 8},
	{"online", FIELD_OBJECT, offsetof(struct record, online), .max = KEYS_MAX},
	{"witnesses", FIELD_OBJECT, offsetof(struct record, witnesses), .optional = true},
	{"root", FIELD_OBJECT, offsetof(struct record, root), .min = 1},
};

static int record_read(const struct buf *bytes, struct record *out, struct error *err)
{
	int r = envelope_parse(bytes->data ? bytes->data : "", bytes->len, "registry.json",
			       &out->doc, err);

	if (r == 0 && strcmp(envelope_type(out->doc), "registry") != 0)
		r = error_set(err, E_INVALID, "registry.json: signed._type: want registry, got %s",
			      envelope_type(out->doc));
	if (r == 0)
		r = strict_read(envelope_signed(out->doc), "signed", record_fields,
				ARRAY_LEN(record_fields), STRICT_OPEN, out, err);
	return r < 0 ? error_prefix(err, r, "registry.json") : 0;
}

struct threshold {
	json_t *keys;
	int64_t threshold;
};

static const struct field root_fields[] = {
	{"keys", FIELD_OBJECT, offsetof(struct threshold, keys), .min = 1, .max = KEYS_MAX},
	{"threshold", FIELD_INT, offsetof(struct threshold, threshold), .min = 1, .max = KEYS_MAX},
};

/* Is `doc` signed as the record `by` asks of registry.json? */
static int record_signed(const struct record *doc, const struct record *by, const char *whose,
			 struct error *err)
{
	struct threshold t = {0};
	struct role_keys keys = {0};
	int r = strict_read(by->root, "registry.json: signed.root", root_fields,
			    ARRAY_LEN(root_fields), STRICT_OPEN, &t, err);

	if (r == 0)
		r = role_keys_parse(t.keys, NULL, t.threshold, "signed.root.keys", &keys, err);
	if (r < 0)
		return r;
	r = envelope_verify(doc->doc, &keys, whose, err);
	role_keys_clear(&keys);
	return r;
}

/* May this record take the place of the one that is remembered, if any? */
static int record_judge(struct monitor *m, const struct record *now, bool *newer, struct error *err)
{
	CLEANUP(record_clear) struct record last = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = record_signed(now, now, "its own root keys", err);

	if (r == 0)
		r = memory_get(m->memory, "record", &bytes, err);
	*newer = r == 1;
	if (r != 0)
		return r < 0 ? r : 0;
	r = record_read(&bytes, &last, err);
	if (r == 0)
		r = record_signed(now, &last, "the root keys of the record before", err);
	if (r < 0)
		return r;
	if (envelope_version(now->doc) < envelope_version(last.doc))
		return error_set(err, E_UNTRUSTED,
				 "registry.json: version %" PRId64 " was shown, now it is %" PRId64,
				 envelope_version(last.doc), envelope_version(now->doc));
	*newer = strcmp(envelope_id(now->doc), envelope_id(last.doc)) != 0;
	if (*newer && envelope_version(now->doc) == envelope_version(last.doc))
		return error_set(err, E_UNTRUSTED,
				 "registry.json: there are two of version %" PRId64,
				 envelope_version(now->doc));
	return 0;
}

static int record_take(struct monitor *m, const struct record *now, const char *url,
		       struct error *err)
{
	const struct happening h = {.level = LEVEL_NEWS, .kind = "registry", .scope = url};
	const struct buf *bytes = envelope_bytes(now->doc);
	CLEANUP(buf_clear) struct buf old = {0};
	int r = memory_get(m->memory, "record", &old, err);

	if (r == 0) /* not the first */
		r = monitor_tell(m, &h, err,
				 "the registry's own record has version %" PRId64
				 " now: compare its keys, witnesses and policies",
				 envelope_version(now->doc));
	return r < 0 ? r : memory_put(m->memory, "record", bytes->data, bytes->len, err);
}

/* From the first vantage point that has one. Leaves *out empty if none has. */
static int record_fetch(struct monitor *m, struct record *out, struct error *err)
{
	struct happening bad = {.level = LEVEL_ALARM, .kind = "record"};

	for (size_t i = 0; i < m->n; i++) {
		struct vantage *v = &m->vantage[i];
		CLEANUP(buf_clear) struct buf bytes = {0};
		CLEANUP(record_clear) struct record found = {0};
		struct error why = {0};
		bool newer = false;
		int r = v->bare ? E_NOTFOUND
				: v->read(v->ctx, "registry.json", RECORD_MAX, &bytes, &why);

		if (r == E_NET || r == E_BUSY || r == E_NOTFOUND)
			continue;
		bad.scope = v->url;
		if (r == 0)
			r = record_read(&bytes, &found, &why);
		if (r == 0)
			r = record_judge(m, &found, &newer, &why);
		if (r == E_INVALID || r == E_UNTRUSTED) {
			r = monitor_trouble(m, &bad, err, "%s", why.text);
			if (r < 0)
				return r;
			continue;
		}
		if (r < 0)
			return error_set(err, r, "%s", why.text);
		if (newer)
			r = record_take(m, &found, v->url, err);
		if (r == 0)
			r = monitor_fine(m, "record", v->url, err);
		if (r == 0 && !out->doc) {
			*out = found;
			found.doc = NULL;
		}
		return r;
	}
	return 0;
}

/* The remembered one, where nobody shows a good one. */
static int record_load(struct monitor *m, struct record *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = record_fetch(m, out, err);

	if (r < 0 || out->doc)
		return r;
	r = memory_get(m->memory, "record", &bytes, err);
	return r != 0 ? (r < 0 ? r : 0) : record_read(&bytes, out, err);
}

/* --- the log's key -------------------------------------------------------------------- */

/* Does the record name this key? */
static bool record_names(const struct record *rec, const char *vkey)
{
	const json_t *l;
	size_t i;

	json_array_foreach(rec->logs, i, l)
	{
		const char *named = json_string_value(json_object_get(l, "vkey"));

		if (named && strcmp(named, vkey) == 0)
			return true;
	}
	return false;
}

static int pin(struct monitor *m, const char *vkey, const char *why, struct error *err)
{
	const struct happening h = {
		.level = LEVEL_NEWS, .kind = "trust", .scope = m->vantage[0].url};
	int r = monitor_tell(m, &h, err, "trusted from now on: log key %s, %s", vkey, why);

	return r < 0 ? r
		     : memory_put_json(m->memory, "log",
				       json_pack("{s:s, s:s}", "vkey", vkey, "why", why), err);
}

/* The key given by hand, alone or in a policy; NULL: none. */
static int given_key(const struct monitor *m, struct buf *text, const char **out, struct error *err)
{
	int r;

	*out = m->vkey;
	if (m->vkey || !m->policy)
		return 0;
	if (m->policy->nlogs != 1)
		return error_set(err, E_USAGE,
				 "--policy: names %zu logs: say with --vkey which one is meant",
				 m->policy->nlogs);
	r = note_key_format(&m->policy->logs[0].key, text, err);
	*out = text->data;
	return r;
}

/* Which key, and is it still the one that was pinned? */
static int choose_key(struct monitor *m, const struct record *rec, struct error *err)
{
	CLEANUP(json_decrefp) json_t *log = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	const char *vkey = NULL, *given = NULL, *pinned, *why = "given on the command line";
	struct happening odd = {.level = LEVEL_ALARM, .kind = "log-key", .scope = "registry.json"};
	int r = memory_get_json(m->memory, "log", &log, err);

	if (r >= 0)
		r = given_key(m, &text, &given, err);
	if (r < 0)
		return r;
	vkey = given;
	pinned = json_string_value(json_object_get(log, "vkey"));
	if (pinned && vkey && strcmp(vkey, pinned) != 0)
		return error_set(err, E_USAGE,
				 "--vkey: this state follows the log of %s; another "
				 "log needs a state folder of its own",
				 pinned);
	if (pinned)
		vkey = pinned;
	if (!vkey && rec->doc) {
		vkey = json_string_value(json_object_get(json_array_get(rec->logs, 0), "vkey"));
		why = "as registry.json had it at the first look: compare it with what the "
		      "operator published elsewhere, or give it with --vkey";
		if (!vkey)
			return error_set(err, E_INVALID,
					 "registry.json: signed.logs[0].vkey: want "
					 "a text");
	}
	if (!vkey)
		return error_set(err, E_NET,
				 "registry.json: no vantage point has it, so the log's "
				 "key is not known; try again, or give --vkey");
	r = note_key_parse(vkey, &m->log, err);
	if (r < 0 && vkey == given)
		err->code = r = E_USAGE;
	if (r == 0 && !pinned)
		r = pin(m, vkey, why, err);
	if (r < 0 || !rec->doc)
		return r;
	if (record_names(rec, vkey))
		return monitor_fine(m, "log-key", odd.scope, err);
	return monitor_trouble(m, &odd, err,
			       "names other log keys than the one that is trusted, "
			       "%s",
			       vkey);
}

struct cosigners {
	json_t *keys;
	int64_t threshold;
};

static const struct field cosigner_fields[] = {
	{"keys", FIELD_ARRAY, offsetof(struct cosigners, keys), .max = MONITOR_WITNESSES},
	{"threshold", FIELD_INT, offsetof(struct cosigners, threshold), .max = MONITOR_WITNESSES},
};

static int add_witness(struct monitor *m, const char *vkey, struct error *err)
{
	int r = vkey ? note_key_parse(vkey, &m->witness[m->nwitness], err)
		     : error_set(err, E_INVALID, "want a text");

	m->nwitness += r == 0;
	return r;
}

/* Who has to cosign: as given by hand, or as the record says. */
static int choose_witnesses(struct monitor *m, const struct record *rec, struct error *err)
{
	struct cosigners c = {0};
	int r = 0;

	m->nwitness = m->threshold = 0;
	if (m->policy || !rec->witnesses)
		return 0;
	r = strict_read(rec->witnesses, "registry.json: signed.witnesses", cosigner_fields,
			ARRAY_LEN(cosigner_fields), STRICT_OPEN, &c, err);
	for (size_t i = 0; r == 0 && i < json_array_size(c.keys); i++) {
		r = add_witness(m, json_string_value(json_array_get(c.keys, i)), err);
		if (r < 0)
			r = error_prefix(err, r, "registry.json: signed.witnesses.keys[%zu]", i);
	}
	m->threshold = (size_t)c.threshold;
	return r;
}

/* --- checkpoints ---------------------------------------------------------------------- */

static int check_head(const struct monitor *m, struct vantage *v, struct error *err)
{
	const struct log_policy policy = {.log = m->log};
	int r = checkpoint_parse(v->note.data ? v->note.data : "", v->note.len, &v->head, err);

	if (r == 0)
		r = checkpoint_verify(&v->head, &policy, NULL, err);
	if (r == 0 && v->head.size > INT64_MAX)
		r = error_set(err, E_INVALID, "size: want at most 2^63 - 1");
	return r;
}

/* Ask one vantage point for its checkpoint. */
static int ask_head(struct monitor *m, struct vantage *v, struct error *err)
{
	struct happening bad = {.level = LEVEL_ALARM, .kind = "checkpoint", .scope = v->url};
	struct error why = {0};
	int r;

	buf_clear(&v->note);
	v->reached = false;
	r = v->read(v->ctx, "log/checkpoint", NOTE_MAX, &v->note, &why);
	if (r == E_NET || r == E_BUSY || r == E_NOTFOUND) {
		bad.level = LEVEL_WARNING;
		bad.kind = "unreachable";
		m->incomplete = true;
		return monitor_trouble(m, &bad, err, "%s", why.text);
	}
	if (r == 0)
		r = check_head(m, v, &why);
	if (r == E_INVALID || r == E_UNTRUSTED)
		return monitor_trouble(m, &bad, err, "log/checkpoint: %s", why.text);
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	v->reached = true;
	r = monitor_fine(m, "unreachable", v->url, err);
	return r < 0 ? r : monitor_fine(m, "checkpoint", v->url, err);
}

static struct claim claim_of(const struct checkpoint *c)
{
	return (struct claim){c->size, c->root};
}

static int about_rift(const struct rift *rift, uint64_t small, struct buf *out, struct error *err)
{
	int r = buf_printf(out, err,
			   "b.checkpoint is of a tree whose first %" PRIu64
			   " leaves have this root, in base64:\n",
			   small);

	if (r == 0)
		r = base64_encode(rift->root.b, sizeof(rift->root.b), out, err);
	if (r == 0)
		r = buf_puts(out,
			     "\na.checkpoint says another one. The consistency proof (RFC 9162, "
			     "2.1.4) from that root to b.checkpoint's:\n",
			     err);
	for (size_t i = 0; r == 0 && i < rift->proof.n; i++) {
		r = base64_encode(rift->proof.hash[i].b, SHA256_LEN, out, err);
		if (r == 0)
			r = buf_puts(out, "\n", err);
	}
	return r;
}

/* Keep both checkpoints: whoever has the log's key can see that it signed two histories. */
static int keep_fork(struct monitor *m, const struct buf *small, const struct buf *large,
		     const struct rift *rift, char folder[EVIDENCE_SIZE], struct error *err)
{
	CLEANUP(buf_clear) struct buf about = {0};
	struct checkpoint c;
	int r = checkpoint_parse(small->data, small->len, &c, err);

	if (r == 0)
		r = about_rift(rift, c.size, &about, err);
	if (r < 0)
		return r;
	const struct exhibit files[] = {{"a.checkpoint", small->data, small->len},
					{"b.checkpoint", large->data, large->len},
					{"about.txt", about.data, about.len}};
	return monitor_keep(m, "fork", files, ARRAY_LEN(files), folder, err);
}

/* A checkpoint and where it came from. */
struct seen {
	const char *what; /* for people */
	const struct buf *note;
	struct claim claim;
	struct vantage *at; /* who can show its tiles; NULL: nobody any more */
};

/*
 * Hold two against each other; `scope` is the vantage point that is on trial. Sets *good if they
 * are of one history.
 */
static int relate(struct monitor *m, const struct seen *a, const struct seen *b, const char *scope,
		  bool *good, struct error *err)
{
	const struct seen *small = a->claim.size <= b->claim.size ? a : b;
	const struct seen *large = small == a ? b : a;
	struct happening h = {.level = LEVEL_ALARM, .scope = scope};
	CLEANUP(freep) struct monitor_tiles *tiles = NULL;
	char folder[EVIDENCE_SIZE];
	enum relation found = UNKNOWN;
	struct error why = {.text = "nobody shows that tree any more"};
	struct rift rift;
	int r = 0;

	*good = false;
	if (large->at || small->claim.size == large->claim.size) {
		r = tiles_open(large->at, large->claim.size, &tiles, err);
		if (r == 0)
			r = tiles_relate(tiles, &small->claim, &large->claim, &found, &rift, &why);
	}
	if (r < 0)
		return r;
	switch (found) {
	case GROWN:
		*good = true;
		r = monitor_fine(m, "tiles", scope, err);
		return r < 0 ? r : monitor_fine(m, "unproven", scope, err);
	case FORKED:
		r = keep_fork(m, small->note, large->note, &rift, folder, err);
		h.kind = "fork";
		h.evidence = folder;
		return r < 0 ? r
			     : monitor_trouble(m, &h, err,
					       "the log has two histories: %s (%" PRIu64
					       " leaves) and %s (%" PRIu64 " leaves), both signed "
					       "by its key; see %s",
					       small->what, small->claim.size, large->what,
					       large->claim.size, folder);
	case DAMAGED:
		h.kind = "tiles";
		return monitor_trouble(m, &h, err, "its tiles are not those of its checkpoint: %s",
				       why.text);
	case UNKNOWN: break;
	}
	h.kind = "unproven";
	h.level = LEVEL_WARNING;
	m->incomplete = true;
	return monitor_trouble(m, &h, err, "%s and %s cannot be compared: %s", small->what,
			       large->what, why.text);
}

static int name_seen(const char *url, char name[MEMORY_NAME_SIZE], struct error *err)
{
	if (snprintf(name, MEMORY_NAME_SIZE, "v/%s", url) > MEMORY_NAME_MAX)
		return error_set(err, E_USAGE, "--url: %.40s...: too long", url);
	return 0;
}

/* Does it show less than it did before? */
static int check_shrunk(struct monitor *m, const struct vantage *v, struct error *err)
{
	struct happening h = {.level = LEVEL_ALARM, .kind = "shrunk", .scope = v->url};
	CLEANUP(buf_clear) struct buf note = {0};
	char name[MEMORY_NAME_SIZE], folder[EVIDENCE_SIZE];
	struct checkpoint old = {0};
	int r = name_seen(v->url, name, err);

	if (r == 0)
		r = memory_get(m->memory, name, &note, err);
	if (r == 0)
		r = checkpoint_parse(note.data, note.len, &old, err);
	if (r < 0)
		return r;
	if (r == 1 || v->head.size >= old.size) {
		r = memory_put(m->memory, name, v->note.data, v->note.len, err);
		return r < 0 ? r : monitor_fine(m, "shrunk", v->url, err);
	}
	const struct exhibit files[] = {{"before.checkpoint", note.data, note.len},
					{"after.checkpoint", v->note.data, v->note.len}};
	r = monitor_keep(m, "shrunk", files, ARRAY_LEN(files), folder, err);
	h.evidence = folder;
	return r < 0 ? r
		     : monitor_trouble(m, &h, err,
				       "showed %" PRIu64 " leaves before, and now %" PRIu64
				       "; see %s",
				       old.size, v->head.size, folder);
}

/* --- whom to follow ---------------------------------------------------------------------- */

struct round {
	struct buf note; /* of the head that is remembered; empty: none */
	struct checkpoint last;
	bool good[VANTAGES_MAX]; /* goes on from it */
};

static void round_clear(struct round *r)
{
	buf_clear(&r->note);
}

static struct seen seen_at(struct vantage *v)
{
	return (struct seen){v->url, &v->note, claim_of(&v->head), v};
}

/* Who goes on from what is remembered? Whoever shows less is asked later. */
static int against_last(struct monitor *m, struct round *t, struct error *err)
{
	struct seen last = {"what was seen before", &t->note, {0}, NULL};
	int r = 0;

	if (!t->note.len) {
		for (size_t i = 0; i < m->n; i++)
			t->good[i] = m->vantage[i].reached && !m->vantage[i].bare;
		return 0;
	}
	last.claim = claim_of(&t->last);
	for (size_t i = 0; r == 0 && i < m->n; i++) {
		struct vantage *v = &m->vantage[i];
		struct seen it = seen_at(v);

		if (v->reached && !v->bare && v->head.size >= t->last.size)
			r = relate(m, &last, &it, v->url, &t->good[i], err);
	}
	return r;
}

/*
 * The one to follow: the largest that goes on from what is remembered; at the first look
 * the first URL that answers, since that is whom the person trusts.
 */
static void choose_lead(struct monitor *m, const struct round *t)
{
	m->lead = NULL;
	for (size_t i = 0; i < m->n; i++) {
		struct vantage *v = &m->vantage[i];

		if (!t->good[i])
			continue;
		if (!m->lead || (t->note.len && v->head.size > m->lead->head.size))
			m->lead = v;
	}
}

/*
 * A checkpoint without its tree is held against the tree that is followed. It may be ahead of it
 * for a while: a witness signs first.
 */
static int bare_against_lead(struct monitor *m, struct vantage *v, struct error *err)
{
	struct happening ahead = {.level = LEVEL_WARNING,
				  .kind = "ahead",
				  .scope = v->url,
				  .patience = m->limits.grace};
	struct seen it = seen_at(v), lead = seen_at(m->lead);
	bool good = false;
	int r;

	it.at = NULL;
	if (v->head.size > m->lead->head.size)
		return monitor_trouble(m, &ahead, err,
				       "shows %" PRIu64 " leaves, and nobody a tree of that size",
				       v->head.size);
	r = monitor_fine(m, "ahead", v->url, err);
	if (r == 0)
		r = relate(m, &it, &lead, v->url, &good, err);
	return r < 0 || !good ? r : monitor_fine(m, "fork", v->url, err);
}

/* Is what this one shows of the log that is followed, or that was? */
static int one_against_lead(struct monitor *m, const struct round *t, size_t i, struct error *err)
{
	struct seen last = {"what was seen before", &t->note, {0}, NULL};
	struct vantage *v = &m->vantage[i];
	bool behind = t->note.len && v->reached && v->head.size < t->last.size;
	struct seen it = seen_at(v);
	bool good = false;
	int r;

	if (v->bare || !v->reached || v == m->lead || (!t->good[i] && !behind))
		return v->bare && v->reached && m->lead ? bare_against_lead(m, v, err) : 0;
	if (m->lead)
		last = seen_at(m->lead);
	else if (!behind)
		return 0;
	else /* of the remembered tree only who served it can have tiles */
		last = (struct seen){last.what, last.note, claim_of(&t->last), v};
	r = relate(m, &it, &last, v->url, &good, err);
	return r < 0 || !good ? r : monitor_fine(m, "fork", v->url, err);
}

/* Is it one log that all of them show? */
static int against_lead(struct monitor *m, const struct round *t, struct error *err)
{
	int r = m->lead ? monitor_fine(m, "fork", m->lead->url, err) : 0;

	for (size_t i = 0; r == 0 && i < m->n; i++)
		r = one_against_lead(m, t, i, err);
	return r;
}

static int check_quorum(struct monitor *m, struct error *err)
{
	const struct happening h = {.level = LEVEL_ALARM,
				    .kind = "quorum",
				    .scope = "log/checkpoint",
				    .patience = m->limits.grace};
	const struct log_policy policy = {m->log, m->witness, m->nwitness, m->threshold};
	struct error why = {0};
	int r = 0;

	if (m->policy)
		r = tlog_policy_verify(m->policy, &m->lead->head, &why);
	else if (m->threshold)
		r = checkpoint_verify(&m->lead->head, &policy, NULL, &why);

	if (r == 0)
		return monitor_fine(m, "quorum", h.scope, err);
	return monitor_trouble(m, &h, err, "%s", why.text);
}

static int remember_lead(struct monitor *m, void *arg, struct error *err)
{
	const struct buf *note = &m->lead->note;
	int r = memory_put(m->memory, "head", note->data, note->len, err);

	(void)arg;
	return r < 0 ? r : check_quorum(m, err);
}

static int load_last(struct monitor *m, struct round *t, struct error *err)
{
	int r = memory_get(m->memory, "head", &t->note, err);

	if (r == 0)
		r = checkpoint_parse(t->note.data, t->note.len, &t->last, err);
	return r < 0 ? error_prefix(err, r, "monitor.db") : 0;
}

/* Whose keys count in this look. */
static int choose_trust(struct monitor *m, struct error *err)
{
	CLEANUP(record_clear) struct record rec = {0};
	int r = record_load(m, &rec, err);

	if (r == 0)
		r = choose_key(m, &rec, err);
	if (r == 0)
		r = choose_witnesses(m, &rec, err);
	if (r == 0 && rec.doc)
		m->online = json_incref(rec.online);
	return r;
}

int monitor_heads(struct monitor *m, struct error *err)
{
	CLEANUP(round_clear) struct round t = {0};
	int r = choose_trust(m, err);

	if (r == 0)
		r = load_last(m, &t, err);
	for (size_t i = 0; r == 0 && i < m->n; i++) {
		struct vantage *v = &m->vantage[i];

		r = ask_head(m, v, err);
		if (r == 0 && v->reached)
			r = check_shrunk(m, v, err);
	}
	if (r == 0)
		r = against_last(m, &t, err);
	if (r < 0)
		return r;
	choose_lead(m, &t);
	r = against_lead(m, &t, err);
	if (r < 0 || !m->lead)
		return r;
	r = tiles_open(m->lead, m->lead->head.size, &m->tiles, err);
	return r < 0 ? r : monitor_step(m, remember_lead, NULL, err);
}
