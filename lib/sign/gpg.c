/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/gpg.h"

#include <assert.h>
#include <gpgme.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/sign/gpg_home.h"

enum {
	OUTPUT_MAX = 16 * 1024 * 1024, /* of what is kept in memory; a message may be a bomb */
	CERT_MAX = 4 * 1024 * 1024,
};

/* GPGME's default of 512 bytes costs as much again as gpg itself, 1 MiB thrashes the cache. */
#define IO_BUFFER "65536"

struct gpg {
	struct gpg_home home;
	gpgme_ctx_t ctx;
};

DEFINE_CLEANUP(gpgme_data_t, gpgme_data_release)
DEFINE_CLEANUP(gpgme_key_t, gpgme_key_unref)

/* Our code for GnuPG's; `what` and `who` say what was tried, on whom. */
static int failed(gpgme_error_t e, const char *what, const char *who, struct error *err)
{
	int code;

	switch (gpgme_err_code(e)) {
	case GPG_ERR_ENOMEM: return error_nomem(err);
	case GPG_ERR_NO_SECKEY:
	case GPG_ERR_NO_PUBKEY:
	case GPG_ERR_NOT_FOUND: code = E_NOTFOUND; break;
	case GPG_ERR_DECRYPT_FAILED:
	case GPG_ERR_BAD_PASSPHRASE:
	case GPG_ERR_BAD_SIGNATURE:
	case GPG_ERR_BAD_DATA:
	case GPG_ERR_NO_DATA:
	case GPG_ERR_CHECKSUM: code = E_UNTRUSTED; break;
	case GPG_ERR_UNUSABLE_PUBKEY:
	case GPG_ERR_UNUSABLE_SECKEY:
	case GPG_ERR_AMBIGUOUS_NAME:
	case GPG_ERR_INV_VALUE: code = E_USAGE; break;
	case GPG_ERR_ENOSPC: code = E_FULL; break;
	case GPG_ERR_EFBIG: code = E_INVALID; break; /* said by our sink */
	default: code = E_SYS; break;
	}
	return error_set(err, code, "gpg: %s%s%s: %s", what, who ? " " : "", who ? who : "",
			 gpgme_strerror(e));
}

static int start(struct gpg *g, struct error *err)
{
	gpgme_error_t e = gpgme_new(&g->ctx);

	if (e)
		return failed(e, "start", NULL, err);
	e = gpgme_ctx_set_engine_info(g->ctx, GPGME_PROTOCOL_OpenPGP, g->home.program,
				      g->home.path);
	if (e)
		return failed(e, "start", g->home.path, err);
	gpgme_set_offline(g->ctx, 1);
	gpgme_set_textmode(g->ctx, 0);
	return 0;
}

/* The init that GPGME demands before anything else; also sets SIGPIPE to be ignored. */
static const char *gpg_program(void)
{
	(void)gpgme_check_version(NULL);
	return gpgme_get_dirinfo("gpg-name");
}

int gpg_open(const char *home, struct gpg **out, struct error *err)
{
	CLEANUP(gpg_closep) struct gpg *g = calloc(1, sizeof(*g));
	const char *program = gpg_program();
	int r;

	if (!g)
		return error_nomem(err);
	g->home = GPG_HOME_NONE;
	if (!program)
		return error_set(err, E_SYS, "gpg: not installed");
	r = gpg_home_own(home, program, &g->home, err);
	if (r == 0)
		r = start(g, err);
	if (r < 0)
		return r;
	*out = steal(g);
	return 0;
}

int gpg_open_private(struct gpg **out, struct error *err)
{
	CLEANUP(gpg_closep) struct gpg *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return error_nomem(err);
	g->home = GPG_HOME_NONE;
	if (!gpg_program())
		return error_set(err, E_SYS, "gpg: not installed");
	r = gpg_home_private(&g->home, err);
	if (r == 0)
		r = start(g, err);
	if (r < 0)
		return r;
	*out = steal(g);
	return 0;
}

