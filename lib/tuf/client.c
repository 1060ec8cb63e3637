/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/client.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/tuf/session.h"

enum { NAME_SIZE = 64 }; /* of "<version>.root.json" and its like */

int session_local_name(const char *role, char **out, struct error *err)
{
	CLEANUP(freep) char *quoted = NULL;
	CLEANUP(buf_clear) struct buf b = {0};
	int r = tuf_quote(role, false, &quoted, err);

	if (r == 0)
		r = buf_printf(&b, err, "%s.json", quoted);
	if (r == 0)
		*out = buf_steal(&b);
	return r;
}

/* `name` begins the error texts. */
static int check_product(const struct tuf *t, const char *product, const char *name,
			 struct error *err)
{
	if (!t->product || (product && strcmp(product, t->product) == 0))
		return 0;
	return error_set(err, E_UNTRUSTED, "%s: signed.product: want \"%s\", got \"%.64s\"", name,
			 t->product, product ? product : "");
}

static bool is_expired(const struct tuf *t, int64_t expires)
{
	return t->o.now >= expires && t->o.now - expires >= t->o.stale_s;
}

static int check_expiry(const struct tuf *t, int64_t expires, const char *name, struct error *err)
{
	char at[UTC_SIZE], now[UTC_SIZE];

	if (!is_expired(t, expires))
		return 0;
	utc_format(expires, at);
	utc_format(t->o.now, now);
	return error_set(err, E_UNTRUSTED, "%s: expired at %s (it is %s)", name, at, now);
}

void session_use(struct tuf *t, int64_t expires)
{
	int64_t since = expires > 0 ? expires : 1;

	if (t->o.now >= expires && (!t->stale_since || since < t->stale_since))
		t->stale_since = since;
}

static size_t weight(const struct envelope *doc)
{
	return envelope_bytes(doc)->len + TUF_FILE_EXTRA;
}

size_t session_room(const struct tuf *t, enum tuf_type type)
{
	size_t all = t->o.text_max ? t->o.text_max : TUF_TEXT_MAX;
	size_t max = tuf_type_max(type), held = TUF_FILE_EXTRA; /* of the new one */

	if (t->root)
		held += weight(t->root->doc);
	for (int i = 0; i < TUF_TYPES; i++)
		if (t->role[i])
			held += weight(t->role[i]->doc);
	for (const struct loaded *l = t->loaded; l; l = l->older)
		held += weight(l->role->doc);
	if (held >= all)
		return 0;
	return all - held < max ? all - held : max;
}

/* Signatures and product of a role. */
static int check_trust(const struct tuf *t, const struct tuf_role *role,
		       const struct role_keys *keys, const char *name, struct error *err)
{
	int r = envelope_verify(role->doc, keys, "its role", err);

	return r < 0 ? r : check_product(t, role->product, name, err);
}

int session_load(const struct tuf *t, enum tuf_type type, const char *role,
		 const struct role_keys *keys, struct tuf_role **out, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *found = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(freep) char *name = NULL;
	int r = session_local_name(role, &name, err);

	if (r == 0)
		r = t->io.load(t->io.ctx, name, session_room(t, type), &bytes, err);
	if (r == 0)
		r = tuf_role_parse(bytes.data, bytes.len, type, name, &found, err);
	if (r == 0)
		r = check_trust(t, found, keys, name, err);
	if (r == 0)
		*out = steal(found);
	return r;
}

bool session_is_current(const struct tuf *t, const struct tuf_role *role, const struct listed *l)
{
	const struct buf *bytes = envelope_bytes(role->doc);

	return role->version == l->meta.version && !is_expired(t, role->expires) &&
	       tuf_meta_check(&l->meta, bytes->data, bytes->len, l->role, NULL) == 0;
}

/* "<version>.<role>.json" under consistent snapshots, else the plain name. */
static int remote_name(const struct tuf *t, const struct listed *l, char **out, struct error *err)
{
	CLEANUP(freep) char *local = NULL;
	CLEANUP(buf_clear) struct buf b = {0};
	int r = session_local_name(l->role, &local, err);

	if (r < 0)
		return r;
	if (t->root->consistent_snapshot)
		r = buf_printf(&b, err, "%" PRId64 ".%s", l->meta.version, local);
	else
		r = buf_puts(&b, local, err);
	if (r == 0)
		*out = buf_steal(&b);
	return r;
}

/* A file that must be there: its absence is a fault of the repository, which may pass. */
static int fetch(const struct tuf *t, const char *name, size_t max, struct buf *out,
		 struct error *err)
{
	int r = t->io.fetch(t->io.ctx, name, max, out, err);

