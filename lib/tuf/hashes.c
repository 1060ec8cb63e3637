/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/hashes.h"

#include <assert.h>
#include <openssl/evp.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

enum { HASH_KINDS = 2, HASH_LEN_MAX = 64 };

static const struct {
	const char *name;
	size_t len;
	const EVP_MD *(*md)(void);
} kinds[HASH_KINDS] = {{"sha256", 32, EVP_sha256}, {"sha512", 64, EVP_sha512}};

struct hashes {
	const char *want[HASH_KINDS]; /* NULL: not listed */
	EVP_MD_CTX *ctx[HASH_KINDS];
};

/* The index of an algorithm in `kinds`, or HASH_KINDS. */
static size_t find(const char *name)
{
	size_t i = 0;

	while (i < HASH_KINDS && strcmp(kinds[i].name, name) != 0)
		i++;
	return i;
}

static int start(struct hashes *h, size_t kind, const json_t *value, struct error *err)
{
	h->want[kind] = json_string_value(value);
	h->ctx[kind] = EVP_MD_CTX_new();
	if (!h->ctx[kind] || EVP_DigestInit_ex(h->ctx[kind], kinds[kind].md(), NULL) != 1)
		return error_nomem(err);
	return 0;
}

int hashes_new(json_t *object, const char *name, struct hashes **out, struct error *err)
{
	CLEANUP(hashes_freep) struct hashes *h = calloc(1, sizeof(*h));
	const char *key;
	json_t *value;

	if (!h)
		return error_nomem(err);
	if (json_object_size(object) == 0)
		return error_set(err, E_UNTRUSTED, "%s: no hash is listed for it", name);
	json_object_foreach(object, key, value)
	{
		size_t kind = find(key);
		int r;

		if (kind == HASH_KINDS || !hex_is(json_string_value(value), 2 * kinds[kind].len))
			return error_set(err, E_UNTRUSTED,
					 "%s: cannot check its hash \"%.20s\": want sha256 or "
					 "sha512 in lower-case hex",
					 name, key);
		r = start(h, kind, value, err);
		if (r < 0)
			return r;
	}
	*out = steal(h);
	return 0;
}

void hashes_add(struct hashes *h, const void *data, size_t len)
{
	for (size_t i = 0; i < HASH_KINDS; i++) {
		int ok = !h->ctx[i] || EVP_DigestUpdate(h->ctx[i], data, len) == 1;

		assert(ok);
		(void)ok;
	}
}

int hashes_match(struct hashes *h, const char *name, struct error *err)
{
	for (size_t i = 0; i < HASH_KINDS; i++) {
		unsigned char raw[HASH_LEN_MAX];
		char got[2 * HASH_LEN_MAX + 1];
		int ok;

		if (!h->ctx[i])
			continue;
		ok = EVP_DigestFinal_ex(h->ctx[i], raw, NULL);
		assert(ok == 1);
		(void)ok;
		hex_encode(raw, kinds[i].len, got);
		if (strcmp(got, h->want[i]) != 0)
			return error_set(err, E_UNTRUSTED, "%s: its %s is %s, want %s", name,
					 kinds[i].name, got, h->want[i]);
	}
	return 0;
}

void hashes_free(struct hashes *h)
{
	for (size_t i = 0; h && i < HASH_KINDS; i++)
		EVP_MD_CTX_free(h->ctx[i]);
	free(h);
}

const char *hashes_name(const json_t *object)
{
	for (size_t i = 0; i < HASH_KINDS; i++) {
		const char *hex = json_string_value(json_object_get(object, kinds[i].name));

		if (hex_is(hex, 2 * kinds[i].len))
			return hex;
	}
	return NULL;
}
