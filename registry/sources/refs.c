/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/refs.h"

#include <dirent.h>
#include <fcntl.h>
#include <git2/refdb.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

static const char heads[] = "refs/heads/";
static const char tags[] = "refs/tags/";

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool is_head(const struct bundle_ref *ref)
{
	return strcmp(ref->name, "HEAD") == 0;
}

static int oid_of(const struct bundle_ref *ref, const char *name, git_oid *out, struct error *err)
{
	if (git_oid_fromstr(out, ref->oid) < 0)
		return error_set(err, E_INVALID, "%s: %s: no object id", name, ref->name);
	return 0;
}

static int check_one(git_repository *repo, const struct bundle_ref *ref, const char *name,
		     struct error *err)
{
	CLEANUP(git_object_freep) git_object *o = NULL;
	int valid = 0;
	git_oid id;
	int r = oid_of(ref, name, &id, err);

	if (r < 0)
		return r;
	if (!is_head(ref) && (!starts(ref->name, "refs/") ||
			      git_reference_name_is_valid(&valid, ref->name) < 0 || !valid))
		return error_set(err, E_INVALID, "%s: %s: no name for a ref", name, ref->name);
	if (git_object_lookup(&o, repo, &id, GIT_OBJECT_ANY) < 0)
		return error_set(err, E_INVALID, "%s: %s: object %s is missing", name, ref->name,
				 ref->oid);
	if ((is_head(ref) || starts(ref->name, heads)) && git_object_type(o) != GIT_OBJECT_COMMIT)
		return error_set(err, E_INVALID, "%s: %s: no commit", name, ref->name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	struct bundle_ref x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return strcmp(x.name, y.name);
}

int refs_check(git_repository *repo, const struct bundle *b, const char *name, struct error *err)
{
	CLEANUP(freep) struct bundle_ref *sorted = calloc(b->n + 1, sizeof(*sorted));
	int r = 0;

	if (!sorted)
		return error_nomem(err);
	if (b->n)
		memcpy(sorted, b->refs, b->n * sizeof(*sorted));
	qsort(sorted, b->n, sizeof(*sorted), by_name);
	for (size_t i = 0; r == 0 && i < b->n; i++) {
		if (i && by_name(&sorted[i - 1], &sorted[i]) == 0)
			return error_set(err, E_INVALID, "%s: %s: given twice", name,
					 sorted[i].name);
		r = check_one(repo, &sorted[i], name, err);
	}
	return r;
}

int refs_may_follow(git_repository *old, git_repository *repo, const struct bundle *b,
		    const char *name, struct error *err)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct bundle_ref *ref = &b->refs[i];
		git_oid is, to;
		int r = oid_of(ref, name, &to, err);

		if (r < 0)
			return r;
		if (is_head(ref) || git_reference_name_to_id(&is, old, ref->name) < 0 ||
		    git_oid_equal(&is, &to))
			continue;
		if (starts(ref->name, tags))
			return error_set(err, E_DENIED, "%s: %s: a tag does not move", name,
					 ref->name);
		if (!starts(ref->name, heads))
			continue;
		r = git_graph_descendant_of(repo, &to, &is);
		if (r < 0)
			return gitlib_error(err, E_INVALID, name);
		if (r == 0)
			return error_set(err, E_DENIED,
					 "%s: %s: does not build on the commit that is there", name,
					 ref->name);
	}
	return 0;
}

/* The branch that HEAD is to name: the one at the bundle's HEAD, else main, else master, else any.
 */
static const char *choose_head(const struct bundle *b)
{
	static const char *const usual[] = {"refs/heads/main", "refs/heads/master"};
	const char *at = NULL, *any = NULL;

	for (size_t i = 0; i < b->n; i++)
		if (is_head(&b->refs[i]))
			at = b->refs[i].oid;
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t u = 0; u < ARRAY_LEN(usual); u++)
			for (size_t i = 0; i < b->n; i++)
				if (strcmp(b->refs[i].name, usual[u]) == 0 &&
				    (!at || strcmp(b->refs[i].oid, at) == 0))
					return b->refs[i].name;
		for (size_t i = 0; i < b->n; i++)
			if (starts(b->refs[i].name, heads) &&
			    (!at || strcmp(b->refs[i].oid, at) == 0))
				any = any ? any : b->refs[i].name;
		if (any)
			return any;
		at = NULL; /* no branch is where the bundle's HEAD is */
	}
	return NULL;
}

