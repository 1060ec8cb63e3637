/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs now, and by what right: roots and targets as they were logged. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "policies/evidence.h"
#include "policies/publisher.h"
#include "registry/monitor/finding.h"

enum { WHOM_MAX = 400, KEYID_SHOWN = 16 };

/* --- a change of publisher -------------------------------------------------------------- */

struct tree {
	const struct monitor *m;
	const char *product;
};

static int read_below(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct tree *t = ctx;
	CLEANUP(buf_clear) struct buf whole = {0};
	int r = buf_printf(&whole, err, "p/%s/%s", t->product, path);

	return r < 0 ? r : t->m->lead->read(t->m->lead->ctx, whole.data, max, out, err);
}

static int read_log(void *ctx, const char *origin, const char *path, size_t max, struct buf *out,
		    struct error *err)
{
	const struct tree *t = ctx;
	CLEANUP(buf_clear) struct buf whole = {0};
	int r = buf_printf(&whole, err, "log/%s", path);

	(void)origin; /* a registry has one log */
	return r < 0 ? r : t->m->lead->read(t->m->lead->ctx, whole.data, max, out, err);
}

/* What a device will find when it asks whether it may follow this step. */
static int tell_change(struct monitor *m, const struct finding *f, const struct tuf_root *to,
		       const struct tuf_root *anchor, unsigned change, struct error *err)
{
	struct tree tree = {m, f->w.id};
	const struct evidence_source source = {.ctx = &tree, .read = read_below, .log = read_log};
	const struct evidence_query q = {
		.product = f->w.id, .from = f->root, .to = to, .anchor = anchor};
	struct happening h = finding_event(f, LEVEL_NEWS, "publisher");
	CLEANUP(evidence_clear) struct evidence e = {0};
	CLEANUP(buf_clear) struct buf what = {0};
	CLEANUP(buf_clear) struct buf lacking = {0};
	struct error why = {0};
	int r = publisher_change_text(change, &what, err), found;

	if (r < 0)
		return r;
	found = evidence_gather(&source, &q, &e, &why);
	if (found == E_NOMEM)
		return error_nomem(err);
	if (found == 0 && e.released == ANSWER_YES)
		return monitor_tell(m, &h, err,
				    "root %" PRId64 " is a change of publisher (%s), carried by a "
				    "logged %s: devices will be asked",
				    to->version, what.data, e.by);
	if (found == 0 && e.why && policy_lacking(e.why, &lacking, &why) == 0)
		(void)error_set(&why, E_DENIED, "%.400s", lacking.data ? lacking.data : "");
	/* A registry that does its work logs no such root: unless the evidence could not be asked.
	 */
	h.level = found == E_NET || found == E_BUSY ? LEVEL_WARNING : LEVEL_ALARM;
	h.kind = "unreleased";
	return monitor_tell(m, &h, err,
			    "root %" PRId64 " is a change of publisher (%s), and its release is "
			    "not shown: %s",
			    to->version, what.data, why.text[0] ? why.text : "nothing carries it");
}

/* --- roots ------------------------------------------------------------------------------ */

/* "Acme (acme, vendor): 2 of 1234..., 5678..." */
static void whom(const struct publisher *p, const struct tuf_root *root, char out[WHOM_MAX])
{
	const struct role_keys *keys = &root->role[TUF_ROOT];

	(void)snprintf(out, WHOM_MAX, "%.80s (%.40s, %s), %" PRId64 " of", p->name, p->id,
		       publisher_kind_name(p->kind), keys->threshold);
	for (size_t i = 0; i < keys->n && strlen(out) < WHOM_MAX - 40; i++) {
		size_t len = strlen(out);

		(void)snprintf(out + len, WHOM_MAX - len, "%s%.*s", i ? ", " : " keys ",
			       KEYID_SHOWN, key_id(keys->keys[i]));
	}
}

static int tell_root(struct monitor *m, struct finding *f, const struct tuf_root *to,
		     struct error *err)
{
	const struct happening h = finding_event(f, LEVEL_NEWS, "root");
	CLEANUP(freep) struct publisher *p = calloc(1, sizeof(*p));
	struct happening bad = finding_event(f, LEVEL_ALARM, "root");
	struct error why = {0};
	char text[WHOM_MAX];

	if (!p)
		return error_nomem(err);
	if (publisher_read(to, "root.json", p, &why) < 0)
		return monitor_tell(m, &bad, err, "root %" PRId64 ": %s", to->version, why.text);
	whom(p, to, text);
	if (!f->root)
		return monitor_tell(m, &h, err,
				    "root 1: %s; trusted as the first one in the log: compare its "
				    "id with the publisher's, %s",
				    text, f->leaf.id);
	return monitor_tell(m, &h, err, "root %" PRId64 "%s signs now: %s", to->version,
			    p->bridge ? ", a bridge," : "", text);
}