void gpg_close(struct gpg *g)
{
	if (!g)
		return;
	if (g->ctx)
		gpgme_release(g->ctx);
	gpg_home_close(&g->home);
	free(g);
}

const char *gpg_home_path(const struct gpg *g)
{
	return g->home.path;
}

/* --- data --- */

/* Where GPGME's output goes: a buf that wipes what it leaves behind, and a bound. */
struct sink {
	struct buf *out;
	size_t left;
};

static ssize_t sink_write(void *handle, const void *data, size_t size)
{
	struct sink *s = handle;

	if (size > s->left) {
		errno = EFBIG;
		return -1;
	}
	if (buf_add(s->out, data, size, NULL) < 0) {
		errno = ENOMEM;
		return -1;
	}
	s->left -= size;
	return (ssize_t)size;
}

static int open_sink(struct sink *s, gpgme_data_t *out, struct error *err)
{
	static struct gpgme_data_cbs cbs = {.write = sink_write};
	gpgme_error_t e = gpgme_data_new_from_cbs(out, &cbs, s);

	if (!e)
		e = gpgme_data_set_flag(*out, "sensitive", "1");
	return e ? failed(e, "output", NULL, err) : 0;
}

static int open_memory(const void *data, size_t len, gpgme_data_t *out, struct error *err)
{
	gpgme_error_t e = gpgme_data_new_from_mem(out, data, len, 0);

	return e ? failed(e, "input", NULL, err) : 0;
}

static int open_fd(int fd, gpgme_data_t *out, struct error *err)
{
	gpgme_error_t e = gpgme_data_new_from_fd(out, fd);

	if (!e)
		e = gpgme_data_set_flag(*out, "io-buffer-size", IO_BUFFER);
	return e ? failed(e, "stream", NULL, err) : 0;
}

/* --- keys --- */

static void lower(char *fpr)
{
	for (; *fpr; fpr++)
		if (*fpr >= 'A' && *fpr <= 'F')
			*fpr = (char)(*fpr - 'A' + 'a');
}

/* Only version 4 fingerprints are taken. */
static bool copy_fpr(char out[PGP_FPR_HEX_SIZE], const char *fpr)
{
	if (!fpr || strlen(fpr) != PGP_FPR_HEX)
		return false;
	memcpy(out, fpr, PGP_FPR_HEX_SIZE);
	lower(out);
	return true;
}

static bool usable(const struct _gpgme_key *k)
{
	return !k->revoked && !k->expired && !k->disabled && !k->invalid;
}

/* The one key that `who` means: of several, the one that is neither expired nor revoked. */
static int find_key(struct gpg *g, const char *who, gpgme_key_t *out, struct error *err)
{
	CLEANUP(gpgme_key_unrefp) gpgme_key_t best = NULL;
	CLEANUP(gpgme_key_unrefp) gpgme_key_t k = NULL;
	size_t found = 0, good = 0;
	gpgme_error_t e;

	if (!*who)
		return error_set(err, E_USAGE, "gpg: whose key is wanted?");
	(void)gpgme_set_keylist_mode(g->ctx,
				     GPGME_KEYLIST_MODE_LOCAL | GPGME_KEYLIST_MODE_WITH_SECRET);
	e = gpgme_op_keylist_start(g->ctx, who, 0);
	while (!e && (e = gpgme_op_keylist_next(g->ctx, &k)) == 0) {
		found++;
		good += usable(k);
		if (!best || (usable(k) && !usable(best))) {
			gpgme_key_t worse = best;

			best = steal(k);
			k = worse;
		}
		gpgme_key_unref(steal(k));
	}
	if (gpgme_err_code(e) != GPG_ERR_EOF)
		return failed(e, "find the key of", who, err);
	(void)gpgme_op_keylist_end(g->ctx);
	if (!best)
		return error_set(err, E_NOTFOUND, "gpg: no key of %.200s", who);
	if (good > 1 || (good == 0 && found > 1))
		return error_set(err, E_USAGE,
				 "gpg: %zu keys of %.200s: name one by its fingerprint",
				 good ? good : found, who);
	*out = steal(best);
	return 0;
}

