/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/warnings.h"

#include <ctype.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "registry/sources/objects.h"

enum {
	LOOKED_AT_MAX = 500000, /* entries, over all tips */
	LINK_MAX = 4096,
	DEPTH_MAX = 512, /* the check before has its own, lower one */
};

struct walk {
	git_odb *odb;
	json_t *list;
	bool truncated;
	size_t looked_at;
	struct buf path; /* of the folder, with its final slash */
	struct error *err;
};

static void walk_clear(struct walk *w)
{
	git_odb_free(w->odb);
	json_decref(w->list);
	buf_clear(&w->path);
}

/* Names are bytes; JSON wants UTF-8. */
static json_t *text_of(const char *data, size_t len)
{
	json_t *text = json_stringn(data, len);
	char *plain;

	if (text)
		return text;
	plain = strndup(data, len);
	for (char *p = plain; p && *p; p++)
		if ((unsigned char)*p >= 0x7f)
			*p = '?';
	text = plain ? json_string(plain) : NULL;
	free(plain);
	return text;
}

static int warn(struct walk *w, const char *kind, const struct tree_entry *e, const char *about,
		size_t about_len)
{
	CLEANUP(buf_clear) struct buf path = {0};
	json_t *one;
	int r;

	if (json_array_size(w->list) == WARNINGS_MAX) {
		w->truncated = true;
		return 0;
	}
	r = buf_add(&path, w->path.data, w->path.len, w->err);
	if (r == 0)
		r = buf_add(&path, e->name, e->len, w->err);
	if (r < 0)
		return r;
	one = json_pack("{s:s, s:o, s:o}", "kind", kind, "path", text_of(path.data, path.len),
			"text", text_of(about, about_len));
	return json_array_append_new(w->list, one) == 0 ? 0 : error_nomem(w->err);
}

/* How many folders deep the walk is. */
static size_t depth_of(const struct walk *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->path.len; i++)
		n += w->path.data[i] == '/';
	return n;
}

/* Does a link's target, from a folder `depth` below the root, leave the tree? */
static bool escapes(const char *target, size_t len, size_t depth)
{
	const char *end = target + len;

	if (len == 0 || *target == '/' || *target == '\\' ||
	    (len > 1 && isalpha((unsigned char)*target) && target[1] == ':'))
		return true;
	while (target < end) {
		size_t n = 0;

		while (target + n < end && target[n] != '/')
			n++;
		if (n == 2 && memcmp(target, "..", 2) == 0) {
			if (depth-- == 0)
				return true;
		} else if (n && !(n == 1 && *target == '.')) {
			depth++;
		}
		target += n + 1;
	}
	return false;
}

static int look_at_link(struct walk *w, const struct tree_entry *e)
{
	CLEANUP(git_odb_object_freep) git_odb_object *o = NULL;
	const char *target;
	size_t len;

	if (git_odb_read(&o, w->odb, &e->id) < 0)
		return gitlib_error(w->err, E_INVALID, "symbolic link");
	target = git_odb_object_data(o);
	len = git_odb_object_size(o);
	if (len <= LINK_MAX && !escapes(target, len, depth_of(w)))
		return 0;
	return warn(w, "symlink", e, target, len < LINK_MAX ? len : LINK_MAX);
}

static int by_folded_name(const void *a, const void *b)
{
	struct tree_entry x, y;
	int d;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	d = strncasecmp(x.name, y.name, x.len < y.len ? x.len : y.len);
	if (d || x.len == y.len)
		return d;
	return x.len < y.len ? -1 : 1;
}

/* Names that one and the same file would have where case does not count. */
static int look_for_collisions(struct walk *w, const struct tree_entry *list, size_t n)
{
	CLEANUP(freep) struct tree_entry *sorted = calloc(n + 1, sizeof(*sorted));
	int r = 0;

	if (!sorted)
		return error_nomem(w->err);
	if (n)
		memcpy(sorted, list, n * sizeof(*list));
	qsort(sorted, n, sizeof(*sorted), by_folded_name);
	for (size_t i = 1; r == 0 && i < n; i++)
		if (by_folded_name(&sorted[i - 1], &sorted[i]) == 0)
			r = warn(w, "case", &sorted[i], sorted[i - 1].name, sorted[i - 1].len);
	return r;
}

static int look_at_tree(struct walk *w, const git_oid *id, unsigned level);

static int look_at_entry(struct walk *w, const struct tree_entry *e, unsigned level)
{
	char hex[GIT_OID_HEXSZ + 1];
	size_t before = w->path.len;
	int r;

	if (e->mode == MODE_LINK)
		return look_at_link(w, e);
	if (e->mode == MODE_SUBMODULE)
		return warn(w, "submodule", e, git_oid_tostr(hex, sizeof(hex), &e->id),
			    GIT_OID_HEXSZ);
	if (e->mode != MODE_TREE)
		return 0;
	r = buf_add(&w->path, e->name, e->len, w->err);
	if (r == 0)
		r = buf_puts(&w->path, "/", w->err);
	if (r == 0)
		r = look_at_tree(w, &e->id, level + 1);
	w->path.len = before;
	return r;
}

static int look_at_tree(struct walk *w, const git_oid *id, unsigned level)
{
	CLEANUP(git_odb_object_freep) git_odb_object *o = NULL;
	CLEANUP(freep) struct tree_entry *list = NULL;
	const unsigned char *data;
	size_t len, n = 0;
	int r;

	if (level > DEPTH_MAX || w->looked_at > LOOKED_AT_MAX) {
		w->truncated = true;
		return 0;
	}
	if (git_odb_read(&o, w->odb, id) < 0)
		return gitlib_error(w->err, E_INVALID, "tree");
	data = git_odb_object_data(o);
	len = git_odb_object_size(o);
	list = calloc(len / GIT_OID_RAWSZ + 1, sizeof(*list));
	if (!list)
		return error_nomem(w->err);
	while (len && tree_next(&data, &len, &list[n]))
		n++;
	w->looked_at += n;
	r = look_for_collisions(w, list, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = look_at_entry(w, &list[i], level);
	return r;
}

int warnings_find(git_repository *repo, const git_oid *tips, size_t n, json_t **list,
		  bool *truncated, struct error *err)
{
	CLEANUP(walk_clear) struct walk w = {.list = json_array(), .err = err};
	git_oid before = {0};
	int r = 0;

	if (!w.list)
		return error_nomem(err);
	if (git_repository_odb(&w.odb, repo) < 0)
		return gitlib_error(err, E_SYS, "objects");
	for (size_t i = 0; r == 0 && i < n; i++) {
		CLEANUP(git_object_freep) git_object *tip = NULL;
		CLEANUP(git_object_freep) git_object *tree = NULL;

		if (git_object_lookup(&tip, repo, &tips[i], GIT_OBJECT_ANY) < 0)
			return gitlib_error(err, E_INVALID, "ref");
		/* A tag of a blob has no tree to look at. */
		if (git_object_peel(&tree, tip, GIT_OBJECT_TREE) < 0 ||
		    git_oid_equal(git_object_id(tree), &before))
			continue;
		before = *git_object_id(tree);
		r = look_at_tree(&w, &before, 0);
	}
	if (r < 0)
		return r;
	*truncated = w.truncated;
	*list = steal(w.list);
	return 0;
}
