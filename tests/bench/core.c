/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core ROUNDS - verifying, parsing and deciding against bare libcrypto and bare jansson
 *
 * The peer does what nobody can do without: the same calls to libcrypto on a key that
 * was loaded before, json_loadb() and json_decref() of the same bytes; of a policy that is
 * decided, of its text.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "lib/sign/signer.h"
#include "lib/tuf/repo.h"
#include "policies/policy.h"
#include "tests/bench/side.h"

#define NOW INT64_C(1893456000)

enum { SIGNERS = 3, KEYS = 5, TARGETS = 1000, RAW_MAX = 1024, PGP_HEADERS = 35 };

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

static struct error err;

static void check(int r)
{
	side_must(r >= 0, err.text);
}

/* --- one signature ------------------------------------------------------------- */

struct signed_bytes {
	struct signer *signer;
	EVP_PKEY *pkey; /* of the signer, for the peer */
	json_t *object;
	struct signature sig;
	struct key *key;
	unsigned char raw[RAW_MAX];
	size_t raw_len;
	const EVP_MD *md;
	bool pss, pgp;
	const char *headers;
	struct buf data;
};

static void ours_verify(void *ctx)
{
	const struct signed_bytes *s = ctx;

	side_must(key_verify(s->key, s->data.data, s->data.len, &s->sig), "a wrong signature");
}

/* The digest that an OpenPGP signature is over. */
static void pgp_digest(const struct signed_bytes *s, unsigned char out[SHA256_LEN])
{
	static const unsigned char trailer[] = {4, 0xff, 0, 0, 0, PGP_HEADERS};
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char headers[PGP_HEADERS];

	side_must(hex_decode(s->headers, headers, sizeof(headers)) && ctx &&
			  EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
			  EVP_DigestUpdate(ctx, s->data.data, s->data.len) == 1 &&
			  EVP_DigestUpdate(ctx, headers, sizeof(headers)) == 1 &&
			  EVP_DigestUpdate(ctx, trailer, sizeof(trailer)) == 1 &&
			  EVP_DigestFinal_ex(ctx, out, NULL) == 1,
		  "digest");
}

static void bare_plain(const struct signed_bytes *s, const void *data, size_t len)
{
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;

	side_must(ctx && EVP_DigestVerifyInit(ctx, &how, s->md, NULL, s->pkey) == 1, "init");
	if (s->pss)
		side_must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
				  EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_AUTO) == 1,
			  "padding");
	side_must(EVP_DigestVerify(ctx, s->raw, s->raw_len, data, len) == 1, "verify");
}

static void bare_pkcs1(const struct signed_bytes *s, const unsigned char digest[SHA256_LEN])
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->pkey, NULL);

	side_must(ctx && EVP_PKEY_verify_init(ctx) == 1 &&
			  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
			  EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
			  EVP_PKEY_verify(ctx, s->raw, s->raw_len, digest, SHA256_LEN) == 1,
		  "verify");
}

static void bare_verify(void *ctx)
{
	const struct signed_bytes *s = ctx;
	unsigned char digest[SHA256_LEN];

	if (!s->pgp) {
		bare_plain(s, s->data.data, s->data.len);
		return;
	}
	pgp_digest(s, digest);
	if (s->md)
		bare_pkcs1(s, digest);
	else
		bare_plain(s, digest, sizeof(digest));
}

static void make_key(struct signed_bytes *s, const char *kind)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(BIO_free_allp) BIO *bio = NULL;

	check(signer_generate(kind, &pem, &err));
	check(signer_from_pem(pem.data, pem.len, &s->signer, &err));
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	s->pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	side_must(s->pkey != NULL, "key");
}

static void parse_key(struct signed_bytes *s, const char *id, json_t *object_take)
{
	json_auto_t *object = object_take;

	check(key_parse(id, object, "key", &s->key, &err));
	side_must(key_kind(s->key) != KEY_UNKNOWN, "a key of no known kind");
}

static void take_raw(struct signed_bytes *s)
{
	s->raw_len = strlen(s->sig.sig) / 2;
	side_must(s->raw_len <= RAW_MAX && hex_decode(s->sig.sig, s->raw, s->raw_len), "hex");
}

