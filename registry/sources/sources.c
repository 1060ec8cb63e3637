/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/sources.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/git/bundle.h"
#include "registry/sources/gitlib.h"
#include "registry/sources/objects.h"
#include "registry/sources/packscan.h"
#include "registry/sources/refs.h"
#include "registry/sources/warnings.h"

enum { CHUNK = 256 * 1024, INDEX_MAX_S = 3600, PACK_MODE = 0444 };

#define MIB (UINT64_C(1) << 20)

const struct sources_limits sources_defaults = {.objects = 1000000,
						.bytes = 2048 * MIB,
						.object_bytes = 512 * MIB,
						.total_bytes = 65536 * MIB,
						.entries = 2000000,
						.checkout = 16384 * MIB,
						.depth = 256};

/* One bundle on its way in. */
struct intake {
	const struct sources_place *at;
	int fd;
	const char *name;
	const struct sources_limits *limits;
	struct error *err;
	struct bundle bundle;
	uint64_t size;
	uint32_t objects;     /* in its pack */
	char *box;            /* name of the quarantine below at->work */
	char *box_path;       /* its absolute path */
	git_repository *old;  /* NULL: there is none yet */
	git_repository *repo; /* the quarantine, which sees the objects of both */
	char pack[GIT_OID_HEXSZ + 1];
	int64_t deadline;
};

static void intake_clear(struct intake *k)
{
	struct error ignored;

	bundle_clear(&k->bundle);
	git_repository_free(k->repo);
	git_repository_free(k->old);
	if (k->box) /* what stays now is swept when the same repository is next written */
		(void)!file_remove_tree(k->at->work, k->box, &ignored);
	free(k->box);
	free(k->box_path);
}

static int64_t seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec;
}

/* "p/a/source.git" -> "p_a_source.git" + `end`: one name for one repository. */
static int name_beside(const char *repo, const char *end, char **out, struct error *err)
{
	char *name;

	if (asprintf(&name, "%s%s", repo, end) < 0)
		return error_nomem(err);
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	*out = name;
	return 0;
}

static int read_header(struct intake *k)
{
	CLEANUP(buf_clear) struct buf head = {0};
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(k->fd, &st) < 0)
		return error_errno(k->err, errno, "%s", k->name);
	k->size = (uint64_t)st.st_size;
	if (k->size > k->limits->bytes)
		return error_set(k->err, E_INVALID, "%s: %llu bytes, more than %llu", k->name,
				 (unsigned long long)k->size, (unsigned long long)k->limits->bytes);
	r = buf_reserve(&head, BUNDLE_HEADER_MAX, k->err);
	if (r < 0)
		return r;
	n = pread(k->fd, head.data, BUNDLE_HEADER_MAX, 0);
	if (n < 0)
		return error_errno(k->err, errno, "%s", k->name);
	r = bundle_parse(head.data, (size_t)n, &k->bundle, k->err);
	return r < 0 ? error_prefix(k->err, r, "%s", k->name) : 0;
}

static int open_old(struct intake *k)
{
	struct error err = {0};
	int r = gitlib_open(k->at->dir, k->at->repo, &k->old, &err);

	if (r < 0 && r != E_NOTFOUND) {
		*k->err = err;
		return r;
	}
	for (size_t i = 0; i < k->bundle.nprerequisites; i++) {
		CLEANUP(git_commit_freep) git_commit *commit = NULL;
		git_oid id;

		if (!k->old || git_oid_fromstr(&id, k->bundle.prerequisites[i]) < 0 ||
		    git_commit_lookup(&commit, k->old, &id) < 0)
			return error_set(k->err, E_INVALID,
					 "%s: builds on commit %s, which is not here", k->name,
					 k->bundle.prerequisites[i]);
	}
	return 0;
}

