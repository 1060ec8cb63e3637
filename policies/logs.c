/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/logs.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "policies/statement.h"

enum { MOVE_SIZE_MAX = 512 * 1024, PATH_SIZE = 128 };

void logs_init(struct logs *l, const struct publisher *by, int64_t version)
{
	*l = (struct logs){.by = by, .root = version};
	for (; l->n < by->nlogs; l->n++)
		l->log[l->n] = (struct counted_log){.key = by->logs[l->n].key, .tree = l->n};
}

static size_t find(const struct logs *l, const char *origin)
{
	size_t i = 0;

	while (i < l->n && strcmp(l->log[i].key.name, origin) != 0)
		i++;
	return i;
}

/* --- moves ---------------------------------------------------------------------- */

/* A witness that signs for a log would vouch for itself. */
static bool is_witness(const struct publisher *p, const struct note_key *key)
{
	for (size_t i = 0; i < p->nwitnesses; i++)
		if (memcmp(p->witnesses[i].pub, key->pub, sizeof(key->pub)) == 0)
			return true;
	return false;
}

/* Let a move count, whose signatures hold. */
static void take(struct logs *l, const struct statement *st, const struct note_key *to)
{
	size_t from = find(l, st->origin);
	struct counted_log *old = &l->log[from];

	if (from == l->n || old->moved || st->size < (int64_t)old->begin ||
	    find(l, to->name) < l->n || is_witness(l->by, to) || to->type != NOTE_ED25519 ||
	    l->n == LOGS_MAX)
		return;
	old->moved = true;
	old->end = (uint64_t)st->size;
	struct counted_log *new = &l->log[l->n++];
	*new = (struct counted_log){.key = *to, .begin = (uint64_t)st->size, .tree = old->tree};
	(void)hex_decode(st->hash, new->root.b, sizeof(new->root.b)); /* the table saw to it */
}

/* E_UNTRUSTED, E_INVALID: it is not what was logged, or does not count, and why. */
static int read_move(struct logs *l, const char *product, const struct envelope *doc,
		     const struct role_keys *witnesses, struct error *err)
{
	struct statement st;
	struct note_key to;
	int r = statement_read(doc, "log-move", &st, err);

	if (r == 0 && st.type != ST_LOG_MOVE)
		r = error_set(err, E_INVALID, "log-move: is another statement");
	if (r == 0 && strcmp(st.product, product) != 0)
		r = error_set(err, E_UNTRUSTED, "log-move: is of product \"%s\"", st.product);
	if (r == 0)
		r = envelope_verify(doc, witnesses, "the root's witnesses", err);
	if (r == 0)
		r = note_key_parse(st.vkey, &to, err);
	if (r == 0)
		take(l, &st, &to);
	return r;
}

static int follow(struct logs *l, const struct evidence_source *s, const char *product,
		  const struct leaf *leaf, const struct role_keys *witnesses, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	char path[PATH_SIZE];
	struct error why = {0};

	(void)snprintf(path, sizeof(path), "statements/%s.json", leaf->id);
	int r = s->read(s->ctx, path, MOVE_SIZE_MAX, &bytes, err);
	if (r == E_NOTFOUND) {
		l->withheld = true;
		return 0;
	}
	if (r < 0)
		return r;
	r = envelope_parse(bytes.data, bytes.len, path, &doc, &why);
	if (r == 0 && strcmp(envelope_id(doc), leaf->id) != 0)
		return error_set(err, E_UNTRUSTED, "%s: is another document, with id %s", path,
				 envelope_id(doc));
	if (r == 0)
		r = read_move(l, product, doc, witnesses, &why);
	return r == E_NOMEM ? error_nomem(err) : 0;
}

