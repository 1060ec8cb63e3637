/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/toy.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/canon.h"
#include "lib/sign/ed25519.h"
#include "lib/sign/signer.h"

static unsigned keys_made;

void toy_reset(void)
{
	toy_resume(0);
}

void toy_resume(unsigned keys)
{
	keys_made = keys;
}

unsigned toy_keys(void)
{
	return keys_made;
}

static void toy_sign(const unsigned char *key, const void *data, size_t len,
		     unsigned char out[ED25519_SIG_LEN])
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err;

	if (buf_add(&text, key, SHA256_LEN, &err) < 0 || buf_add(&text, data, len, &err) < 0)
		abort();
	sha256(text.data, text.len, out);
	memcpy(out + SHA256_LEN, out, SHA256_LEN);
}

/* --- what the linker puts in the place of the true ones --- */

bool __wrap_key_verify(const struct key *k, const void *data, size_t len,
		       const struct signature *s);
int __wrap_ed25519_public(const unsigned char seed[ED25519_LEN], unsigned char out[ED25519_LEN],
			  struct error *err);
int __wrap_ed25519_sign(const unsigned char seed[ED25519_LEN], const void *data, size_t len,
			unsigned char out[ED25519_SIG_LEN], struct error *err);
bool __wrap_ed25519_verify(const unsigned char pub[ED25519_LEN], const void *data, size_t len,
			   const unsigned char sig[ED25519_SIG_LEN]);
int __wrap_signer_generate(const char *kind, struct buf *pem, struct error *err);
int __wrap_signer_from_pem(const void *pem, size_t len, struct signer **out, struct error *err);
int __wrap_signer_sign_envelope(const struct signer *s, struct envelope *e, struct error *err);

bool __wrap_key_verify(const struct key *k, const void *data, size_t len, const struct signature *s)
{
	unsigned char want[ED25519_SIG_LEN], got[ED25519_SIG_LEN];

	if (key_kind(k) == KEY_UNKNOWN || !hex_decode(s->sig, got, sizeof(got)))
		return false;
	toy_sign(key_material(k), data, len, want);
	return memcmp(want, got, sizeof(want)) == 0;
}

int __wrap_ed25519_public(const unsigned char seed[ED25519_LEN], unsigned char out[ED25519_LEN],
			  struct error *err)
{
	(void)err;
	sha256(seed, ED25519_LEN, out);
	return 0;
}

int __wrap_ed25519_sign(const unsigned char seed[ED25519_LEN], const void *data, size_t len,
			unsigned char out[ED25519_SIG_LEN], struct error *err)
{
	unsigned char pub[ED25519_LEN];
	int r = __wrap_ed25519_public(seed, pub, err);

	if (r == 0)
		toy_sign(pub, data, len, out);
	return r;
}

bool __wrap_ed25519_verify(const unsigned char pub[ED25519_LEN], const void *data, size_t len,
			   const unsigned char sig[ED25519_SIG_LEN])
{
	unsigned char want[ED25519_SIG_LEN];

	toy_sign(pub, data, len, want);
	return ed25519_usable(pub) && memcmp(want, sig, sizeof(want)) == 0;
}

int __wrap_signer_generate(const char *kind, struct buf *pem, struct error *err)
{
	(void)kind;
	return buf_printf(pem, err, "toy %u", keys_made++);
}

static int never_sign(void *self, const void *data, size_t len, json_t **signature,
		      struct error *err)
{
	(void)self;
	(void)data;
	(void)len;
	(void)signature;
	return error_set(err, E_INVALID, "a toy signs envelopes only");
}

static void free_nothing(void *self)
{
	(void)self;
}

int __wrap_signer_from_pem(const void *pem, size_t len, struct signer **out, struct error *err)
{
	static const struct signer_ops ops = {.sign = never_sign, .free = free_nothing};
	json_auto_t *object = NULL;
	unsigned char pub[SHA256_LEN];
	char keyid[KEYID_MAX + 1];
	struct key *k = NULL;
	int r;

	sha256(pem, len, pub);
	pub[SHA256_LEN - 1] &= 0x3f; /* a reduced point, whatever the digest */
	r = key_object_ed25519(pub, &object, keyid, err);
	if (r == 0)
		r = key_parse(keyid, object, "toy", &k, err);
	return r < 0 ? r : signer_new(&ops, NULL, k, out, err);
}

static json_t *signature(const struct signer *s, const struct buf *canonical)
{
	const struct key *k = signer_key(s);
	unsigned char sig[ED25519_SIG_LEN];
	char hex[HEX_LEN(ED25519_SIG_LEN) + 1];

	toy_sign(key_material(k), canonical->data, canonical->len, sig);
	hex_encode(sig, sizeof(sig), hex);
	return json_pack("{s:s, s:s}", "keyid", key_id(k), "sig", hex);
}

int __wrap_signer_sign_envelope(const struct signer *s, struct envelope *e, struct error *err)
{
	json_auto_t *object = signature(s, envelope_canonical(e));

	return object ? envelope_add(e, object, err) : error_nomem(err);
}

void toy_note_key(unsigned number, const char *name, int type, unsigned char seed[ED25519_LEN],
		  struct note_key *out)
{
	unsigned char pub[ED25519_LEN];
	struct error err;

	memset(seed, (int)number, ED25519_LEN);
	/* Not every digest is a reduced point: then the next. */
	while (__wrap_ed25519_public(seed, pub, &err) < 0 ||
	       note_key_make(name, type, pub, out, &err) < 0)
		seed[0]++;
}

bool toy_document(json_t *body, struct signer *const *by, size_t n, struct buf *out)
{
	json_auto_t *root = json_pack("{s:[], s:O}", "signatures", "signed", body);
	CLEANUP(buf_clear) struct buf canonical = {0};
	CLEANUP(freep) char *text = NULL;
	struct error err;

	if (!root || canon_write(body, &canonical, &err) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(json_object_get(root, "signatures"),
					    signature(by[i], &canonical));
	text = json_dumps(root, JSON_COMPACT);
	return text && buf_puts(out, text, &err) == 0;
}