static void sign_plain(struct signed_bytes *s, const char *kind)
{
	bool ed25519 = strcmp(kind, "ed25519") == 0;

	make_key(s, kind);
	s->md = ed25519 ? NULL : EVP_sha256();
	s->pss = strcmp(kind, "rsa") == 0;
	check(signer_sign(s->signer, s->data.data, s->data.len, &s->object, &err));
	s->sig = (struct signature){
		.keyid = key_id(signer_key(s->signer)),
		.sig = json_string_value(json_object_get(s->object, "sig")),
	};
	parse_key(s, s->sig.keyid, json_incref(key_object(signer_key(s->signer))));
	take_raw(s);
}

#define FPR "00112233445566778899aabbccddeeff00112233"

static json_t *pgp_rsa_object(EVP_PKEY *pkey)
{
	BIGNUM *n = NULL;
	json_t *object;
	char *hex;

	side_must(EVP_PKEY_get_bn_param(pkey, "n", &n) == 1, "modulus");
	hex = BN_bn2hex(n);
	for (char *c = hex; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
	object = json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}}}", "keytype", "rsa", "scheme",
			   "pgp+rsa-pkcsv1.5", "keyval", "private", "", "public", "e", "010001",
			   "n", hex);
	OPENSSL_free(hex);
	BN_free(n);
	return object;
}

/* As GnuPG makes them: what it cannot be asked for here is the signature alone. */
static void sign_pgp(struct signed_bytes *s, const char *kind)
{
	bool rsa = strcmp(kind, "rsa") == 0;
	unsigned char digest[SHA256_LEN];
	char hex[HEX_LEN(RAW_MAX) + 1];
	size_t len = RAW_MAX;

	make_key(s, kind);
	s->pgp = true;
	s->md = rsa ? EVP_sha256() : NULL;
	s->headers = rsa ? "04000108001d162104" FPR "050270dbd880"
			 : "04001608001d162104" FPR "050270dbd880";
	pgp_digest(s, digest);
	if (rsa) {
		CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->pkey, NULL);

		side_must(ctx && EVP_PKEY_sign_init(ctx) == 1 &&
				  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
				  EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
				  EVP_PKEY_sign(ctx, s->raw, &len, digest, sizeof(digest)) == 1,
			  "sign");
		hex_encode(s->raw, len, hex);
		s->object = json_pack("{s:s}", "sig", hex);
		parse_key(s, FPR, pgp_rsa_object(s->pkey));
	} else {
		const json_t *keyval = json_object_get(key_object(signer_key(s->signer)), "keyval");

		check(signer_sign(s->signer, digest, sizeof(digest), &s->object, &err));
		parse_key(s, FPR,
			  json_pack("{s:s, s:s, s:{s:s, s:{s:O}}}", "keytype", "eddsa", "scheme",
				    "pgp+eddsa-ed25519", "keyval", "private", "", "public", "q",
				    json_object_get(keyval, "public")));
	}
	s->sig = (struct signature){
		.keyid = FPR,
		.sig = json_string_value(json_object_get(s->object, "sig")),
		.other_headers = s->headers,
	};
	take_raw(s);
}

static void clear(struct signed_bytes *s)
{
	signer_free(s->signer);
	EVP_PKEY_free(s->pkey);
	key_free(s->key);
	json_decref(s->object);
	buf_clear(&s->data);
}

static void kinds(const struct buf *data, int rounds)
{
	static const struct {
		const char *name, *kind;
		void (*sign)(struct signed_bytes *s, const char *kind);
	} cases[] = {
		{"verify ed25519", "ed25519", sign_plain},
		{"verify ecdsa", "ecdsa", sign_plain},
		{"verify rsa-pss 3072", "rsa", sign_plain},
		{"verify pgp ed25519", "ed25519", sign_pgp},
		{"verify pgp rsa 3072", "rsa", sign_pgp},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct signed_bytes s = {0};

		check(buf_add(&s.data, data->data, data->len, &err));
		cases[i].sign(&s, cases[i].kind);
		side_by_side(cases[i].name, ours_verify, bare_verify, &s, rounds);
		clear(&s);
	}
}

