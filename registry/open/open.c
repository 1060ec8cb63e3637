/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/open/open.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/base/proc.h"
#include "registry/documents/bundles.h"
#include "registry/open/case.h"
#include "registry/open/sharebox.h"
#include "registry/registry.h"
#include "registry/sources/sources.h"

#define WORK "work/open" /* below the data folder; gone when nothing is being opened */
#define WORKER "bequest-escrow"

enum { WORKER_MS = 3600 * 1000 };

/* One deposit being opened. */
struct opening {
	struct registry *registry;
	const atomic_bool *stop;
	int data, tree, work;
	struct deposit_case c;
	struct share_list shares;
	const char *id;
};

static void opening_clear(struct opening *o)
{
	struct error unused;

	share_list_clear(&o->shares);
	case_close(&o->c);
	if (o->work >= 0)
		(void)!file_remove_tree(o->data, WORK, &unused);
	closep(&o->work);
}

/* The worker lies beside us, wherever that is; else PATH knows it. */
static int worker_path(char **out, struct error *err)
{
	char *self = realpath("/proc/self/exe", NULL);
	char *slash = self ? strrchr(self, '/') : NULL;
	char *beside = NULL;

	if (slash) {
		*slash = '\0';
		if (asprintf(&beside, "%s/" WORKER, self) < 0)
			beside = NULL;
	}
	free(self);
	if (beside && access(beside, X_OK) != 0) {
		free(beside);
		beside = NULL;
	}
	*out = beside ? beside : strdup(WORKER);
	return *out ? 0 : error_nomem(err);
}

/* Where something below a descriptor is, for a program that takes paths. */
static int path_below(int dir, const char *path, char **out, struct error *err)
{
	char at[PATH_SIZE + 40];

	(void)snprintf(at, sizeof(at), "/proc/self/fd/%d/%s", dir, path);
	*out = realpath(at, NULL);
	return *out ? 0 : error_errno(err, errno, "%s", path);
}

/* "<number> <base64>\n" for each; at most 255 lines fit a pipe, so nobody need read yet. */
static int write_shares(const struct opening *o, int fd, struct error *err)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	int r = buf_reserve(&text, o->shares.n * BASE64_LEN(SHARE_LEN + 8), err);

	for (size_t i = 0; r == 0 && i < o->shares.n; i++) {
		r = buf_printf(&text, err, "%" PRId64 " ", o->shares.list[i].number);
		if (r == 0)
			r = base64_encode(o->shares.list[i].bytes, SHARE_LEN, &text, err);
		if (r == 0)
			r = buf_puts(&text, "\n", err);
	}
	return r < 0 ? r : file_write_all(fd, text.data, text.len, "shares", err);
}

