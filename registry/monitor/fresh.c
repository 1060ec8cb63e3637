/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices are given now: nothing but what is logged, not older than that, and good for
 * a while yet. And whether the deposit still fits the product.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "policies/publisher.h"
#include "registry/monitor/watched.h"

enum { PRODUCTS_A_LOOK = 1000 };

/* One product under the eye. */
struct eye {
	struct monitor *m;
	struct watched w;
	struct tuf_root *root; /* in force; owned */
	struct publisher *who; /* of the root; owned */
	char scope[MEMORY_NAME_SIZE];
};

static void eye_clear(struct eye *e)
{
	tuf_root_free(e->root);
	free(e->who);
}

/* A trouble of this product; `part` tells it from others of its kind. */
static struct happening about(struct eye *e, enum level level, const char *kind, const char *part)
{
	(void)snprintf(e->scope, sizeof(e->scope), "%s/%.200s", e->w.id, part);
	return (struct happening){
		.level = level, .kind = kind, .product = e->w.id, .scope = e->scope};
}

static int fine(struct eye *e, const char *kind, const char *part, struct error *err)
{
	const struct happening h = about(e, LEVEL_INFO, kind, part);

	return monitor_fine(e->m, kind, h.scope, err);
}

/* What fits neither what was logged nor, perhaps, what is about to be. */
static int wrong(struct eye *e, const char *part, const char *text, struct error *err)
{
	struct happening h = about(e, LEVEL_ALARM, "metadata", part);

	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err, "%s: %s", part, text);
}

/* --- reading ---------------------------------------------------------------------------- */

/* 0: here it is. 1: it is not there; 2: nobody knows. */
static int read_metadata(struct eye *e, const char *name, size_t max, struct buf *out,
			 struct error *why)
{
	const struct vantage *v = e->m->lead;
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, why, "p/%s/metadata/%s", e->w.id, name);

	if (r == 0)
		r = v->read(v->ctx, path.data, max, out, why);
	if (r == E_NOTFOUND)
		return 1;
	if (r != E_NET && r != E_BUSY)
		return r;
	e->m->incomplete = true;
	return 2;
}

static int check_expiry(struct eye *e, const char *role, int64_t expires, int64_t limit,
			struct error *err)
{
	int64_t left = expires - e->m->now;
	struct happening h = about(e, left <= 0 ? LEVEL_ALARM : LEVEL_WARNING, "expiry", role);
	char at[UTC_SIZE];

	if (left > limit)
		return monitor_fine(e->m, "expiry", h.scope, err);
	utc_format(expires, at);
	return monitor_trouble(e->m, &h, err, "%s %s at %s", role,
			       left <= 0 ? "expired" : "expires", at);
}

/* --- what is served --------------------------------------------------------------------- */

/* Is there a root that the log does not have? */
static int check_unlogged(struct eye *e, struct error *err)
{
	struct happening h = about(e, LEVEL_ALARM, "unlogged", "root");
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error why = {0};
	char name[64];
	int r;

	(void)snprintf(name, sizeof(name), "%" PRId64 ".root.json", e->w.root + 1);
	r = read_metadata(e, name, TUF_ROOT_MAX, &bytes, &why);
	if (r == 1)
		return monitor_fine(e->m, "unlogged", h.scope, err);
	if (r == 2)
		return 0;
	if (r < 0 && r != E_INVALID)
		return error_set(err, r, "%s", why.text);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "metadata/%s is served, but root %" PRId64
			       " is the last one in the log",
			       name, e->w.root);
}

/* A file, and what another one lists of it (NULL: nobody does). */
struct file {
	const char *name;
	const struct buf *bytes;
	const struct tuf_meta *listed;
};

static int check_role(const struct eye *e, const struct tuf_role *role, const struct file *f,
		      struct error *why)
{
	int r = 0;

	if (f->listed)
		r = tuf_meta_check(f->listed, f->bytes->data, f->bytes->len, f->name, why);
	if (r == 0 && f->listed && role->version != f->listed->version)
		r = error_set(why, E_UNTRUSTED, "%s: is version %" PRId64, f->name, role->version);
	return r < 0 ? r : envelope_verify(role->doc, &e->root->role[role->type], f->name, why);
}

/* A role's file as the root asks for it. *out stays NULL if there is none to go on with. */
static int read_role(struct eye *e, enum tuf_type type, const char *file, const struct tuf_meta *m,
		     struct tuf_role **out, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	const char *name = tuf_type_name(type);
	struct error why = {0};
	int r = read_metadata(e, file, tuf_type_max(type), &bytes, &why);

	if (r == 2)
		return 0;
	if (r == 1)
		return wrong(e, name, "is not served", err);
	if (r == 0)
		r = tuf_role_parse(bytes.data ? bytes.data : "", bytes.len, type, file, &role,
				   &why);
	if (r == 0)
		r = check_role(e, role, &(struct file){file, &bytes, m}, &why);
	if (r == E_INVALID || r == E_UNTRUSTED)
		return wrong(e, name, why.text, err);
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	*out = steal(role);
	return fine(e, "metadata", name, err);
}

