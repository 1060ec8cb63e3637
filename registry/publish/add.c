/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish add, remove: list a file in the draft, with what devices must know of it. */
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/proc.h"
#include "lib/json/print.h"
#include "lib/json/texts.h"
#include "lib/tuf/repo.h"
#include "registry/publish/channel.h"
#include "registry/publish/verbs.h"
#include "registry/publish/work.h"

struct options {
	const char *dir, *role, *name, *version, *kind, *backend, *requires, *source, *commit,
		*recipe, *notes, *sbom;
	struct cli_list hardware, fixes, location;
	bool plain, recall;
};

static const struct cli_option options[] = {
	CLI_NEED(struct options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct options, role, CLI_TEXT, "role", "NAME",
		"the role that lists it; default: the top-level targets"),
	CLI_OPT(struct options, plain, CLI_FLAG, "plain", NULL,
		"not an installable image: source bundle, SBOM, notes"),
	CLI_OPT(struct options, name, CLI_TEXT, "name", "PATH",
		"its target path; default: the file's own name"),
	CLI_OPT(struct options, version, CLI_TEXT, "version", "V",
		"the version that it installs, such as 2.1.0"),
	CLI_OPT(struct options, hardware, CLI_LIST, "hardware", "ID",
		"a hardware id that it is for; may repeat"),
	CLI_OPT(struct options, kind, CLI_TEXT, "kind", "K", "image (default) or bundle"),
	CLI_OPT(struct options, backend, CLI_TEXT, "backend", "B",
		"how a device installs it; default: ab-image"),
	CLI_OPT(struct options, requires, CLI_TEXT, "requires", "RULE",
		"installed version that it needs, such as >=1.4.0"),
	CLI_OPT(struct options, source, CLI_TEXT, "source", "REPO",
		"the git work tree that it is built from: its HEAD"),
	CLI_OPT(struct options, commit, CLI_TEXT, "source-commit", "SHA1", "or that commit itself"),
	CLI_OPT(struct options, location, CLI_LIST, "source-url", "URL",
		"where that commit is public, if not here; may repeat"),
	CLI_OPT(struct options, recipe, CLI_TEXT, "recipe", "FILE",
		"the build recipe in that source"),
	CLI_OPT(struct options, fixes, CLI_LIST, "fixes", "CVE", "what it fixes; may repeat"),
	CLI_OPT(struct options, notes, CLI_TEXT, "notes", "TEXT", "a sentence for owners"),
	CLI_OPT(struct options, sbom, CLI_TEXT, "sbom", "PATH", "target path of its SBOM"),
	CLI_OPT(struct options, recall, CLI_FLAG, "recall", NULL,
		"devices may go back from this version"),
	{0},
};

enum { COMMIT_HEX = 40, COMMIT_MAX = 256 };

/* Set a text member if there is one to set; false: out of memory. */
static bool put_text(json_t *o, const char *key, const char *value)
{
	return !value || json_object_set_new(o, key, json_string(value)) == 0;
}