/* What the worker said last is why it failed. */
static int complain(int log, int r, struct error *err)
{
	char text[ERROR_TEXT_MAX / 2];
	off_t size = lseek(log, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = pread(log, text, sizeof(text) - 1, from);
	char *line;

	if (n <= 0)
		return r;
	text[n] = '\0';
	while (n && text[n - 1] == '\n')
		text[--n] = '\0';
	line = strrchr(text, '\n');
	return error_set(err, r, "%s", line ? line + 1 : text);
}

/* A process of its own opens the deposit: whatever is in there, it is not in our memory. */
static int run_worker(const struct opening *o, struct error *err)
{
	CLEANUP(freep) char *program = NULL;
	CLEANUP(freep) char *deposit = NULL;
	CLEANUP(freep) char *root = NULL;
	CLEANUP(freep) char *work = NULL;
	CLEANUP(closep) int from = -1;
	CLEANUP(closep) int to = -1;
	CLEANUP(closep) int log = openat(o->work, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	const char *args[] = {NULL, "open",          NULL,     "--to",   "out", "--shares-fd",
			      "3",  "--compartment", "public", "--root", NULL,  NULL};
	struct proc_spec spec = PROC_SPEC(args);
	char path[PATH_SIZE];
	int ends[2] = {-1, -1};
	pid_t pid = 0;
	int r = log < 0 ? error_errno(err, errno, "log of the worker") : worker_path(&program, err);

	(void)snprintf(path, sizeof(path), "p/%s/deposits/%s", o->c.product, o->id);
	if (r == 0)
		r = path_below(o->tree, path, &deposit, err);
	(void)snprintf(path, sizeof(path), "p/%s/metadata/%" PRId64 ".root.json", o->c.product,
		       o->c.deposit.follows_version);
	if (r == 0)
		r = path_below(o->tree, path, &root, err);
	if (r == 0)
		r = path_below(o->work, ".", &work, err);
	if (r == 0 && pipe2(ends, O_CLOEXEC) < 0)
		r = error_errno(err, errno, "pipe");
	if (r < 0)
		return r;
	from = ends[0];
	to = ends[1];
	args[0] = program;
	args[2] = deposit;
	args[10] = root;
	spec.folder = work;
	spec.out = log;
	spec.err = log;
	spec.extra = from;
	r = write_shares(o, to, err);
	if (r == 0)
		r = proc_start(&spec, &pid, err);
	closep(&to);
	to = -1;
	if (r < 0)
		return r;
	r = proc_wait_for(pid, WORKER, WORKER_MS, o->stop, err);
	return r < 0 && r != E_BUSY ? complain(log, r, err) : r;
}

/* One item as the manifest lists it, from what the worker left. */
static int copy_item(const struct opening *o, const json_t *item, struct error *err)
{
	const char *path = json_string_value(json_object_get(item, "path"));
	const char *want = json_string_value(json_object_get(item, "sha256"));
	CLEANUP(buf_clear) struct buf from = {0};
	CLEANUP(buf_clear) struct buf to = {0};
	CLEANUP(closep) int fd = -1;
	char got[SHA256_HEX_SIZE];
	char *slash;
	int r;

	if (!path || !want || !file_path_ok(path))
		return error_set(err, E_INVALID, "items: not as a manifest has them");
	r = buf_printf(&from, err, "out/%s", path);
	if (r == 0)
		r = buf_printf(&to, err, "items/%s", path);
	if (r < 0)
		return r;
	fd = openat(o->work, from.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	r = digest_fd(fd, -1, got, err);
	if (r == 0 && strcmp(got, want) != 0)
		r = error_set(err, E_UNTRUSTED, "%s: digest does not match the manifest", path);
	assert(to.data);
	slash = strrchr(to.data, '/');
	assert(slash); /* of "items/" */
	*slash = '\0';
	if (r == 0)
		r = file_mkdir(o->work, to.data, 0755, err);
	*slash = '/';
	return r < 0 ? r : file_copy(o->work, from.data, o->work, to.data, 0644, err);
}

/* All items at once, under deposits/<id>/open/. */
static int publish_items(const struct opening *o, struct error *err)
{
	char path[PATH_SIZE];
	const json_t *item;
	size_t i;
	int r;

	(void)snprintf(path, sizeof(path), "p/%s/deposits/%s/open", o->c.product, o->id);
	if (file_exists(o->tree, path))
		return 0;
	r = file_mkdir(o->work, "items", 0755, err);
	json_array_foreach(o->c.deposit.items, i, item)
	{
		if (r == 0)
			r = copy_item(o, item, err);
	}
	if (r == 0 && renameat(o->work, "items", o->tree, path) < 0)
		r = error_errno(err, errno, "%s", path);
	return r < 0 ? r : file_sync_parent(o->tree, path, err);
}

/* Add every bundle of the deposit to the repository at `at`. */
static int add_bundles(const struct opening *o, const struct sources_place *at, size_t *n,
		       struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	*n = 0;
	json_array_foreach(o->c.deposit.items, i, item)
	{
		const char *path = json_string_value(json_object_get(item, "path"));
		CLEANUP(buf_clear) struct buf from = {0};
		CLEANUP(closep) int fd = -1;

		if (!path || !bundles_is(path))
			continue;
		r = buf_printf(&from, err, "out/%s", path);
		if (r < 0)
			return r;
		fd = openat(o->work, from.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return error_errno(err, errno, "%s", path);
		r = sources_add_bundle(at, fd, path, NULL, NULL, err);
		if (r < 0)
			return r;
		*n += 1;
	}
	return 0;
}

/*
 * Build the repository aside, compare it with the manifest, then give it its
 * public name; or, if there is one already (an earlier deposit's, or ours from
 * before a crash), add to that. A deposit may have none.
 */
static int publish_sources(const struct opening *o, struct error *err)
{
	const struct sources_place aside = {o->work, "source.git", o->work};
	char path[PATH_SIZE], head[COMMIT_HEX_SIZE];
	struct sources_place at = {o->tree, path, o->work};
	size_t n;
	int r = add_bundles(o, &aside, &n, err);

	if (r < 0 || !n)
		return r;
	r = sources_compare_refs(o->work, "source.git", o->c.deposit.refs, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "p/%s/source.git", o->c.product);
	if (file_exists(o->tree, path))
		r = add_bundles(o, &at, &n, err);
	else if (renameat(o->work, "source.git", o->tree, path) < 0)
		r = error_errno(err, errno, "%s", path);
	else
		r = file_sync_parent(o->tree, path, err);
	if (r == 0)
		r = sources_head(o->tree, path, head, err);
	return r < 0 ? r : registry_source_changed(o->registry, o->c.product, head, err);
}

/* The refs as the manifest has them, which the repository was compared with: {name: commit}. */
static json_t *release_refs(const struct opening *o)
{
	json_t *out = json_object(), *ref;
	const char *name;

	json_object_foreach(o->c.deposit.refs, name, ref)
	{
		if (json_object_set(out, name, json_object_get(ref, "commit")) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* The fields of `release` that are ours to say; NULL: out of memory. */
static json_t *release_fields(const struct opening *o)
{
	json_t *shares = json_array(), *approvals = json_array();

	for (size_t i = 0; i < o->shares.n; i++) {
		const struct share *s = &o->shares.list[i];
		char digest[SHA256_HEX_SIZE];

		if (s->number == 0)
			continue; /* no share, and no approval: the vendor opened it */
		sha256_hex(s->bytes, SHARE_LEN, digest);
		if (json_array_append_new(shares,
					  json_pack("{s:I, s:s}", "number", (json_int_t)s->number,
						    "sha256", digest)) < 0 ||
		    json_array_append_new(approvals, json_string(s->approval)) < 0) {
			json_decref(shares);
			json_decref(approvals);
			return NULL;
		}
	}
	/* What is packed is taken over, also on failure. */
	return json_pack("{s:s, s:O, s:o, s:o, s:o}", "deposit", o->id, "items", o->c.deposit.items,
			 "shares", shares, "approvals", approvals, "refs", release_refs(o));
}

static int publish(const struct opening *o, struct error *err)
{
	json_t *fields;
	int r = publish_items(o, err);

	if (r == 0)
		r = publish_sources(o, err);
	if (r < 0)
		return r;
	fields = release_fields(o);
	if (!fields)
		return error_nomem(err);
	r = registry_release(o->registry, o->c.product, fields, err);
	return r == E_EXISTS ? 0 : r;
}

static int wipe(const struct opening *o, struct error *err)
{
	CLEANUP(closep) int lock = -1;
	int r = file_lock(o->data, SHARES_LOCK, true, &lock, err);

	return r < 0 ? r : sharebox_wipe(o->data, o->id, err);
}

/* k shares, or the passphrase, which comes first. */
static bool enough(const struct opening *o)
{
	return o->shares.list[0].number == 0 ||
	       (int64_t)o->shares.n >= o->c.deposit.trustees.threshold;
}

/* 0: opened, or it is not its time. */
static int open_one(struct opening *o, struct error *err)
{
	CLEANUP(evidence_clear) struct evidence e = {0};
	bool open = false;
	int r = sharebox_read(o->data, o->id, &o->shares, err);

	if (r < 0 || !o->shares.n)
		return r;
	r = case_open(o->tree, o->shares.list[0].product, o->id, &o->c, err);
	if (r < 0 || !enough(o))
		return r;
	/* Asked again: what was logged since the shares came may have changed the answer. */
	r = case_released(&o->c, &e, err);
	if (r == 0)
		r = case_is_open(&o->c, &e.chain, &open, err);
	if (r == 0 && !open) {
		log_line(LOG_INFO, "open product=%s deposit=%s", o->c.product, o->id);
		r = file_remove_tree(o->data, WORK, err);
		if (r == 0)
			r = file_mkdir(o->data, WORK, 0700, err);
		if (r == 0)
			r = file_open_dir(o->data, WORK, false, &o->work, err);
		if (r == 0)
			r = run_worker(o, err);
		if (r == 0)
			r = publish(o, err);
		if (r == 0)
			log_line(LOG_INFO, "opened product=%s deposit=%s", o->c.product, o->id);
	}
	return r < 0 ? r : wipe(o, err);
}

int open_pending(struct registry *r, const atomic_bool *stop, size_t *failed, struct error *err)
{
	CLEANUP(freep) char(*ids)[SHA256_HEX_SIZE] = NULL;
	size_t n = 0;
	int e = sharebox_deposits(registry_data_dir(r), &ids, &n, err);

	if (e < 0)
		return e;
	*failed = 0;
	for (size_t i = 0; i < n && !atomic_load(stop); i++) {
		CLEANUP(opening_clear)
		struct opening o = {.registry = r,
				    .stop = stop,
				    .data = registry_data_dir(r),
				    .tree = registry_public_dir(r),
				    .work = -1,
				    .id = ids[i]};
		struct error why = {0};

		if (open_one(&o, &why) < 0) {
			log_line(LOG_ERROR, "open deposit=%s error=%s", ids[i], why.text);
			++*failed;
		}
	}
	return 0;
}
