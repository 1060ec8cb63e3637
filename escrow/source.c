/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/source.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/proc.h"

enum {
	OUTPUT_MAX = 256 * 1024 * 1024, /* of git: a line for each file of a large tree */
	OID = 40,
	REFS_MAX = 4096, /* as many as a deposit's manifest may list */
};

/* Run git in `repo`. What it says it did not find is the person's to mend. */
static int git(const char *repo, const char *const *args, const struct buf *in, struct buf *out,
	       struct error *err)
{
	const char *argv[16] = {"git", "-C", repo};
	size_t n = 3;
	int r;

	while (*args && n < ARRAY_LEN(argv) - 1)
		argv[n++] = *args++;
	r = proc_run(argv, NULL, in, out, OUTPUT_MAX, err);
	return r == E_SYS ? error_prefix(err, E_USAGE, "git in %s", repo) : r;
}
#define GIT(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A repository that has all that the bundle has, to ask for types and trees. */
static int import(const char *bundle, const struct scratch *scratch, char **repo, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *full = realpath(bundle, NULL);
	int r;

	if (!full)
		return error_errno(err, errno, "%s", bundle);
	r = scratch_path(scratch, "import.git", &path, err);
	if (r == 0)
		r = git(".", GIT("init", "-q", "--bare", path), NULL, NULL, err);
	if (r == 0)
		r = git(path, GIT("fetch", "-q", "--no-tags", full, "+refs/*:refs/*"), NULL, NULL,
			err);
	if (r < 0)
		return error_prefix(err, r, "%s", bundle);
	*repo = steal(path);
	return 0;
}

static int make(const char *repo, const struct scratch *scratch, char **bundle, struct error *err)
{
	CLEANUP(freep) char *path = NULL;
	int r = scratch_path(scratch, "source.bundle", &path, err);

	if (r == 0)
		r = git(repo,
			GIT("bundle", "create", "-q", "--version=2", path, "HEAD", "--branches",
			    "--tags"),
			NULL, NULL, err);
	if (r < 0)
		return error_prefix(err, r, "%s", repo);
	*bundle = steal(path);
	return 0;
}

/* The kind of a SWHID by git's name of an object's type; NULL: not one. */
static const char *swhid_kind(const char *type, size_t len)
{
	static const char *const kinds[][2] = {
		{"commit", "rev"}, {"tag", "rel"}, {"tree", "dir"}, {"blob", "cnt"}};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i][0]) == len && memcmp(kinds[i][0], type, len) == 0)
			return kinds[i][1];
	return NULL;
}

