/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: who has to have signed them, and what they mean to a product's people. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "policies/deposit.h"
#include "policies/publisher.h"
#include "registry/monitor/finding.h"

enum { NAMES_MAX = 300, REASON_SHOWN = 200, ROTATION_DAYS = 30, SUCCESSION_DAYS = 14 };

/* A statement, and what it is about. */
struct saying {
	struct finding *f;
	struct statement st;
	struct envelope *deposit_doc; /* that a trustee's word is about; owned */
	struct deposit deposit;       /* of deposit_doc */
	uint64_t seats;               /* who of its trustees signed */
};

static void saying_clear(struct saying *s)
{
	deposit_clear(&s->deposit);
	envelope_free(s->deposit_doc);
}

/* --- signatures ------------------------------------------------------------------------- */

static int by_root(const struct saying *s, struct error *why)
{
	const struct tuf_root *root = s->f->root;

	if (s->st.root_version != root->version ||
	    strcmp(s->st.root_id, envelope_id(root->doc)) != 0)
		return error_set(why, E_UNTRUSTED,
				 "it is made under root %" PRId64 ", and root %" PRId64
				 " was in force",
				 s->st.root_version, root->version);
	return envelope_verify(s->f->doc, &root->role[TUF_ROOT], "the root role", why);
}

/* The deposit that it names was logged before. */
static int find_deposit(struct monitor *m, struct saying *s, struct error *why)
{
	int r = watched_kept(m, s->f->w.id, s->st.deposit, &s->deposit_doc, why);

	if (r == 1)
		return error_set(why, E_UNTRUSTED, "no deposit %.16s... was logged before it",
				 s->st.deposit);
	return r < 0 ? r : deposit_read(s->deposit_doc, "deposit.json", &s->deposit, why);
}

static int by_trustee(struct monitor *m, struct saying *s, struct error *why)
{
	int r = find_deposit(m, s, why);

	if (r < 0)
		return r;
	s->seats = deposit_signers(&s->deposit, s->f->doc);
	if (!s->seats)
		return error_set(why, E_UNTRUSTED, "none of the deposit's trustees signed it");
	return 0;
}

static int by_keys(const struct saying *s, int parsed, struct role_keys *keys_take,
		   const char *whose, struct error *why)
{
	int r = parsed < 0 ? parsed : envelope_verify(s->f->doc, keys_take, whose, why);

	role_keys_clear(keys_take);
	return r;
}

static int by_online(struct monitor *m, struct saying *s, struct error *why)
{
	struct role_keys keys = {0};
	int r;

	if (!m->online)
		return error_set(why, E_UNTRUSTED,
				 "registry.json with its online keys was not "
				 "served");
	r = role_keys_parse(m->online, NULL, 1, "signed.online", &keys, why);
	r = by_keys(s, r, &keys, "the registry's online key", why);
	return r < 0 ? r : find_deposit(m, s, why);
}

/* The step that it is about has to leave the root in force; the new root's word comes with it. */
static int by_step(struct monitor *m, const struct saying *s, bool anchored, struct error *why)
{
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	const struct tuf_root *by = s->f->root;
	int r = 0;

	if (strcmp(s->st.from, envelope_id(by->doc)) != 0)
		return error_set(why, E_UNTRUSTED, "it does not leave the root in force");
	if (anchored) {
		r = watched_root(m, s->f->w.id, s->f->w.anchor, &anchor, why);
		by = anchor;
	}
	return r < 0 ? r : envelope_verify(s->f->doc, &by->role[TUF_ROOT], "the root role", why);
}

static int check_signer(struct monitor *m, struct saying *s, struct error *why)
{
	CLEANUP(freep) struct publisher *who = NULL;
	struct role_keys keys = {0};
	int r;

	if (!s->f->root)
		return error_set(why, E_UNTRUSTED, "no root was logged before it");
	switch (statement_signer(s->st.type)) {
	case BY_ROOT: return by_root(s, why);
	case BY_TRUSTEE: return by_trustee(m, s, why);
	case BY_ONLINE: return by_online(m, s, why);
	case BY_BOTH_ROOTS: return by_step(m, s, false, why);
	case BY_ANCHOR: return by_step(m, s, true, why);
	case BY_LISTED:
		r = publisher_listed(s->f->root,
				     s->st.type == ST_REBUILD ? "rebuilders" : "auditors", &keys,
				     why);
		return by_keys(s, r, &keys, "one who is listed", why);
	case BY_WITNESSES:
		who = calloc(1, sizeof(*who));
		r = who ? publisher_read(s->f->root, "root.json", who, why) : error_nomem(why);
		if (r == 0)
			r = publisher_witness_keys(who, &keys, why);
		return by_keys(s, r, &keys, "the witnesses", why);
	case BY_REGISTRY_ROOT: break;
	}
	return error_set(why, E_UNTRUSTED, "a registry's record is not a product's");
}

/* --- meaning ---------------------------------------------------------------------------- */

