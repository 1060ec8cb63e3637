/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/sources.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "tests/support/gitbox.h"
#include "tests/unit/unit.h"

#define REPO "p/a/source.git"

enum { BOMB_LEVELS = 9 };

/* A place to publish to, and a repository to make bundles in. */
struct world {
	struct gitbox box;
	int tree, work;
	struct sources_place at;
};

static int start(void **state)
{
	static struct world w;
	struct error err = {0};

	gitbox_start(&w.box);
	assert_int_equal(file_open_dir(w.box.dir, "tree", true, &w.tree, &err), 0);
	assert_int_equal(file_open_dir(w.box.dir, "work", true, &w.work, &err), 0);
	assert_int_equal(file_mkdir(w.tree, "p/a", 0755, &err), 0);
	w.at = (struct sources_place){w.tree, REPO, w.work};
	*state = &w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;

	closep(&w->tree);
	closep(&w->work);
	gitbox_stop(&w->box);
	return 0;
}

static int add(const struct world *w, const char *file, const struct sources_limits *l,
	       json_t **report, struct error *err)
{
	int fd = openat(w->box.dir, file, O_RDONLY | O_CLOEXEC);
	int r;

	assert_true(fd >= 0);
	r = sources_add_bundle(&w->at, fd, "test.bundle", l, report, err);
	closep(&fd);
	return r;
}

static void assert_refused(const struct world *w, const char *file, const struct sources_limits *l,
			   const char *part)
{
	struct error err = {0};
	int r = add(w, file, l, NULL, &err);

	if (r != E_INVALID || !strstr(err.text, part))
		fail_msg("want '%s', got %d '%s'", part, r, err.text);
	assert_false(file_exists(w->tree, REPO "/HEAD"));
}

/* Stock git has nothing to say against the published repository. */
static void assert_sound(const struct world *w)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/tree/" REPO, w->box.path) > 0);
	free(git(&w->box, "-C", path, "--git-dir=.", "fsck", "--strict", "--full"));
	free(path);
}

/* One file in a tree, committed to `branch`; the caller frees the commit's id. */
static char *commit_file(const struct gitbox *g, const char *name, const char *text,
			 const char *parent, const char *branch)
{
	char *blob = gitbox_object(g, "blob", text, strlen(text));
	struct buf raw = {0};
	char *tree, *commit;

	gitbox_entry(&raw, "100644", name, blob);
	tree = gitbox_tree(g, &raw);
	commit = gitbox_commit(g, tree, parent, branch);
	buf_clear(&raw);
	free(blob);
	free(tree);
	return commit;
}

static void bundle_all(const struct gitbox *g, const char *file, const char *what)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", g->path, file) > 0);
	free(git(g, "bundle", "create", "-q", path, what, "--branches", "--tags"));
	free(path);
}

