/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata that devices are given now, against the log: from the timestamp down to every role
 * that somebody delegates to.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/tuf/client.h"
#include "lib/tuf/lineage.h"
#include "registry/monitor/eye.h"

enum {
	LOGGED_ROLE_MAX = sizeof(((struct leaf *)NULL)->role) - 1,
	PART_SIZE = 256,
	DELEGATIONS_LOOKED_AT = 2048, /* more than a registry takes */
};

/* Parts of troubles: of one delegated role; of the bytes of its file. */
#define PART_ROLE "role/"
#define PART_BYTES "bytes/"

struct happening eye_about(struct eye *e, enum level level, const char *kind, const char *part)
{
	(void)snprintf(e->scope, sizeof(e->scope), "%s/%.255s", e->w.id, part);
	return (struct happening){
		.level = level, .kind = kind, .product = e->w.id, .scope = e->scope};
}

int eye_fine(struct eye *e, const char *kind, const char *part, struct error *err)
{
	const struct happening h = eye_about(e, LEVEL_INFO, kind, part);

	return monitor_fine(e->m, kind, h.scope, err);
}

/* What fits neither what was logged nor, perhaps, what is about to be. */
static int wrong(struct eye *e, const char *part, const char *what, const char *text,
		 struct error *err)
{
	struct happening h = eye_about(e, LEVEL_ALARM, "metadata", part);

	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err, "%s: %s", what, text);
}

int eye_read(struct eye *e, const char *name, size_t max, struct buf *out, struct error *why)
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

int eye_expiry(struct eye *e, const struct validity *v, struct error *err)
{
	int64_t left = v->expires - e->m->now;
	struct happening h =
		eye_about(e, left <= 0 ? LEVEL_ALARM : LEVEL_WARNING, "expiry", v->part);
	char at[UTC_SIZE];

	if (left > v->limit)
		return monitor_fine(e->m, "expiry", h.scope, err);
	utc_format(v->expires, at);
	return monitor_trouble(e->m, &h, err, "%s %s at %s", v->what,
			       left <= 0 ? "expired" : "expires", at);
}

/* --- files ------------------------------------------------------------------------------ */

/* A role's file: where it is, and what is asked of it. */
struct wanted {
	enum tuf_type type;
	const char *part, *what;       /* of troubles, and in their texts */
	const char *file;              /* URL-quoted */
	const struct tuf_meta *listed; /* NULL: nobody lists it */
	const struct role_keys *keys;
};

static int check_role(const struct wanted *w, const struct tuf_role *role, const struct buf *bytes,
		      struct error *why)
{
	int r = 0;

	if (w->listed)
		r = tuf_meta_check(w->listed, bytes->data, bytes->len, w->file, why);
	if (r == 0 && w->listed && role->version != w->listed->version)
		r = error_set(why, E_UNTRUSTED, "%s: is version %" PRId64, w->file, role->version);
	return r < 0 ? r : envelope_verify(role->doc, w->keys, w->file, why);
}

/* *out stays NULL if there is none to go on with. */
static int read_role(struct eye *e, const struct wanted *w, struct tuf_role **out,
		     struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error why = {0};
	int r = eye_read(e, w->file, tuf_type_max(w->type), &bytes, &why);

	if (r == 2)
		return 0;
	if (r == 1)
		return wrong(e, w->part, w->what, "is not served", err);
	if (r == 0)
		r = tuf_role_parse(bytes.data ? bytes.data : "", bytes.len, w->type, w->file, &role,
				   &why);
	if (r == 0)
		r = check_role(w, role, &bytes, &why);
	if (r == E_INVALID || r == E_UNTRUSTED)
		return wrong(e, w->part, w->what, why.text, err);
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	*out = steal(role);
	return eye_fine(e, "metadata", w->part, err);
}

static int read_top(struct eye *e, enum tuf_type type, const char *file,
		    const struct tuf_meta *listed, struct tuf_role **out, struct error *err)
{
	const struct wanted w = {.type = type,
				 .part = tuf_type_name(type),
				 .what = tuf_type_name(type),
				 .file = file,
				 .listed = listed,
				 .keys = &e->root->role[type]};

	return read_role(e, &w, out, err);
}

