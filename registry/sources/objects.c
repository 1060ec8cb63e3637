/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/objects.h"

#include <git2/odb_backend.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/path.h>
#include <stdint.h>
#include <strings.h>

#include "lib/base/error.h"
#include "registry/sources/treename.h"

enum {
	SLOTS_MIN = 1024,
	MODE_FILE = 0100000,
	MODULES_MAX = 1024 * 1024,
	MODE_DIGITS = 5,
	ENTRY_MIN = MODE_DIGITS + 1 + 1 + GIT_OID_RAWSZ, /* mode, blank, no name, NUL, id */
};

#define MODULES ".gitmodules"

/* Trees held in memory at one time: those from a root down to where the check is. */
#define TREES_MAX (UINT64_C(256) * 1024 * 1024)

/* What is known of an object. Sizes are of what a checkout makes of it, saturating. */
struct known {
	git_oid id;
	uint8_t type; /* 0: the slot is empty */
	bool measured;
	uint32_t depth;
	uint64_t entries, bytes;
};

struct check {
	git_odb *odb;
	git_repository *repo;
	const char *name;
	const struct sources_limits *limits;
	struct error *err;
	struct known *slots;
	size_t nslots, n;
	int failed; /* inside a callback of libgit2 */
};

static void check_clear(struct check *c)
{
	git_odb_free(c->odb);
	free(c->slots);
}

static int bad(const struct check *c, const git_oid *id, const char *what)
{
	char hex[GIT_OID_HEXSZ + 1];

	return error_set(c->err, E_INVALID, "%s: object %s: %s", c->name,
			 git_oid_tostr(hex, sizeof(hex), id), what);
}

static struct known *slot(struct known *slots, size_t n, const git_oid *id)
{
	size_t at;

	/* Ids are spread well already; n is a power of two. */
	memcpy(&at, id->id, sizeof(at));
	for (at &= n - 1;; at = (at + 1) & (n - 1))
		if (!slots[at].type || git_oid_equal(&slots[at].id, id))
			return &slots[at];
}

static int grow(struct check *c)
{
	size_t n = c->nslots ? c->nslots * 2 : SLOTS_MIN;
	struct known *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return error_nomem(c->err);
	for (size_t i = 0; i < c->nslots; i++)
		if (c->slots[i].type)
			*slot(slots, n, &c->slots[i].id) = c->slots[i];
	free(c->slots);
	c->slots = slots;
	c->nslots = n;
	return 0;
}

/* Find an object, or learn of it from the repository. The pointer is good until the next call. */
static int learn(struct check *c, const git_oid *id, struct known **out)
{
	git_object_t type;
	struct known *k;
	size_t size;

	if (c->n * 2 >= c->nslots && grow(c) < 0)
		return E_NOMEM;
	k = slot(c->slots, c->nslots, id);
	if (!k->type) {
		if (git_odb_read_header(&size, &type, c->odb, id) < 0)
			return bad(c, id, "is missing");
		*k = (struct known){.id = *id, .type = (uint8_t)type, .bytes = size};
		c->n++;
	}
	*out = k;
	return 0;
}

static int expect(struct check *c, const git_oid *from, const git_oid *id, git_object_t type)
{
	struct known *k;
	int r = learn(c, id, &k);

	if (r < 0)
		return r;
	return k->type == (uint8_t)type ? 0 : bad(c, from, "refers to an object of another type");
}

bool tree_next(const unsigned char **data, size_t *len, struct tree_entry *out)
{
	const unsigned char *p = *data, *end = p + *len;
	const unsigned char *nul;
	unsigned mode = 0;

	for (; p < end && *p >= '0' && *p <= '7' && mode < MODE_KIND; p++)
		mode = mode * 8 + (unsigned)(*p - '0');
	if (p - *data < MODE_DIGITS || p == end || *p != ' ')
		return false;
	p++;
	nul = memchr(p, '\0', (size_t)(end - p));
	if (!nul || (size_t)(end - nul - 1) < GIT_OID_RAWSZ)
		return false;
	out->mode = mode;
	out->name = (const char *)p;
	out->len = (size_t)(nul - p);
	memcpy(out->id.id, nul + 1, GIT_OID_RAWSZ);
	p = nul + 1 + GIT_OID_RAWSZ;
	*len = (size_t)(end - p);
	*data = p;
	return true;
}