/* Against the root before it and the anchor; moves the anchor. */
static int compare(struct monitor *m, struct finding *f, const struct tuf_root *to,
		   struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	unsigned change = 0;
	int r;

	if (!f->root) {
		f->w.tenure = 1;
		memcpy(f->w.anchor, f->leaf.id, sizeof(f->w.anchor));
		return 0;
	}
	r = watched_root(m, f->w.id, f->w.anchor, &anchor, err);
	if (r == 0)
		r = publisher_compare(anchor, f->root, to, &change, err);
	if (r == E_INVALID || r == E_UNTRUSTED) /* told by tell_root() */
		return 0;
	if (r < 0 || !change)
		return r;
	if (change & CHANGE_NAME) { /* what the last publisher delegated counts no more */
		f->w.tenure++;
		r = watched_roles_drop(m, f->w.id, err);
	}
	memcpy(f->w.anchor, f->leaf.id, sizeof(f->w.anchor));
	return r < 0 ? r : tell_change(m, f, to, anchor, change, err);
}

static int check_step(const struct finding *f, const struct buf *bytes, struct tuf_root **out,
		      struct error *why)
{
	int r;

	if (f->root)
		return tuf_root_step(f->root, bytes->data, bytes->len, "root.json", out, why);
	r = tuf_root_parse(bytes->data, bytes->len, "root.json", out, why);
	if (r == 0 && (*out)->version != 1)
		r = error_set(why, E_UNTRUSTED, "root %" PRId64 ": want the first one to be 1",
			      (*out)->version);
	return r < 0 ? r : tuf_root_self_signed(*out, why);
}

int finding_root(struct monitor *m, struct finding *f, struct error *err)
{
	const struct buf *bytes = envelope_bytes(f->doc);
	const struct happening bad = finding_event(f, LEVEL_ALARM, "unsigned");
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;
	char name[MEMORY_NAME_SIZE];
	struct error why = {0};
	bool past = f->root && f->leaf.version <= f->root->version, fresh = true;
	int r = past ? finding_version(m, f, "root", &fresh, err) : 0;

	if (r < 0 || !fresh)
		return r;
	r = check_step(f, bytes, &to, &why);
	if (r < 0 && !finding_fault(r))
		return error_set(err, r, "%s", why.text);
	if (r < 0) {
		/* Nobody's root is waited for, and it does not take the place of a true one. */
		if (f->w.top_root == f->leaf.version)
			f->w.top_root = f->w.root;
		return monitor_tell(m, &bad, err, "root %" PRId64 " is in the log, but %s",
				    f->leaf.version, why.text);
	}
	r = finding_version(m, f, "root", &fresh, err);
	if (r < 0 || !fresh)
		return r;
	if (f->w.top_root < to->version)
		f->w.top_root = to->version;
	name_kept(f->w.id, f->leaf.id, name);
	r = memory_put(m->memory, name, bytes->data, bytes->len, err);
	if (r == 0)
		r = tell_root(m, f, to, err);
	if (r == 0)
		r = compare(m, f, to, err);
	f->w.root = to->version;
	memcpy(f->w.root_id, f->leaf.id, sizeof(f->w.root_id));
	return r;
}

/* --- targets ---------------------------------------------------------------------------- */

/* Is it signed as the role in force asks that delegates to it? */
static int by_delegation(struct monitor *m, const struct finding *f, struct error *why)
{
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	int r = watched_role_keys(m, f->w.id, f->leaf.role, &keys, why);

	if (r == E_NOTFOUND)
		return error_set(why, E_UNTRUSTED, "no role delegates to %.100s", f->leaf.role);
	return r < 0 ? r : envelope_verify(f->doc, &keys, f->leaf.role, why);
}

static int check_targets(struct monitor *m, const struct finding *f, struct error *why)
{
	const struct buf *bytes = envelope_bytes(f->doc);
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	int r = tuf_role_parse(bytes->data, bytes->len, TUF_TARGETS, f->leaf.role, &role, why);

	if (r == 0 && !f->root)
		r = error_set(why, E_UNTRUSTED, "no root was logged before it");
	if (r == 0 && strcmp(f->leaf.role, "targets") == 0)
		return envelope_verify(f->doc, &f->root->role[TUF_TARGETS], "the targets role",
				       why);
	return r < 0 || f->late ? r : by_delegation(m, f, why);
}

int finding_targets(struct monitor *m, struct finding *f, struct error *err)
{
	const struct happening h = finding_event(f, LEVEL_INFO, "targets");
	struct happening bad = finding_event(f, LEVEL_ALARM, "unsigned");
	const struct buf *bytes = envelope_bytes(f->doc);
	char whose[MEMORY_NAME_SIZE / 2];
	struct error why = {0};
	bool fresh = false;
	int r = check_targets(m, f, &why);

	if (r < 0 && !finding_fault(r))
		return error_set(err, r, "%s", why.text);
	if (r < 0)
		return monitor_tell(m, &bad, err, "%s version %" PRId64 " is in the log, but %s",
				    f->leaf.role, f->leaf.version, why.text);
	/* A new publisher counts from 1 again. */
	(void)snprintf(whose, sizeof(whose), "%.128s/%" PRId64, f->leaf.role, f->w.tenure);
	r = finding_version(m, f, whose, &fresh, err);
	if (r < 0 || !fresh || f->late)
		return r;
	r = watched_role_put(m, f->w.id, f->leaf.role, bytes, err);
	return r < 0 ? r
		     : monitor_tell(m, &h, err, "%s version %" PRId64 " was published",
				    f->leaf.role, f->leaf.version);
}
