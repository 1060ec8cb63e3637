/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/folder.h"
#include "escrow/known.h"
#include "escrow/matter.h"
#include "escrow/shamir.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/json/print.h"
#include "lib/sign/gpg.h"
#include "policies/policy.h"

enum { SEALED_MAX = 64 * 1024, CERT_MAX = 1024 * 1024, MODE_SECRET = 0600, PATH_SIZE = 256 };

struct options {
	struct common common;
	const char *deposit, *compartment;
	bool vendor;
};

static const struct cli_option options[] = {
	OPT_PRODUCT(struct options, CLI_NEED),
	OPT_REGISTRY(struct options, CLI_NEED),
	OPT_ALLOW_HTTP(struct options),
	OPT_ROOT(struct options, CLI_OPT),
	CLI_OPT(struct options, deposit, CLI_TEXT, "deposit", "ID", "the deposit (the newest)"),
	CLI_OPT(struct options, compartment, CLI_TEXT, "compartment", "NAME",
		"public, or restricted, which needs --out (public)"),
	CLI_OPT(struct options, vendor, CLI_FLAG, "vendor", NULL,
		"hand over the vendor's own copy of the passphrase (after eol --release)"),
	OPT_HOME(struct options),
	OPT_OUT(struct options, CLI_OPT,
		"write it as share.NNN, or encrypted to the beneficiary, instead of sending it"),
	{0},
};

struct work {
	const struct cli_call *call;
	const struct options *o;
	enum compartment_kind kind;
	struct desk desk;
	struct view view;
	struct matter matter;
	struct gpg *gpg;                /* the person's own */
	const struct seat *seat;        /* theirs; NULL: the vendor's */
	struct buf share;               /* SHARE_LEN bytes once found */
	char approval[SHA256_HEX_SIZE]; /* "": none was needed */
};

static void work_clear(struct work *w)
{
	matter_clear(&w->matter);
	view_close(&w->view);
	desk_close(&w->desk);
	gpg_close(w->gpg);
	buf_wipe(&w->share);
}

static int work_open(struct work *w, struct error *err)
{
	const char *name = w->o->compartment;
	int r;

	w->kind = name && strcmp(name, compartment_name(COMPARTMENT_RESTRICTED)) == 0
			  ? COMPARTMENT_RESTRICTED
			  : COMPARTMENT_PUBLIC;
	if (name && strcmp(name, compartment_name(w->kind)) != 0)
		return error_set(err, E_USAGE, "--compartment: want public or restricted, got %s",
				 name);
	if (w->kind == COMPARTMENT_RESTRICTED && !w->o->common.out)
		return error_set(err, E_USAGE,
				 "--compartment restricted: want --out FILE, for the "
				 "beneficiary alone");
	r = desk_open(&w->o->common, &w->desk, err);
	if (r == 0)
		r = view_open(&w->desk, &w->o->common, &w->view, err);
	if (r == 0)
		r = matter_open(&w->view, w->o->deposit, &w->matter, err);
	if (r == 0 && !w->matter.deposit.compartments[w->kind].present)
		r = error_set(err, E_USAGE, "deposit %s: no %s compartment",
			      envelope_id(w->matter.doc), compartment_name(w->kind));
	return r < 0 ? r : gpg_open(w->o->common.gnupg_home, &w->gpg, err);
}

/* Where the polynomial has this value; the passphrase is at 0. */
static long long number_of(const struct work *w)
{
	return w->seat ? w->seat->number : 0;
}

static int explain(const struct evidence *e, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = policy_explain(e->why, false, &text, err);

	if (r == 0 && text.len)
		(void)fwrite(text.data, 1, text.len, stderr);
	return r;
}

/* The person's own judgement, on what the whole world can see. */
static int demand_release(struct work *w, struct error *err)
{
	CLEANUP(evidence_clear) struct evidence e = {0};
	int r = view_evidence(&w->view, &w->matter.deposit, &e, err);

	if (r < 0)
		return r;
	if (e.released == ANSWER_YES)
		return 0;
	if (!w->call->json && explain(&e, err) < 0)
		return err->code;
	return error_set(err, E_NOTYET,
			 "deposit %s: not to be opened yet: its release policy says %s",
			 envelope_id(w->matter.doc), answer_name(e.released));
}