/* git's order: as bytes, a folder as if its name ended in '/'. Negative: a before b. */
static int compare(const struct tree_entry *a, const struct tree_entry *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int d = memcmp(a->name, b->name, n);
	int x, y;

	if (d)
		return d;
	x = a->len > n ? (unsigned char)a->name[n] : a->mode == MODE_TREE ? '/' : 0;
	y = b->len > n ? (unsigned char)b->name[n] : b->mode == MODE_TREE ? '/' : 0;
	return x - y;
}

/* As bsearch() wants it: an entry and a file of the same name are equal. */
static int order(const void *key, const void *entry)
{
	struct tree_entry a, b;

	memcpy(&a, key, sizeof(a));
	memcpy(&b, entry, sizeof(b));
	return compare(&a, &b);
}

/* The value of "key = value" on a line of .gitmodules; NULL: it is another line. */
static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	line += strspn(line, " \t");
	if (strncasecmp(line, key, n) != 0)
		return NULL;
	line += n;
	line += strspn(line, " \t");
	if (*line != '=')
		return NULL;
	line++;
	line += strspn(line, " \t\"");
	return line;
}

/* A path, URL or name that git takes for an option or that leaves its folder. */
static bool module_line_bad(const char *line)
{
	static const char *const keys[] = {"path", "url", "update"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *v = value_of(line, keys[i]);

		if (v && (*v == '-' || (i == 2 && *v == '!')))
			return true;
	}
	line += strspn(line, " \t");
	return strncasecmp(line, "[submodule", 10) == 0 && strstr(line, "..");
}

/* .gitmodules is what git acts upon when a clone recurses. */
static int check_modules(struct check *c, const git_oid *id)
{
	CLEANUP(git_odb_object_freep) git_odb_object *o = NULL;
	CLEANUP(freep) char *text = NULL;
	char *rest, *line;

	if (git_odb_read(&o, c->odb, id) < 0)
		return bad(c, id, "cannot be read");
	if (git_odb_object_size(o) > MODULES_MAX)
		return bad(c, id, "is too large a .gitmodules");
	text = strndup(git_odb_object_data(o), git_odb_object_size(o));
	if (!text)
		return error_nomem(c->err);
	rest = text;
	while ((line = strsep(&rest, "\r\n")))
		if (module_line_bad(line))
			return bad(c, id, "is a .gitmodules made to do harm");
	return 0;
}

/* How deep the check is, and the bytes of the trees above. */
struct level {
	uint32_t depth;
	uint64_t bytes;
};

static int measure(struct check *c, const git_oid *id, struct level at);

static int check_entry(struct check *c, const git_oid *tree, const struct tree_entry *e,
		       struct level below, struct known *sum)
{
	const char *fault = treename_fault(e->name, e->len);
	bool modules = git_path_is_gitfile(e->name, e->len, GIT_PATH_GITFILE_GITMODULES,
					   GIT_PATH_FS_GENERIC) > 0;
	struct known *k;
	int r;

	if (fault)
		return bad(c, tree, fault);
	sum->entries++;
	if (e->mode == MODE_SUBMODULE)
		return 0;
	if (e->mode == MODE_TREE) {
		r = expect(c, tree, &e->id, GIT_OBJECT_TREE);
		if (r == 0)
			r = measure(c, &e->id, below);
	} else if (e->mode == MODE_LINK || (e->mode & MODE_KIND) == MODE_FILE) {
		r = expect(c, tree, &e->id, GIT_OBJECT_BLOB);
	} else {
		r = bad(c, tree, "an entry of no known kind");
	}
	if (r == 0 && modules && (e->mode & MODE_KIND) != MODE_FILE)
		r = bad(c, tree, "a .gitmodules that is no file");
	if (r == 0 && modules && e->len == strlen(MODULES))
		r = check_modules(c, &e->id);
	if (r < 0)
		return r;
	r = learn(c, &e->id, &k);
	if (r < 0)
		return r;
	sum->bytes += k->bytes;
	sum->entries += k->entries;
	if (k->depth + 1 > sum->depth)
		sum->depth = k->depth + 1;
	return 0;
}

/* Within bounds, sums cannot overflow: each is at most its limit before one more is added. */
static int within(const struct check *c, const git_oid *id, const struct known *sum)
{
	if (sum->entries > c->limits->entries)
		return bad(c, id, "a tree that unfolds to too many files");
	if (sum->bytes > c->limits->checkout)
		return bad(c, id, "a tree that unfolds to too many bytes");
	if (sum->depth > c->limits->depth)
		return bad(c, id, "folders too deep in each other");
	return 0;
}