static void bundle_becomes_a_repository_that_git_finds_sound(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char *one = commit_file(&w->box, "a.c", "int a;", NULL, "main");
	char *two = commit_file(&w->box, "a.c", "int b;", one, "main");
	char head[COMMIT_HEX_SIZE];
	json_t *report = NULL;
	bool has = false;

	free(git(&w->box, "tag", "-a", "-m", "first", "v1", one));
	bundle_all(&w->box, "b", "HEAD");
	if (add(w, "b", NULL, &report, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(json_integer_value(json_object_get(report, "refs")), 3);
	assert_int_equal(json_array_size(json_object_get(report, "warnings")), 0);
	json_decref(report);
	assert_int_equal(sources_head(w->tree, REPO, head, &err), 0);
	assert_string_equal(head, two);
	assert_int_equal(sources_has_commit(w->tree, REPO, one, &has, &err), 0);
	assert_true(has);
	assert_sound(w);
	free(one);
	free(two);
}

static void dumb_files_list_packs_and_peeled_tags(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char *one = commit_file(&w->box, "a.c", "int a;", NULL, "main");
	struct buf text = {0};
	char line[128];

	free(git(&w->box, "tag", "-a", "-m", "first", "v1", one));
	bundle_all(&w->box, "b", "HEAD");
	assert_int_equal(add(w, "b", NULL, NULL, &err), 0);
	assert_int_equal(file_read(w->tree, REPO "/info/refs", 4096, &text, &err), 0);
	(void)snprintf(line, sizeof(line), "%s\trefs/tags/v1^{}\n", one);
	assert_non_null(strstr(text.data, line));
	(void)snprintf(line, sizeof(line), "%s\trefs/heads/main\n", one);
	assert_non_null(strstr(text.data, line));
	buf_clear(&text);
	assert_int_equal(file_read(w->tree, REPO "/objects/info/packs", 4096, &text, &err), 0);
	assert_int_equal(strncmp(text.data, "P pack-", 7), 0);
	buf_clear(&text);
	assert_int_equal(file_read(w->tree, REPO "/HEAD", 4096, &text, &err), 0);
	assert_string_equal(text.data, "ref: refs/heads/main\n");
	buf_clear(&text);
	free(one);
}

static void later_bundle_builds_on_what_is_there(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char *one = commit_file(&w->box, "a.c", "int a;", NULL, "main");
	char head[COMMIT_HEX_SIZE], since[64];
	bool has = true;
	char *two;

	bundle_all(&w->box, "b", "HEAD");
	assert_int_equal(add(w, "b", NULL, NULL, &err), 0);
	two = commit_file(&w->box, "a.c", "int b;", one, "main");
	assert_int_equal(sources_has_commit(w->tree, REPO, two, &has, &err), 0);
	assert_false(has);
	(void)snprintf(since, sizeof(since), "^%s", one);
	bundle_all(&w->box, "more", since);
	for (int i = 0; i < 2; i++) { /* again changes nothing */
		if (add(w, "more", NULL, NULL, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(sources_head(w->tree, REPO, head, &err), 0);
		assert_string_equal(head, two);
		assert_int_equal(sources_has_commit(w->tree, REPO, two, &has, &err), 0);
		assert_true(has);
	}
	assert_sound(w);
	free(one);
	free(two);
}

static void later_bundle_without_its_base_is_refused(void **state)
{
	struct world *w = *state;
	char *one = commit_file(&w->box, "a.c", "int a;", NULL, "main");
	char *two = commit_file(&w->box, "a.c", "int b;", one, "main");
	char since[64];

	(void)snprintf(since, sizeof(since), "^%s", one);
	bundle_all(&w->box, "more", since);
	assert_refused(w, "more", NULL, "which is not here");
	free(one);
	free(two);
}

static void branch_goes_forward_only_and_tag_stays(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char *one = commit_file(&w->box, "a.c", "int a;", NULL, "main");
	char *two = commit_file(&w->box, "a.c", "int b;", one, "main");
	char *other;
	char head[COMMIT_HEX_SIZE];

	free(git(&w->box, "tag", "v1", one));
	bundle_all(&w->box, "b", "HEAD");
	assert_int_equal(add(w, "b", NULL, NULL, &err), 0);
	other = commit_file(&w->box, "a.c", "int c;", one, "main");
	bundle_all(&w->box, "aside", "HEAD");
	assert_error(add(w, "aside", NULL, NULL, &err), E_DENIED, &err, "refs/heads/main");
	free(git(&w->box, "update-ref", "refs/heads/main", two));
	free(git(&w->box, "tag", "-f", "v1", two));
	bundle_all(&w->box, "moved", "HEAD");
	assert_error(add(w, "moved", NULL, NULL, &err), E_DENIED, &err, "refs/tags/v1");
	assert_int_equal(sources_head(w->tree, REPO, head, &err), 0);
	assert_string_equal(head, two);
	free(one);
	free(two);
	free(other);
}

static void names_that_harm_a_checkout_are_refused(void **state)
{
	static const char *const bad[] = {".git", ".GIT", "git~1", "..",
					  "a\\b", "a/b",  ".git ", ".g\xe2\x80\x8cit"};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *id = commit_file(&w->box, bad[i], "x", NULL, "main");

		bundle_all(&w->box, "b", "HEAD");
		assert_refused(w, "b", NULL, "a name ");
		free(id);
	}
}

static void missing_object_is_refused(void **state)
{
	struct world *w = *state;
	char *blob = gitbox_object(&w->box, "blob", "x", 1);
	struct buf raw = {0};
	char *tree, *commit, *ids = NULL;

	gitbox_entry(&raw, "100644", "a", blob);
	tree = gitbox_tree(&w->box, &raw);
	commit = gitbox_commit(&w->box, tree, NULL, "main");
	assert_true(asprintf(&ids, "%s\n%s\n", tree, commit) > 0);
	gitbox_bundle(&w->box, ids, "refs/heads/main", commit, "b");
	assert_refused(w, "b", NULL, "missing");
	free(ids);
	assert_true(asprintf(&ids, "%s\n%s\n", blob, tree) > 0);
	gitbox_bundle(&w->box, ids, "refs/heads/main", commit, "b");
	assert_refused(w, "b", NULL, "is missing");
	free(ids);
	assert_true(asprintf(&ids, "%s\n%s\n%s\n", blob, tree, commit) > 0);
	gitbox_bundle(&w->box, ids, "refs/heads/main", blob, "b");
	assert_refused(w, "b", NULL, "no commit");
	gitbox_bundle(&w->box, ids, "refs/heads/../x", commit, "b");
	assert_refused(w, "b", NULL, "name");
	buf_clear(&raw);
	free(ids);
	free(blob);
	free(tree);
	free(commit);
}

static void object_of_another_type_is_refused(void **state)
{
	struct world *w = *state;
	char *blob = gitbox_object(&w->box, "blob", "x", 1);
	struct buf raw = {0};
	char *tree, *commit, *ids = NULL;

	gitbox_entry(&raw, "40000", "a", blob);
	tree = gitbox_tree(&w->box, &raw);
	commit = gitbox_commit(&w->box, tree, NULL, "main");
	assert_true(asprintf(&ids, "%s\n%s\n%s\n", blob, tree, commit) > 0);
	gitbox_bundle(&w->box, ids, "refs/heads/main", commit, "b");
	assert_refused(w, "b", NULL, "");
	buf_clear(&raw);
	free(ids);
	free(blob);
	free(tree);
	free(commit);
}

static void disordered_tree_is_refused(void **state)
{
	static const char *const names[][3] = {{"b", "a", "c"}, {"a", "a", "b"}, {"a", "a.b", "a"}};
	struct world *w = *state;
	char *blob = gitbox_object(&w->box, "blob", "x", 1);
	struct buf raw = {0};
	char *sub;

	gitbox_entry(&raw, "100644", "x", blob);
	sub = gitbox_tree(&w->box, &raw);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *tree, *commit, *ids = NULL;

		buf_clear(&raw);
		gitbox_entry(&raw, "100644", names[i][0], blob);
		gitbox_entry(&raw, "100644", names[i][1], blob);
		gitbox_entry(&raw, "40000", names[i][2], sub);
		tree = gitbox_tree(&w->box, &raw);
		commit = gitbox_commit(&w->box, tree, NULL, "main");
		assert_true(asprintf(&ids, "%s\n%s\n%s\n%s\n", blob, sub, tree, commit) > 0);
		gitbox_bundle(&w->box, ids, "refs/heads/main", commit, "b");
		assert_refused(w, "b", NULL, "name twice");
		free(ids);
		free(tree);
		free(commit);
	}
	buf_clear(&raw);
	free(sub);
	free(blob);
}

/* Ten folders in each other, each ten times in the one above. */
static void tree_bomb_is_refused(void **state)
{
	struct sources_limits few = sources_defaults;
	struct world *w = *state;
	struct error err = {0};
	char *id = gitbox_object(&w->box, "blob", "x", 1), *commit;

	for (int level = 0; level < BOMB_LEVELS; level++) {
		struct buf raw = {0};
		char name[2] = "0";

		for (; name[0] <= '9'; name[0]++)
			gitbox_entry(&raw, level ? "40000" : "100644", name, id);
		free(id);
		id = gitbox_tree(&w->box, &raw);
		buf_clear(&raw);
	}
	commit = gitbox_commit(&w->box, id, NULL, "main");
	bundle_all(&w->box, "b", "HEAD");
	assert_refused(w, "b", NULL, "too many files");
	few.entries = UINT64_C(1) << 40;
	few.checkout = 1000;
	assert_refused(w, "b", &few, "too many bytes");
	few.checkout = UINT64_C(1) << 40;
	few.depth = BOMB_LEVELS - 1;
	assert_refused(w, "b", &few, "too deep");
	few.depth = BOMB_LEVELS;
	if (add(w, "b", &few, NULL, &err) < 0)
		fail_msg("%s", err.text);
	free(id);
	free(commit);
}

static void limits_hold_at_their_bounds(void **state)
{
	struct sources_limits few = sources_defaults;
	struct world *w = *state;
	struct error err = {0};
	char big[5001];
	char *commit;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	commit = commit_file(&w->box, "a", big, NULL, "main");
	bundle_all(&w->box, "b", "HEAD");
	few.objects = 2;
	assert_refused(w, "b", &few, "3 objects, more than 2");
	few.objects = 3;
	few.object_bytes = 4999;
	assert_refused(w, "b", &few, "an object of 5000 bytes, more than 4999");
	few.object_bytes = 5000;
	few.total_bytes = 5000;
	assert_refused(w, "b", &few, "unpacks to more than 5000 bytes");
	few.total_bytes = 6000;
	few.bytes = 100;
	assert_refused(w, "b", &few, "more than 100");
	few.bytes = 10000;
	if (add(w, "b", &few, NULL, &err) < 0)
		fail_msg("%s", err.text);
	free(commit);
}

/* Any bit of a bundle turned over, or any length of it missing: refused, never half taken. */
static void damaged_bundle_is_refused(void **state)
{
	struct world *w = *state;
	struct buf good = {0};
	struct error err = {0};
	char *one = commit_file(&w->box, "a", "some text that deflates", NULL, "main");
	char *two = commit_file(&w->box, "a", "some text that deflates too", one, "main");
	size_t pack;

	bundle_all(&w->box, "good", "HEAD");
	assert_int_equal(file_read(w->box.dir, "good", 1 << 20, &good, &err), 0);
	pack = (size_t)((char *)memmem(good.data, good.len, "PACK", 4) - good.data);
	for (size_t i = pack; i < good.len; i += 7) {
		good.data[i] ^= 1;
		assert_int_equal(file_write(w->box.dir, "b", good.data, good.len, 0644, &err), 0);
		good.data[i] ^= 1;
		assert_refused(w, "b", NULL, "");
	}
	for (size_t len = pack; len < good.len; len += 11) {
		assert_int_equal(file_write(w->box.dir, "b", good.data, len, 0644, &err), 0);
		assert_refused(w, "b", NULL, "");
	}
	assert_int_equal(buf_add(&good, "x", 1, &err), 0);
	assert_int_equal(file_write(w->box.dir, "b", good.data, good.len, 0644, &err), 0);
	assert_refused(w, "b", NULL, "follows the pack");
	buf_clear(&good);
	free(one);
	free(two);
}

static void what_a_checkout_may_stumble_over_is_reported(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char *blob = gitbox_object(&w->box, "blob", "x", 1);
	char *inside = gitbox_object(&w->box, "blob", "../a", 4);
	char *outside = gitbox_object(&w->box, "blob", "../../a", 7);
	char *absolute = gitbox_object(&w->box, "blob", "/etc/passwd", 11);
	struct buf raw = {0};
	json_t *report = NULL, *list, *one;
	char *sub, *tree, *commit;
	char said[512] = "";
	size_t i;

	gitbox_entry(&raw, "120000", "in", inside);
	gitbox_entry(&raw, "120000", "out", outside);
	sub = gitbox_tree(&w->box, &raw);
	buf_clear(&raw);
	gitbox_entry(&raw, "100644", "A", blob);
	gitbox_entry(&raw, "120000", "abs", absolute);
	gitbox_entry(&raw, "100644", "a", blob);
	gitbox_entry(&raw, "40000", "dir", sub);
	gitbox_entry(&raw, "160000", "mod", "1234567890123456789012345678901234567890");
	buf_clear(&raw);
	gitbox_entry(&raw, "100644", "A", blob);
	gitbox_entry(&raw, "100644", "a", blob);
	gitbox_entry(&raw, "120000", "abs", absolute);
	gitbox_entry(&raw, "40000", "dir", sub);
	gitbox_entry(&raw, "160000", "mod", "1234567890123456789012345678901234567890");
	tree = gitbox_tree(&w->box, &raw);
	commit = gitbox_commit(&w->box, tree, NULL, "main");
	bundle_all(&w->box, "b", "HEAD");
	if (add(w, "b", NULL, &report, &err) < 0)
		fail_msg("%s", err.text);
	list = json_object_get(report, "warnings");
	json_array_foreach(list, i, one)
	{
		strcat(said, json_string_value(json_object_get(one, "kind")));
		strcat(said, ":");
		strcat(said, json_string_value(json_object_get(one, "path")));
		strcat(said, " ");
	}
	assert_string_equal(said, "case:a symlink:abs symlink:dir/out submodule:mod ");
	json_decref(report);
	buf_clear(&raw);
	free(blob);
	free(inside);
	free(outside);
	free(absolute);
	free(sub);
	free(tree);
	free(commit);
}

static void modules_file_made_to_do_harm_is_refused(void **state)
{
	static const char *const bad[] = {
		"[submodule \"a\"]\n\turl = -u./payload\n",
		"[submodule \"a\"]\n\tpath = \"-x\"\n",
		"[submodule \"../../modules\"]\n\tpath = a\n",
		"[submodule \"a\"]\n\tupdate = !touch x\n",
	};
	struct world *w = *state;
	struct error err = {0};
	char *id;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		id = commit_file(&w->box, ".gitmodules", bad[i], NULL, "main");
		bundle_all(&w->box, "b", "HEAD");
		assert_refused(w, "b", NULL, "made to do harm");
		free(id);
	}
	id = commit_file(&w->box, ".gitmodules",
			 "[submodule \"a\"]\n\tpath = a\n\turl = https://example.org/a\n", NULL,
			 "main");
	bundle_all(&w->box, "b", "HEAD");
	assert_int_equal(add(w, "b", NULL, NULL, &err), 0);
	free(id);
}

static void refs_are_those_of_the_manifest(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char *one = commit_file(&w->box, "a.c", "int a;", NULL, "main");
	json_t *refs;

	free(git(&w->box, "tag", "-a", "-m", "first", "v1", one));
	bundle_all(&w->box, "b", "HEAD");
	assert_int_equal(add(w, "b", NULL, NULL, &err), 0);
	refs = json_pack("{s:{s:s}, s:{s:s}}", "refs/heads/main", "commit", one, "refs/tags/v1",
			 "commit", one);
	assert_int_equal(sources_compare_refs(w->tree, REPO, refs, &err), 0);
	(void)json_object_set_new(refs, "refs/heads/x", json_pack("{s:s}", "commit", one));
	assert_error(sources_compare_refs(w->tree, REPO, refs, &err), E_UNTRUSTED, &err,
		     "refs/heads/x: is in the manifest");
	(void)json_object_del(refs, "refs/heads/x");
	(void)json_object_del(refs, "refs/tags/v1");
	assert_error(sources_compare_refs(w->tree, REPO, refs, &err), E_UNTRUSTED, &err,
		     "refs/tags/v1: is not in the manifest");
	(void)json_object_set_new(
		refs, "refs/tags/v1",
		json_pack("{s:s}", "commit", "1234567890123456789012345678901234567890"));
	assert_error(sources_compare_refs(w->tree, REPO, refs, &err), E_UNTRUSTED, &err,
		     "refs/tags/v1: the manifest has commit 1234");
	json_decref(refs);
	free(one);
}

static void no_repository_has_no_commit(void **state)
{
	struct world *w = *state;
	struct error err = {0};
	char head[COMMIT_HEX_SIZE];
	bool has = true;

	assert_int_equal(sources_has_commit(w->tree, REPO,
					    "1234567890123456789012345678901234567890", &has, &err),
			 0);
	assert_false(has);
	assert_int_equal(sources_head(w->tree, REPO, head, &err), E_NOTFOUND);
	assert_error(sources_has_commit(w->tree, REPO, "1234", &has, &err), E_INVALID, &err,
		     "no commit id");
}

#define each(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(bundle_becomes_a_repository_that_git_finds_sound),
		each(dumb_files_list_packs_and_peeled_tags),
		each(later_bundle_builds_on_what_is_there),
		each(later_bundle_without_its_base_is_refused),
		each(branch_goes_forward_only_and_tag_stays),
		each(names_that_harm_a_checkout_are_refused),
		each(missing_object_is_refused),
		each(object_of_another_type_is_refused),
		each(disordered_tree_is_refused),
		each(tree_bomb_is_refused),
		each(limits_hold_at_their_bounds),
		each(damaged_bundle_is_refused),
		each(what_a_checkout_may_stumble_over_is_reported),
		each(modules_file_made_to_do_harm_is_refused),
		each(refs_are_those_of_the_manifest),
		each(no_repository_has_no_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