static const char *member(const struct saying *s, const char *key)
{
	const char *v = json_string_value(json_object_get(envelope_signed(s->f->doc), key));

	return v ? v : "";
}

/* "; reason" or nothing. */
static void reason(const struct saying *s, char out[REASON_SHOWN + 8])
{
	const char *why = member(s, "reason");

	(void)snprintf(out, REASON_SHOWN + 8, *why ? ": %.*s" : "%.*s", REASON_SHOWN, why);
}

static void signers(const struct saying *s, char out[NAMES_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; i < s->deposit.nseats; i++) {
		size_t len = strlen(out);

		if (s->seats & (UINT64_C(1) << i))
			(void)snprintf(out + len, NAMES_MAX - len, "%s%.80s", len ? ", " : "",
				       s->deposit.seats[i].name);
	}
}

/* A date that was promised may move away, not come nearer. */
static int check_promise(struct monitor *m, const struct saying *s, int64_t *last,
			 struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_WARNING, "promise-shortened");
	char before[UTC_SIZE], now[UTC_SIZE];
	int64_t was = *last;

	*last = s->st.support_until;
	if (!was || s->st.support_until >= was)
		return 0;
	utc_format(was, before);
	utc_format(s->st.support_until, now);
	return monitor_tell(m, &h, err,
			    "%s version %" PRId64 " promises support until %s; it was "
			    "until %s",
			    s->f->leaf.kind, s->f->leaf.version,
			    s->st.support_until ? now : "no date at all", before);
}

static int on_product(struct monitor *m, struct saying *s, struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_INFO, "product");
	int r = check_promise(m, s, &s->f->w.promise, err);

	return r < 0 ? r
		     : monitor_tell(m, &h, err,
				    "what a buyer should know was changed, version "
				    "%" PRId64,
				    s->st.version);
}

static int check_second(struct monitor *m, const struct saying *s, const struct deposit *d,
			struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_ALARM, "two-deposits");
	CLEANUP(envelope_freep) struct envelope *last = NULL;
	const struct watched *w = &s->f->w;
	const char *what;
	int r;

	if (!w->deposit[0] || strcmp(w->follows, d->follows_id) != 0)
		return 0;
	r = watched_kept(m, w->id, w->deposit, &last, err);
	what = r == 0 ? deposit_differs(last, s->f->doc) : NULL;
	if (r < 0 || !what)
		return r < 0 ? r : 0;
	return monitor_tell(m, &h, err,
			    "a second deposit on root %" PRId64 " has another %s than "
			    "%.16s...: that takes a new root",
			    d->follows_version, what, w->deposit);
}

static int on_deposit(struct monitor *m, struct saying *s, struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_NEWS, "deposit");
	const struct happening bad = finding_event(s->f, LEVEL_ALARM, "deposit");
	CLEANUP(deposit_clear) struct deposit d = {0};
	struct watched *w = &s->f->w;
	char until[UTC_SIZE];
	struct error why = {0};
	int r = deposit_read(s->f->doc, "deposit.json", &d, &why);

	if (r < 0)
		return r == E_NOMEM
			       ? error_nomem(err)
			       : monitor_tell(m, &bad, err, "a deposit that is none: %s", why.text);
	r = check_second(m, s, &d, err);
	if (r == 0)
		r = check_promise(m, s, &w->kept, err);
	memcpy(w->deposit, s->f->leaf.id, sizeof(w->deposit));
	(void)snprintf(w->follows, sizeof(w->follows), "%s", d.follows_id);
	w->refresh_by = d.refresh_by;
	utc_format(d.refresh_by, until);
	return r < 0 ? r
		     : monitor_tell(m, &h, err,
				    "a deposit for root %" PRId64 " with %zu trustees, "
				    "of whom %" PRId64 " open it, to be refreshed by %s",
				    d.follows_version, d.nseats, d.trustees.threshold,
				    d.refresh_by ? until : "no date");
}

static int on_eol(struct monitor *m, struct saying *s, struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_NEWS, "eol");
	char date[UTC_SIZE], why[REASON_SHOWN + 8];

	utc_format(s->st.date, date);
	reason(s, why);
	return monitor_tell(m, &h, err, "end of life on %.10s%s%s%s", date, why,
			    s->st.final_bridge ? "; it is final, and names the bridge" : "",
			    s->st.release ? "; it opens the deposit without trustees" : "");
}

/* What a trustee says. */
static int on_trustee(struct monitor *m, struct saying *s, struct error *err)
{
	const char *kind = statement_name(s->st.type);
	const struct happening h = finding_event(s->f, LEVEL_NEWS, kind);
	char names[NAMES_MAX], why[REASON_SHOWN + 8];

	signers(s, names);
	reason(s, why);
	if (s->st.type == ST_NOTICE)
		return monitor_tell(m, &h, err,
				    "%s asks for the release of deposit %.16s... on "
				    "the ground \"%s\": the vendor may object",
				    names, s->st.deposit, s->st.ground);
	if (s->st.type == ST_DRILL || s->st.type == ST_AUDIT)
		return monitor_tell(m, &h, err, "%s: a %s of deposit %.16s...", names, kind,
				    s->st.deposit);
	return monitor_tell(m, &h, err,
			    "%s: %s the release of deposit %.16s... (%" PRId64
			    " approvals open it)%s",
			    names, s->st.type == ST_APPROVAL ? "approves" : "refuses",
			    s->st.deposit, s->deposit.trustees.threshold, why);
}