static int export(struct gpg *g, const char *fpr, bool armour, struct buf *out, struct error *err)
{
	struct sink sink = {out, CERT_MAX};
	CLEANUP(gpgme_data_releasep) gpgme_data_t data = NULL;
	size_t before = out->len;
	gpgme_error_t e;
	int r = open_sink(&sink, &data, err);

	if (r < 0)
		return r;
	gpgme_set_armor(g->ctx, armour);
	e = gpgme_op_export(g->ctx, fpr, GPGME_EXPORT_MODE_MINIMAL, data);
	gpgme_set_armor(g->ctx, 0);
	if (e)
		return failed(e, "export", fpr, err);
	if (out->len == before)
		return error_set(err, E_NOTFOUND, "gpg: no key %s", fpr);
	return 0;
}

int gpg_export(struct gpg *g, const char *who, bool armour, struct buf *out, struct error *err)
{
	CLEANUP(gpgme_key_unrefp) gpgme_key_t key = NULL;
	int r = find_key(g, who, &key, err);

	return r < 0 ? r : export(g, key->fpr, armour, out, err);
}

int gpg_import(struct gpg *g, const void *data, size_t len, char fpr[PGP_FPR_HEX_SIZE],
	       struct error *err)
{
	CLEANUP(gpgme_data_releasep) gpgme_data_t in = NULL;
	const char *first = NULL;
	gpgme_import_result_t result;
	gpgme_error_t e;
	int r = open_memory(data, len, &in, err);

	if (r < 0)
		return r;
	e = gpgme_op_import(g->ctx, in);
	if (e && gpgme_err_code(e) != GPG_ERR_NO_DATA)
		return failed(e, "import", NULL, err);
	result = gpgme_op_import_result(g->ctx);
	for (gpgme_import_status_t i = result ? result->imports : NULL; i; i = i->next) {
		if (i->result || (first && strcmp(first, i->fpr) != 0))
			return error_set(err, E_INVALID, "OpenPGP: want one usable certificate");
		first = i->fpr;
	}
	if (!copy_fpr(fpr, first))
		return error_set(err, E_INVALID, "OpenPGP: want a certificate of version 4");
	return 0;
}

static bool newest(const struct _gpgme_subkey *s, const struct _gpgme_subkey *best,
		   const struct _gpgme_key *key)
{
	/* GnuPG prefers any subkey to the primary, and then the youngest. */
	return !best || best == key->subkeys || s->timestamp >= best->timestamp;
}

int gpg_subkeys(struct gpg *g, const char *who, struct gpg_subkeys *out, struct error *err)
{
	CLEANUP(gpgme_key_unrefp) gpgme_key_t key = NULL;
	const struct _gpgme_subkey *sign = NULL, *encrypt = NULL;
	bool any_secret = false;
	struct gpg_subkeys found = {0};
	int r = find_key(g, who, &key, err);

	if (r < 0)
		return r;
	assert(key);
	for (gpgme_subkey_t s = key->subkeys; s; s = s->next)
		any_secret = any_secret || s->secret;
	for (gpgme_subkey_t s = key->subkeys; s; s = s->next) {
		if (s->revoked || s->expired || s->disabled || s->invalid)
			continue;
		/* One's own key: what it can sign with is what there is a secret for. */
		if (s->can_sign && (s->secret || !any_secret) && newest(s, sign, key))
			sign = s;
		if (s->can_encrypt && newest(s, encrypt, key))
			encrypt = s;
	}
	if (!copy_fpr(found.primary, key->fpr) || (sign && !copy_fpr(found.sign, sign->fpr)) ||
	    (encrypt && !copy_fpr(found.encrypt, encrypt->fpr)))
		return error_set(err, E_INVALID, "gpg: key of %.200s: want version 4", who);
	*out = found;
	return 0;
}