/* --- documents ------------------------------------------------------------------- */

/* A root of 3 of 5, and targets: documents as a repository has them. */
struct documents {
	struct signed_bytes who[KEYS];
	struct envelope *root, *targets, *timestamp;
	struct tuf_root *parsed;
};

static json_t *root_body(const struct documents *d)
{
	json_t *body = NULL;

	check(repo_signed_new(TUF_ROOT, "acme.x1", 1, NOW, &body, &err));
	for (int t = 0; t < TUF_TYPES; t++)
		for (int i = 0; i < (t == TUF_ROOT ? KEYS : 1); i++) {
			const struct key *k = signer_key(d->who[i].signer);

			check(repo_root_add_key(body, (enum tuf_type)t, key_id(k), key_object(k),
						&err));
		}
	check(repo_root_threshold(body, TUF_ROOT, SIGNERS, &err));
	return body;
}

static void make_documents(struct documents *d)
{
	json_t *body = NULL;
	char hash[SHA256_HEX_SIZE], path[64];

	for (int i = 0; i < KEYS; i++)
		make_key(&d->who[i], "ed25519");
	check(envelope_new(root_body(d), &d->root, &err));
	check(repo_signed_new(TUF_TARGETS, "acme.x1", 1, NOW, &body, &err));
	for (int i = 0; i < TARGETS; i++) {
		sha256_hex(&i, sizeof(i), hash);
		(void)snprintf(path, sizeof(path), "images/x1-%d.img", i);
		check(repo_targets_add(body, path, 1000 + i, hash, NULL, &err));
	}
	check(envelope_new(body, &d->targets, &err));
	body = NULL;
	check(repo_signed_new(TUF_TIMESTAMP, "acme.x1", 1, NOW, &body, &err));
	check(repo_meta_set(body, "snapshot.json", 1, "x", 1, &err));
	check(envelope_new(body, &d->timestamp, &err));
	for (int i = 0; i < SIGNERS; i++)
		check(signer_sign_envelope(d->who[i].signer, d->root, &err));
	check(signer_sign_envelope(d->who[0].signer, d->targets, &err));
	check(signer_sign_envelope(d->who[0].signer, d->timestamp, &err));

	const struct buf *bytes = envelope_bytes(d->root);
	check(tuf_root_parse(bytes->data, bytes->len, "root", &d->parsed, &err));
	for (int i = 0; i < SIGNERS; i++) {
		const struct buf *canonical = envelope_canonical(d->root);
		struct signature s = envelope_signature(d->root, (size_t)i);

		/* In any order: each peer verifies the one of its own key. */
		for (int k = 0; k < KEYS; k++)
			if (strcmp(key_id(signer_key(d->who[k].signer)), s.keyid) == 0) {
				d->who[k].sig = s;
				take_raw(&d->who[k]);
			}
		check(buf_add(&d->who[i].data, canonical->data, canonical->len, &err));
	}
}

static void ours_envelope(void *ctx)
{
	const struct documents *d = ctx;

	check(tuf_root_self_signed(d->parsed, &err));
}

static void bare_envelope(void *ctx)
{
	const struct documents *d = ctx;

	for (int i = 0; i < SIGNERS; i++)
		bare_plain(&d->who[i], d->who[i].data.data, d->who[i].data.len);
}

static void bare_json(const struct envelope *e)
{
	const struct buf *b = envelope_bytes(e);
	json_t *v = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, NULL);

	side_must(v != NULL, "json");
	json_decref(v);
}

static void strict_json(const struct envelope *e)
{
	const struct buf *b = envelope_bytes(e);
	json_t *v = NULL;

	check(strict_parse(b->data, b->len, "json", &v, &err));
	json_decref(v);
}

static void ours_role(const struct envelope *e, enum tuf_type type)
{
	const struct buf *b = envelope_bytes(e);
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;

	check(tuf_role_parse(b->data, b->len, type, "role", &role, &err));
}