/* A repository of its own for what is not checked yet; it sees the objects of the old one. */
static int open_box(struct intake *k)
{
	CLEANUP(closep) int dir = -1;
	int r = name_beside(k->at->repo, ".quarantine", &k->box, k->err);

	if (r == 0)
		r = file_remove_tree(k->at->work, k->box, k->err);
	if (r == 0)
		r = file_open_dir(k->at->work, k->box, true, &dir, k->err);
	if (r == 0)
		r = gitlib_path(k->at->work, k->box, &k->box_path, k->err);
	if (r == 0 && k->old) {
		CLEANUP(buf_clear) struct buf text = {0};

		r = buf_printf(&text, k->err, "%sobjects\n", git_repository_path(k->old));
		if (r == 0)
			r = file_mkdir(dir, "objects/info", 0777, k->err);
		if (r == 0)
			r = file_write(dir, "objects/info/alternates", text.data, text.len, 0600,
				       k->err);
	}
	if (r < 0)
		return r;
	if (git_repository_init(&k->repo, k->box_path, 1) < 0)
		return gitlib_error(k->err, E_SYS, k->name);
	return 0;
}

static int still_in_time(const git_indexer_progress *unused, void *ctx)
{
	const struct intake *k = ctx;

	(void)unused;
	return seconds() < k->deadline ? 0 : GIT_EUSER;
}

/*
 * Index the pack: libgit2 names each object by the digest of its content. Its own
 * check that none is missing takes a submodule's commit for one that is (1.5.1),
 * so it is left off; objects_check() does that, and more.
 */
