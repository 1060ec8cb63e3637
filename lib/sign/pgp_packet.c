/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/pgp_packet.h"

#include <openssl/evp.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

/* RFC 4880 section 4.3 (tags), 9.1 (public keys), 9.4 (hashes), 5.2.3.1 (subpackets). */
enum {
	TAG_SIGNATURE = 2,
	TAG_SYMMETRIC_KEY = 3,
	TAG_PUBLIC_KEY = 6,
	TAG_PUBLIC_SUBKEY = 14,

	ALGO_RSA = 1,
	ALGO_EDDSA = 22,
	HASH_SHA256 = 8,
	TYPE_BINARY = 0x00,

	SUB_CREATED = 2,
	SUB_EXPIRES = 3,
	SUB_ISSUER = 16,
	SUB_ISSUER_FPR = 33,
	SUB_CRITICAL = 0x80,

	S2K_ITERATED = 3,
	SALT_LEN = 8,
};

enum {
	FPR_LEN = PGP_FPR_HEX / 2,
	HEADERS_MIN = 6, /* version, type, two algorithms, length of the hashed subpackets */
	POINT_LEN = 32,
	MPI_MAX = 1024, /* bytes: RSA of 8192 bits */
};

/* Bytes yet to be read. A failed take_*() leaves them as they are. */
struct cursor {
	const unsigned char *at;
	size_t left;
};

static bool take(struct cursor *c, size_t len, const unsigned char **out)
{
	if (c->left < len)
		return false;
	*out = c->at;
	c->at += len;
	c->left -= len;
	return true;
}

/* A big-endian number of `len` bytes, at most 4. */
static bool take_number(struct cursor *c, size_t len, size_t *out)
{
	const unsigned char *p;

	if (!take(c, len, &p))
		return false;
	*out = 0;
	for (size_t i = 0; i < len; i++)
		*out = *out << 8 | p[i];
	return true;
}

/* A multi-precision integer without leading zeros, as the RFC wants it. */
static bool take_mpi(struct cursor *c, struct cursor *out)
{
	struct cursor saved = *c;
	size_t bits, top = 0;

	if (take_number(c, 2, &bits) && bits > 0 && bits <= (size_t)MPI_MAX * 8) {
		out->left = (bits + 7) / 8;
		if (take(c, out->left, &out->at)) {
			while (out->at[0] >> top)
				top++;
			if ((out->left - 1) * 8 + top == bits)
				return true;
		}
	}
	*c = saved;
	return false;
}

/*
 * The length that follows a new-format tag, or a subpacket's. `partial` says what the
 * values 224 to 254 mean: in packets a part of a stream, which we do not read.
 */
static bool take_length(struct cursor *c, bool partial, size_t *out)
{
	size_t first, second;

	if (!take_number(c, 1, &first))
		return false;
	if (first == 255)
		return take_number(c, 4, out);
	if (first >= 224 && partial)
		return false;
	*out = first;
	if (first < 192)
		return true;
	if (!take_number(c, 1, &second))
		return false;
	*out = ((first - 192) << 8) + second + 192;
	return true;
}

/* One packet of known length; false at anything else. */
static bool take_packet(struct cursor *c, unsigned *tag, struct cursor *body)
{
	size_t head;

	if (!take_number(c, 1, &head) || !(head & 0x80))
		return false;
	if (head & 0x40) {
		*tag = (unsigned)head & 0x3f;
		if (!take_length(c, true, &body->left))
			return false;
	} else {
		*tag = ((unsigned)head & 0x3c) >> 2;
		if ((head & 3) == 3 || !take_number(c, (size_t)1 << (head & 3), &body->left))
			return false;
	}
	return take(c, body->left, &body->at);
}

/* What the hashed subpackets of one signature say. */
struct hashed {
	bool created;
	bool expires;
	const unsigned char *fpr; /* FPR_LEN bytes, or NULL */
};

static bool read_subpacket(size_t type, const struct cursor *body, struct hashed *out)
{
	switch (type & ~(size_t)SUB_CRITICAL) {
	case SUB_CREATED:
		if (body->left != 4 || out->created)
			return false;
		out->created = true;
		return true;
	case SUB_EXPIRES: out->expires = true; return true;
	case SUB_ISSUER: return body->left == 8;
	case SUB_ISSUER_FPR:
		if (body->left != 1 + FPR_LEN || body->at[0] != 4 || out->fpr)
			return false;
		out->fpr = body->at + 1;
		return true;
	default: return !(type & SUB_CRITICAL);
	}
}