int gpg_key_object(struct gpg *g, const char *who, json_t **object, char keyid[KEYID_MAX + 1],
		   struct error *err)
{
	CLEANUP(buf_clear) struct buf cert = {0};
	struct gpg_subkeys sub;
	int r = gpg_subkeys(g, who, &sub, err);

	if (r == 0 && !*sub.sign)
		r = error_set(err, E_USAGE, "gpg: key of %.200s: cannot sign (any more)", who);
	if (r == 0)
		r = export(g, sub.primary, false, &cert, err);
	if (r == 0)
		r = pgp_key_object(cert.data, cert.len, sub.sign, object, err);
	if (r == 0)
		memcpy(keyid, sub.sign, sizeof(sub.sign));
	return r;
}

/* --- signing --- */

struct gpg_signer {
	struct gpg *g; /* borrowed */
	gpgme_key_t key;
	struct key *public;
};

static void gpg_signer_free(void *self)
{
	struct gpg_signer *s = self;

	if (!s)
		return;
	gpgme_key_unref(s->key);
	key_free(s->public);
	free(s);
}

static void gpg_signer_freep(struct gpg_signer *const *s)
{
	gpg_signer_free(*s);
}

/* The packet that gpg makes over `data`. */
static int detach_sign(const struct gpg_signer *s, const void *data, size_t len, struct buf *packet,
		       struct error *err)
{
	struct sink sink = {packet, OUTPUT_MAX};
	CLEANUP(gpgme_data_releasep) gpgme_data_t in = NULL;
	CLEANUP(gpgme_data_releasep) gpgme_data_t out = NULL;
	gpgme_ctx_t ctx = s->g->ctx;
	gpgme_error_t e;
	int r = open_memory(data, len, &in, err);

	if (r == 0)
		r = open_sink(&sink, &out, err);
	if (r < 0)
		return r;
	gpgme_signers_clear(ctx);
	e = gpgme_signers_add(ctx, s->key);
	if (!e)
		e = gpgme_op_sign(ctx, in, out, GPGME_SIG_MODE_DETACH);
	gpgme_signers_clear(ctx);
	return e ? failed(e, "sign with", key_id(s->public), err) : 0;
}

static int gpg_sign(void *self, const void *data, size_t len, json_t **signature, struct error *err)
{
	const struct gpg_signer *s = self;
	CLEANUP(buf_clear) struct buf packet = {0};
	json_auto_t *object = NULL;
	int r = detach_sign(s, data, len, &packet, err);

	if (r == 0)
		r = pgp_signature_object(packet.data, packet.len, &object, err);
	if (r < 0)
		return r;

	struct signature made = {
		.keyid = json_string_value(json_object_get(object, "keyid")),
		.sig = json_string_value(json_object_get(object, "sig")),
		.other_headers = json_string_value(json_object_get(object, "other_headers")),
	};
	if (strcmp(made.keyid, key_id(s->public)) != 0)
		return error_set(err, E_SYS, "gpg: signed with key %s, not %s", made.keyid,
				 key_id(s->public));
	if (!key_verify(s->public, data, len, &made))
		return error_set(err, E_SYS, "gpg: the signature by %s does not hold", made.keyid);
	*signature = steal(object);
	return 0;
}

static const struct signer_ops gpg_ops = {.sign = gpg_sign, .free = gpg_signer_free};

int gpg_signer(struct gpg *g, const char *who, struct signer **out, struct error *err)
{
	CLEANUP(gpg_signer_freep) struct gpg_signer *s = calloc(1, sizeof(*s));
	CLEANUP(key_freep) struct key *public = NULL;
	json_auto_t *object = NULL;
	char keyid[KEYID_MAX + 1];
	int r = s ? gpg_key_object(g, who, &object, keyid, err) : error_nomem(err);

	if (r == 0)
		r = find_key(g, who, &s->key, err);
	if (r == 0)
		r = key_parse(keyid, object, "gpg", &public, err);
	if (r == 0)
		r = key_parse(keyid, object, "gpg", &s->public, err);
	if (r < 0)
		return r;
	assert(s->key);
	if (!s->key->secret)
		return error_set(err, E_NOTFOUND, "gpg: no secret key of %.200s", who);
	if (key_kind(public) == KEY_UNKNOWN)
		return error_set(err, E_USAGE, "gpg: key %s: too weak to be trusted", keyid);
	s->g = g;
	return signer_new(&gpg_ops, steal(s), steal(public), out, err);
}