static int index_pack(struct intake *k)
{
	CLEANUP(git_indexer_freep) git_indexer *x = NULL;
	CLEANUP(git_odb_freep) git_odb *odb = NULL;
	CLEANUP(buf_clear) struct buf folder = {0};
	CLEANUP(freep) char *chunk = malloc(CHUNK);
	git_indexer_options options = {.version = GIT_INDEXER_OPTIONS_VERSION,
				       .progress_cb = still_in_time,
				       .progress_cb_payload = k};
	git_indexer_progress progress = {0};
	off_t at = (off_t)k->bundle.pack_offset;

	if (!chunk || buf_printf(&folder, k->err, "%s/objects/pack", k->box_path) < 0)
		return error_nomem(k->err);
	k->deadline = seconds() + INDEX_MAX_S;
	if (git_repository_odb(&odb, k->repo) < 0 ||
	    git_indexer_new(&x, folder.data, PACK_MODE, odb, &options) < 0)
		return gitlib_error(k->err, E_SYS, k->name);
	for (;;) {
		ssize_t n = pread(k->fd, chunk, CHUNK, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(k->err, errno, "%s", k->name);
		if (n == 0)
			break;
		at += n;
		if (git_indexer_append(x, chunk, (size_t)n, &progress) < 0)
			return gitlib_error(k->err, E_INVALID, k->name);
	}
	if (git_indexer_commit(x, &progress) < 0)
		return gitlib_error(k->err, E_INVALID, k->name);
	(void)git_oid_tostr(k->pack, sizeof(k->pack), git_indexer_hash(x));
	if (git_odb_refresh(odb) < 0)
		return gitlib_error(k->err, E_SYS, k->name);
	return 0;
}

static int check_objects(struct intake *k)
{
	CLEANUP(buf_clear) struct buf index = {0};
	int r = buf_printf(&index, k->err, "%s/objects/pack/pack-%s.idx", k->box_path, k->pack);

	return r < 0 ? r : objects_check(k->repo, index.data, k->name, k->limits, k->err);
}

static int check(struct intake *k)
{
	int r = packscan(k->fd, k->bundle.pack_offset, k->name, k->limits, &k->objects, k->err);

	if (r == 0)
		r = open_old(k);
	if (r == 0)
		r = open_box(k);
	if (r == 0 && k->objects) {
		r = index_pack(k);
		if (r == 0)
			r = check_objects(k);
	}
	if (r == 0)
		r = refs_check(k->repo, &k->bundle, k->name, k->err);
	if (r == 0 && k->old)
		r = refs_may_follow(k->old, k->repo, &k->bundle, k->name, k->err);
	return r;
}

static int report_on(struct intake *k, json_t **out)
{
	CLEANUP(freep) git_oid *tips = calloc(k->bundle.n + 1, sizeof(*tips));
	json_t *list = NULL;
	bool truncated = false;
	int r = tips ? 0 : error_nomem(k->err);

	for (size_t i = 0; r == 0 && i < k->bundle.n; i++)
		if (git_oid_fromstr(&tips[i], k->bundle.refs[i].oid) < 0)
			r = error_set(k->err, E_INVALID, "%s: no object id", k->name);
	if (r == 0)
		r = warnings_find(k->repo, tips, k->bundle.n, &list, &truncated, k->err);
	if (r < 0)
		return r;
	*out = json_pack("{s:I, s:I, s:o, s:b}", "objects", (json_int_t)k->objects, "refs",
			 (json_int_t)k->bundle.n, "warnings", list, "truncated", (int)truncated);
	return *out ? 0 : error_nomem(k->err);
}

/* The first bundle: all is made in the quarantine, which then becomes the repository. */
static int publish_new(struct intake *k)
{
	CLEANUP(closep) int box = -1;
	int r = refs_set(k->repo, &k->bundle, k->name, k->err);

	if (r == 0)
		r = refs_dumb(k->repo, k->box_path, k->err);
	if (r == 0)
		r = file_open_dir(k->at->work, k->box, false, &box, k->err);
	if (r < 0)
		return r;
	if (syncfs(box) < 0 || renameat(k->at->work, k->box, k->at->dir, k->at->repo) < 0)
		return error_errno(k->err, errno, "%s", k->at->repo);
	return file_sync_parent(k->at->dir, k->at->repo, k->err);
}

static int move_pack(struct intake *k, int to, const char *end)
{
	CLEANUP(closep) int box = -1;
	char path[sizeof(k->pack) + 32];
	int r = file_open_dir(k->at->work, k->box, false, &box, k->err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "objects/pack/pack-%s.%s", k->pack, end);
	if (renameat(box, path, to, path) < 0)
		return error_errno(k->err, errno, "%s", path);
	return file_sync_parent(to, path, k->err);
}

/* A later one: the pack before its index, which makes it count; then refs; then what lists them. */
static int publish_more(struct intake *k)
{
	CLEANUP(closep) int repo = -1;
	int r = file_open_dir(k->at->dir, k->at->repo, false, &repo, k->err);

	if (r == 0 && k->objects) {
		r = move_pack(k, repo, "pack");
		if (r == 0)
			r = move_pack(k, repo, "idx");
	}
	if (r == 0 && k->objects) {
		git_repository_free(k->old); /* it would not see the new pack yet */
		k->old = NULL;
		r = gitlib_open(k->at->dir, k->at->repo, &k->old, k->err);
	}
	if (r == 0)
		r = refs_set(k->old, &k->bundle, k->name, k->err);
	if (r == 0)
		r = refs_dumb(k->old, git_repository_path(k->old), k->err);
	return r;
}

int sources_add_bundle(const struct sources_place *at, int fd, const char *name,
		       const struct sources_limits *limits, json_t **report, struct error *err)
{
	CLEANUP(gitlib_stop) struct gitlib lib = {0};
	CLEANUP(closep) int lock = -1;
	CLEANUP(freep) char *lock_name = NULL;
	CLEANUP(intake_clear)
	struct intake k = {.at = at,
			   .fd = fd,
			   .name = name,
			   .limits = limits ? limits : &sources_defaults,
			   .err = err};
	json_t *said = NULL;
	int r = gitlib_start(&lib, err);

	if (r == 0)
		r = name_beside(at->repo, ".lock", &lock_name, err);
	if (r == 0)
		r = file_lock(at->work, lock_name, true, &lock, err);
	if (r == 0)
		r = read_header(&k);
	if (r == 0)
		r = check(&k);
	if (r == 0)
		r = report_on(&k, &said);
	if (r == 0)
		r = k.old ? publish_more(&k) : publish_new(&k);
	if (r == 0 && report)
		*report = steal(said);
	json_decref(said);
	return r;
}

/* The commit (or other object) behind a ref, through any tags; false: there is none. */
static bool peel(const git_reference *ref, char out[COMMIT_HEX_SIZE])
{
	CLEANUP(git_object_freep) git_object *o = NULL;

	if (git_reference_peel(&o, ref, GIT_OBJECT_ANY) < 0)
		return false;
	(void)git_oid_tostr(out, COMMIT_HEX_SIZE, git_object_id(o));
	return true;
}

struct compare {
	const json_t *refs;
	size_t found;
};

static int compare_one(const git_reference *ref, void *ctx, struct error *err)
{
	struct compare *c = ctx;
	const char *name = git_reference_name(ref);
	const char *want =
		json_string_value(json_object_get(json_object_get(c->refs, name), "commit"));
	char id[COMMIT_HEX_SIZE], commit[COMMIT_HEX_SIZE];

	if (!want)
		return error_set(err, E_UNTRUSTED, "%s: is not in the manifest", name);
	(void)git_oid_tostr(id, sizeof(id), git_reference_target(ref));
	if (strcmp(want, id) != 0 && (!peel(ref, commit) || strcmp(want, commit) != 0))
		return error_set(err, E_UNTRUSTED, "%s: the manifest has commit %.40s, this is %s",
				 name, want, id);
	c->found++;
	return 0;
}

int sources_compare_refs(int dir, const char *repo, const json_t *refs, struct error *err)
{
	CLEANUP(gitlib_stop) struct gitlib lib = {0};
	CLEANUP(git_repository_freep) git_repository *git = NULL;
	struct compare c = {.refs = refs};
	json_t *borrowed;
	const char *name;
	json_t *unused;
	int r = gitlib_start(&lib, err);

	if (r == 0)
		r = gitlib_open(dir, repo, &git, err);
	if (r == 0)
		r = refs_each(git, compare_one, &c, err);
	if (r < 0)
		return r;
	borrowed = (json_t *)(uintptr_t)refs; /* jansson asks for one that it may change */
	json_object_foreach(borrowed, name, unused)
	{
		CLEANUP(git_reference_freep) git_reference *ref = NULL;

		if (strcmp(name, "HEAD") != 0 && git_reference_lookup(&ref, git, name) < 0)
			return error_set(err, E_UNTRUSTED,
					 "%s: is in the manifest and in no bundle", name);
	}
	return 0;
}

struct reach {
	git_oid *tips;
	size_t n, cap;
};

static void reach_clear(struct reach *w)
{
	free(w->tips);
}

static int add_tip(const git_reference *ref, void *ctx, struct error *err)
{
	struct reach *w = ctx;
	CLEANUP(git_object_freep) git_object *o = NULL;

	if (git_reference_peel(&o, ref, GIT_OBJECT_COMMIT) < 0)
		return 0; /* a tag of a tree leads to no commit */
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		git_oid *tips = realloc(w->tips, cap * sizeof(*tips));

		if (!tips)
			return error_nomem(err);
		w->tips = tips;
		w->cap = cap;
	}
	w->tips[w->n++] = *git_object_id(o);
	return 0;
}