int logs_follow(struct logs *l, const struct evidence_source *s, const char *product,
		const struct leaf_chain *c, struct error *err)
{
	CLEANUP(role_keys_clear) struct role_keys witnesses = {0};
	size_t moves = 0;
	int r = 0;

	if (l->by->witness_threshold < 1) /* nobody could vouch for a move */
		return 0;
	r = publisher_witness_keys(l->by, &witnesses, err);
	for (size_t i = 0; r == 0 && i < c->n && moves < MOVES_MAX; i++) {
		if (strcmp(c->leaves[i].kind, statement_name(ST_LOG_MOVE)) != 0)
			continue;
		moves++;
		r = follow(l, s, product, &c->leaves[i], &witnesses, err);
	}
	return r;
}

/* --- proofs ---------------------------------------------------------------------- */

/* Is the tree of a moved log where the witnesses said that it is? */
static int check_move(const struct counted_log *log, const struct checkpoint *c, struct error *err)
{
	if (c->size < log->begin)
		return error_set(err, E_UNTRUSTED,
				 "log \"%.80s\": is smaller than the log before it", c->origin);
	if (log->begin && c->size == log->begin &&
	    memcmp(c->root.b, log->root.b, sizeof(c->root.b)) != 0)
		return error_set(err, E_UNTRUSTED, "log \"%.80s\": is not the log before it",
				 c->origin);
	return 0;
}

static struct log_policy policy_of(const struct logs *l, const struct counted_log *log)
{
	return (struct log_policy){.log = log->key,
				   .witnesses = l->by->witnesses,
				   .n = l->by->nwitnesses,
				   .threshold = l->by->witness_threshold};
}

static int check_log(const struct logs *l, const struct counted_log *log,
		     const struct tlog_proof *proof, const struct hash *leaf, struct shown *out,
		     struct error *err)
{
	struct log_policy policy = {.log = log->key};
	struct shown shown = {
		.tree = log->tree, .index = proof->index, .size = proof->checkpoint.size};
	int r = tlog_proof_verify(proof, leaf, &policy, NULL, err);

	if (r == 0)
		r = check_move(log, &proof->checkpoint, err);
	if (r < 0)
		return r;
	shown.good = !log->moved || proof->checkpoint.size <= log->end;
	policy = policy_of(l, log);
	/* A true proof that too few witnesses cosigned is not false: it is not enough yet. */
	if (policy.threshold > 0) {
		r = tlog_proof_verify(proof, leaf, &policy, &shown.when, err);
		if (r == E_UNTRUSTED)
			shown.good = false;
		else if (r < 0)
			return r;
	}
	*out = shown;
	return 0;
}

const struct note_key *logs_key(const struct logs *l, const char *origin)
{
	size_t i = find(l, origin);

	return i < l->n ? &l->log[i].key : NULL;
}

static int unknown_log(const struct logs *l, const struct checkpoint *c, struct error *err)
{
	return error_set(err, E_UNTRUSTED, "log \"%.80s\" is none that root %lld names", c->origin,
			 (long long)l->root);
}

int logs_check(const struct logs *l, const void *data, size_t len, const struct hash *leaf,
	       struct shown *out, struct error *err)
{
	struct tlog_proof proof;
	int r = tlog_proof_parse(len ? data : "", len, &proof, err);

	if (r < 0)
		return r;
	size_t i = find(l, proof.checkpoint.origin);
	if (i < l->n)
		return check_log(l, &l->log[i], &proof, leaf, out, err);
	if (!l->withheld)
		return unknown_log(l, &proof.checkpoint, err);
	*out = (struct shown){.good = false};
	return 0;
}

int logs_now(const struct logs *l, const void *data, size_t len, struct witnessed *out,
	     struct error *err)
{
	struct checkpoint c;
	int r = checkpoint_parse(len ? data : "", len, &c, err);

	if (r < 0)
		return r;
	size_t i = find(l, c.origin);
	if (i == l->n)
		return unknown_log(l, &c, err);
	const struct counted_log *log = &l->log[i];
	const struct log_policy policy = policy_of(l, log);
	r = check_move(log, &c, err);
	if (r == 0 && log->moved && c.size > log->end)
		r = error_set(err, E_UNTRUSTED, "log \"%.80s\": has moved away", c.origin);
	return r < 0 ? r : checkpoint_verify(&c, &policy, out, err);
}
