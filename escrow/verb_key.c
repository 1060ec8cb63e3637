/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/json/print.h"
#include "lib/sign/gpg.h"
#include "lib/sign/signer_spec.h"

enum { MODE_SECRET = 0600, MODE_FILE = 0644, MODE_HOME = 0700 };

static const char gpg_spec[] = "gpg:";

struct new_options {
	struct common common;
	const char *type, *seal_to, *user_id;
};

static const struct cli_option new_options[] = {
	CLI_NEED(struct new_options, type, CLI_TEXT, "type", "TYPE",
		 "ed25519, ecdsa, rsa; or openpgp: into the GnuPG home, without a passphrase"),
	CLI_OPT(struct new_options, seal_to, CLI_TEXT, "seal-to", "WHO",
		"encrypt it to this OpenPGP key: it opens as sealed:FILE"),
	CLI_OPT(struct new_options, user_id, CLI_TEXT, "user-id", "TEXT",
		"whose OpenPGP key it is, as in 'Ann <ann@example.org>'"),
	OPT_HOME(struct new_options),
	OPT_OUT(struct new_options, CLI_OPT, "the private key's file"),
	{0},
};

static int seal_key(const struct new_options *o, struct buf *pem, struct error *err)
{
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	CLEANUP(buf_clear) struct buf sealed = {0};
	struct gpg_subkeys sub;
	int r = gpg_open(o->common.gnupg_home, &g, err);

	if (r == 0)
		r = gpg_subkeys(g, o->seal_to, &sub, err);
	if (r == 0 && !*sub.encrypt)
		return error_set(err, E_USAGE, "--seal-to %s: has no key to encrypt to",
				 o->seal_to);
	if (r == 0)
		r = gpg_seal(g, sub.encrypt, &(struct gpg_plain){pem->data, pem->len, "key.pem"},
			     &sealed, err);
	if (r < 0)
		return r;
	return file_write(AT_FDCWD, o->common.out, sealed.data, sealed.len, MODE_SECRET, err);
}

/* For trying things out, and for machines: people make theirs with gpg, or on a card. */
static int new_openpgp(const struct cli_call *call, struct error *err)
{
	const struct new_options *o = call->opt;
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	char fpr[PGP_FPR_HEX_SIZE];
	int r;

	if (!o->user_id || o->common.out || o->seal_to)
		return error_set(err, E_USAGE,
				 "--type openpgp: wants --user-id, and no --out or --seal-to");
	r = o->common.gnupg_home ? file_mkdir(AT_FDCWD, o->common.gnupg_home, MODE_HOME, err) : 0;
	if (r == 0)
		r = gpg_open(o->common.gnupg_home, &g, err);
	if (r == 0)
		r = gpg_generate(g, "ed25519", o->user_id, fpr, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s}", "ok", 1, "keyid", fpr), err);
	(void)printf("%s: openpgp key %s\n", o->user_id, fpr);
	return 0;
}

static int run_new(const struct cli_call *call, struct error *err)
{
	const struct new_options *o = call->opt;
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(signer_freep) struct signer *s = NULL;
	int r;

	if (strcmp(o->type, "openpgp") == 0)
		return new_openpgp(call, err);
	if (strcmp(o->type, "ed25519") != 0 && strcmp(o->type, "ecdsa") != 0 &&
	    strcmp(o->type, "rsa") != 0)
		return error_set(err, E_USAGE,
				 "--type: want ed25519, ecdsa, rsa or openpgp, got %s", o->type);
	if (!o->common.out)
		return error_set(err, E_USAGE, "key new: --out is required");
	if (file_exists(AT_FDCWD, o->common.out))
		return error_set(err, E_USAGE, "--out %s: exists; a key is not overwritten",
				 o->common.out);
	r = signer_generate(o->type, &pem, err);
	if (r == 0)
		r = signer_from_pem(pem.data, pem.len, &s, err);
	if (r == 0)
		r = o->seal_to ? seal_key(o, &pem, err)
			       : file_write(AT_FDCWD, o->common.out, pem.data, pem.len, MODE_SECRET,
					    err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s}", "ok", 1, "file", o->common.out,
					    "keyid", key_id(signer_key(s))),
				  err);
	(void)printf("%s: %s key %s\n", o->common.out, o->type, key_id(signer_key(s)));
	return 0;
}

