/* SPDX-License-Identifier: Apache-2.0 */
#include "client/logged.h"

#include <assert.h>
#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "policies/publisher.h"

enum { CHAIN_BYTES_MAX = 8 * 1024 * 1024, PROOF_BYTES_MAX = NOTE_MAX + 8192 };

void logged_init(struct logged *l, const struct source *from)
{
	*l = (struct logged){.from = from};
}

void logged_clear(struct logged *l)
{
	leaf_chain_clear(&l->chain);
}

int logged_check(const struct leaf_chain *c, const struct state *st, struct error *err)
{
	char hash[SHA256_HEX_SIZE];

	if ((int64_t)c->n < st->seq)
		return error_set(err, E_UNTRUSTED,
				 "leaves.jsonl: %zu leaves, but %" PRId64 " were seen before", c->n,
				 st->seq);
	if (!st->seq)
		return 0;
	hex_encode(c->leaves[st->seq - 1].hash.b, SHA256_LEN, hash);
	if (strcmp(hash, st->leaf) != 0)
		return error_set(err, E_UNTRUSTED,
				 "leaves.jsonl: leaf %" PRId64
				 " is another one than was seen before",
				 st->seq);
	return 0;
}

void logged_remember(const struct leaf_chain *c, size_t proven, struct state *st)
{
	assert(proven <= c->n);
	if ((int64_t)proven <= st->seq)
		return;
	st->seq = (int64_t)proven;
	hex_encode(c->leaves[proven - 1].hash.b, SHA256_LEN, st->leaf);
}

static int read_chain(struct logged *l, const char *product, const struct state *st,
		      struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r;

	if (l->chain.n)
		return 0;
	r = source_get(l->from, "leaves.jsonl", CHAIN_BYTES_MAX, &text, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTYET,
				 "leaves.jsonl: is not there, so no root can be "
				 "followed");
	if (r == 0)
		r = leaf_chain_parse(text.data ? text.data : "", text.len, product, &l->chain, err);
	if (r == 0)
		r = logged_check(&l->chain, st, err);
	return r;
}

/* Does one of the logs that `who` names vouch for the leaf? */
static int check_proof(const struct publisher *who, const struct buf *bytes,
		       const struct leaf *leaf, struct witnessed *when, struct error *err)
{
	struct tlog_proof proof;
	int r = tlog_proof_parse(bytes->data ? bytes->data : "", bytes->len, &proof, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < who->nlogs; i++) {
		const struct log_policy policy = {
			.log = who->logs[i].key,
			.witnesses = who->witnesses,
			.n = who->nwitnesses,
			.threshold = who->witness_threshold,
		};

		if (strcmp(who->logs[i].origin, proof.checkpoint.origin) == 0)
			return tlog_proof_verify(&proof, &leaf->hash, &policy, when, err);
	}
	return error_set(err, E_UNTRUSTED, "log %s: the trusted root does not name it",
			 proof.checkpoint.origin);
}

int logged_root(struct logged *l, const struct tuf_root *from, const struct tuf_root *to,
		struct state *st, struct witnessed *when, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	const char *id = envelope_id(to->doc);
	const struct leaf *leaf;
	int r = who ? publisher_read(from, "root", who, err) : error_nomem(err);

	if (r == 0)
		r = read_chain(l, to->product, st, err);
	if (r < 0)
		return r;
	leaf = leaf_chain_first_root(&l->chain, to->version);
	if (!leaf)
		return error_set(err, E_NOTYET, "root %" PRId64 ": is not in the log yet",
				 to->version);
	if (strcmp(leaf->id, id) != 0)
		return error_set(err, E_UNTRUSTED,
				 "root %" PRId64 ": the log has another one first, %.16s...",
				 to->version, leaf->id);
	r = buf_printf(&path, err, "proofs/%s.tlog-proof", id);
	if (r == 0)
		r = source_get(l->from, path.data, PROOF_BYTES_MAX, &bytes, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTYET, "root %" PRId64 ": its log proof is not there",
				 to->version);
	if (r == 0)
		r = check_proof(who, &bytes, leaf, when, err);
	if (r < 0)
		return error_prefix(err, r, "root %" PRId64, to->version);
	logged_remember(&l->chain, (size_t)(leaf - l->chain.leaves) + 1, st);
	return 0;
}
