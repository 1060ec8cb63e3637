/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdatomic.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

struct digest {
	EVP_MD_CTX *ctx;
};

/*
 * Looked up once, for all threads, and kept: the lookup that EVP_sha256() makes each time
 * costs more than the hash of a short text.
 */
static const EVP_MD *algorithm(void)
{
	static _Atomic(EVP_MD *) kept;
	EVP_MD *found = atomic_load(&kept), *none = NULL;

	if (found)
		return found;
	found = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!found || atomic_compare_exchange_strong(&kept, &none, found))
		return found;
	EVP_MD_free(found); /* another thread was first */
	return none;
}

void sha256(const void *data, size_t len, unsigned char out[SHA256_LEN])
{
	int ok = EVP_Digest(data, len, out, NULL, algorithm(), NULL);

	assert(ok == 1);
	(void)ok;
}

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
	unsigned char raw[SHA256_LEN];

	sha256(data, len, raw);
	hex_encode(raw, sizeof(raw), out);
}

void sha256_pair(const void *a, size_t a_len, const void *b, size_t b_len,
		 unsigned char out[SHA256_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestInit_ex(ctx, algorithm(), NULL) &&
		 EVP_DigestUpdate(ctx, a, a_len) && EVP_DigestUpdate(ctx, b, b_len) &&
		 EVP_DigestFinal_ex(ctx, out, NULL);

	assert(ok == 1);
	(void)ok;
	EVP_MD_CTX_free(ctx);
}

int digest_new(struct digest **out, struct error *err)
{
	CLEANUP(digest_freep) struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return error_nomem(err);
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, algorithm(), NULL) != 1)
		return error_nomem(err);
	*out = steal(d);
	return 0;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	int ok = EVP_DigestUpdate(d->ctx, data, len);

	assert(ok == 1);
	(void)ok;
}

void digest_finish(struct digest *d, unsigned char out[SHA256_LEN])
{
	/* NULL: the same algorithm again; naming it would look it up, at half the cost of a hash.
	 */
	int ok = EVP_DigestFinal_ex(d->ctx, out, NULL) && EVP_DigestInit_ex(d->ctx, NULL, NULL);

	assert(ok == 1);
	(void)ok;
}

void digest_finish_hex(struct digest *d, char out[SHA256_HEX_SIZE])
{
	unsigned char raw[SHA256_LEN];

	digest_finish(d, raw);
	hex_encode(raw, sizeof(raw), out);
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}
