/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/signer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"

enum {
	PEM_FILE_MAX = 16 * 1024,
	SIG_LEN_MAX = 1024, /* RSA of 8192 bits */
	RSA_BITS = 3072,    /* 128 bits of strength */
};

struct signer {
	const struct signer_ops *ops;
	void *self;
	struct key *key;
};

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

int signer_new(const struct signer_ops *ops, void *self_take, struct key *key_take,
	       struct signer **out, struct error *err)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (!s) {
		ops->free(self_take);
		key_free(key_take);
		return error_nomem(err);
	}
	*s = (struct signer){.ops = ops, .self = self_take, .key = key_take};
	*out = s;
	return 0;
}

void signer_free(struct signer *s)
{
	if (!s)
		return;
	s->ops->free(s->self);
	key_free(s->key);
	free(s);
}

const struct key *signer_key(const struct signer *s)
{
	return s->key;
}

int signer_sign(struct signer *s, const void *data, size_t len, json_t **signature,
		struct error *err)
{
	return s->ops->sign(s->self, data, len, signature, err);
}

int signer_sign_envelope(struct signer *s, struct envelope *e, struct error *err)
{
	const struct buf *canonical = envelope_canonical(e);
	json_auto_t *signature = NULL;
	int r = signer_sign(s, canonical->data, canonical->len, &signature, err);

	return r < 0 ? r : envelope_add(e, signature, err);
}

/* --- keys in PEM --- */

struct pem_signer {
	EVP_PKEY *pkey;
	char keyid[KEYID_MAX + 1];
};

static void pem_free(void *self)
{
	struct pem_signer *p = self;

	if (!p)
		return;
	EVP_PKEY_free(p->pkey);
	free(p);
}

static int pem_sign(void *self, const void *data, size_t len, json_t **signature, struct error *err)
{
	const struct pem_signer *p = self;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool hashes = EVP_PKEY_is_a(p->pkey, "ED25519"); /* by itself */
	unsigned char sig[SIG_LEN_MAX];
	char hex[HEX_LEN(SIG_LEN_MAX) + 1];
	size_t size = sizeof(sig);
	EVP_PKEY_CTX *how; /* borrowed from ctx */
	json_t *object;

	if (!ctx || EVP_DigestSignInit(ctx, &how, hashes ? NULL : EVP_sha256(), NULL, p->pkey) != 1)
		return error_nomem(err);
	if (EVP_PKEY_is_a(p->pkey, "RSA") &&
	    (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) != 1))
		return error_set(err, E_SYS, "libcrypto: no RSA-PSS");
	if (EVP_DigestSign(ctx, sig, &size, data, len) != 1)
		return error_set(err, E_SYS, "libcrypto: cannot sign with key %s", p->keyid);
	hex_encode(sig, size, hex);
	object = json_pack("{s:s, s:s}", "keyid", p->keyid, "sig", hex);
	if (!object)
		return error_nomem(err);
	*signature = object;
	return 0;
}

static const struct signer_ops pem_ops = {.sign = pem_sign, .free = pem_free};

/* libcrypto asks here for the passphrase of an encrypted PEM: there is none to give. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)writing, (void)ctx;
	if (size > 0)
		buf[0] = '\0';
	return -1;
}

static int read_private(const void *pem, size_t len, EVP_PKEY **out, struct error *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = NULL;

	if (len == 0 || len > PEM_FILE_MAX)
		return error_set(err, E_INVALID, "private key: want 1 to %d bytes, got %zu",
				 PEM_FILE_MAX, len);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return error_nomem(err);
	*out = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!*out)
		return error_set(err, E_INVALID, "want an unencrypted private key in PEM");
	return 0;
}

/* The public half of a private key, as TUF writes it. */
static int public_half(EVP_PKEY *pkey, json_t **object, char keyid[KEYID_MAX + 1],
		       struct error *err)
{
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
	CLEANUP(buf_clear) struct buf pem = {0};
	char *text;
	long size;
	int r;

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return error_nomem(err);
	size = BIO_get_mem_data(bio, &text);
	r = buf_add(&pem, text, (size_t)size, err);
	return r < 0 ? r : key_object_pem(pem.data, object, keyid, err);
}

int signer_from_pem(const void *pem, size_t len, struct signer **out, struct error *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	CLEANUP(key_freep) struct key *key = NULL;
	json_auto_t *object = NULL;
	struct pem_signer *p;
	char keyid[KEYID_MAX + 1];
	int r = read_private(pem, len, &pkey, err);

	if (r == 0)
		r = public_half(pkey, &object, keyid, err);
	if (r == 0)
		r = key_parse(keyid, object, "private key", &key, err);
	if (r < 0)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_nomem(err);
	p->pkey = steal(pkey);
	memcpy(p->keyid, keyid, sizeof(keyid));
	return signer_new(&pem_ops, p, steal(key), out, err);
}

int signer_from_file(int dir, const char *path, struct signer **out, struct error *err)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	int r = file_read(dir, path, PEM_FILE_MAX, &pem, err);

	if (r < 0)
		return r;
	r = signer_from_pem(pem.data, pem.len, out, err);
	return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

int signer_generate(const char *kind, struct buf *pem, struct error *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long size;

	if (!bio)
		return error_nomem(err);
	if (strcmp(kind, "ed25519") == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else if (strcmp(kind, "ecdsa") == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	else if (strcmp(kind, "rsa") == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	else
		return error_set(err, E_USAGE,
				 "key kind: want ed25519, ecdsa or rsa, got \"%.40s\"", kind);
	if (!pkey)
		return error_set(err, E_SYS, "libcrypto: cannot make a key of kind %s", kind);
	/* The memory behind the BIO is overwritten when it is freed. */
	if (PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return error_nomem(err);
	size = BIO_get_mem_data(bio, &text);
	return buf_add(pem, text, (size_t)size, err);
}
