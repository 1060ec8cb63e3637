/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>

#include "escrow/bridge.h"
#include "escrow/desk.h"
#include "escrow/folder.h"
#include "escrow/sealing.h"
#include "escrow/source.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/json/print.h"
#include "lib/sign/gpg.h"
#include "policies/deposit.h"
#include "policies/policy.h"

enum {
	CERT_MAX = 1024 * 1024,
	VERSION_MAX = 1000000,
	MODE_FILE = 0644,
	SEATS_MIN = 3, /* fewer cannot have 2 <= k < n */
};

struct options {
	struct common common;
	const char *bridge, *source, *recipe, *licence, *sbom, *docs, *vulnerabilities;
	const char *restricted, *beneficiary, *vendor, *policy, *support_until, *refresh_by;
	struct cli_list trustees;
	int64_t threshold, version;
	bool one_lock;
};

static const struct cli_option options[] = {
	OPT_PRODUCT(struct options, CLI_NEED),
	OPT_ROOT(struct options, CLI_NEED),
	CLI_NEED(struct options, bridge, CLI_TEXT, "bridge", "FILE", "the signed bridge root"),
	CLI_NEED(struct options, source, CLI_TEXT, "source", "REPO",
		 "a git repository, or a bundle of one"),
	CLI_NEED(struct options, recipe, CLI_TEXT, "recipe", "DIR", "how to build it"),
	CLI_NEED(struct options, licence, CLI_TEXT, "licence", "FILE",
		 "what everybody may do with it once it is open"),
	CLI_OPT(struct options, sbom, CLI_TEXT, "sbom", "PATH", "a list of its parts"),
	CLI_OPT(struct options, docs, CLI_TEXT, "docs", "PATH", "documents about the hardware"),
	CLI_OPT(struct options, vulnerabilities, CLI_TEXT, "vulnerabilities", "PATH",
		"known holes, as CSAF or VEX"),
	CLI_OPT(struct options, restricted, CLI_TEXT, "restricted", "DIR",
		"what only the beneficiary is to get"),
	CLI_OPT(struct options, beneficiary, CLI_TEXT, "beneficiary", "NAME=CERT",
		"who gets it, with an OpenPGP certificate"),
	CLI_NEED(struct options, trustees, CLI_LIST, "trustee", "NAME=CERT",
		 "who gets a share; repeat for each"),
	{.name = "threshold",
	 .arg = "K",
	 .help = "how many trustees open it",
	 .kind = CLI_INT,
	 .offset = offsetof(struct options, threshold),
	 .required = true,
	 .min = 1,
	 .max = SEATS_MAX},
	CLI_NEED(struct options, vendor, CLI_TEXT, "key-of-vendor", "WHO",
		 "the OpenPGP key, or certificate file, that can open it at any time"),
	CLI_OPT(struct options, policy, CLI_TEXT, "release-policy", "NAME",
		"a shipped policy, or a file (release/standard)"),
	CLI_NEED(struct options, support_until, CLI_TEXT, "support-until", "DATE",
		 "how long the product is promised support"),
	CLI_OPT(struct options, refresh_by, CLI_TEXT, "refresh-by", "DATE",
		"when the next deposit is due (when the root expires)"),
	CLI_RANGE(struct options, version, 1, VERSION_MAX, "version", "N",
		  "of this deposit; the product's next one (1)"),
	CLI_OPT(struct options, one_lock, CLI_FLAG, "one-lock", NULL,
		"let trustees who open it be stewards enough to use it"),
	OPT_KEYS(struct options, CLI_OPT),
	OPT_HOME(struct options),
	OPT_OUT(struct options, CLI_NEED, "the new folder"),
	{0},
};

/* Everything that is read, held until the folder is written. */
struct work {
	const struct options *o;
	struct plan plan;
	struct source source;
	struct gpg *gpg;        /* private: all certificates, no secrets */
	struct scratch scratch; /* inside the folder that will hold the new one */
	json_t *warnings;       /* array of texts */
};

static void work_clear(struct work *w)
{
	plan_clear(&w->plan);
	source_clear(&w->source);
	gpg_close(w->gpg);
	scratch_close(&w->scratch);
	json_decref(w->warnings);
}

static int warn(struct work *w, json_t *text_take, struct error *err)
{
	return json_array_append_new(w->warnings, text_take) < 0 ? error_nomem(err) : 0;
}

/* Import a certificate; find the key to encrypt to and, for a trustee, the one that signs. */
static int take_cert(struct work *w, const struct buf *cert, bool signs, struct holder *out,
		     struct error *err)
{
	char fpr[PGP_FPR_HEX_SIZE];
	struct gpg_subkeys sub = {0};
	int r = gpg_import(w->gpg, cert->data, cert->len, fpr, err);