/* What the last role lists of the next one. */
static int read_next(struct eye *e, const struct tuf_role *from, enum tuf_type type,
		     struct tuf_role **out, struct error *err)
{
	const char *name = tuf_type_name(type);
	char listed[64], file[96];
	struct tuf_meta meta;
	struct error why = {0};

	(void)snprintf(listed, sizeof(listed), "%s.json", name);
	if (tuf_role_meta(from, listed, &meta, &why) < 0)
		return wrong(e, name, name, why.text, err);
	(void)snprintf(file, sizeof(file), "%" PRId64 ".%s", meta.version, listed);
	return read_top(e, type, file, &meta, out, err);
}

static int check_timestamp(struct eye *e, const struct tuf_role *t, struct error *err)
{
	const struct happening h = eye_about(e, LEVEL_ALARM, "rollback", "timestamp");

	if (t->version < e->w.timestamp)
		return monitor_trouble(e->m, &h, err,
				       "timestamp.json went from version %" PRId64
				       " back to %" PRId64,
				       e->w.timestamp, t->version);
	e->w.timestamp = t->version;
	return monitor_fine(e->m, "rollback", h.scope, err);
}

/* --- what is logged --------------------------------------------------------------------- */

/* The name of a role's versions in the memory. */
static void name_versions(const struct eye *e, const char *role, char of[MEMORY_NAME_SIZE])
{
	(void)snprintf(of, MEMORY_NAME_SIZE, "%s/targets/%.128s/%" PRId64, e->w.id, role,
		       e->w.tenure);
}

/* "role/x"; of the top-level role just its name. */
static void part_of(const char *role, char out[PART_SIZE])
{
	(void)snprintf(out, PART_SIZE, "%s%s", strcmp(role, "targets") == 0 ? "" : PART_ROLE, role);
}

/* Is the version of this role that devices are given the last one that was logged? 0: none is. */
static int check_logged(struct eye *e, const char *role, int64_t version, struct error *err)
{
	char of[MEMORY_NAME_SIZE], part[PART_SIZE], given[32];
	struct happening h;
	int64_t last = 0;
	int r;

	part_of(role, part);
	h = eye_about(e, LEVEL_ALARM, "not-as-logged", part);
	name_versions(e, role, of);
	r = version_last(e->m, of, &last, err);
	if (r < 0 || version == last)
		return r < 0 ? r : monitor_fine(e->m, "not-as-logged", h.scope, err);
	(void)snprintf(given, sizeof(given), "version %" PRId64, version);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "devices are given %s %s, and %" PRId64
			       " is the last one in the log",
			       role, version ? given : "in no version", last);
}

/* The very file, too. */
static int check_bytes(struct eye *e, const char *role, const struct tuf_role *is,
		       struct error *err)
{
	char of[MEMORY_NAME_SIZE], part[PART_SIZE];
	struct versioned logged = {0};
	struct happening h;
	int r;

	(void)snprintf(part, sizeof(part), PART_BYTES "%s", role);
	h = eye_about(e, LEVEL_ALARM, "not-as-logged", part);
	name_versions(e, role, of);
	r = version_get(e->m, of, is->version, &logged, err);
	if (r < 0)
		return r;
	/* An earlier monitor did not remember the digest. */
	if (r == 0 && strcmp(logged.id, envelope_id(is->doc)) == 0 &&
	    (!logged.sha256[0] || strcmp(logged.sha256, envelope_sha256(is->doc)) == 0))
		return monitor_fine(e->m, "not-as-logged", h.scope, err);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "devices are given another %s version %" PRId64
			       " than the one that was logged",
			       role, is->version);
}

/* --- the snapshot ----------------------------------------------------------------------- */

struct listing {
	struct eye *e;
	const json_t *meta;
	json_t *roles; /* a set: that were asked for; owned */
};

static void listing_clear(struct listing *l)
{
	json_decref(l->roles);
}

static int note(json_t *set, const char *role, struct error *err)
{
	return json_object_set_new(set, role, json_true()) < 0 ? error_nomem(err) : 0;
}

/* A snapshot that drops a role is one that no client takes. */
static int check_dropped(void *ctx, const char *role, struct error *err)
{
	const struct listing *l = ctx;
	char file[LOGGED_ROLE_MAX + sizeof(".json")];
	int r;

	(void)snprintf(file, sizeof(file), "%.128s.json", role);
	if (json_object_get(l->meta, file))
		return 0;
	r = check_logged(l->e, role, 0, err);
	return r < 0 ? r : note(l->roles, role, err);
}

