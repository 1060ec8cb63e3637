/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "escrow/desk.h"
#include "escrow/folder.h"
#include "escrow/lint.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"

struct lint_options {
	struct common common;
	const char *device_class;
};

static const struct cli_option lint_options[] = {
	OPT_ROOT(struct lint_options, CLI_OPT),
	CLI_OPT(struct lint_options, device_class, CLI_TEXT, "class", "WORD",
		"judge a product statement as router, appliance or toy"),
	{0},
};

static int lint_folder(const char *path, const struct common *c, struct lint *l, struct error *err)
{
	CLEANUP(folder_close) struct folder f = {.fd = -1};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	int r = folder_open(path, &f, err);

	if (r == 0 && c->root)
		r = desk_read_root(c->root, &root, err);
	return r < 0 ? r : lint_deposit(l, &f.deposit, root, err);
}

static int lint_about(const char *path, const struct envelope *doc, const struct lint_options *o,
		      struct lint *l, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct statement about;
	int r = statement_read(doc, path, &about, err);

	if (r == 0 && o->common.root)
		r = desk_read_root(o->common.root, &root, err);
	return r < 0 ? r : lint_product(l, &about, root, o->device_class, err);
}

/* A product statement, or else a root. */
static int lint_file(const char *path, const struct lint_options *o, struct lint *l,
		     struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct error none;
	int r = desk_read_envelope(path, &doc, &none);

	if (r == 0 && strcmp(envelope_type(doc), statement_name(ST_PRODUCT)) == 0)
		return lint_about(path, doc, o, l, err);
	r = desk_read_root(path, &root, err);
	return r < 0 ? r : lint_root(l, root, err);
}

static void print_findings(const struct lint *l)
{
	const json_t *f;
	size_t i;

	json_array_foreach(l->findings, i, f)
	{
		(void)printf("%s: %s: ", json_string_value(json_object_get(f, "level")),
			     json_string_value(json_object_get(f, "rule")));
		log_escaped(stdout, json_string_value(json_object_get(f, "text")));
		(void)putchar('\n');
	}
}

static int run_lint(const struct cli_call *call, struct error *err)
{
	const struct lint_options *o = call->opt;
	CLEANUP(lint_clear) struct lint l = {0};
	struct stat st;
	int r = lint_init(&l, utc_now(), err);

	if (r < 0)
		return r;
	if (stat(call->args[0], &st) < 0)
		return error_set(err, E_USAGE, "%s: %s", call->args[0], strerror(errno));
	r = S_ISDIR(st.st_mode) ? lint_folder(call->args[0], &o->common, &l, err)
				: lint_file(call->args[0], o, &l, err);
	if (r < 0)
		return r;
	if (call->json)
		r = json_print(json_pack("{s:b, s:O}", "ok", l.errors == 0, "findings", l.findings),
			       err);
	else
		print_findings(&l);
	if (r == 0 && l.errors)
		return EXIT_DENIED;
	return r;
}

const struct cli_verb escrow_lint = {
	.name = "lint",
	.args = "DEPOSIT|ROOT|PRODUCT",
	.help = "what is missing, stale or will not help anyone",
	.options = lint_options,
	.size = sizeof(struct lint_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_lint,
};

static const struct cli_option verify_options[] = {
	OPT_ROOT(struct common_only, CLI_OPT),
	OPT_REGISTRY(struct common_only, CLI_OPT),
	OPT_ALLOW_HTTP(struct common_only),
	{0},
};

/* Under the root that the manifest names, as a registry's chain has it. */
static int verify_by_registry(const struct folder *f, const struct common *given, struct error *err)
{
	struct common c = *given;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	const struct statement *head = &f->deposit.head;
	const struct tuf_root *root;
	int r;

	c.product = head->product;
	r = desk_open(&c, &d, err);
	if (r == 0)
		r = view_open(&d, &c, &v, err);
	if (r < 0)
		return r;
	root = view_find_root(&v, head->root_version, head->root_id);
	if (!root)
		return error_set(err, E_UNTRUSTED,
				 FOLDER_MANIFEST ": signed.root: not a root of %s", head->product);
	r = envelope_verify(f->doc, &root->role[TUF_ROOT], "the root role", err);
	return r < 0 ? error_prefix(err, r, FOLDER_MANIFEST) : 0;
}

static int print_verified(const struct cli_call *call, const struct folder *f, bool is_signed,
			  struct error *err)
{
	const struct deposit *d = &f->deposit;

	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:I, s:o, s:I, s:I, s:s}", "ok", 1,
					    "deposit", envelope_id(f->doc), "product",
					    d->head.product, "root",
					    (json_int_t)d->head.root_version, "signed",
					    is_signed ? json_true() : json_null(), "files",
					    (json_int_t)d->nfiles, "threshold",
					    (json_int_t)d->trustees.threshold, "bridge", d->bridge),
				  err);
	(void)printf("deposit %s of %s\n  %zu files: every digest right\n", envelope_id(f->doc),
		     d->head.product, d->nfiles);
	if (is_signed)
		(void)printf("  signed by a threshold of root %lld\n",
			     (long long)d->head.root_version);
	else
		(void)printf("  signatures not checked: give --root or --registry\n");
	(void)printf("  opens with %lld of %zu trustees\n", (long long)d->trustees.threshold,
		     d->nseats);
	return 0;
}

static int run_verify(const struct cli_call *call, struct error *err)
{
	const struct common_only *o = call->opt;
	CLEANUP(folder_close) struct folder f = {.fd = -1};
	struct progress bar;
	int r = folder_open(call->args[0], &f, err);

	if (r == 0 && o->common.registry)
		r = verify_by_registry(&f, &o->common, err);
	else if (r == 0 && o->common.root)
		r = folder_verify(&f, o->common.root, NULL, err);
	if (r < 0)
		return r;
	progress_init(&bar, "checking", call->json);
	r = folder_check(&f, progress_draw, &bar, err);
	progress_end(&bar);
	if (r < 0)
		return r;
	return print_verified(call, &f, o->common.registry || o->common.root, err);
}

const struct cli_verb escrow_verify = {
	.name = "verify",
	.args = "DEPOSIT",
	.help = "check a deposit's signatures and digests; needs no secrets",
	.options = verify_options,
	.size = sizeof(struct common_only),
	.min_args = 1,
	.max_args = 1,
	.run = run_verify,
};