	if (r == 0)
		r = gpg_subkeys(w->gpg, fpr, &sub, err);
	if (r < 0)
		return r;
	if (!*sub.encrypt)
		return error_set(err, E_USAGE, "has no key to encrypt to");
	if (signs && !*sub.sign)
		return error_set(err, E_USAGE, "has no key that signs");
	memcpy(out->encrypt, sub.encrypt, sizeof(out->encrypt));
	r = signs ? gpg_key_object(w->gpg, fpr, &out->key, out->keyid, err) : 0;
	return r < 0 ? r : gpg_export(w->gpg, fpr, true, &out->cert, err);
}

/* NAME=CERT */
static int take_holder(struct work *w, const char *option, const char *spec, bool signs,
		       struct holder *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf cert = {0};
	const char *equals = strchr(spec, '=');
	int r;

	if (!equals || equals == spec || !equals[1])
		return error_set(err, E_USAGE, "--%s %s: want NAME=CERT", option, spec);
	out->name = strndup(spec, (size_t)(equals - spec));
	if (!out->name)
		return error_nomem(err);
	r = desk_read(equals + 1, CERT_MAX, &cert, err);
	if (r == 0)
		r = take_cert(w, &cert, signs, out, err);
	return r < 0 ? error_prefix(err, desk_usage(r, err), "--%s %s", option, spec) : 0;
}

static int take_vendor(struct work *w, struct error *err)
{
	CLEANUP(buf_clear) struct buf cert = {0};
	CLEANUP(gpg_closep) struct gpg *own = NULL;
	const char *who = w->o->vendor;
	int r;

	if (file_exists(AT_FDCWD, who)) {
		r = desk_read(who, CERT_MAX, &cert, err);
	} else {
		r = gpg_open(w->o->common.gnupg_home, &own, err);
		if (r == 0)
			r = gpg_export(own, who, true, &cert, err);
	}
	w->plan.vendor.name = strdup(who);
	if (r == 0 && !w->plan.vendor.name)
		r = error_nomem(err);
	if (r == 0)
		r = take_cert(w, &cert, false, &w->plan.vendor, err);
	return r < 0 ? error_prefix(err, desk_usage(r, err), "--key-of-vendor") : 0;
}

static int check_numbers(const struct options *o, struct error *err)
{
	if (o->trustees.n < SEATS_MIN || o->trustees.n > SEATS_MAX)
		return error_set(err, E_USAGE, "--trustee: want %d to %d, got %zu", SEATS_MIN,
				 SEATS_MAX, o->trustees.n);
	if (o->threshold < 2 || (uint64_t)o->threshold >= o->trustees.n)
		return error_set(err, E_USAGE,
				 "--threshold: want 2 to %zu, got %lld: with 1, one person "
				 "decides, with all, one can block",
				 o->trustees.n - 1, (long long)o->threshold);
	if (!o->restricted != !o->beneficiary)
		return error_set(err, E_USAGE, "want --restricted and --beneficiary together");
	return 0;
}

/* One seat, one vote: nobody holds two shares. */
static int check_seats(const struct plan *p, struct error *err)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(p->seats[i].encrypt, p->seats[j].encrypt) == 0 ||
			    strcmp(p->seats[i].keyid, p->seats[j].keyid) == 0)
				return error_set(err, E_USAGE, "--trustee %s: the key of %s",
						 p->seats[i].name, p->seats[j].name);
	return 0;
}

static int take_people(struct work *w, struct error *err)
{
	const struct options *o = w->o;
	int r = gpg_open_private(&w->gpg, err);

	for (size_t i = 0; r == 0 && i < o->trustees.n; i++) {
		r = take_holder(w, "trustee", o->trustees.items[i], true, &w->plan.seats[i], err);
		w->plan.n = i + 1;
	}
	w->plan.k = (size_t)o->threshold;
	if (r == 0)
		r = check_seats(&w->plan, err);
	if (r == 0)
		r = take_vendor(w, err);
	if (r == 0 && o->beneficiary)
		r = take_holder(w, "beneficiary", o->beneficiary, false, &w->plan.beneficiary, err);
	return r;
}

static int check_locks(struct work *w, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys trustees = {0};
	CLEANUP(json_decrefp) json_t *keys = json_object();
	int r;

	for (size_t i = 0; i < w->plan.n; i++)
		if (json_object_set(keys, w->plan.seats[i].keyid, w->plan.seats[i].key) < 0)
			return error_nomem(err);
	r = role_keys_parse(keys, NULL, (int64_t)w->plan.k, "trustees", &trustees, err);
	if (r == 0)
		r = bridge_two_locks(w->plan.bridge, &trustees, err);
	if (r == E_DENIED && w->o->one_lock)
		return warn(w,
			    json_string("one lock: the trustees who open this deposit can also "
					"sign its bridge"),
			    err);
	return r;
}