/* `file` is listed in the version `v`; *odd: no leaf could be of a role with this name. */
static int check_listed(struct listing *l, const char *file, const json_t *v, bool *odd,
			struct error *err)
{
	size_t len = strlen(file), end = sizeof(".json") - 1;
	char role[LOGGED_ROLE_MAX + 1];
	int r;

	*odd = len <= end || len - end > LOGGED_ROLE_MAX || strcmp(file + len - end, ".json") != 0;
	if (*odd)
		return 0;
	(void)snprintf(role, sizeof(role), "%.*s", (int)(len - end), file);
	r = check_logged(l->e, role, json_integer_value(json_object_get(v, "version")), err);
	return r < 0 ? r : note(l->roles, role, err);
}

static int tell_odd(struct eye *e, const char *file, struct error *err)
{
	struct happening h = eye_about(e, LEVEL_ALARM, "not-as-logged", "snapshot");

	if (!file)
		return monitor_fine(e->m, "not-as-logged", h.scope, err);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "snapshot.json lists %.120s: no leaf could be of a role with this "
			       "name",
			       file);
}

/* Of roles that are neither listed nor delegated to any more nothing stands. */
static int forget_others(struct eye *e, const char *kind, const char *dir, const json_t *set,
			 struct error *err)
{
	char prefix[MEMORY_NAME_SIZE], name[MEMORY_NAME_SIZE];
	size_t scope = strlen("t/") + strlen(kind) + strlen("/");
	int r = 0;

	(void)snprintf(prefix, sizeof(prefix), "t/%s/%s/%s", kind, e->w.id, dir);
	(void)snprintf(name, sizeof(name), "%s", prefix);
	while (r == 0) {
		r = memory_next(e->m->memory, prefix, name, err);
		if (r == 0 && !json_object_get(set, name + strlen(prefix)))
			r = monitor_fine(e->m, kind, name + scope, err);
	}
	return r < 0 ? r : 0;
}

/* Versions in the snapshot, by role. */
static int check_snapshot(struct eye *e, const struct tuf_role *snapshot, struct error *err)
{
	CLEANUP(listing_clear)
	struct listing l = {e, json_object_get(envelope_signed(snapshot->doc), "meta"),
			    json_object()};
	const char *file, *odd = NULL;
	json_t *v;
	int r = l.roles ? 0 : error_nomem(err);

	json_object_foreach((json_t *)(uintptr_t)l.meta, file, v)
	{
		bool is_odd = false;

		if (r == 0)
			r = check_listed(&l, file, v, &is_odd, err);
		if (is_odd && !odd)
			odd = file;
	}
	if (r == 0)
		r = tell_odd(e, odd, err);
	if (r == 0)
		r = watched_roles(e->m, e->w.id, check_dropped, &l, err);
	return r < 0 ? r : forget_others(e, "not-as-logged", PART_ROLE, l.roles, err);
}

/* --- delegated roles -------------------------------------------------------------------- */

/* As a device comes to them: by what is served. */
struct channels {
	struct eye *e;
	const struct tuf_role *snapshot, *targets;
	json_t *roles; /* a set: that were looked at; owned */
	bool partial;  /* what some of them delegate to is not known */
};

static void channels_clear(struct channels *c)
{
	json_decref(c->roles);
}

static int read_channel(struct channels *c, const struct descent *at, struct tuf_role **out,
			struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	CLEANUP(buf_clear) struct buf file = {0};
	CLEANUP(freep) char *quoted = NULL;
	const char *role = at->d->name;
	struct tuf_meta meta;
	char part[PART_SIZE];
	struct error why = {0};
	int r = delegation_keys(at->d, &keys, err);

	part_of(role, part);
	if (r == 0)
		r = buf_printf(&file, err, "%s.json", role);
	if (r < 0)
		return r;
	if (tuf_role_meta(c->snapshot, file.data, &meta, &why) < 0)
		return wrong(c->e, part, role, why.text, err);
	buf_clear(&file);
	r = tuf_quote(role, false, &quoted, err);
	if (r == 0)
		r = buf_printf(&file, err, "%" PRId64 ".%s.json", meta.version, quoted);
	if (r < 0)
		return r;
	const struct wanted w = {TUF_TARGETS, part, role, file.data, &meta, &keys};
	return read_role(c->e, &w, out, err);
}