/* Append the commit that the image is built from, 40 hex digits; nothing if none was named. */
static int source_commit(const struct options *o, struct buf *out, struct error *err)
{
	const char *const git[] = {"git",           "-C", o->source, "rev-parse", "--verify",
				   "HEAD^{commit}", NULL};
	int r;

	if (o->source && o->commit)
		return error_set(err, E_USAGE, "--source and --source-commit: give one of them");
	if (o->commit)
		return buf_puts(out, o->commit, err);
	if (!o->source)
		return 0;
	r = proc_run(git, NULL, NULL, out, COMMIT_MAX, err);
	if (r < 0)
		return error_prefix(err, E_USAGE, "--source: %s", o->source);
	if (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	return 0;
}

static int source_json(const struct options *o, json_t *bequest, struct error *err)
{
	CLEANUP(buf_clear) struct buf commit = {0};
	CLEANUP(buf_clear) struct buf swhid = {0};
	json_t *source;
	int r = source_commit(o, &commit, err);

	if (r < 0 || !commit.len)
		return r;
	if (!hex_is(commit.data, COMMIT_HEX))
		return error_set(err, E_USAGE, "--source-commit: want 40 hex digits, got %s",
				 commit.data);
	r = buf_printf(&swhid, err, "swh:1:rev:%s", commit.data);
	if (r < 0)
		return r;
	source = json_pack("{s:s, s:s}", "commit", commit.data, "swhid", swhid.data);
	if (!source || json_object_set_new(bequest, "source", source) < 0 ||
	    !put_text(source, "recipe", o->recipe) ||
	    (o->location.n &&
	     json_object_set_new(source, "locations",
				 json_texts(o->location.items, o->location.n)) < 0))
		return error_nomem(err);
	return 0;
}

/* targets[path].custom, as docs/PROTOCOL.md has it; NULL for a plain file. */
static int custom_json(const struct options *o, int64_t size, json_t **out, struct error *err)
{
	json_auto_t *bequest = NULL;
	int r;

	if (o->plain)
		return 0;
	if (!o->version || !o->hardware.n)
		return error_set(
			err, E_USAGE,
			"an image needs --version and --hardware (or --plain: it is none)");
	bequest = json_pack(
		"{s:s, s:o, s:s, s:s, s:I, s:b, s:o}", "version", o->version, "hardware",
		json_texts(o->hardware.items, o->hardware.n), "kind", o->kind ? o->kind : "image",
		"backend", o->backend ? o->backend : "ab-image", "size_installed", (json_int_t)size,
		"recall", o->recall, "fixes", json_texts(o->fixes.items, o->fixes.n));
	if (!bequest || !put_text(bequest, "requires", o->requires) ||
	    !put_text(bequest, "notes", o->notes) || !put_text(bequest, "sbom", o->sbom))
		return error_nomem(err);
	r = source_json(o, bequest, err);
	if (r < 0)
		return r;
	*out = json_pack("{s:O}", "bequest", bequest);
	return *out ? 0 : error_nomem(err);
}

/* Copy into files/<sha256>, so that what is submitted is what was added. */
static int keep_file(struct work *w, const char *path, char sha256[SHA256_HEX_SIZE], int64_t *size,
		     struct error *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(closep) int files = -1;
	int r;

	if (fd < 0)
		return error_set(err, E_USAGE, "%s: %s", path, strerror(errno));
	r = file_size(fd, path, size, err);
	if (r == 0)
		r = digest_fd(fd, *size, sha256, err);
	if (r == 0)
		r = file_open_dir(w->dir, "files", false, &files, err);
	if (r == 0)
		r = file_copy(AT_FDCWD, path, files, sha256, 0644, err);
	return r;
}

struct listing {
	const char *role, *path, *sha256;
	int64_t size;
	json_t *custom; /* NULL: a plain file */
};

static int list_file(struct work *w, const struct listing *l, struct error *err)
{
	CLEANUP(json_decrefp) json_t *next = NULL;
	int r = work_edit(w, l->role, &next, err);

	if (r == 0)
		r = repo_targets_add(next, l->path, l->size, l->sha256, l->custom, err);
	/* signatures over the draft before it are void */
	return r < 0 ? r : work_set_draft(w, l->role, steal(next), err);
}

/* What goes into the draft is UTF-8; a shell hands over anything. */
static int check_texts(const struct options *o, const char *name, struct error *err)
{
	const struct {
		const char *option, *text;
	} texts[] = {{"name", name},          {"version", o->version},   {"kind", o->kind},
		     {"backend", o->backend}, {"requires", o->requires}, {"recipe", o->recipe},
		     {"notes", o->notes},     {"sbom", o->sbom}};
	const struct {
		const char *option;
		const struct cli_list *list;
	} lists[] = {
		{"hardware", &o->hardware}, {"fixes", &o->fixes}, {"source-url", &o->location}};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].text && !json_text_ok(texts[i].text))
			return error_set(err, E_USAGE, "--%s: want UTF-8", texts[i].option);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; k < lists[i].list->n; k++)
			if (!json_text_ok(lists[i].list->items[k]))
				return error_set(err, E_USAGE, "--%s: want UTF-8", lists[i].option);
	return 0;
}

static int run(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(buf_clear) struct buf role = {0};
	const struct options *o = call->opt;
	const char *path = call->args[0];
	const char *slash = strrchr(path, '/');
	const char *name = o->name ? o->name : slash ? slash + 1 : path;
	json_auto_t *custom = NULL;
	char sha256[SHA256_HEX_SIZE] = "";
	int64_t size = 0;
	int r;

	if (!file_path_ok(name))
		return error_set(err, E_USAGE, "--name: %s: not a relative path", name);
	r = check_texts(o, name, err);
	if (r == 0)
		r = work_open(o->dir, &w, err);
	if (r == 0)
		r = channel_for(&w, o->role ? o->role : "targets", name, &role, err);
	if (r == 0)
		r = keep_file(&w, path, sha256, &size, err);
	if (r == 0)
		r = custom_json(o, size, &custom, err);
	if (r == 0)
		r = list_file(&w, &(struct listing){role.data, name, sha256, size, custom}, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s, s:I}", "ok", 1, "role", role.data,
					    "path", name, "sha256", sha256, "size",
					    (json_int_t)size),
				  err);
	(void)printf("%s: %lld bytes, sha256 %s\n", name, (long long)size, sha256);
	return 0;
}

const struct cli_verb verb_add = {
	.name = "add",
	.args = "FILE",
	.help = "list a file in the draft: an image, or with --plain anything else",
	.options = options,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};

/* --- remove --- */

struct remove_options {
	const char *dir, *role;
};

static const struct cli_option remove_options[] = {
	CLI_NEED(struct remove_options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_OPT(struct remove_options, role, CLI_TEXT, "role", "NAME",
		"the role that lists it; default: the top-level targets"),
	{0},
};

static int run_remove(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(json_decrefp) json_t *next = NULL;
	CLEANUP(buf_clear) struct buf role = {0};
	const struct remove_options *o = call->opt;
	const char *path = call->args[0];
	int r = work_open(o->dir, &w, err);

	if (r == 0)
		r = channel_for(&w, o->role ? o->role : "targets", path, &role, err);
	if (r == 0)
		r = work_edit(&w, role.data, &next, err);
	if (r < 0)
		return r;
	r = repo_targets_drop(next, path, err);
	if (r < 0)
		return error_set(err, E_USAGE, "%s: does not list %s", role.data, path);
	r = work_set_draft(&w, role.data, steal(next), err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(
			json_pack("{s:b, s:s, s:s}", "ok", 1, "role", role.data, "path", path),
			err);
	(void)printf("%s: no longer listed by %s\n", path, role.data);
	return 0;
}

const struct cli_verb verb_remove = {
	.name = "remove",
	.args = "PATH",
	.help = "no longer list a file in the draft",
	.options = remove_options,
	.size = sizeof(struct remove_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_remove,
};