/* The registry may show whatever chain it likes: this has to be the product that I know. */
static int demand_known(const struct work *w, struct error *err)
{
	const struct common *c = &w->o->common;
	struct error why = {0};
	int r;

	if (c->root || w->o->vendor)
		return 0;
	r = known_check(c->gnupg_home, c->product, envelope_id(w->view.roots[0]->doc), &why);
	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE,
				 "%s: want --root FILE, a root that you know to be its own: no "
				 "statement of yours was made from this GnuPG home",
				 c->product);
	return r < 0 ? error_set(err, r, "%s", why.text) : 0;
}

static int fetch(const struct work *w, const char *path, size_t max, struct buf *out,
		 struct error *err)
{
	char full[PATH_SIZE];

	(void)snprintf(full, sizeof(full), "p/%s/deposits/%s/%s", w->o->common.product,
		       envelope_id(w->matter.doc), path);
	return desk_get(&w->desk, full, max, out, err);
}

/* Decrypt the share of one seat, if this home can. */
static int try_seat(struct work *w, const struct seat *seat, struct error *err)
{
	CLEANUP(buf_clear) struct buf sealed = {0};
	struct gpg_subkeys unused;
	char path[FOLDER_PATH_SIZE], got[SHA256_HEX_SIZE];
	int r = gpg_subkeys(w->gpg, seat->encryption_fpr, &unused, err);

	if (r < 0)
		return r;
	folder_share(w->kind, seat->encryption_fpr, path);
	r = fetch(w, path, SEALED_MAX, &sealed, err);
	if (r == 0)
		r = gpg_decrypt(w->gpg, sealed.data, sealed.len, &w->share, NULL, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	sha256_hex(w->share.data, w->share.len, got);
	if (w->share.len != SHARE_LEN || strcmp(got, seat->share_sha256[w->kind]) != 0)
		return error_set(err, E_UNTRUSTED, "%s: not the share that was sealed", path);
	w->seat = seat;
	return 0;
}

/* The vendor needs no trustee to open what it has released. */
static int find_passphrase(struct work *w, struct error *err)
{
	CLEANUP(buf_clear) struct buf sealed = {0};
	char path[FOLDER_PATH_SIZE], got[SHA256_HEX_SIZE];
	int r;

	if (w->kind != COMPARTMENT_PUBLIC)
		return error_set(err, E_USAGE, "--vendor: opens the public compartment only");
	if (!w->matter.eol)
		return error_set(err, E_NOTYET, "deposit %s: no final end of life names its bridge",
				 envelope_id(w->matter.doc));
	folder_vendor(w->kind, path);
	r = fetch(w, path, SEALED_MAX, &sealed, err);
	if (r == 0)
		r = gpg_decrypt(w->gpg, sealed.data, sealed.len, &w->share, NULL, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	sha256_hex(w->share.data, w->share.len, got);
	if (w->share.len != SHARE_LEN ||
	    strcmp(got, w->matter.deposit.compartments[w->kind].passphrase_sha256) != 0)
		return error_set(err, E_UNTRUSTED, "%s: not the passphrase of this deposit", path);
	memcpy(w->approval, envelope_id(w->matter.eol), sizeof(w->approval));
	return 0;
}

static int find_share(struct work *w, struct error *err)
{
	const struct deposit *d = &w->matter.deposit;
	struct error last = {0};

	for (size_t i = 0; i < d->nseats; i++) {
		struct error why = {0};

		if (try_seat(w, &d->seats[i], &why) == 0)
			return 0;
		/* A key that is not here says less than a share that does not open. */
		if (why.code != E_NOTFOUND || !last.code)
			last = why;
		buf_wipe(&w->share);
	}
	if (last.code != E_NOTFOUND)
		return error_set(err, last.code, "%s", last.text);
	return error_set(err, E_USAGE, "no share of deposit %s is for a key of this GnuPG home",
			 envelope_id(w->matter.doc));
}

/* My approval, which the registry wants to see with the share. */
static int find_approval(struct work *w, struct error *err)
{
	const struct matter *m = &w->matter;
	struct votes votes = {.me = w->seat};
	int r = 0;

	if (m->eol)
		r = matter_votes(&w->view, m, envelope_id(m->eol), &votes, err);
	for (size_t i = m->nnotices; r == 0 && !*votes.mine && i > 0; i--)
		r = matter_votes(&w->view, m, envelope_id(m->notices[i - 1]), &votes, err);
	memcpy(w->approval, votes.mine, sizeof(w->approval));
	return r;
}

/* jansson has its own copy of the share; overwrite it before it is freed. */
static void body_wipe(json_t **body)
{
	const char *text = json_string_value(json_object_get(*body, "share"));
	char *mine;

	if (text) {
		memcpy(&mine, &text, sizeof(mine));
		explicit_bzero(mine, strlen(mine));
	}
	json_decref(*body);
}

static int post(struct work *w, struct error *err)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	CLEANUP(body_wipe) json_t *body = NULL;
	CLEANUP(json_decrefp) json_t *reply = NULL;
	int r = base64_encode(w->share.data, w->share.len, &text, err);

	if (r < 0)
		return r;
	body = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s*}", "product", w->o->common.product,
			 "deposit", envelope_id(w->matter.doc), "compartment",
			 compartment_name(w->kind), "number", (json_int_t)number_of(w), "share",
			 text.data, "approval", *w->approval ? w->approval : NULL);
	if (!body)
		return error_nomem(err);
	r = api_post(&w->desk.api, "v1/shares", body, &reply, err);
	if (r < 0)
		return r;
	if (w->call->json) {
		r = json_put(reply, "ok", json_true(), err);
		return r < 0 ? r : json_print(steal(reply), err);
	}
	(void)printf("share %lld handed over: %lld of %lld, ", number_of(w),
		     (long long)json_integer_value(json_object_get(reply, "have")),
		     (long long)json_integer_value(json_object_get(reply, "need")));
	const char *state = json_string_value(json_object_get(reply, "state"));
	log_escaped(stdout, state ? state : "?");
	(void)putchar('\n');
	return 0;
}