int gpg_signer_sealed(struct gpg *g, const void *data, size_t len, struct signer **out,
		      struct error *err)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	int r = gpg_decrypt(g, data, len, &pem, NULL, err);

	return r < 0 ? r : signer_from_pem(pem.data, pem.len, out, err);
}

/* --- encryption --- */

#define ENCRYPT_FLAGS \
	(GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS | GPGME_ENCRYPT_NO_ENCRYPT_TO)

int gpg_seal(struct gpg *g, const char *fpr, const struct gpg_plain *plain, struct buf *out,
	     struct error *err)
{
	struct sink sink = {out, OUTPUT_MAX};
	CLEANUP(gpgme_data_releasep) gpgme_data_t in = NULL;
	CLEANUP(gpgme_data_releasep) gpgme_data_t sealed = NULL;
	char recipient[PGP_FPR_HEX + 2]; /* "!": this (sub)key and no other */
	gpgme_error_t e = 0;
	int r;

	if (strspn(fpr, "0123456789abcdefABCDEF") != PGP_FPR_HEX || fpr[PGP_FPR_HEX])
		return error_set(err, E_INVALID, "gpg: want a fingerprint, got \"%.64s\"", fpr);
	(void)snprintf(recipient, sizeof(recipient), "%s!", fpr);
	r = open_memory(plain->data, plain->len, &in, err);
	if (r == 0)
		r = open_sink(&sink, &sealed, err);
	if (r < 0)
		return r;
	if (plain->name)
		e = gpgme_data_set_file_name(in, plain->name);
	if (!e)
		e = gpgme_op_encrypt_ext(g->ctx, NULL, recipient, ENCRYPT_FLAGS, in, sealed);
	return e ? failed(e, "encrypt to", fpr, err) : 0;
}

/* What GPGME's success leaves open: was it encrypted at all, and protected from changes? */
static int check_decrypted(struct gpg *g, char **name, struct error *err)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(g->ctx);

	if (!result || !result->symkey_algo || result->legacy_cipher_nomdc)
		return error_set(err, E_UNTRUSTED, "OpenPGP message: not encrypted with integrity");
	if (!name)
		return 0;
	*name = strdup(result->file_name ? result->file_name : "");
	return *name ? 0 : error_nomem(err);
}

int gpg_decrypt(struct gpg *g, const void *data, size_t len, struct buf *out, char **name,
		struct error *err)
{
	CLEANUP(buf_wipe) struct buf plain = {0};
	struct sink sink = {&plain, OUTPUT_MAX};
	CLEANUP(gpgme_data_releasep) gpgme_data_t in = NULL;
	CLEANUP(gpgme_data_releasep) gpgme_data_t opened = NULL;
	gpgme_error_t e;
	int r = open_memory(data, len, &in, err);

	if (r == 0)
		r = open_sink(&sink, &opened, err);
	if (r < 0)
		return r;
	e = gpgme_op_decrypt(g->ctx, in, opened);
	if (e)
		return failed(e, "decrypt", NULL, err);
	r = buf_add(out, plain.data, plain.len, err);
	return r < 0 ? r : check_decrypted(g, name, err);
}

/* gpg asks here for the passphrase, which is written to it and kept nowhere. */
static gpgme_error_t give_passphrase(void *hook, const char *hint, const char *info, int was_bad,
				     int fd)
{
	const char *passphrase;

	(void)hint, (void)info;
	memcpy(&passphrase, &hook, sizeof(passphrase)); /* a hook has no const */
	if (was_bad)
		return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
	if (gpgme_io_writen(fd, passphrase, strlen(passphrase)) < 0 ||
	    gpgme_io_writen(fd, "\n", 1) < 0)
		return gpgme_error_from_errno(errno);
	return 0;
}

