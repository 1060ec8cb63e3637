/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/publish/channel.h"

#include "lib/base/error.h"

/* Is everyone on the way down to the role trusted for the path? */
static int check_way(struct work *w, const char *role, const char *path, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct descent *at = NULL;
	size_t effort = DELEGATION_EFFORT;
	struct error none = {0};
	bool known = false;
	int r;

	if (strcmp(role, "targets") == 0)
		return 0;
	r = work_lineage(w, &lineage, err);
	if (r < 0)
		return r;
	for (;;) {
		r = lineage_find(lineage, role, &at, &none);
		if (r == E_NOTFOUND && known)
			return error_set(err, E_USAGE,
					 "%s: is not among the paths that are delegated to %s",
					 path, role);
		if (r == E_NOTFOUND)
			return error_set(err, E_USAGE, "--role: %s: nobody delegates to this role",
					 role);
		if (r < 0)
			return error_set(err, r, "%s", none.text);
		if (descent_trusts(at, path, &effort))
			return 0;
		r = delegation_effort_left(effort, err);
		if (r < 0)
			return error_prefix(err, r, "--role: %s", role);
		known = true;
	}
}

/* The hash bin below `role` that the path falls into; NULL: it delegates to none. */
static int find_bin(struct work *w, const char *role, const char *path, char **out,
		    struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	CLEANUP(json_decrefp) json_t *body = NULL;
	struct error none = {0};
	int r = work_body(w, role, &body, &none);

	*out = NULL;
	if (r == E_NOTFOUND) /* whoever lists the file says so */
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	r = delegations_for(json_object_get(body, "delegations"), path, &list, err);
	if (r < 0 || !list || !list->bits)
		return r;
	*out = strdup(list->name);
	return *out ? 0 : error_nomem(err);
}

int channel_for(struct work *w, const char *role, const char *path, struct buf *out,
		struct error *err)
{
	CLEANUP(freep) char *bin = NULL;
	int r = work_trust(w, false, err);

	if (r == 0)
		r = check_way(w, role, path, err);
	if (r == 0)
		r = find_bin(w, role, path, &bin, err);
	if (r == 0 && bin && !work_draft(w, bin))
		r = work_start(w, bin, 1, err);
	return r < 0 ? r : buf_puts(out, bin ? bin : role, err);
}

/* Does the metadata of a role need a next version, or a first one, for this delegation? */
static int needs_draft(struct work *w, const struct delegation *d, bool *out, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	const struct envelope *draft = work_draft(w, d->name);
	const struct tuf_role *published = NULL;
	struct error none = {0};
	int r = work_published(w, d->name, &published, &none);

	*out = r == E_NOTFOUND && !draft;
	if (r == E_NOTFOUND)
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (draft && envelope_version(draft) > published->version)
		return 0;
	r = delegation_keys(d, &keys, err);
	if (r == 0)
		*out = envelope_verify(published->doc, &keys, "its role", &none) < 0;
	return r;
}

int channel_follow(struct work *w, const char *parent, json_t **out, struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	CLEANUP(json_decrefp) json_t *started = json_array();
	CLEANUP(json_decrefp) json_t *body = NULL;
	int r = work_body(w, parent, &body, err);

	if (r == 0)
		r = delegations_for(json_object_get(body, "delegations"), NULL, &list, err);
	for (const struct delegation *d = list; r == 0 && d; d = d->next) {
		bool needed = false;

		r = needs_draft(w, d, &needed, err);
		if (r == 0 && needed)
			r = work_start(w, d->name, 1, err);
		if (r == 0 && needed && json_array_append_new(started, json_string(d->name)) < 0)
			r = error_nomem(err);
	}
	if (r < 0)
		return r;
	if (!started)
		return error_nomem(err);
	*out = steal(started);
	return 0;
}