static int take_roots(struct work *w, struct error *err)
{
	const struct options *o = w->o;
	int r = desk_read_root(o->common.root, &w->plan.root, err);

	if (r == 0)
		r = tuf_root_self_signed(w->plan.root, err);
	if (r == 0 &&
	    (!w->plan.root->product || strcmp(w->plan.root->product, o->common.product) != 0))
		r = error_set(err, E_USAGE, "%s: signed.product: want %s", o->common.root,
			      o->common.product);
	if (r == 0)
		r = desk_read_root(o->bridge, &w->plan.bridge, err);
	if (r < 0)
		return r;
	r = bridge_check(w->plan.root, w->plan.bridge, err);
	return r < 0 ? error_prefix(err, r, "%s", o->bridge) : 0;
}

/* A file, under its own name, or everything below a folder. */
static int add_path(struct items *items, const char *kind, const char *from, struct error *err)
{
	CLEANUP(freep) char *copy = strdup(from);
	CLEANUP(buf_clear) struct buf path = {0};
	struct stat st;
	int r;

	if (!copy)
		return error_nomem(err);
	if (stat(from, &st) < 0)
		return error_set(err, E_USAGE, "%s: %s", from, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return items_add_tree(items, kind, from, err);
	r = buf_printf(&path, err, "%s/%s", kind, basename(copy));
	return r < 0 ? r : items_add(items, path.data, from, err);
}

static int add_source(struct work *w, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	const json_t *issue;
	size_t i;
	int r = source_take(w->o->source, &w->scratch, &w->source, err);

	if (r == 0)
		r = buf_printf(&path, err, "source/%s.bundle", w->plan.product);
	if (r == 0)
		r = items_add(&w->plan.items[COMPARTMENT_PUBLIC], path.data, w->source.bundle, err);
	json_array_foreach(w->source.issues, i, issue) if (r == 0) r =
		warn(w, json_sprintf("source: %s", json_string_value(issue)), err);
	w->plan.refs = json_incref(w->source.refs);
	return r;
}

static int take_items(struct work *w, struct error *err)
{
	const struct options *o = w->o;
	struct items *public = &w->plan.items[COMPARTMENT_PUBLIC];
	struct items *restricted = &w->plan.items[COMPARTMENT_RESTRICTED];
	const char *const more[][2] = {{"build", o->recipe},
				       {"licence", o->licence},
				       {"sbom", o->sbom},
				       {"docs", o->docs},
				       {"vulnerabilities", o->vulnerabilities}};
	int r = items_add(public, FOLDER_BRIDGE, o->bridge, err);

	if (r == 0)
		r = add_source(w, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(more); i++)
		if (more[i][1])
			r = add_path(public, more[i][0], more[i][1], err);
	if (r == 0)
		r = items_sort(public, err);
	if (r < 0 || !o->restricted)
		return r;
	/* The folder's own names are the paths: keys/, unlock/, provisioning/. */
	r = items_add_tree(restricted, NULL, o->restricted, err);
	if (r == 0)
		r = items_sort(restricted, err);
	if (r == 0 && restricted->n == 0)
		return error_set(err, E_USAGE, "--restricted %s: no files", o->restricted);
	if (r == 0 && items_has_below(restricted, "keys/"))
		r = warn(w,
			 json_string("restricted: keys/: a bridge moves trust without any key; "
				     "deposit one only if the hardware leaves no other way"),
			 err);
	return r;
}

static int take_policy(struct work *w, struct error *err)
{
	CLEANUP(policy_freep) struct policy *p = NULL;
	const char *name = w->o->policy ? w->o->policy : "release/standard";
	int r;

	w->plan.policy = policy_shipped_json(name);
	if (!w->plan.policy) {
		r = desk_read_json(name, &w->plan.policy, err);
		if (r < 0)
			return r;
	}
	r = policy_parse(w->plan.policy, name, &p, err);
	return desk_usage(r, err);
}

static int take_dates(struct work *w, struct error *err)
{
	int r = desk_time("support-until", w->o->support_until, w->plan.support_until, err);

	if (r == 0 && w->o->refresh_by)
		r = desk_time("refresh-by", w->o->refresh_by, w->plan.refresh_by, err);
	else if (r == 0)
		utc_format(w->plan.root->expires, w->plan.refresh_by);
	return r;
}

/* The folder is made beside its place and renamed, so that it is there whole or not at all. */
static int open_scratch(struct work *w, struct error *err)
{
	CLEANUP(freep) char *copy = strdup(w->o->common.out);

	if (!copy)
		return error_nomem(err);
	if (file_exists(AT_FDCWD, w->o->common.out))
		return error_set(err, E_USAGE, "--out %s: exists", w->o->common.out);
	return scratch_open(dirname(copy), &w->scratch, err);
}

static int report(const struct cli_call *call, struct work *w, const struct envelope *doc,
		  struct error *err)
{
	const struct plan *p = &w->plan;
	const json_t *text;
	size_t i;

	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:O}", "ok",
					    1, "folder", w->o->common.out, "id", envelope_id(doc),
					    "threshold", (json_int_t)p->k, "trustees",
					    (json_int_t)p->n, "bridge", envelope_id(p->bridge->doc),
					    "items", (json_int_t)p->items[COMPARTMENT_PUBLIC].n,
					    "signatures", (json_int_t)envelope_signatures(doc),
					    "warnings", w->warnings),
				  err);
	json_array_foreach(w->warnings, i, text)
	{
		(void)fputs("warning: ", stderr);
		log_escaped(stderr, json_string_value(text));
		(void)fputc('\n', stderr);
	}
	(void)printf("%s: deposit %s\n", w->o->common.out, envelope_id(doc));
	(void)printf("  sealed to %zu of %zu trustees; %zu signature%s, root %lld wants %lld\n",
		     p->k, p->n, envelope_signatures(doc), envelope_signatures(doc) == 1 ? "" : "s",
		     (long long)p->root->version, (long long)p->root->role[TUF_ROOT].threshold);
	return 0;
}