/* What the last role lists of the next one. */
static int read_next(struct eye *e, const struct tuf_role *from, enum tuf_type type,
		     struct tuf_role **out, struct error *err)
{
	char listed[64], file[96];
	struct tuf_meta meta;
	struct error why = {0};

	(void)snprintf(listed, sizeof(listed), "%s.json", tuf_type_name(type));
	if (tuf_role_meta(from, listed, &meta, &why) < 0)
		return wrong(e, tuf_type_name(type), why.text, err);
	(void)snprintf(file, sizeof(file), "%" PRId64 ".%s", meta.version, listed);
	return read_role(e, type, file, &meta, out, err);
}

static int check_timestamp(struct eye *e, const struct tuf_role *t, struct error *err)
{
	const struct happening h = about(e, LEVEL_ALARM, "rollback", "timestamp");

	if (t->version < e->w.timestamp)
		return monitor_trouble(e->m, &h, err,
				       "timestamp.json went from version %" PRId64
				       " back to %" PRId64,
				       e->w.timestamp, t->version);
	e->w.timestamp = t->version;
	return monitor_fine(e->m, "rollback", h.scope, err);
}

/* Is the version of this role that devices are given the last one that was logged? */
static int check_logged(struct eye *e, const char *role, int64_t version, struct error *err)
{
	struct happening h = about(e, LEVEL_ALARM, "not-as-logged", role);
	char of[MEMORY_NAME_SIZE];
	int64_t last = 0;
	int r;

	(void)snprintf(of, sizeof(of), "%s/targets/%.128s/%" PRId64, e->w.id, role, e->w.tenure);
	r = version_last(e->m, of, &last, err);
	if (r < 0 || version == last)
		return r < 0 ? r : monitor_fine(e->m, "not-as-logged", h.scope, err);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "devices are given %s version %" PRId64 ", and %" PRId64
			       " is the last one in the log",
			       role, version, last);
}

/* Versions in the snapshot, by role. */
static int check_snapshot(struct eye *e, const struct tuf_role *snapshot, struct error *err)
{
	json_t *meta = json_object_get(envelope_signed(snapshot->doc), "meta"), *v;
	const char *file;
	int r = 0;

	json_object_foreach(meta, file, v)
	{
		size_t len = strlen(file);
		char role[130];

		if (r < 0 || len < 6 || len > 128 || strcmp(file + len - 5, ".json") != 0)
			continue;
		(void)snprintf(role, sizeof(role), "%.*s", (int)len - 5, file);
		r = check_logged(e, role, json_integer_value(json_object_get(v, "version")), err);
	}
	return r;
}

/* The very file, too. */
static int check_targets(struct eye *e, const struct tuf_role *targets, struct error *err)
{
	struct happening h = about(e, LEVEL_ALARM, "not-as-logged", "targets.json");
	char of[MEMORY_NAME_SIZE];
	struct versioned logged = {0};
	int r;

	(void)snprintf(of, sizeof(of), "%s/targets/targets/%" PRId64, e->w.id, e->w.tenure);
	r = version_get(e->m, of, targets->version, &logged, err);
	if (r < 0 || (r == 0 && strcmp(logged.id, envelope_id(targets->doc)) == 0))
		return r < 0 ? r : monitor_fine(e->m, "not-as-logged", h.scope, err);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "devices are given other targets of version %" PRId64
			       " than were logged",
			       targets->version);
}

static int check_metadata(struct eye *e, struct error *err)
{
	const struct monitor_limits *l = &e->m->limits;
	CLEANUP(tuf_role_freep) struct tuf_role *timestamp = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *snapshot = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *targets = NULL;
	int r = read_role(e, TUF_TIMESTAMP, "timestamp.json", NULL, &timestamp, err);

	if (r < 0 || !timestamp)
		return r;
	r = check_timestamp(e, timestamp, err);
	if (r == 0)
		r = check_expiry(e, "timestamp", timestamp->expires, l->timestamp, err);
	if (r == 0)
		r = read_next(e, timestamp, TUF_SNAPSHOT, &snapshot, err);
	if (r < 0 || !snapshot)
		return r;
	r = check_expiry(e, "snapshot", snapshot->expires, l->snapshot, err);
	if (r == 0)
		r = check_snapshot(e, snapshot, err);
	if (r == 0)
		r = read_next(e, snapshot, TUF_TARGETS, &targets, err);
	if (r < 0 || !targets)
		return r;
	r = check_expiry(e, "targets", targets->expires, l->targets, err);
	return r < 0 ? r : check_targets(e, targets, err);
}