static bool read_hashed(struct cursor c, struct hashed *out)
{
	while (c.left) {
		struct cursor body;
		size_t len, type;

		if (!take_length(&c, false, &len) || len < 1 || !take_number(&c, 1, &type))
			return false;
		body.left = len - 1;
		if (!take(&c, body.left, &body.at) || !read_subpacket(type, &body, out))
			return false;
	}
	return true;
}

/*
 * The fixed part and the hashed subpackets. Returns NULL, or what is wrong with
 * them. *algo is the public key's.
 */
static const char *read_headers(const unsigned char *headers, size_t len, unsigned *algo,
				struct hashed *out)
{
	struct cursor c = {headers, len};
	const unsigned char *fixed;
	size_t hashed;

	*out = (struct hashed){0};
	if (!take(&c, 4, &fixed) || !take_number(&c, 2, &hashed) || hashed != c.left)
		return "wrong length";
	if (fixed[0] != 4)
		return "want version 4";
	if (fixed[1] != TYPE_BINARY)
		return "want a signature over binary data";
	*algo = fixed[2];
	if (fixed[2] != ALGO_RSA && fixed[2] != ALGO_EDDSA)
		return "want an Ed25519 or RSA key";
	if (fixed[3] != HASH_SHA256)
		return "want SHA-256 (gpg --digest-algo SHA256)";
	if (!read_hashed(c, out))
		return "malformed, repeated or unknown critical subpacket";
	if (!out->created)
		return "no creation time";
	/* Documents are checked for years, and by clients that see no clock in here. */
	if (out->expires)
		return "want one that does not expire (gpg --default-sig-expire 0)";
	return NULL;
}

bool pgp_headers_ok(const unsigned char *headers, size_t len, enum key_kind kind, const char *keyid)
{
	struct hashed hashed;
	unsigned algo;
	char fpr[PGP_FPR_HEX_SIZE];

	if (read_headers(headers, len, &algo, &hashed))
		return false;
	if (algo != (kind == KEY_PGP_RSA ? ALGO_RSA : ALGO_EDDSA))
		return false;
	if (!hashed.fpr)
		return true;
	hex_encode(hashed.fpr, FPR_LEN, fpr);
	return strcmp(fpr, keyid) == 0;
}

/* The signature's numbers as one hex text: R and S padded to 32 bytes each, or RSA's as it is. */
static bool take_value(struct cursor *c, unsigned algo, char out[HEX_LEN(MPI_MAX) + 1])
{
	unsigned char raw[2 * POINT_LEN] = {0};
	struct cursor mpi;

	if (algo == ALGO_RSA) {
		if (!take_mpi(c, &mpi))
			return false;
		hex_encode(mpi.at, mpi.left, out);
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		if (!take_mpi(c, &mpi) || mpi.left > POINT_LEN)
			return false;
		memcpy(raw + (i + 1) * POINT_LEN - mpi.left, mpi.at, mpi.left);
	}
	hex_encode(raw, sizeof(raw), out);
	return true;
}

int pgp_signature_object(const void *data, size_t len, json_t **out, struct error *err)
{
	struct cursor c = {data, len}, body, rest;
	char fpr[PGP_FPR_HEX_SIZE], sig[HEX_LEN(MPI_MAX) + 1];
	CLEANUP(freep) char *headers = NULL;
	struct hashed hashed;
	const char *complaint;
	const unsigned char *skipped;
	unsigned tag, algo;
	size_t size;
	json_t *object;

	if (!take_packet(&c, &tag, &body) || tag != TAG_SIGNATURE || c.left)
		return error_set(err, E_INVALID, "OpenPGP: want one binary signature packet");
	rest = body;
	if (!take(&rest, 4, &skipped) || !take_number(&rest, 2, &size) ||
	    !take(&rest, size, &skipped))
		return error_set(err, E_INVALID, "OpenPGP signature: cut short");
	size += HEADERS_MIN;
	complaint = read_headers(body.at, size, &algo, &hashed);
	if (complaint)
		return error_set(err, E_INVALID, "OpenPGP signature: %s", complaint);
	if (!hashed.fpr)
		return error_set(err, E_INVALID, "OpenPGP signature: no issuer fingerprint");
	hex_encode(hashed.fpr, FPR_LEN, fpr);

	/* The unhashed subpackets, two bytes of the digest, and the numbers. */
	size_t unhashed;
	if (!take_number(&rest, 2, &unhashed) || !take(&rest, unhashed, &skipped) ||
	    !take(&rest, 2, &skipped) || !take_value(&rest, algo, sig) || rest.left)
		return error_set(err, E_INVALID, "OpenPGP signature: malformed numbers");
	headers = malloc(HEX_LEN(size) + 1);
	if (!headers)
		return error_nomem(err);
	hex_encode(body.at, size, headers);
	object = json_pack("{s:s, s:s, s:s}", "keyid", fpr, "other_headers", headers, "sig", sig);
	if (!object)
		return error_nomem(err);
	*out = object;
	return 0;
}