static void targets_bare(void *ctx)
{
	bare_json(((struct documents *)ctx)->targets);
}
static void targets_strict(void *ctx)
{
	strict_json(((struct documents *)ctx)->targets);
}
static void targets_role(void *ctx)
{
	ours_role(((struct documents *)ctx)->targets, TUF_TARGETS);
}
static void timestamp_bare(void *ctx)
{
	bare_json(((struct documents *)ctx)->timestamp);
}
static void timestamp_role(void *ctx)
{
	ours_role(((struct documents *)ctx)->timestamp, TUF_TIMESTAMP);
}
static void root_bare(void *ctx)
{
	bare_json(((struct documents *)ctx)->root);
}
static void root_strict(void *ctx)
{
	strict_json(((struct documents *)ctx)->root);
}
static void root_role(void *ctx)
{
	const struct buf *b = envelope_bytes(((struct documents *)ctx)->root);
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;

	check(tuf_root_parse(b->data, b->len, "root", &root, &err));
}

/* --- a policy --------------------------------------------------------------------- */

/* A silent release that waits for its last approval. */
static const char silent[] =
	"{\"notice.ground\": \"silence\", \"silence.days\": 200, \"support.ended\": true, "
	"\"notice.at\": \"2025-12-01T00:00:00Z\", \"now\": \"2026-02-01T00:00:00Z\", "
	"\"approvals.at\": \"2026-01-15T00:00:00Z\", \"objection\": false, "
	"\"approvals\": [\"ann\"], \"approvals.threshold\": 2, \"eol.final\": false, "
	"\"eol.release\": false, \"targets.silence_days\": 300}";

struct decided {
	struct policy *policy;
	struct facts *facts;
	char *text;
};

static void ours_decide(void *ctx)
{
	const struct decided *d = ctx;
	enum answer answer = ANSWER_YES;

	check(policy_decide(d->policy, d->facts, &answer, NULL, &err));
	side_must(answer == ANSWER_NO, "the answer");
}

static void ours_reasons(void *ctx)
{
	const struct decided *d = ctx;
	enum answer answer;
	json_t *why = NULL;

	check(policy_decide(d->policy, d->facts, &answer, &why, &err));
	json_decref(why);
}

static void bare_policy(void *ctx)
{
	const struct decided *d = ctx;
	json_t *v = json_loadb(d->text, strlen(d->text), JSON_REJECT_DUPLICATES, NULL);

	side_must(v != NULL, "json");
	json_decref(v);
}

static void policies(int rounds)
{
	json_t *src = policy_shipped_json("release/standard"), *facts = json_loads(silent, 0, NULL);
	struct decided d = {.text = src ? json_dumps(src, JSON_COMPACT) : NULL};

	side_must(d.text && facts, "release/standard");
	check(policy_parse(src, "release/standard", &d.policy, &err));
	check(facts_from_json(facts, &d.facts, &err));
	side_by_side("policy: release/standard", ours_decide, bare_policy, &d, rounds);
	side_by_side("reasons: release/standard", ours_reasons, bare_policy, &d, rounds);
	policy_free(d.policy);
	facts_free(d.facts);
	free(d.text);
	json_decref(src);
	json_decref(facts);
}

int main(int argc, char *argv[])
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0;
	struct documents d = {0};

	side_must(rounds > 0, "usage: core ROUNDS");
	make_documents(&d);
	kinds(envelope_canonical(d.root), rounds);
	side_by_side("verify a root, 3 of 5", ours_envelope, bare_envelope, &d, rounds);
	side_by_side("json: root", root_strict, root_bare, &d, rounds);
	side_by_side("json: 1000 targets", targets_strict, targets_bare, &d, rounds);
	side_by_side("role: 1000 targets", targets_role, targets_bare, &d, rounds);
	side_by_side("role: timestamp", timestamp_role, timestamp_bare, &d, rounds);
	side_by_side("role: root", root_role, root_bare, &d, rounds);
	policies(rounds);
	tuf_root_free(d.parsed);
	envelope_free(d.root);
	envelope_free(d.targets);
	envelope_free(d.timestamp);
	for (int i = 0; i < KEYS; i++)
		clear(&d.who[i]);
	return 0;
}
