/* SPDX-License-Identifier: Apache-2.0 */
/* What work.h says of drafts. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "lib/tuf/repo.h"
#include "lib/tuf/review.h"
#include "registry/publish/work.h"

enum { FILE_MODE = 0644 };

/* --- in the folder --------------------------------------------------------------- */

static bool is_top(const char *role)
{
	return strcmp(role, "targets") == 0;
}

static int delegated_file(const char *role, struct buf *out, struct error *err)
{
	CLEANUP(freep) char *quoted = NULL;
	int r = tuf_quote(role, false, &quoted, err);

	return r < 0 ? r : buf_printf(out, err, "draft.%s.json", quoted);
}

static int draft_file(const char *role, struct buf *out, struct error *err)
{
	return is_top(role) ? buf_puts(out, "draft.json", err) : delegated_file(role, out, err);
}

static struct draft *find_draft(const struct work *w, const char *role)
{
	struct draft *d = w->drafts;

	while (d && strcmp(d->role, role) != 0)
		d = d->next;
	return d;
}

static void draft_free(struct draft *d)
{
	if (!d)
		return;
	envelope_free(d->doc);
	free(d->role);
	free(d);
}
DEFINE_CLEANUP(struct draft *, draft_free)

static struct draft *new_draft(const char *role)
{
	CLEANUP(draft_freep) struct draft *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->role = strdup(role);
	return d->role ? steal(d) : NULL;
}

/* Put a draft in the place of the one there is; the top-level one is the first. */
static int keep_draft(struct work *w, const char *role, struct envelope *doc_take,
		      struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = doc_take;
	struct draft *d = find_draft(w, role), **at = &w->drafts;

	if (!d) {
		d = new_draft(role);
		if (!d)
			return error_nomem(err);
		while (!is_top(role) && *at)
			at = &(*at)->next;
		d->next = *at;
		*at = d;
	}
	envelope_free(d->doc);
	d->doc = steal(doc);
	return 0;
}

/* The role that a draft says it is of: "targets" if it does not say. */
static const char *role_of(const struct envelope *doc)
{
	const json_t *x = json_object_get(envelope_signed(doc), "x-bequest");
	const char *role = json_string_value(json_object_get(x, "role"));

	return role ? role : "targets";
}