	if (r == E_NOTFOUND)
		return error_set(err, E_NET, "%s: the repository does not have it", name);
	if (r == 0 && out->len > max)
		return error_set(err, E_INVALID, "%s: larger than %zu bytes", name, max);
	return r;
}

static int check_jump(const struct tuf *t, int64_t last, int64_t version, const char *name,
		      struct error *err)
{
	if (t->o.version_jump_max > 0 && version - last > t->o.version_jump_max)
		return error_set(err, E_UNTRUSTED,
				 "%s: version %" PRId64 " is too far ahead of %" PRId64, name,
				 version, last);
	return 0;
}

int session_fetch(struct tuf *t, const struct listed *l, struct tuf_role **out, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *found = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(freep) char *name = NULL;
	size_t max = session_room(t, l->type);
	int r = remote_name(t, l, &name, err);

	if (r < 0)
		return r;
	if (l->meta.length >= 0 && (uint64_t)l->meta.length < max)
		max = (size_t)l->meta.length;
	r = fetch(t, name, max, &bytes, err);
	if (r == 0)
		r = tuf_meta_check(&l->meta, bytes.data, bytes.len, name, err);
	if (r == 0)
		r = tuf_role_parse(bytes.data, bytes.len, l->type, name, &found, err);
	if (r == 0)
		r = check_trust(t, found, l->keys, name, err);
	if (r != 0)
		return r;
	if (found->version != l->meta.version)
		return error_set(err, E_UNTRUSTED, "%s: version %" PRId64 ", want %" PRId64, name,
				 found->version, l->meta.version);
	r = check_jump(t, l->last, found->version, name, err);
	if (r == 0)
		*out = steal(found);
	return r;
}

int session_keep(struct tuf *t, const char *role, const struct tuf_role *r, struct error *err)
{
	CLEANUP(freep) char *name = NULL;
	const struct buf *bytes = envelope_bytes(r->doc);
	int status = session_local_name(role, &name, err);

	if (status == 0)
		status = check_expiry(t, r->expires, name, err);
	if (status == 0)
		status = t->io.save(t->io.ctx, name, bytes->data, bytes->len, err);
	return status == E_NOTFOUND ? E_SYS : status; /* the store's folder, not a role */
}

/* What a timestamp or snapshot says of `file`, as a file to have. */
static int listed_by(const struct tuf *t, enum tuf_type by, enum tuf_type type, struct listed *out,
		     struct error *err)
{
	char file[NAME_SIZE];
	struct listed l = {.type = type,
			   .role = tuf_type_name(type),
			   .keys = &t->root->role[type],
			   .last = t->role[type] ? t->role[type]->version : 0};

	(void)snprintf(file, sizeof(file), "%s.json", l.role);

	int r = tuf_role_meta(t->role[by], file, &l.meta, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_INVALID, "%s.json: does not list %s", tuf_type_name(by),
				 file);
	if (r == 0)
		*out = l;
	return r;
}

int session_remember(struct tuf *t, const char *name, struct tuf_role *role_take, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = role_take;
	struct loaded *entry = calloc(1, sizeof(*entry));
	char *copy = strdup(name);

	if (!entry || !copy) {
		free(entry);
		free(copy);
		return error_nomem(err);
	}
	entry->name = copy;
	entry->role = steal(role);
	entry->older = t->loaded;
	t->loaded = entry;
	return 0;
}

/* Put a role (NULL: none) in the place of the one we had. */
static int replace(struct tuf *t, enum tuf_type type, struct tuf_role *role_take, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = role_take;
	int r = 0;

	if (type == TUF_TARGETS && t->role[type])
		r = session_remember(t, tuf_type_name(type), steal(t->role[type]), err);
	tuf_role_free(t->role[type]);
	t->role[type] = r == 0 ? steal(role) : NULL;
	return r;
}

/* --- opening ------------------------------------------------------------- */

static int load_root(struct tuf *t, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = t->io.load(t->io.ctx, "root.json", session_room(t, TUF_ROOT), &bytes, err);

	if (r == 0)
		r = tuf_root_parse(bytes.data, bytes.len, "root.json", &t->root, err);
	if (r < 0)
		return r;
	r = tuf_root_self_signed(t->root, err);
	return r < 0 ? r : check_product(t, t->root->product, "root.json", err);
}

/*
 * What the store has of the other roles, as far as the root vouches for it. A
 * file that is missing or spoilt is no failure: it is fetched again.
 */
