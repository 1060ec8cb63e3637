/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/gitbox.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/proc.h"
#include "tests/unit/unit.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

void gitbox_start(struct gitbox *g)
{
	struct error err = {0};
	char *src = NULL;

	assert_int_equal(file_temp_dir(false, &g->path, &err), 0);
	assert_int_equal(file_open_dir(AT_FDCWD, g->path, false, &g->dir, &err), 0);
	assert_true(asprintf(&src, "%s/src", g->path) > 0);
	free(gitbox_run(
		g, (const char *const[]){"git", "init", "-q", "-b", "main", "--bare", src, NULL},
		NULL));
	free(src);
}

void gitbox_stop(struct gitbox *g)
{
	struct error err = {0};

	closep(&g->dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, g->path, &err), 0);
	free(g->path);
}

char *gitbox_run(const struct gitbox *g, const char *const *args, const struct buf *in)
{
	char *git_dir = NULL;
	const char *env[] = {NULL,
			     "GIT_AUTHOR_NAME=A",
			     "GIT_AUTHOR_EMAIL=a@example.org",
			     "GIT_COMMITTER_NAME=A",
			     "GIT_COMMITTER_EMAIL=a@example.org",
			     "GIT_AUTHOR_DATE=1700000000 +0000",
			     "GIT_COMMITTER_DATE=1700000000 +0000",
			     "GIT_CONFIG_NOSYSTEM=1",
			     "GIT_CONFIG_GLOBAL=/dev/null",
			     NULL};
	struct buf out = {0};
	struct error err = {0};

	assert_true(asprintf(&git_dir, "GIT_DIR=%s/src", g->path) > 0);
	env[0] = git_dir;
	if (proc_run(args, env, in, &out, OUTPUT_MAX, &err) < 0)
		fail_msg("git %s: %s", args[1], err.text);
	free(git_dir);
	if (out.len && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	return out.data ? buf_steal(&out) : strdup("");
}

char *gitbox_object(const struct gitbox *g, const char *type, const void *data, size_t len)
{
	const char *const args[] = {"git", "hash-object", "-t",      type,
				    "-w",  "--literally", "--stdin", NULL};
	struct buf in = {0};
	struct error err = {0};
	char *id;

	assert_int_equal(buf_add(&in, data, len, &err), 0);
	id = gitbox_run(g, args, &in);
	buf_clear(&in);
	return id;
}

void gitbox_entry(struct buf *tree, const char *mode, const char *name, const char *id)
{
	struct error err = {0};
	unsigned char raw[20];

	assert_true(hex_decode(id, raw, sizeof(raw)));
	assert_int_equal(buf_printf(tree, &err, "%s %s", mode, name), 0);
	assert_int_equal(buf_add(tree, "", 1, &err), 0);
	assert_int_equal(buf_add(tree, raw, sizeof(raw), &err), 0);
}

char *gitbox_tree(const struct gitbox *g, const struct buf *raw)
{
	return gitbox_object(g, "tree", raw->data, raw->len);
}

char *gitbox_commit(const struct gitbox *g, const char *tree, const char *parent,
		    const char *branch)
{
	struct buf text = {0};
	struct error err = {0};
	char *ref = NULL;
	char *id;

	assert_int_equal(buf_printf(&text, &err, "tree %s\n", tree), 0);
	if (parent)
		assert_int_equal(buf_printf(&text, &err, "parent %s\n", parent), 0);
	assert_int_equal(buf_puts(&text,
				  "author A <a@example.org> 1700000000 +0000\n"
				  "committer A <a@example.org> 1700000000 +0000\n\nx\n",
				  &err),
			 0);
	id = gitbox_object(g, "commit", text.data, text.len);
	buf_clear(&text);
	assert_true(asprintf(&ref, "refs/heads/%s", branch) > 0);
	free(git(g, "update-ref", ref, id));
	free(ref);
	return id;
}

void gitbox_bundle(const struct gitbox *g, const char *ids, const char *ref, const char *id,
		   const char *file)
{
	static const char *const pack[] = {"git", "pack-objects", "--stdout", "-q", NULL};
	struct buf out = {0}, in = {0}, bundle = {0};
	struct error err = {0};
	char *git_dir = NULL;

	assert_true(asprintf(&git_dir, "GIT_DIR=%s/src", g->path) > 0);
	assert_int_equal(buf_puts(&in, ids, &err), 0);
	assert_int_equal(buf_printf(&bundle, &err, "# v2 git bundle\n%s %s\n\n", id, ref), 0);
	if (proc_run(pack, (const char *const[]){git_dir, NULL}, &in, &out, OUTPUT_MAX, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(buf_add(&bundle, out.data, out.len, &err), 0);
	assert_int_equal(file_write(g->dir, file, bundle.data, bundle.len, 0644, &err), 0);
	free(git_dir);
	buf_clear(&in);
	buf_clear(&out);
	buf_clear(&bundle);
}