static int use_passphrase(struct gpg *g, const char *passphrase, struct error *err)
{
	void *hook = NULL;
	gpgme_error_t e = gpgme_set_pinentry_mode(g->ctx, passphrase ? GPGME_PINENTRY_MODE_LOOPBACK
								     : GPGME_PINENTRY_MODE_DEFAULT);

	/* The agent would keep it for later messages under the same salt. */
	if (!e)
		e = gpgme_set_ctx_flag(g->ctx, "no-symkey-cache", passphrase ? "1" : "0");
	if (e)
		return failed(e, "passphrase", NULL, err);
	memcpy(&hook, &passphrase, sizeof(hook));
	gpgme_set_passphrase_cb(g->ctx, passphrase ? give_passphrase : NULL, hook);
	return 0;
}

enum direction { SEAL, OPEN };

static int stream(struct gpg *g, enum direction which, int in, int out, struct error *err)
{
	CLEANUP(gpgme_data_releasep) gpgme_data_t from = NULL;
	CLEANUP(gpgme_data_releasep) gpgme_data_t to = NULL;
	gpgme_error_t e;
	int r = open_fd(in, &from, err);

	if (r == 0)
		r = open_fd(out, &to, err);
	if (r < 0)
		return r;
	if (which == SEAL) {
		e = gpgme_op_encrypt(g->ctx, NULL, ENCRYPT_FLAGS | GPGME_ENCRYPT_SYMMETRIC, from,
				     to);
		return e ? failed(e, "encrypt", NULL, err) : 0;
	}
	e = gpgme_op_decrypt(g->ctx, from, to);
	return e ? failed(e, "decrypt", NULL, err) : check_decrypted(g, NULL, err);
}

static int stream_with(struct gpg *g, enum direction which, const char *passphrase, int in, int out,
		       struct error *err)
{
	struct error ignored;
	int r = use_passphrase(g, passphrase, err);

	if (r == 0)
		r = stream(g, which, in, out, err);
	(void)!use_passphrase(g, NULL, &ignored);
	return r;
}

int gpg_encrypt_stream(struct gpg *g, const char *passphrase, int in, int out, struct error *err)
{
	return stream_with(g, SEAL, passphrase, in, out, err);
}

int gpg_decrypt_stream(struct gpg *g, const char *passphrase, int in, int out, struct error *err)
{
	return stream_with(g, OPEN, passphrase, in, out, err);
}

/* --- new keys --- */

int gpg_generate(struct gpg *g, const char *algo, const char *user_id, char fpr[PGP_FPR_HEX_SIZE],
		 struct error *err)
{
	const unsigned flags = GPGME_CREATE_NOPASSWD | GPGME_CREATE_NOEXPIRE;
	bool curve = strcmp(algo, "ed25519") == 0;
	CLEANUP(gpgme_key_unrefp) gpgme_key_t key = NULL;
	gpgme_genkey_result_t made;
	char primary[PGP_FPR_HEX_SIZE];
	gpgme_error_t e;

	e = gpgme_op_createkey(g->ctx, user_id, algo, 0, 0, NULL,
			       flags | GPGME_CREATE_SIGN | GPGME_CREATE_CERT | GPGME_CREATE_FORCE);
	if (e)
		return failed(e, "make a key for", user_id, err);
	made = gpgme_op_genkey_result(g->ctx);
	if (!made || !copy_fpr(primary, made->fpr))
		return error_set(err, E_SYS, "gpg: made a key of an unknown version");
	e = gpgme_get_key(g->ctx, primary, &key, 1);
	if (!e)
		e = gpgme_op_createsubkey(g->ctx, key, curve ? "cv25519" : algo, 0, 0,
					  flags | GPGME_CREATE_ENCR);
	if (e)
		return failed(e, "make an encryption key for", user_id, err);
	memcpy(fpr, primary, sizeof(primary));
	return 0;
}