int sources_has_commit(int dir, const char *repo, const char *commit, bool *out, struct error *err)
{
	CLEANUP(gitlib_stop) struct gitlib lib = {0};
	CLEANUP(git_repository_freep) git_repository *git = NULL;
	CLEANUP(git_commit_freep) git_commit *found = NULL;
	CLEANUP(reach_clear) struct reach w = {0};
	git_oid id;
	int r = gitlib_start(&lib, err);

	if (r < 0)
		return r;
	if (strlen(commit) != COMMIT_HEX || git_oid_fromstr(&id, commit) < 0)
		return error_set(err, E_INVALID, "%.60s: no commit id", commit);
	r = gitlib_open(dir, repo, &git, err);
	if (r == E_NOTFOUND || (r == 0 && git_commit_lookup(&found, git, &id) < 0)) {
		*out = false;
		return 0;
	}
	if (r == 0)
		r = refs_each(git, add_tip, &w, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < w.n; i++)
		if (git_oid_equal(&w.tips[i], &id)) {
			*out = true;
			return 0;
		}
	r = w.n ? git_graph_reachable_from_any(git, &id, w.tips, w.n) : 0;
	if (r < 0)
		return gitlib_error(err, E_SYS, repo);
	*out = r == 1;
	return 0;
}

int sources_head(int dir, const char *repo, char out[COMMIT_HEX_SIZE], struct error *err)
{
	CLEANUP(gitlib_stop) struct gitlib lib = {0};
	CLEANUP(git_repository_freep) git_repository *git = NULL;
	git_oid id;
	int r = gitlib_start(&lib, err);

	if (r == 0)
		r = gitlib_open(dir, repo, &git, err);
	if (r < 0)
		return r;
	if (git_reference_name_to_id(&id, git, "HEAD") < 0)
		return gitlib_error(err, E_NOTFOUND, repo);
	(void)git_oid_tostr(out, COMMIT_HEX_SIZE, &id);
	return 0;
}