/* --- the rest --------------------------------------------------------------------------- */

/* A device follows this root only by proofs that the root's own witnesses cosigned. */
static int check_quorum(struct eye *e, struct error *err)
{
	struct happening h = about(e, LEVEL_ALARM, "quorum", "root");
	const struct log_policy p = {e->m->log, e->who->witnesses, e->who->nwitnesses,
				     e->who->witness_threshold};
	struct error why = {0};

	if (checkpoint_verify(&e->m->lead->head, &p, NULL, &why) == 0)
		return monitor_fine(e->m, "quorum", h.scope, err);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err, "the witnesses of root %" PRId64 ": %s", e->w.root,
			       why.text);
}

/* Does what was deposited still fit? A product that stewards keep needs none. */
static int check_escrow(struct eye *e, struct error *err)
{
	const struct happening h = about(e, LEVEL_WARNING, "stale-escrow", "deposit");
	char at[UTC_SIZE];

	if (!e->w.deposit[0] || e->who->kind != PUBLISHER_VENDOR)
		return monitor_fine(e->m, "stale-escrow", h.scope, err);
	if (strcmp(e->w.follows, e->w.root_id) != 0)
		return monitor_trouble(e->m, &h, err,
				       "the deposit does not follow root %" PRId64
				       ": it could never be used; it takes a new one",
				       e->w.root);
	if (!e->w.refresh_by || e->w.refresh_by > e->m->now)
		return monitor_fine(e->m, "stale-escrow", h.scope, err);
	utc_format(e->w.refresh_by, at);
	return monitor_trouble(e->m, &h, err, "the deposit was to be refreshed by %s", at);
}

/* Was anything ever published that devices would fetch? */
static int has_targets(struct eye *e, bool *out, struct error *err)
{
	char of[MEMORY_NAME_SIZE];
	int64_t last = 0;
	int r;

	(void)snprintf(of, sizeof(of), "%s/targets/targets/%" PRId64, e->w.id, e->w.tenure);
	r = version_last(e->m, of, &last, err);
	*out = last > 0;
	return r;
}

static int look_at(struct monitor *m, const char *product, struct error *err)
{
	CLEANUP(eye_clear) struct eye e = {.m = m};
	bool targets = false;
	struct error why = {0};
	int r = watched_load(m, product, &e.w, err);

	/* Not before all of its roots are known: what they signed would look wrong. */
	if (r < 0 || !e.w.root || e.w.root != e.w.top_root)
		return r;
	e.who = calloc(1, sizeof(*e.who));
	if (!e.who)
		return error_nomem(err);
	r = watched_root(m, product, e.w.root_id, &e.root, err);
	if (r == 0 && publisher_read(e.root, "root.json", e.who, &why) < 0)
		return 0; /* told when it was logged */
	if (r == 0)
		r = check_expiry(&e, "root", e.root->expires, m->limits.root, err);
	if (r == 0)
		r = check_unlogged(&e, err);
	if (r == 0)
		r = check_quorum(&e, err);
	if (r == 0)
		r = check_escrow(&e, err);
	if (r == 0)
		r = has_targets(&e, &targets, err);
	if (r == 0 && targets)
		r = check_metadata(&e, err);
	e.w.looked = m->now;
	return r < 0 ? r : watched_save(m, &e.w, err);
}

/* Of very many products each has its turn. */
int monitor_fresh(struct monitor *m, struct error *err)
{
	CLEANUP(buf_clear) struct buf last = {0};
	char name[MEMORY_NAME_SIZE] = "p/", first[MEMORY_NAME_SIZE] = "";
	int r = memory_get(m->memory, "turn", &last, err);

	if (r == 0)
		(void)snprintf(name, sizeof(name), "%s", last.data ? last.data : "p/");
	for (size_t n = 0; r >= 0 && n < PRODUCTS_A_LOOK; n++) {
		r = memory_next(m->memory, "p/", name, err);
		if (r == 1) {
			(void)snprintf(name, sizeof(name), "p/");
			r = memory_next(m->memory, "p/", name, err);
		}
		if (r != 0 || strcmp(name, first) == 0)
			break;
		if (!first[0])
			(void)snprintf(first, sizeof(first), "%s", name);
		if (monitor_watches(m, name + 2))
			r = look_at(m, name + 2, err);
	}
	return r < 0 ? r : memory_put(m->memory, "turn", name, strlen(name), err);
}