static int check_channel(struct channels *c, const struct descent *at, json_t **out,
			 struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	const char *name = at->d->name;
	char part[PART_SIZE];
	int r = note(c->roles, name, err);

	part_of(name, part);
	if (r == 0)
		r = read_channel(c, at, &role, err);
	if (r < 0)
		return r;
	if (!role) {
		c->partial = true;
		return error_set(err, E_NOTFOUND, "%s", name);
	}
	r = eye_expiry(c->e, &(struct validity){part, name, role->expires, c->e->m->limits.targets},
		       err);
	if (r == 0)
		r = check_bytes(c->e, name, role, err);
	if (r == 0)
		*out = json_incref(envelope_signed(role->doc));
	return r;
}

static int load(void *ctx, const char *name, const struct descent *at, json_t **out,
		struct error *err)
{
	struct channels *c = ctx;

	if (!at) {
		*out = json_incref(envelope_signed(c->targets->doc));
		return 0;
	}
	/* A steward whose time is over: devices install nothing of it, and nobody renews it. */
	if (descent_until(at) <= c->e->m->now)
		return error_set(err, E_NOTFOUND, "%s", name);
	return check_channel(c, at, out, err);
}

static int walk_channels(struct channels *c, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct descent *at = NULL;
	struct error why = {0};
	int r = lineage_new(load, c, &lineage, &why);

	for (size_t n = 0; r == 0 && n < DELEGATIONS_LOOKED_AT; n++)
		r = lineage_next(lineage, &at, &why);
	if (r == E_NOTFOUND)
		return eye_fine(c->e, "metadata", "delegations", err);
	c->partial = true;
	if (r == 0)
		(void)error_set(&why, E_INVALID, "more than %d: not all were looked at",
				DELEGATIONS_LOOKED_AT);
	if (r == 0 || r == E_INVALID || r == E_UNTRUSTED)
		return wrong(c->e, "delegations", "delegations", why.text, err);
	return error_set(err, r, "%s", why.text);
}

static int check_channels(struct eye *e, const struct tuf_role *snapshot,
			  const struct tuf_role *targets, struct error *err)
{
	CLEANUP(channels_clear) struct channels c = {e, snapshot, targets, json_object(), false};
	int r = c.roles ? walk_channels(&c, err) : error_nomem(err);

	if (r < 0 || c.partial)
		return r;
	r = note(c.roles, "targets", err);
	if (r == 0)
		r = forget_others(e, "expiry", PART_ROLE, c.roles, err);
	if (r == 0)
		r = forget_others(e, "metadata", PART_ROLE, c.roles, err);
	return r < 0 ? r : forget_others(e, "not-as-logged", PART_BYTES, c.roles, err);
}

/* --- all of it -------------------------------------------------------------------------- */

static int check_expiry(struct eye *e, const struct tuf_role *role, int64_t limit,
			struct error *err)
{
	const char *name = tuf_type_name(role->type);

	return eye_expiry(e, &(struct validity){name, name, role->expires, limit}, err);
}

int eye_served(struct eye *e, struct error *err)
{
	const struct monitor_limits *l = &e->m->limits;
	CLEANUP(tuf_role_freep) struct tuf_role *timestamp = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *snapshot = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *targets = NULL;
	int r = read_top(e, TUF_TIMESTAMP, "timestamp.json", NULL, &timestamp, err);

	if (r < 0 || !timestamp)
		return r;
	r = check_timestamp(e, timestamp, err);
	if (r == 0)
		r = check_expiry(e, timestamp, l->timestamp, err);
	if (r == 0)
		r = read_next(e, timestamp, TUF_SNAPSHOT, &snapshot, err);
	if (r < 0 || !snapshot)
		return r;
	r = check_expiry(e, snapshot, l->snapshot, err);
	if (r == 0)
		r = check_snapshot(e, snapshot, err);
	if (r == 0)
		r = read_next(e, snapshot, TUF_TARGETS, &targets, err);
	if (r < 0 || !targets)
		return r;
	r = check_expiry(e, targets, l->targets, err);
	if (r == 0)
		r = check_bytes(e, "targets", targets, err);
	return r < 0 ? r : check_channels(e, snapshot, targets, err);
}