/* All entries of a tree, in order and each name once; the caller frees *out. */
static int read_tree(const struct check *c, const git_oid *id, git_odb_object *o,
		     struct tree_entry **out, size_t *n)
{
	const unsigned char *data = git_odb_object_data(o);
	size_t len = git_odb_object_size(o);
	CLEANUP(freep) struct tree_entry *list = calloc(len / ENTRY_MIN + 1, sizeof(*list));

	if (!list)
		return error_nomem(c->err);
	for (*n = 0; len; (*n)++) {
		if (!tree_next(&data, &len, &list[*n]))
			return bad(c, id, "is no tree");
		if (*n && compare(&list[*n - 1], &list[*n]) >= 0)
			return bad(c, id, "a tree out of order, or with a name twice");
	}
	for (size_t i = 0; i < *n; i++) {
		/* A file and a folder of one name need not be neighbours. */
		struct tree_entry file = list[i];

		file.mode = MODE_FILE;
		if (list[i].mode == MODE_TREE && bsearch(&file, list, *n, sizeof(file), order))
			return bad(c, id, "a tree with a name twice");
	}
	*out = steal(list);
	return 0;
}

/* Check a tree and all below it, once. */
static int measure(struct check *c, const git_oid *id, struct level at)
{
	CLEANUP(git_odb_object_freep) git_odb_object *o = NULL;
	CLEANUP(freep) struct tree_entry *list = NULL;
	struct known sum = {.id = *id, .type = GIT_OBJECT_TREE, .measured = true};
	struct level below;
	struct known *k;
	size_t n = 0;
	int r = learn(c, id, &k);

	if (r < 0 || k->measured)
		return r;
	if (at.depth > c->limits->depth)
		return bad(c, id, "folders too deep in each other");
	if (git_odb_read(&o, c->odb, id) < 0)
		return bad(c, id, "cannot be read");
	below = (struct level){at.depth + 1, at.bytes + git_odb_object_size(o)};
	if (below.bytes > TREES_MAX)
		return bad(c, id, "folders with too many names in each other");
	r = read_tree(c, id, o, &list, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = check_entry(c, id, &list[i], below, &sum);
		if (r == 0)
			r = within(c, id, &sum);
	}
	if (r == 0)
		r = learn(c, id, &k);
	if (r == 0)
		*k = sum;
	return r;
}

static int check_commit(struct check *c, const git_oid *id)
{
	CLEANUP(git_commit_freep) git_commit *commit = NULL;
	unsigned parents;
	int r;

	if (git_commit_lookup(&commit, c->repo, id) < 0)
		return bad(c, id, "is no commit");
	parents = git_commit_parentcount(commit);
	r = expect(c, id, git_commit_tree_id(commit), GIT_OBJECT_TREE);
	for (unsigned i = 0; r == 0 && i < parents; i++)
		r = expect(c, id, git_commit_parent_id(commit, i), GIT_OBJECT_COMMIT);
	return r;
}

static int check_tag(struct check *c, const git_oid *id)
{
	CLEANUP(git_tag_freep) git_tag *tag = NULL;

	if (git_tag_lookup(&tag, c->repo, id) < 0)
		return bad(c, id, "is no tag");
	return expect(c, id, git_tag_target_id(tag), git_tag_target_type(tag));
}

static int each(const git_oid *id, void *ctx)
{
	struct check *c = ctx;
	struct known *k;
	int r = learn(c, id, &k);

	if (r == 0 && k->type == GIT_OBJECT_TREE)
		r = measure(c, id, (struct level){0});
	else if (r == 0 && k->type == GIT_OBJECT_COMMIT)
		r = check_commit(c, id);
	else if (r == 0 && k->type == GIT_OBJECT_TAG)
		r = check_tag(c, id);
	c->failed = r;
	return r;
}

int objects_check(git_repository *repo, const char *index, const char *name,
		  const struct sources_limits *limits, struct error *err)
{
	CLEANUP(check_clear)
	struct check c = {.repo = repo, .name = name, .limits = limits, .err = err};
	CLEANUP(git_odb_freep) git_odb *pack = NULL;
	git_odb_backend *backend = NULL;

	if (git_repository_odb(&c.odb, repo) < 0 || git_odb_new(&pack) < 0 ||
	    git_odb_backend_one_pack(&backend, index) < 0)
		return gitlib_error(err, E_SYS, name);
	if (git_odb_add_backend(pack, backend, 1) < 0) {
		backend->free(backend);
		return gitlib_error(err, E_SYS, name);
	}
	if (git_odb_foreach(pack, each, &c) < 0 && c.failed == 0)
		return gitlib_error(err, E_INVALID, name);
	return c.failed;
}
