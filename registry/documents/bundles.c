/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/bundles.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "registry/blobs/blobs.h"
#include "registry/sources/sources.h"

static const char prefix[] = "source/", suffix[] = ".bundle";

bool bundles_is(const char *path)
{
	size_t len = strlen(path);

	return len > strlen(prefix) + strlen(suffix) &&
	       strncmp(path, prefix, strlen(prefix)) == 0 &&
	       strcmp(path + len - strlen(suffix), suffix) == 0;
}

/* The digest of a bundle that is new in this offer; NULL: it is none, or an old one. */
static const char *new_bundle(const struct offer *o, const char *path, const json_t *entry)
{
	if (!bundles_is(path) ||
	    (o->previous && json_equal(json_object_get(o->previous, path), entry)))
		return NULL;
	return json_string_value(json_object_get(json_object_get(entry, "hashes"), "sha256"));
}

static int any_missing(const struct offer *o, bool *missing, struct error *err)
{
	const char *path;
	json_t *entry;

	*missing = false;
	json_object_foreach((json_t *)(uintptr_t)o->targets, path, entry)
	{
		const char *sha256 = new_bundle(o, path, entry);
		struct error none;
		int64_t size;
		int r = sha256 ? store_blob(o->b->w->store, sha256, &size, &none) : 0;

		if (r == E_NOTFOUND)
			*missing = true;
		else if (r < 0)
			return error_set(err, r, "%s", none.text);
	}
	return 0;
}

static int add_one(const struct offer *o, const char *path, const char *sha256, struct error *err)
{
	char repo[PATH_SIZE], blob[BLOB_PATH_SIZE];
	CLEANUP(closep) int work = -1;
	CLEANUP(closep) int fd = -1;
	int r;

	blob_path(sha256, blob);
	fd = openat(o->b->w->r->data, blob, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "%s", blob);
	(void)snprintf(repo, sizeof(repo), "p/%s/source.git", o->b->product);
	r = file_open_dir(o->b->w->r->data, "uploads", false, &work, err);
	if (r < 0)
		return r;
	const struct sources_place at = {o->b->w->r->public, repo, work};
	r = sources_add_bundle(&at, fd, path, NULL, NULL, err);
	return r < 0 ? error_prefix(err, r, "%s", o->it->name) : 0;
}

/* The index says which commit is the newest. */
static int note_head(const struct offer *o, struct error *err)
{
	char repo[PATH_SIZE], head[COMMIT_HEX_SIZE];
	int r;

	(void)snprintf(repo, sizeof(repo), "p/%s/source.git", o->b->product);
	r = sources_head(o->b->w->r->public, repo, head, err);
	if (r == 0)
		r = store_product_head(o->b->w->store, o->b->product, head, err);
	return r < 0 ? r : work_touch(o->b->w, o->b->product, err);
}

int bundles_add(const struct offer *o, bool *missing, struct error *err)
{
	const char *path;
	json_t *entry;
	bool added = false;
	int r = any_missing(o, missing, err);

	/* A vendor's own sources are its own: they come with a deposit. */
	if (r < 0 || *missing || o->kind != PUBLISHER_STEWARDS || o->it->state == ITEM_PROPOSAL)
		return r;
	json_object_foreach((json_t *)(uintptr_t)o->targets, path, entry)
	{
		const char *sha256 = new_bundle(o, path, entry);

		if (!sha256)
			continue;
		r = add_one(o, path, sha256, err);
		if (r < 0)
			return r;
		added = true;
	}
	return added ? note_head(o, err) : 0;
}