/* What a policy file may be is not all that fits into a manifest, so before anybody signs it. */
static int read_back(const struct envelope *doc, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *again = NULL;
	CLEANUP(deposit_clear) struct deposit d = {0};
	const struct buf *text = envelope_bytes(doc);
	int r = envelope_parse(text->data, text->len, FOLDER_MANIFEST, &again, err);

	if (r == 0)
		r = deposit_read(again, FOLDER_MANIFEST, &d, err);
	return desk_usage(r, err);
}

static int write_folder(const struct cli_call *call, struct work *w, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(scratch_close) struct scratch folder = SCRATCH_NONE;
	struct progress bar;
	const struct seal_progress progress = {progress_draw, &bar};
	int r = scratch_open(w->scratch.path, &folder, err);

	if (r < 0)
		return r;
	progress_init(&bar, "sealing", call->json);
	r = seal_folder(&w->plan, w->gpg, folder.fd, &progress, &doc, err);
	progress_end(&bar);
	if (r == 0)
		r = read_back(doc, err);
	if (r == 0)
		r = desk_sign(&w->o->common, doc, err);
	if (r == 0 && envelope_bytes(doc)->len > DOCUMENT_MAX)
		return error_set(err, E_USAGE,
				 FOLDER_MANIFEST ": %zu bytes, want at most %d: put what has many "
						 "files into an archive",
				 envelope_bytes(doc)->len, DOCUMENT_MAX);
	if (r == 0)
		r = file_write(folder.fd, FOLDER_MANIFEST, envelope_bytes(doc)->data,
			       envelope_bytes(doc)->len, MODE_FILE, err);
	if (r == 0)
		r = scratch_keep(&folder, w->o->common.out, err);
	return r < 0 ? r : report(call, w, doc, err);
}

static int run(const struct cli_call *call, struct error *err)
{
	const struct options *o = call->opt;
	CLEANUP(work_clear)
	struct work w = {
		.o = o,
		.plan = {.product = o->common.product, .version = o->version ? o->version : 1},
		.scratch = SCRATCH_NONE,
		.warnings = json_array()};
	int r;

	if (!w.warnings)
		return error_nomem(err);
	/* What costs little first: a mistake shows at once. */
	r = check_numbers(o, err);
	if (r == 0)
		r = open_scratch(&w, err);
	if (r == 0)
		r = take_roots(&w, err);
	if (r == 0)
		r = take_policy(&w, err);
	if (r == 0)
		r = take_dates(&w, err);
	if (r == 0)
		r = take_people(&w, err);
	if (r == 0)
		r = check_locks(&w, err);
	if (r == 0)
		r = take_items(&w, err);
	return r < 0 ? r : write_folder(call, &w, err);
}

const struct cli_verb escrow_seal = {
	.name = "seal",
	.help = "make a deposit: sources, recipe, licence and bridge root, sealed to trustees",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