/* `heads` has lines "<oid> <ref>", `types` the lines "<oid> <type> <size>" for them. */
static int collect(char *heads, const char *types, json_t *refs, struct error *err)
{
	char *save = NULL;

	assert(heads);
	for (char *line = strtok_r(heads, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *type, *kind;
		int r;

		if (strlen(line) <= OID + 1 || !types || strlen(types) <= OID + 1 ||
		    memcmp(line, types, OID) != 0)
			return error_set(err, E_USAGE, "git: %s: not an object of the bundle",
					 line);
		type = types + OID + 1;
		kind = swhid_kind(type, strcspn(type, " \n"));
		if (!kind)
			return error_set(err, E_USAGE, "git: %s: not in the bundle", line);
		line[OID] = '\0';
		r = json_object_set_new(refs, line + OID + 1,
					json_pack("{s:s, s:o}", "commit", line, "swhid",
						  json_sprintf("swh:1:%s:%s", kind, line)));
		if (r < 0)
			return error_nomem(err);
		types += strcspn(types, "\n");
		types += *types ? 1 : 0;
	}
	if (json_object_size(refs) == 0 || json_object_size(refs) > REFS_MAX)
		return error_set(err, E_USAGE, "git: want 1 to %d refs, got %zu", REFS_MAX,
				 json_object_size(refs));
	return 0;
}

static int read_refs(const char *repo, const char *bundle, json_t *refs, struct error *err)
{
	CLEANUP(freep) char *full = realpath(bundle, NULL);
	CLEANUP(buf_clear) struct buf heads = {0}, oids = {0}, types = {0};
	int r;

	if (!full)
		return error_errno(err, errno, "%s", bundle);
	r = git(repo, GIT("bundle", "list-heads", full), NULL, &heads, err);
	for (const char *at = heads.data; r == 0 && at && *at;) {
		size_t len = strcspn(at, "\n");

		if (len <= OID)
			return error_set(err, E_USAGE, "%s: no refs", bundle);
		r = buf_printf(&oids, err, "%.*s\n", OID, at);
		at += len + (at[len] ? 1 : 0);
	}
	if (r == 0)
		r = git(repo, GIT("cat-file", "--batch-check"), &oids, &types, err);
	if (r == 0 && (!heads.data || !types.data))
		r = error_set(err, E_USAGE, "%s: no refs", bundle);
	return r < 0 ? r : collect(heads.data, types.data, refs, err);
}

/* A submodule's commit is only named here: its source is somewhere else. */
static int find_issues(const char *repo, const char *head, json_t *issues, struct error *err)
{
	CLEANUP(buf_clear) struct buf tree = {0}, name = {0}, attributes = {0};
	struct error none = {0};
	char *save = NULL;
	int r = git(repo, GIT("ls-tree", "-r", head), NULL, &tree, err);

	if (r == 0)
		r = buf_printf(&name, err, "%s:.gitattributes", head);
	if (r < 0)
		return r;
	for (const char *line = tree.len ? strtok_r(tree.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *path = strchr(line, '\t');

		if (strncmp(line, "160000 ", strlen("160000 ")) != 0 || !path)
			continue;
		if (json_array_append_new(
			    issues,
			    json_sprintf("%s: a submodule, whose source is not in the bundle",
					 path + 1)) < 0)
			return error_nomem(err);
	}
	/* No such file is the usual case. */
	if (git(repo, GIT("cat-file", "blob", name.data), NULL, &attributes, &none) == 0 &&
	    attributes.len && strstr(attributes.data, "filter=lfs") &&
	    json_array_append_new(issues,
				  json_string(".gitattributes: uses git-lfs, whose files are "
					      "not in the bundle")) < 0)
		return error_nomem(err);
	return 0;
}

static int take(const char *from, const struct scratch *scratch, struct source *s,
		struct error *err)
{
	CLEANUP(freep) char *repo = NULL;
	const char *head;
	struct stat st;
	int r;

	if (stat(from, &st) < 0)
		return error_set(err, E_USAGE, "%s: %s", from, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		repo = strdup(from);
		r = repo ? make(repo, scratch, &s->bundle, err) : error_nomem(err);
	} else {
		s->bundle = strdup(from);
		r = s->bundle ? import(from, scratch, &repo, err) : error_nomem(err);
	}
	if (r == 0)
		r = read_refs(repo, s->bundle, s->refs, err);
	if (r < 0)
		return r;
	head = json_string_value(json_object_get(json_object_get(s->refs, "HEAD"), "commit"));
	if (!head)
		return error_set(err, E_USAGE, "%s: HEAD is not in the bundle", from);
	return find_issues(repo, head, s->issues, err);
}

int source_take(const char *from, const struct scratch *scratch, struct source *out,
		struct error *err)
{
	CLEANUP(source_clear) struct source s = {.refs = json_object(), .issues = json_array()};
	int r = s.refs && s.issues ? take(from, scratch, &s, err) : error_nomem(err);

	if (r < 0)
		return r;
	*out = s;
	s = (struct source){0};
	return 0;
}

void source_clear(struct source *s)
{
	free(s->bundle);
	json_decref(s->refs);
	json_decref(s->issues);
	*s = (struct source){0};
}