static int read_draft(struct work *w, const char *file, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf name = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	const char *role;
	int r = file_read(w->dir, file, TUF_TARGETS_MAX, &text, err);

	if (r == 0)
		r = envelope_parse(text.data, text.len, file, &doc, err);
	if (r < 0)
		return r == E_INVALID ? error_prefix(err, E_USAGE, "work folder") : r;
	role = role_of(doc);
	r = draft_file(role, &name, err);
	if (r == 0 && strcmp(name.data, file) != 0)
		return error_set(err, E_USAGE, "%s: is a draft of the %.80s role: call it %s", file,
				 role, name.data);
	return r < 0 ? r : keep_draft(w, role, steal(doc), err);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

int work_read_drafts(struct work *w, struct error *err)
{
	int fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = error_errno(err, errno, "work folder");
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	for (const struct dirent *e = readdir(dir); r == 0 && e; e = readdir(dir)) {
		size_t len = strlen(e->d_name), end = strlen(".json");

		if (strncmp(e->d_name, "draft.", 6) == 0 && len > end &&
		    strcmp(e->d_name + len - end, ".json") == 0)
			r = read_draft(w, e->d_name, err);
	}
	return r;
}

void work_free_drafts(struct work *w)
{
	while (w->drafts) {
		struct draft *d = w->drafts;

		w->drafts = d->next;
		draft_free(d);
	}
}

int work_published(struct work *w, const char *role, const struct tuf_role **out, struct error *err)
{
	const struct tuf_role *top = tuf_trusted(w->tuf, TUF_TARGETS);
	struct tuf_delegated delegated;
	int r;

	if (!top)
		return error_set(err, E_NOTFOUND, "no targets are published under this root");
	if (is_top(role)) {
		*out = top;
		return 0;
	}
	r = tuf_delegated(w->tuf, role, &delegated, err);
	if (r == 0)
		*out = delegated.role;
	return r;
}

/* --- made and edited ----------------------------------------------------------------- */

struct envelope *work_draft(const struct work *w, const char *role)
{
	const struct draft *d = find_draft(w, role);

	return d ? d->doc : NULL;
}

int work_edit(const struct work *w, const char *role, json_t **out, struct error *err)
{
	const struct envelope *doc = work_draft(w, role);

	if (!doc)
		return error_set(err, E_USAGE,
				 "no draft of the %s role in this folder; bequest-publish "
				 "checkout%s%s makes one",
				 role, is_top(role) ? "" : " --role ", is_top(role) ? "" : role);
	*out = json_clone(envelope_signed(doc));
	return *out ? 0 : error_nomem(err);
}

int work_save_draft(const struct work *w, const char *role, struct error *err)
{
	const struct buf *bytes = envelope_bytes(work_draft(w, role));
	CLEANUP(buf_clear) struct buf name = {0};
	int r = draft_file(role, &name, err);

	return r < 0 ? r : file_write(w->dir, name.data, bytes->data, bytes->len, FILE_MODE, err);
}

int work_drop_draft(struct work *w, const char *role, struct error *err)
{
	CLEANUP(buf_clear) struct buf name = {0};
	struct draft **at = &w->drafts;
	int r = draft_file(role, &name, err);

	if (r == 0)
		r = file_remove(w->dir, name.data, err);
	while (r == 0 && *at && strcmp((*at)->role, role) != 0)
		at = &(*at)->next;
	if (r == 0 && *at) {
		struct draft *gone = *at;

		*at = gone->next;
		draft_free(gone);
	}
	return r;
}

/* As clients will read it. */
static int review(const char *role, const struct envelope *doc, struct error *err)
{
	const struct buf *bytes = envelope_bytes(doc);
	CLEANUP(tuf_role_freep) struct tuf_role *read = NULL;
	struct error why = {0};
	int r = tuf_role_parse(bytes->data, bytes->len, TUF_TARGETS, role, &read, &why);

	if (r == 0) {
		r = review_targets(read, 0, utc_now(), &why);
		if (r == E_INVALID)
			return error_set(err, E_USAGE, "%s: %s", role, why.text);
	}
	return r < 0 ? error_set(err, r == E_INVALID ? E_USAGE : r, "%s", why.text) : 0;
}

int work_set_draft(struct work *w, const char *role, json_t *signed_take, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	int r = envelope_new(signed_take, &doc, err);

	if (r == 0)
		r = review(role, doc, err);
	if (r == 0)
		r = keep_draft(w, role, steal(doc), err);
	return r < 0 ? r : work_save_draft(w, role, err);
}

/* So that nobody has to guess whose it is: signed["x-bequest"].role. */
static int name_role(json_t *body, const char *role, struct error *err)
{
	json_t *own = json_object_get(body, "x-bequest");

	if (is_top(role))
		return 0;
	if (!json_is_object(own)) {
		own = json_object();
		if (!own || json_object_set_new(body, "x-bequest", own) < 0)
			return error_nomem(err);
	}
	return json_object_set_new(own, "role", json_string(role)) < 0 ? error_nomem(err) : 0;
}

/* The version after the last one of a role that nobody delegates to any more. */
static int64_t version_after(const struct work *w, const char *role)
{
	const struct tuf_role *snapshot = tuf_trusted(w->tuf, TUF_SNAPSHOT);
	CLEANUP(buf_clear) struct buf file = {0};
	struct tuf_meta meta = {0};
	struct error none = {0};

	if (!snapshot || buf_printf(&file, &none, "%s.json", role) < 0 ||
	    tuf_role_meta(snapshot, file.data, &meta, &none) < 0)
		return 0;
	return meta.version + 1;
}

int work_start(struct work *w, const char *role, int64_t first_version, struct error *err)
{
	CLEANUP(json_decrefp) json_t *body = NULL;
	const struct tuf_role *published = NULL;
	struct error none = {0};
	int64_t now = utc_now();
	int r = work_published(w, role, &published, &none);

	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	if (r == 0)
		r = repo_signed_next(published->doc, now, TUF_TARGETS_DAYS, &body, err);
	else
		r = repo_signed_new(TUF_TARGETS, w->product,
				    version_after(w, role) ? version_after(w, role) : first_version,
				    now, &body, err);
	if (r == 0)
		r = name_role(body, role, err);
	return r < 0 ? r : work_set_draft(w, role, steal(body), err);
}

int work_body(struct work *w, const char *role, json_t **out, struct error *err)
{
	const struct envelope *draft = work_draft(w, role);
	const struct tuf_role *published = NULL;
	int r = 0;

	if (!draft) {
		r = work_published(w, role, &published, err);
		draft = r == 0 ? published->doc : NULL;
	}
	if (r == 0)
		*out = json_incref(envelope_signed(draft));
	return r;
}

static int load_body(void *ctx, const char *role, const struct descent *at, json_t **out,
		     struct error *err)
{
	(void)at;
	return work_body(ctx, role, out, err);
}

int work_lineage(struct work *w, struct lineage **out, struct error *err)
{
	return lineage_new(load_body, w, out, err);
}

int work_keys(struct work *w, const char *role, struct role_keys *out, struct error *err)
{
	const struct tuf_root *root = tuf_trusted_root(w->tuf);
	const json_t *body = envelope_signed(root->doc);
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct descent *at = NULL;
	struct error none = {0};
	int r;

	if (is_top(role))
		return role_keys_parse(
			json_object_get(body, "keys"),
			json_object_get(json_object_get(json_object_get(body, "roles"), "targets"),
					"keyids"),
			root->role[TUF_TARGETS].threshold, "signed.keys", out, err);
	r = work_lineage(w, &lineage, err);
	if (r < 0)
		return r;
	r = lineage_find(lineage, role, &at, &none);
	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE, "%s: nobody delegates to this role", role);
	return r < 0 ? error_set(err, r, "%s", none.text) : delegation_keys(at->d, out, err);
}
