/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/keys.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/random.h"

enum { SEED_LEN = NOTE_SEED_LEN, PEM_MAX = 16 * 1024 };

#define FOLDER "keys"
#define ROOT_PEM FOLDER "/root.pem"
#define ONLINE_PEM FOLDER "/online.pem"
#define LOG_PEM FOLDER "/log.pem"
#define PRODUCTS_KEY FOLDER "/products.key"

/* What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410 §7). */
static const unsigned char pkcs8_head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					   0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

struct keys {
	struct signer *root, *online;
	struct note_signer log;
	unsigned char products[SEED_LEN];
};

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

int keys_create_pem(int data, const char *path, struct error *err)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	int r;

	if (file_exists(data, path))
		return 0;
	r = signer_generate("ed25519", &pem, err);
	return r < 0 ? r : file_write(data, path, pem.data, pem.len, 0600, err);
}

int keys_create(int data, struct error *err)
{
	static const char *const pems[] = {ROOT_PEM, ONLINE_PEM, LOG_PEM};
	unsigned char secret[SEED_LEN];
	char line[HEX_LEN(SEED_LEN) + 2];
	int r = file_mkdir(data, FOLDER, 0700, err);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(pems); i++)
		r = keys_create_pem(data, pems[i], err);
	if (r < 0 || file_exists(data, PRODUCTS_KEY))
		return r;
	r = random_bytes(secret, sizeof(secret), err);
	if (r < 0)
		return r;
	hex_encode(secret, sizeof(secret), line);
	line[HEX_LEN(SEED_LEN)] = '\n';
	r = file_write(data, PRODUCTS_KEY, line, HEX_LEN(SEED_LEN) + 1, 0600, err);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(line, sizeof(line));
	return r;
}

static int load_products_key(int data, unsigned char out[SEED_LEN], struct error *err)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	int r = file_read(data, PRODUCTS_KEY, HEX_LEN(SEED_LEN) + 1, &text, err);

	if (r < 0)
		return r;
	if (text.len == HEX_LEN(SEED_LEN) + 1 && text.data[HEX_LEN(SEED_LEN)] == '\n')
		text.data[HEX_LEN(SEED_LEN)] = '\0';
	if (!hex_decode(text.data, out, SEED_LEN))
		return error_set(err, E_INVALID, PRODUCTS_KEY ": want %zu hex digits and a newline",
				 HEX_LEN(SEED_LEN));
	return 0;
}

int keys_note_signer(int data, const char *path, const char *name, int type,
		     struct note_signer *out, struct error *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;
	CLEANUP(BIO_free_allp) BIO *bio = NULL;
	CLEANUP(buf_wipe) struct buf pem = {0};
	unsigned char pub[SEED_LEN];
	size_t seed_len = SEED_LEN, pub_len = sizeof(pub);
	int r = file_read(data, path, PEM_MAX, &pem, err);

	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (bio)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (!pkey || EVP_PKEY_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_private_key(pkey, out->seed, &seed_len) != 1 ||
	    EVP_PKEY_get_raw_public_key(pkey, pub, &pub_len) != 1)
		return error_set(err, E_INVALID, "%s: want an Ed25519 private key", path);
	return note_key_make(name, type, pub, &out->key, err);
}

int keys_open(int data, const char *origin, struct keys **out, struct error *err)
{
	CLEANUP(keys_closep) struct keys *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return error_nomem(err);
	r = signer_from_file(data, ROOT_PEM, &k->root, err);
	if (r == 0)
		r = signer_from_file(data, ONLINE_PEM, &k->online, err);
	if (r == 0)
		r = keys_note_signer(data, LOG_PEM, origin, NOTE_ED25519, &k->log, err);
	if (r == 0)
		r = load_products_key(data, k->products, err);
	if (r < 0)
		return r;
	*out = steal(k);
	return 0;
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	signer_free(k->root);
	signer_free(k->online);
	explicit_bzero(k, sizeof(*k));
	free(k);
}

struct signer *keys_root(const struct keys *k)
{
	return k->root;
}

struct signer *keys_online(const struct keys *k)
{
	return k->online;
}

const struct note_key *keys_log(const struct keys *k)
{
	return &k->log.key;
}

int keys_sign_checkpoint(const struct keys *k, const struct buf *text, struct buf *out,
			 struct error *err)
{
	return note_sign_line(&k->log.key, k->log.seed, text, 0, out, err);
}

/* An Ed25519 seed as PEM, which is the form that signers are opened from. */
static int seed_signer(const unsigned char seed[SEED_LEN], struct signer **out, struct error *err)
{
	CLEANUP(buf_wipe) struct buf der = {0};
	CLEANUP(buf_wipe) struct buf pem = {0};
	int r = buf_reserve(&pem, PEM_MAX, err); /* one allocation: no copy is left behind */

	if (r == 0)
		r = buf_add(&der, pkcs8_head, sizeof(pkcs8_head), err);
	if (r == 0)
		r = buf_add(&der, seed, SEED_LEN, err);
	if (r == 0)
		r = buf_puts(&pem, "-----BEGIN PRIVATE KEY-----\n", err);
	if (r == 0)
		r = base64_encode(der.data, der.len, &pem, err);
	if (r == 0)
		r = buf_puts(&pem, "\n-----END PRIVATE KEY-----\n", err);
	return r < 0 ? r : signer_from_pem(pem.data, pem.len, out, err);
}

int keys_product(const struct keys *k, const struct key_use *use, const char *role,
		 struct signer **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf what = {0};
	unsigned char seed[SEED_LEN];
	unsigned len = sizeof(seed);
	int r = buf_printf(&what, err, "bequest online key\n%s\n%s\n%" PRId64 "\n%s\n",
			   use->product, use->publisher, use->epoch, role);

	if (r < 0)
		return r;
	if (!HMAC(EVP_sha256(), k->products, SEED_LEN, (const unsigned char *)what.data, what.len,
		  seed, &len))
		return error_nomem(err);
	r = seed_signer(seed, out, err);
	explicit_bzero(seed, sizeof(seed));
	return r;
}
