/* SPDX-License-Identifier: Apache-2.0 */
/*
 * biglog - a registry's log of many leaves, and what its proofs cost
 *
 *	biglog fill DATA SIZE     make the log of a stopped registry that long
 *	biglog prove DATA ROUNDS  build and verify proofs of leaves anywhere in it
 *
 * The leaves that are filled in belong to a product that nobody has heard of, and
 * say nothing; tiles, checkpoint and rows are those that the registry makes. What is
 * not made is the public tree's part of them: nobody reads that here.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/sign/ed25519.h"
#include "lib/tlog/checkpoint.h"
#include "registry/internal.h"
#include "registry/log/sequencer.h"
#include "tests/bench/side.h"

enum { CHUNK = 65536, WITNESSES = 2, PROOFS = 64, NODE_LEN = 65, SIGNATURES = WITNESSES + 1 };

static struct error err;

static void check(int r)
{
	side_must(r >= 0, err.text);
}

/* --- fill -------------------------------------------------------------------------- */

static int read_tile(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *e)
{
	return store_tile(ctx, level, n, width, out, e);
}

static int write_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
		      const struct hash *hashes, struct error *e)
{
	return store_tile_set(ctx, level, n, width, hashes, e);
}

static void add_chunk(struct store *s, uint64_t size, size_t n)
{
	const struct merkle_store tiles = {.ctx = s, .read = read_tile, .write = write_tile};
	struct hash *hashes = calloc(n, sizeof(*hashes));
	struct document_row doc = {.product = "bench.filler"};
	struct buf data = {0};

	side_must(hashes != NULL, "out of memory");
	for (size_t i = 0; i < n; i++) {
		uint64_t index = size + i;

		buf_cut(&data, 0);
		check(buf_printf(&data, &err, "%" PRIu64, index));
		(void)snprintf(doc.id, sizeof(doc.id), "%064" PRIx64, index);
		doc.seq = (int64_t)index + 1;
		merkle_leaf(data.data, data.len, &hashes[i]);
		check(store_leaf_add(s, index, &doc, &hashes[i], &data, &err));
	}
	check(merkle_append(&tiles, size, hashes, n, &err));
	free(hashes);
	buf_clear(&data);
}

/* Signed as the sequencer does it; shown without witnesses, who are asked for the next one. */
static void sign(const struct registry *r, uint64_t size)
{
	const struct merkle_store tiles = {.ctx = r->store, .read = read_tile};
	const struct published_row shown = {.size = size, .proved = size};
	struct buf text = {0}, note = {0};
	struct hash root;

	check(merkle_root(&tiles, size, &root, &err));
	check(checkpoint_format(keys_log(r->keys)->name, size, &root, &text, &err));
	check(buf_add(&note, text.data, text.len, &err));
	check(buf_puts(&note, "\n", &err));
	check(keys_sign_checkpoint(r->keys, &text, &note, &err));
	check(store_checkpoint_set(r->store, size, &note, &err));
	check(store_published_set(r->store, &shown, &note, &err));
	buf_clear(&text);
	buf_clear(&note);
}

static void fill(struct registry *r, uint64_t want)
{
	uint64_t size = 0;

	check(store_log_size(r->store, &size, &err));
	while (size < want) {
		uint64_t left = want - size;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		check(store_begin(r->store, &err));
		add_chunk(r->store, size, n);
		size += n;
		sign(r, size);
		check(store_commit(r->store, &err));
	}
}

/* --- prove -------------------------------------------------------------------------- */

/* Proofs of leaves spread over the log, as devices get them. */
struct proofs {
	struct store *store;
	uint64_t size;
	struct buf note; /* signed by the log and the witnesses */
	struct note_key witness[WITNESSES];
	struct log_policy policy;
	struct buf proof[PROOFS];
	struct hash leaf[PROOFS];
	unsigned next;
	EVP_PKEY *pkey[SIGNATURES];
	unsigned char sig[SIGNATURES][ED25519_SIG_LEN]; /* each over its own message */
	unsigned char message[NOTE_MAX];
	size_t message_len;
};

static void build(void *ctx)
{
	struct proofs *p = ctx;
	uint64_t index = p->size / PROOFS * (p->next++ % PROOFS);
	struct buf out = {0};

	check(log_prove(p->store, index, p->size, &p->note, &out, &err));
	buf_clear(&out);
}

static void ours_verify(void *ctx)
{
	struct proofs *p = ctx;
	unsigned i = p->next++ % PROOFS;
	struct tlog_proof proof;
	struct witnessed when;

	check(tlog_proof_parse(p->proof[i].data, p->proof[i].len, &proof, &err));
	check(tlog_proof_verify(&proof, &p->leaf[i], &p->policy, &when, &err));
}