static int load_roles(struct tuf *t, struct error *err)
{
	for (int i = TUF_TIMESTAMP; i <= TUF_TARGETS; i++) {
		int r = session_load(t, (enum tuf_type)i, tuf_type_name((enum tuf_type)i),
				     &t->root->role[i], &t->role[i], err);

		if (r == E_NOMEM)
			return r;
		if (i == TUF_SNAPSHOT && r == E_UNTRUSTED)
			t->snapshot_disowned = true;
	}
	return 0;
}

/* Can what we have be used as it is? */
static bool is_complete(struct tuf *t)
{
	struct listed l;

	for (int i = TUF_TIMESTAMP; i <= TUF_TARGETS; i++)
		if (!t->role[i] || is_expired(t, t->role[i]->expires))
			return false;
	if (is_expired(t, t->root->expires))
		return false;
	for (int i = TUF_SNAPSHOT; i <= TUF_TARGETS; i++)
		if (listed_by(t, (enum tuf_type)(i - 1), (enum tuf_type)i, &l, NULL) != 0 ||
		    !session_is_current(t, t->role[i], &l))
			return false;
	session_use(t, t->root->expires);
	for (int i = TUF_TIMESTAMP; i <= TUF_TARGETS; i++)
		session_use(t, t->role[i]->expires);
	return true;
}

int tuf_open(const struct tuf_io *io, const struct tuf_options *o, struct tuf **out,
	     struct error *err)
{
	CLEANUP(tuf_closep) struct tuf *t = calloc(1, sizeof(*t));
	struct error ignored;
	int r;

	if (!t)
		return error_nomem(err);
	t->io = *io;
	t->o = *o;
	if (o->product) {
		t->product = strdup(o->product);
		if (!t->product)
			return error_nomem(err);
	}
	r = load_root(t, err);
	if (r < 0)
		return r;
	r = load_roles(t, &ignored);
	if (r < 0)
		return error_nomem(err);
	t->complete = is_complete(t);
	*out = steal(t);
	return 0;
}

void tuf_close(struct tuf *t)
{
	if (!t)
		return;
	for (int i = 0; i < TUF_TYPES; i++)
		tuf_role_free(t->role[i]);
	while (t->loaded) {
		struct loaded *entry = t->loaded;

		t->loaded = entry->older;
		tuf_role_free(entry->role);
		free(entry->name);
		free(entry);
	}
	tuf_root_free(t->root);
	free(t->product);
	free(t);
}

/* --- refreshing ---------------------------------------------------------- */

/* One step up the root chain; *more says whether there was one. */
static int step_root(struct tuf *t, bool *more, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *next = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct tuf_root *last = t->root;
	struct error why = {0};
	char name[NAME_SIZE];
	int r;

	(void)snprintf(name, sizeof(name), "%" PRId64 ".root.json", last->version + 1);
	r = t->io.fetch(t->io.ctx, name, session_room(t, TUF_ROOT), &bytes, &why);
	*more = r == 0;
	if (r == E_NOTFOUND)
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	r = tuf_root_step(last, bytes.data, bytes.len, name, &next, err);
	if (r == 0)
		r = check_product(t, next->product, name, err);
	if (r == 0)
		r = t->io.save(t->io.ctx, "root.json", bytes.data, bytes.len, err);
	if (r < 0)
		return r;
	t->root = steal(next);
	tuf_root_free(last);
	return 0;
}

/*
 * Forget what the new root's keys do not vouch for (specification 5.3.11, as
 * python-tuf reads it: nothing is deleted, the old file just stops to count).
 */
