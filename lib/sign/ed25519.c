/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/ed25519.h"

#include <openssl/evp.h>

#include "lib/base/error.h"

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

enum { SIGN_BIT = 0x80, P_LOW = 0xed }; /* of the last byte; p = 2^255 - 19 ends in this */

/* The y of each point of order 1, 2, 4 and 8 (two of them): the sign of x plays no part. */
static const unsigned char low_order[][ED25519_LEN] = {
	{0},
	{1},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

/* y >= p: another spelling of y - p. */
static bool reduced(const unsigned char y[ED25519_LEN])
{
	if (y[ED25519_LEN - 1] != 0x7f || y[0] < P_LOW)
		return true;
	for (size_t i = 1; i < ED25519_LEN - 1; i++)
		if (y[i] != 0xff)
			return true;
	return false;
}

bool ed25519_usable(const unsigned char pub[ED25519_LEN])
{
	unsigned char y[ED25519_LEN];

	memcpy(y, pub, sizeof(y));
	y[ED25519_LEN - 1] &= (unsigned char)~SIGN_BIT;
	for (size_t i = 0; i < ARRAY_LEN(low_order); i++)
		if (memcmp(y, low_order[i], sizeof(y)) == 0)
			return false;
	return reduced(y);
}

bool ed25519_verify(const unsigned char pub[ED25519_LEN], const void *data, size_t len,
		    const unsigned char sig[ED25519_SIG_LEN])
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || !ed25519_usable(pub))
		return false;
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, ED25519_LEN);
	return key && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, sig, ED25519_SIG_LEN, data, len) == 1;
}

int ed25519_sign(const unsigned char seed[ED25519_LEN], const void *data, size_t len,
		 unsigned char out[ED25519_SIG_LEN], struct error *err)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_LEN);
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = ED25519_SIG_LEN;

	if (!key || !ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(ctx, out, &n, data, len) != 1)
		return error_set(err, E_SYS, "ed25519: cannot sign");
	return 0;
}

int ed25519_public(const unsigned char seed[ED25519_LEN], unsigned char out[ED25519_LEN],
		   struct error *err)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_LEN);
	size_t n = ED25519_LEN;

	if (!key || EVP_PKEY_get_raw_public_key(key, out, &n) != 1)
		return error_set(err, E_SYS, "ed25519: cannot read the key");
	return 0;
}