/* For the beneficiary's eyes only: the share leaves this machine encrypted to that key. */
static int seal_again(struct work *w, struct buf *out, struct error *err)
{
	const char *fpr = w->matter.deposit.compartments[w->kind].beneficiary;
	CLEANUP(gpg_closep) struct gpg *private = NULL;
	CLEANUP(buf_clear) struct buf cert = {0};
	char path[FOLDER_PATH_SIZE], primary[PGP_FPR_HEX_SIZE], name[16];
	int r;

	folder_cert(fpr, path);
	(void)snprintf(name, sizeof(name), "share.%03lld", number_of(w));
	r = fetch(w, path, CERT_MAX, &cert, err);
	if (r == 0)
		r = gpg_open_private(&private, err);
	if (r == 0)
		r = gpg_import(private, cert.data, cert.len, primary, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	/* gpg_seal() takes the key of this fingerprint alone, whatever else the file has. */
	return gpg_seal(private, fpr, &(struct gpg_plain){w->share.data, w->share.len, name}, out,
			err);
}

static int write_out(struct work *w, struct error *err)
{
	CLEANUP(buf_clear) struct buf sealed = {0};
	const struct buf *what = &w->share;
	const char *to = w->o->common.out;
	int r = 0;

	if (w->kind == COMPARTMENT_RESTRICTED) {
		r = seal_again(w, &sealed, err);
		what = &sealed;
	}
	if (r == 0)
		r = file_write(AT_FDCWD, to, what->data, what->len, MODE_SECRET, err);
	if (r < 0)
		return r;
	if (w->call->json)
		return json_print(json_pack("{s:b, s:s, s:I}", "ok", 1, "file", to, "number",
					    (json_int_t)number_of(w)),
				  err);
	(void)printf("%s: share %lld\n", to, number_of(w));
	return 0;
}

static int run(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_clear) struct work w = {.call = call, .o = call->opt};
	int r = work_open(&w, err);

	if (r == 0)
		r = demand_release(&w, err);
	if (r == 0)
		r = demand_known(&w, err);
	if (r == 0 && w.o->vendor)
		r = find_passphrase(&w, err);
	else if (r == 0)
		r = find_share(&w, err);
	if (r == 0 && w.seat)
		r = find_approval(&w, err);
	if (r < 0)
		return r;
	return w.o->common.out ? write_out(&w, err) : post(&w, err);
}

const struct cli_verb escrow_share = {
	.name = "share",
	.help = "decrypt my share and hand it over, once the release policy is satisfied",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