static int on_objection(struct monitor *m, struct saying *s, struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_NEWS, "objection");
	char until[UTC_SIZE], why[REASON_SHOWN + 8];

	utc_format(s->st.support_until, until);
	reason(s, why);
	return monitor_tell(m, &h, err, "the vendor objects to notice %.16s...%s%s%s", s->st.target,
			    why, s->st.support_until ? "; support until " : "",
			    s->st.support_until ? until : "");
}

static int on_release(struct monitor *m, struct saying *s, struct error *err)
{
	const struct happening h = finding_event(s->f, LEVEL_NEWS, "release");

	return monitor_tell(m, &h, err, "deposit %.16s... was opened: %zu items are public",
			    s->st.deposit,
			    json_array_size(json_object_get(envelope_signed(s->f->doc), "items")));
}

static int on_step(struct monitor *m, struct saying *s, struct error *err)
{
	const char *kind = statement_name(s->st.type);
	const struct happening h = finding_event(s->f, LEVEL_NEWS, kind);
	char why[REASON_SHOWN + 8];

	reason(s, why);
	return monitor_tell(m, &h, err,
			    "a %s from root %.16s... to %.16s...%s: devices wait %d days; was it "
			    "expected?",
			    kind, s->st.from, s->st.to, why,
			    s->st.type == ST_ROTATION ? ROTATION_DAYS : SUCCESSION_DAYS);
}

static int on_other(struct monitor *m, struct saying *s, struct error *err)
{
	const char *kind = statement_name(s->st.type);
	bool quiet = s->st.type == ST_HEARTBEAT || s->st.type == ST_REBUILD;
	const struct happening h = finding_event(s->f, quiet ? LEVEL_INFO : LEVEL_NEWS, kind);

	return monitor_tell(m, &h, err, "%s version %" PRId64, kind, s->st.version);
}

static int mean(struct monitor *m, struct saying *s, struct error *err)
{
	switch (s->st.type) {
	case ST_PRODUCT: return on_product(m, s, err);
	case ST_DEPOSIT: return on_deposit(m, s, err);
	case ST_EOL: return on_eol(m, s, err);
	case ST_NOTICE:
	case ST_APPROVAL:
	case ST_REFUSAL:
	case ST_DRILL: return on_trustee(m, s, err);
	case ST_OBJECTION: return on_objection(m, s, err);
	case ST_RELEASE: return on_release(m, s, err);
	case ST_ROTATION:
	case ST_SUCCESSION: return on_step(m, s, err);
	default: return on_other(m, s, err);
	}
}

/* --- together --------------------------------------------------------------------------- */

/* Versions count for each signer where people sign alone. */
static int check_version(struct monitor *m, const struct saying *s, bool *fresh, struct error *err)
{
	const enum statement_signer by = statement_signer(s->st.type);
	char whose[KEYID_MAX + 1] = "-";

	if (by == BY_LISTED && envelope_signatures(s->f->doc))
		(void)snprintf(whose, sizeof(whose), "%s", envelope_signature(s->f->doc, 0).keyid);
	for (size_t i = 0; by == BY_TRUSTEE && i < s->deposit.nseats; i++)
		if (s->seats & (UINT64_C(1) << i))
			(void)snprintf(whose, sizeof(whose), "%s", s->deposit.seats[i].keyid);
	return finding_version(m, s->f, whose, fresh, err);
}

int finding_statement(struct monitor *m, struct finding *f, struct error *err)
{
	const struct happening bad = finding_event(f, LEVEL_ALARM, "unsigned");
	CLEANUP(saying_clear) struct saying s = {.f = f};
	const struct buf *bytes = envelope_bytes(f->doc);
	char name[MEMORY_NAME_SIZE];
	struct error why = {0};
	bool fresh = false;
	int r = statement_read(f->doc, f->leaf.kind, &s.st, &why);

	if (r == 0)
		r = check_signer(m, &s, &why);
	if (r < 0 && !finding_fault(r))
		return error_set(err, r, "%s", why.text);
	if (r < 0)
		return monitor_tell(m, &bad, err, "%s version %" PRId64 " is in the log, but %s",
				    f->leaf.kind, f->leaf.version, why.text);
	r = check_version(m, &s, &fresh, err);
	if (r == 0 && (s.st.type == ST_DEPOSIT || s.st.type == ST_NOTICE)) {
		name_kept(f->w.id, f->leaf.id, name);
		r = memory_put(m->memory, name, bytes->data, bytes->len, err);
	}
	return r < 0 || !fresh ? r : mean(m, &s, err);
}