static int disown(struct tuf *t, struct error *err)
{
	for (int i = TUF_TIMESTAMP; i <= TUF_TARGETS; i++) {
		int r;

		if (!t->role[i] ||
		    envelope_verify(t->role[i]->doc, &t->root->role[i], "its role", NULL) == 0)
			continue;
		if (i == TUF_SNAPSHOT)
			t->snapshot_disowned = true;
		r = replace(t, (enum tuf_type)i, NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int refresh_root(struct tuf *t, struct error *err)
{
	int64_t before = t->root->version;
	bool more = !t->o.keep_root;
	int r = 0;

	for (int i = 0; r == 0 && more && i < TUF_ROOTS_MAX; i++)
		r = step_root(t, &more, err);
	if (t->root->version != before) {
		int d = disown(t, r == 0 ? err : NULL);

		r = r < 0 ? r : d;
	}
	if (r < 0)
		return r;
	session_use(t, t->root->expires);
	return check_expiry(t, t->root->expires, "root.json", err);
}

/*
 * The timestamp's promise about the snapshot may only rise. A root that
 * replaced the snapshot's keys ends that promise: so a repository recovers from
 * a version that an attacker has driven up.
 */
static int check_promise(const struct tuf *t, const struct tuf_role *old,
			 const struct tuf_role *new, struct error *err)
{
	struct tuf_meta was, is;
	int r = tuf_role_meta(new, "snapshot.json", &is, err);

	if (r == E_NOTFOUND)
		return error_set(err, E_INVALID, "timestamp.json: does not list snapshot.json");
	if (r < 0)
		return r;
	if (!old || t->snapshot_disowned || tuf_role_meta(old, "snapshot.json", &was, NULL) < 0 ||
	    is.version >= was.version)
		return 0;
	return error_set(err, E_UNTRUSTED,
			 "timestamp.json: snapshot.json at version %" PRId64 ", was %" PRId64
			 " before",
			 is.version, was.version);
}

static int refresh_timestamp(struct tuf *t, struct error *err)
{
	static const char name[] = "timestamp.json";
	CLEANUP(tuf_role_freep) struct tuf_role *new = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	const struct tuf_role *old = t->role[TUF_TIMESTAMP];
	int64_t last = old ? old->version : 0;
	int r = fetch(t, name, session_room(t, TUF_TIMESTAMP), &bytes, err);

	if (r == 0)
		r = tuf_role_parse(bytes.data, bytes.len, TUF_TIMESTAMP, name, &new, err);
	if (r == 0)
		r = check_trust(t, new, &t->root->role[TUF_TIMESTAMP], name, err);
	if (r != 0)
		return r;
	if (new->version < last)
		return error_set(err, E_UNTRUSTED,
				 "%s: version %" PRId64 ", was %" PRId64 " before", name,
				 new->version, last);
	if (old && new->version == last) { /* the old one stays, whatever this one says */
		session_use(t, old->expires);
		return check_expiry(t, old->expires, name, err);
	}
	r = check_jump(t, last, new->version, name, err);
	if (r == 0)
		r = check_promise(t, old, new, err);
	if (r == 0)
		r = session_keep(t, "timestamp", new, err);
	if (r < 0)
		return r;
	session_use(t, new->expires);
	return replace(t, TUF_TIMESTAMP, steal(new), err);
}

/* Every file that the old snapshot lists is in the new one, at no lower version. */
static int check_files(const struct tuf_role *old, const struct tuf_role *new, struct error *err)
{
	json_t *files = json_object_get(envelope_signed(old->doc), "meta");
	const char *file;
	json_t *entry;

	json_object_foreach(files, file, entry)
	{
		struct tuf_meta is;
		json_int_t was = json_integer_value(json_object_get(entry, "version"));
		int r = tuf_role_meta(new, file, &is, err);

		if (r == E_NOTFOUND)
			return error_set(err, E_UNTRUSTED,
					 "snapshot.json: %s was listed before, and is not now",
					 file);
		if (r < 0)
			return r;
		if (is.version < was)
			return error_set(err, E_UNTRUSTED,
					 "snapshot.json: %s at version %" PRId64
					 ", was %" JSON_INTEGER_FORMAT " before",
					 file, is.version, was);
	}
	return 0;
}

static int refresh_listed(struct tuf *t, enum tuf_type by, enum tuf_type type, struct error *err)
{
	CLEANUP(tuf_role_freep) struct tuf_role *new = NULL;
	const struct tuf_role *old = t->role[type];
	struct listed l;
	int r = listed_by(t, by, type, &l, err);

	if (r != 0)
		return r;
	if (old && session_is_current(t, old, &l)) {
		session_use(t, old->expires);
		return 0;
	}
	r = session_fetch(t, &l, &new, err);
	if (r == 0 && type == TUF_SNAPSHOT && old)
		r = check_files(old, new, err);
	if (r == 0)
		r = session_keep(t, l.role, new, err);
	if (r != 0)
		return r;
	session_use(t, new->expires);
	return replace(t, type, steal(new), err);
}

int tuf_refresh(struct tuf *t, struct error *err)
{
	int r;

	t->complete = false;
	t->stale_since = 0;
	r = refresh_root(t, err);
	if (r == 0)
		r = refresh_timestamp(t, err);
	if (r == 0)
		r = refresh_listed(t, TUF_TIMESTAMP, TUF_SNAPSHOT, err);
	if (r == 0)
		r = refresh_listed(t, TUF_SNAPSHOT, TUF_TARGETS, err);
	t->complete = r == 0;
	return r;
}

const struct tuf_root *tuf_trusted_root(const struct tuf *t)
{
	return t->root;
}

const struct tuf_role *tuf_trusted(const struct tuf *t, enum tuf_type type)
{
	return t->role[type];
}

bool tuf_is_stale(const struct tuf *t)
{
	return t->stale_since != 0;
}

int64_t tuf_stale_since(const struct tuf *t)
{
	return t->stale_since;
}