/* So many hashes of nodes, and so many signatures. */
static void bare_verify(void *ctx)
{
	struct proofs *p = ctx;
	unsigned char node[NODE_LEN] = {1}, out[SHA256_LEN];
	struct tlog_proof proof;
	static size_t siblings[PROOFS];
	unsigned i = p->next++ % PROOFS;

	if (!siblings[i]) {
		check(tlog_proof_parse(p->proof[i].data, p->proof[i].len, &proof, &err));
		siblings[i] = proof.siblings.n;
	}
	for (size_t k = 0; k < siblings[i]; k++)
		side_must(EVP_Digest(node, sizeof(node), out, NULL, EVP_sha256(), NULL), "hash");
	for (size_t k = 0; k < SIGNATURES; k++) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();

		side_must(md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, p->pkey[k]) == 1 &&
				  EVP_DigestVerify(md, p->sig[k], ED25519_SIG_LEN, p->message,
						   p->message_len) == 1,
			  "signature");
		EVP_MD_CTX_free(md);
	}
}

/* A key of the peer's, and its signature over something as long as a checkpoint. */
static void peer_key(struct proofs *p, size_t i, const unsigned char seed[ED25519_LEN])
{
	unsigned char pub[ED25519_LEN];

	check(ed25519_public(seed, pub, &err));
	check(ed25519_sign(seed, p->message, p->message_len, p->sig[i], &err));
	p->pkey[i] = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, sizeof(pub));
	side_must(p->pkey[i] != NULL, "key");
}

static void add_witnesses(struct proofs *p)
{
	struct checkpoint c;
	struct buf text = {0};

	check(checkpoint_parse(p->note.data, p->note.len, &c, &err));
	check(buf_add(&text, c.note.text, c.note.text_len, &err));
	memcpy(p->message, text.data, text.len);
	p->message_len = text.len;
	for (unsigned i = 0; i < WITNESSES; i++) {
		unsigned char seed[ED25519_LEN] = {(unsigned char)(i + 1)}, pub[ED25519_LEN];
		char name[32];

		(void)snprintf(name, sizeof(name), "witness-%u.bench", i);
		check(ed25519_public(seed, pub, &err));
		check(note_key_make(name, NOTE_COSIGNATURE, pub, &p->witness[i], &err));
		check(note_sign_line(&p->witness[i], seed, &text, 1893456000, &p->note, &err));
	}
	for (unsigned i = 0; i < SIGNATURES; i++) {
		unsigned char seed[ED25519_LEN] = {(unsigned char)(i + 9)};

		peer_key(p, i, seed);
	}
	buf_clear(&text);
}

static int keep_hash(void *ctx, const struct leaf_row *row, struct error *e)
{
	(void)e;
	*(struct hash *)ctx = row->hash;
	return 0;
}

static void prove(struct registry *r, int rounds)
{
	static struct proofs p;

	p.store = r->store;
	check(store_checkpoint(r->store, &p.size, &p.note, &err));
	side_must(p.size >= PROOFS, "a longer log");
	add_witnesses(&p);
	p.policy = (struct log_policy){.log = *keys_log(r->keys),
				       .witnesses = p.witness,
				       .n = WITNESSES,
				       .threshold = WITNESSES};
	for (unsigned i = 0; i < PROOFS; i++) {
		uint64_t index = p.size / PROOFS * i;

		check(log_prove(p.store, index, p.size, &p.note, &p.proof[i], &err));
		check(store_leaves(p.store, index, index + 1, keep_hash, &p.leaf[i], &err));
	}
	side_by_side("build", build, NULL, &p, rounds);
	side_by_side("verify", ours_verify, bare_verify, &p, rounds);
	for (unsigned i = 0; i < PROOFS; i++)
		buf_clear(&p.proof[i]);
	for (unsigned i = 0; i < SIGNATURES; i++)
		EVP_PKEY_free(p.pkey[i]);
	buf_clear(&p.note);
}

int main(int argc, char *argv[])
{
	struct registry *r = NULL;
	bool filling = argc == 4 && strcmp(argv[1], "fill") == 0;

	side_must(filling || (argc == 4 && strcmp(argv[1], "prove") == 0),
		  "usage: biglog fill DATA SIZE | prove DATA ROUNDS");
	check(registry_open(argv[2], &r, &err));
	if (filling)
		fill(r, strtoull(argv[3], NULL, 10));
	else
		prove(r, atoi(argv[3]));
	registry_close(r);
	return 0;
}
