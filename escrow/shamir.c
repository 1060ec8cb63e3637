/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/shamir.h"

#include <assert.h>
#include <libgfshare.h>
#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/random.h"

/*
 * libgfshare asks for randomness through a global function that takes no
 * context and cannot fail. So the bytes are drawn and checked first, and handed
 * out from here; drawing more than that is a bug, and ends the program.
 */
static _Thread_local struct pool {
	const unsigned char *data;
	size_t left;
} pool;

static void from_pool(unsigned char *out, unsigned int len)
{
	if (len > pool.left)
		abort();
	memcpy(out, pool.data, len);
	pool.data += len;
	pool.left -= len;
}

/* gfshare_ctx_free() overwrites its memory by the same function. */
static void wipe(unsigned char *out, unsigned int len)
{
	explicit_bzero(out, len);
}

static void ctx_free(gfshare_ctx *ctx)
{
	if (!ctx)
		return;
	gfshare_fill_rand = wipe;
	gfshare_ctx_free(ctx);
}
DEFINE_CLEANUP(gfshare_ctx *, ctx_free)

int shamir_split(const unsigned char secret[SHARE_LEN], size_t k, size_t n, struct share *shares,
		 struct error *err)
{
	CLEANUP(ctx_freep) gfshare_ctx *ctx = NULL;
	unsigned char numbers[SHARES_MAX];
	unsigned char coefficients[(SHARES_MAX - 1) * SHARE_LEN];
	unsigned char copy[SHARE_LEN];
	int r;

	assert(k >= 2 && k <= n && n <= SHARES_MAX);
	for (size_t i = 0; i < n; i++)
		numbers[i] = (unsigned char)(i + 1);
	ctx = gfshare_ctx_init_enc(numbers, (unsigned)n, (unsigned char)k, SHARE_LEN);
	if (!ctx)
		return error_nomem(err);
	r = random_bytes(coefficients, (k - 1) * SHARE_LEN, err);
	if (r < 0)
		return r;
	memcpy(copy, secret, sizeof(copy));
	pool = (struct pool){coefficients, (k - 1) * SHARE_LEN};
	gfshare_fill_rand = from_pool;
	gfshare_ctx_enc_setsecret(ctx, copy);
	assert(pool.left == 0);
	pool = (struct pool){0};
	explicit_bzero(copy, sizeof(copy));
	explicit_bzero(coefficients, sizeof(coefficients));
	for (size_t i = 0; i < n; i++) {
		shares[i].number = numbers[i];
		gfshare_ctx_enc_getshare(ctx, (unsigned char)i, shares[i].data);
	}
	return 0;
}

int shamir_combine(const struct share *shares, size_t k, unsigned char out[SHARE_LEN],
		   struct error *err)
{
	CLEANUP(ctx_freep) gfshare_ctx *ctx = NULL;
	unsigned char numbers[SHARES_MAX];
	bool seen[SHARES_MAX + 1] = {false};

	if (k < 2 || k > SHARES_MAX)
		return error_set(err, E_INVALID, "shares: want 2 to %d, got %zu", SHARES_MAX, k);
	for (size_t i = 0; i < k; i++) {
		int x = shares[i].number;

		if (x < 1 || x > SHARES_MAX)
			return error_set(err, E_INVALID, "share %d: want a number from 1 to %d", x,
					 SHARES_MAX);
		if (seen[x])
			return error_set(err, E_INVALID, "share %d: given twice", x);
		seen[x] = true;
		numbers[i] = (unsigned char)x;
	}
	ctx = gfshare_ctx_init_dec(numbers, (unsigned)k, SHARE_LEN);
	if (!ctx)
		return error_nomem(err);
	for (size_t i = 0; i < k; i++) {
		unsigned char copy[SHARE_LEN];

		memcpy(copy, shares[i].data, sizeof(copy));
		gfshare_ctx_dec_giveshare(ctx, (unsigned char)i, copy);
		explicit_bzero(copy, sizeof(copy));
	}
	gfshare_ctx_dec_extract(ctx, out);
	return 0;
}