int refs_set(git_repository *repo, const struct bundle *b, const char *name, struct error *err)
{
	CLEANUP(git_refdb_freep) git_refdb *db = NULL;
	const char *head = choose_head(b);
	git_oid unused;

	for (size_t i = 0; i < b->n; i++) {
		CLEANUP(git_reference_freep) git_reference *ref = NULL;
		git_oid id;
		int r = oid_of(&b->refs[i], name, &id, err);

		if (r < 0)
			return r;
		if (!is_head(&b->refs[i]) &&
		    git_reference_create(&ref, repo, b->refs[i].name, &id, 1, NULL) < 0)
			return gitlib_error(err, E_INVALID, name);
	}
	if (git_repository_refdb(&db, repo) < 0 || git_refdb_compress(db) < 0)
		return gitlib_error(err, E_SYS, name);
	if (head && git_reference_name_to_id(&unused, repo, "HEAD") < 0 &&
	    git_repository_set_head(repo, head) < 0)
		return gitlib_error(err, E_SYS, name);
	return 0;
}

static int write_ref(const git_reference *ref, void *ctx, struct error *err)
{
	struct buf *out = ctx;
	CLEANUP(git_object_freep) git_object *peeled = NULL;
	const git_oid *id = git_reference_target(ref);
	char hex[GIT_OID_HEXSZ + 1];
	int r;

	r = buf_printf(out, err, "%s\t%s\n", git_oid_tostr(hex, sizeof(hex), id),
		       git_reference_name(ref));
	if (r < 0 || git_reference_peel(&peeled, ref, GIT_OBJECT_ANY) < 0 ||
	    git_oid_equal(git_object_id(peeled), id))
		return r;
	return buf_printf(out, err, "%s\t%s^{}\n",
			  git_oid_tostr(hex, sizeof(hex), git_object_id(peeled)),
			  git_reference_name(ref));
}

int refs_each(git_repository *repo, refs_each_fn each, void *ctx, struct error *err)
{
	CLEANUP(git_reference_iterator_freep) git_reference_iterator *it = NULL;
	int r = 0;

	if (git_reference_iterator_new(&it, repo) < 0)
		return gitlib_error(err, E_SYS, "refs");
	while (r == 0) {
		CLEANUP(git_reference_freep) git_reference *ref = NULL;
		int got = git_reference_next(&ref, it);

		if (got == GIT_ITEROVER)
			break;
		if (got < 0)
			return gitlib_error(err, E_SYS, "refs");
		if (git_reference_target(ref)) /* not symbolic */
			r = each(ref, ctx, err);
	}
	return r;
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int list_packs(int repo, struct buf *out, struct error *err)
{
	CLEANUP(closedirp) DIR *d = NULL;
	int fd = openat(repo, "objects/pack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	int r = 0;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		r = error_errno(err, errno, "objects/pack");
		closep(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (starts(e->d_name, "pack-") && len > 5 &&
		    strcmp(e->d_name + len - 5, ".pack") == 0)
			r = buf_printf(out, err, "P %s\n", e->d_name);
	}
	return r < 0 ? r : buf_puts(out, "\n", err);
}

int refs_dumb(git_repository *repo, const char *path, struct error *err)
{
	CLEANUP(buf_clear) struct buf refs = {0};
	CLEANUP(buf_clear) struct buf packs = {0};
	CLEANUP(closep) int dir = -1;
	int r = file_open_dir(AT_FDCWD, path, false, &dir, err);

	if (r == 0)
		r = list_packs(dir, &packs, err);
	if (r == 0)
		r = refs_each(repo, write_ref, &refs, err);
	if (r == 0)
		r = file_mkdir(dir, "info", 0777, err);
	if (r == 0)
		r = file_mkdir(dir, "objects/info", 0777, err);
	if (r == 0)
		r = file_write(dir, "objects/info/packs", packs.data, packs.len, 0644, err);
	if (r == 0)
		r = file_write(dir, "info/refs", refs.data, refs.len, 0644, err);
	return r;
}