/* Does the body of a version 4 public key packet have this fingerprint? */
static bool has_fingerprint(const struct cursor *body, const char *fpr)
{
	const unsigned char head[] = {0x99, (unsigned char)(body->left >> 8),
				      (unsigned char)(body->left & 0xff)};
	unsigned char raw[EVP_MAX_MD_SIZE];
	char hex[PGP_FPR_HEX_SIZE];
	EVP_MD_CTX *ctx;
	bool ok;

	if (body->left < HEADERS_MIN || body->left > UINT16_MAX || body->at[0] != 4)
		return false;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, head, sizeof(head)) == 1 &&
	     EVP_DigestUpdate(ctx, body->at, body->left) == 1 &&
	     EVP_DigestFinal_ex(ctx, raw, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return false;
	hex_encode(raw, FPR_LEN, hex);
	return strcmp(hex, fpr) == 0;
}

/* The point of an Ed25519 key: curve 1.3.6.1.4.1.11591.15.1, then 0x40 and 32 bytes. */
static json_t *eddsa_object(struct cursor *c)
{
	static const unsigned char curve[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};
	char hex[HEX_LEN(POINT_LEN) + 1];
	const unsigned char *oid;
	struct cursor point;
	size_t len;

	if (!take_number(c, 1, &len) || len != sizeof(curve) || !take(c, len, &oid) ||
	    memcmp(oid, curve, sizeof(curve)) != 0)
		return NULL;
	if (!take_mpi(c, &point) || point.left != 1 + POINT_LEN || point.at[0] != 0x40 || c->left)
		return NULL;
	hex_encode(point.at + 1, POINT_LEN, hex);
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "keytype", "eddsa", "scheme",
			 "pgp+eddsa-ed25519", "keyval", "private", "", "public", "q", hex);
}

static json_t *rsa_object(struct cursor *c)
{
	char hex_n[HEX_LEN(MPI_MAX) + 1], hex_e[HEX_LEN(MPI_MAX) + 1];
	struct cursor n, e;

	if (!take_mpi(c, &n) || !take_mpi(c, &e) || c->left)
		return NULL;
	hex_encode(n.at, n.left, hex_n);
	hex_encode(e.at, e.left, hex_e);
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}}}", "keytype", "rsa", "scheme",
			 "pgp+rsa-pkcsv1.5", "keyval", "private", "", "public", "e", hex_e, "n",
			 hex_n);
}

int pgp_key_object(const void *cert, size_t len, const char *fpr, json_t **out, struct error *err)
{
	struct cursor c = {cert, len}, body;
	const unsigned char *created;
	json_t *object = NULL;
	unsigned tag;
	size_t algo;

	while (c.left) {
		if (!take_packet(&c, &tag, &body))
			return error_set(err, E_INVALID, "OpenPGP certificate: malformed packet");
		if ((tag != TAG_PUBLIC_KEY && tag != TAG_PUBLIC_SUBKEY) ||
		    !has_fingerprint(&body, fpr))
			continue;
		if (take(&body, 5, &created) && take_number(&body, 1, &algo)) {
			if (algo == ALGO_EDDSA)
				object = eddsa_object(&body);
			else if (algo == ALGO_RSA)
				object = rsa_object(&body);
		}
		if (!object)
			return error_set(err, E_INVALID, "OpenPGP key %s: want Ed25519 or RSA",
					 fpr);
		*out = object;
		return 0;
	}
	return error_set(err, E_NOTFOUND, "OpenPGP certificate: no key %.64s", fpr);
}

int pgp_s2k_count(const void *data, size_t len, size_t *out, struct error *err)
{
	struct cursor c = {data, len}, body;
	const unsigned char *fixed, *salt;
	size_t coded;
	unsigned tag;

	if (!take_packet(&c, &tag, &body) || tag != TAG_SYMMETRIC_KEY || !take(&body, 4, &fixed) ||
	    fixed[0] != 4)
		return error_set(err, E_INVALID, "OpenPGP: want a message under a passphrase");
	/* fixed: version, cipher, kind of stretching, hash */
	if (fixed[2] != S2K_ITERATED || !take(&body, SALT_LEN, &salt) ||
	    !take_number(&body, 1, &coded))
		return error_set(err, E_INVALID, "OpenPGP: passphrase is not iterated and salted");
	*out = (16 + (coded & 15)) << ((coded >> 4) + 6);
	return 0;
}