const struct cli_verb escrow_key_new = {
	.name = "key new",
	.help = "make a signing key, sealed to my OpenPGP key if I say so",
	.options = new_options,
	.size = sizeof(struct new_options),
	.run = run_new,
};

struct export_options {
	struct common common;
	const char *key, *name, *cert;
};

static const struct cli_option export_options[] = {
	CLI_NEED(struct export_options, key, CLI_TEXT, "key", "SPEC",
		 "pem:FILE, sealed:FILE or gpg:WHO"),
	CLI_OPT(struct export_options, name, CLI_TEXT, "name", "NAME",
		"whose it is, as stewards are listed"),
	CLI_OPT(struct export_options, cert, CLI_TEXT, "cert", "FILE",
		"write the OpenPGP certificate too (gpg:WHO)"),
	OPT_HOME(struct export_options),
	OPT_OUT(struct export_options, CLI_NEED, "the public key's file"),
	{0},
};

/* The public half of a gpg: key needs no secret, so no card and no passphrase either. */
static int export_gpg(const struct export_options *o, json_t **object, char keyid[KEYID_MAX + 1],
		      struct error *err)
{
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	CLEANUP(buf_clear) struct buf cert = {0};
	const char *who = o->key + strlen(gpg_spec);
	int r = gpg_open(o->common.gnupg_home, &g, err);

	if (r == 0 && o->cert) {
		r = gpg_export(g, who, true, &cert, err);
		if (r == 0)
			r = file_write(AT_FDCWD, o->cert, cert.data, cert.len, MODE_FILE, err);
	}
	return r < 0 ? r : gpg_key_object(g, who, object, keyid, err);
}

static int export_other(const struct export_options *o, json_t **object, char keyid[KEYID_MAX + 1],
			struct error *err)
{
	CLEANUP(signer_freep) struct signer *s = NULL;
	int r;

	if (o->cert)
		return error_set(err, E_USAGE, "--cert: only a gpg: key has a certificate");
	r = signer_open_spec(o->key, o->common.gnupg_home, &s, err);
	if (r < 0)
		return r;
	*object = json_incref(key_object(signer_key(s)));
	(void)snprintf(keyid, KEYID_MAX + 1, "%s", key_id(signer_key(s)));
	return 0;
}

static int run_export(const struct cli_call *call, struct error *err)
{
	const struct export_options *o = call->opt;
	CLEANUP(json_decrefp) json_t *object = NULL;
	CLEANUP(json_decrefp) json_t *file = NULL;
	CLEANUP(freep) char *text = NULL;
	char keyid[KEYID_MAX + 1];
	bool gpg = strncmp(o->key, gpg_spec, strlen(gpg_spec)) == 0;
	int r = gpg ? export_gpg(o, &object, keyid, err) : export_other(o, &object, keyid, err);

	if (r < 0)
		return error_prefix(err, r, "--key %s", o->key);
	file = json_pack("{s:s, s:O}", "keyid", keyid, "key", object);
	if (file && o->name && json_object_set_new(file, "name", json_string(o->name)) < 0)
		return error_nomem(err);
	text = file ? json_dumps(file, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	if (!text)
		return error_nomem(err);
	r = file_write(AT_FDCWD, o->common.out, text, strlen(text), MODE_FILE, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s}", "ok", 1, "file", o->common.out,
					    "keyid", keyid),
				  err);
	(void)printf("%s: %s\n", o->common.out, keyid);
	return 0;
}

const struct cli_verb escrow_key_export = {
	.name = "key export",
	.help = "write a key's public half, for roots and lists of stewards",
	.options = export_options,
	.size = sizeof(struct export_options),
	.run = run_export,
};
