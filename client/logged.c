/* SPDX-License-Identifier: Apache-2.0 */
#include "client/logged.h"

#include <assert.h>
#include <inttypes.h>

#include "client/heads.h"
#include "client/leaves.h"
#include "lib/base/error.h"
#include "policies/logs.h"

enum {
	PATH_MAX_BYTES = 128,
	TAIL_MAX = 16, /* newest leaves that are tried for a proof */
};

/* A verified checkpoint, and whose it is. */
struct finding {
	const struct note_key *log; /* borrowed from the publisher */
	struct checkpoint checkpoint;
	struct witnessed when;
};

void logged_init(struct logged *l, const struct source *from, struct state *st)
{
	*l = (struct logged){.from = from, .st = st};
}

void logged_clear(struct logged *l)
{
	leaf_chain_clear(&l->chain);
}

static struct log_policy policy_of(const struct publisher *who, const struct note_key *log)
{
	return (struct log_policy){
		.log = *log,
		.witnesses = who->witnesses,
		.n = who->nwitnesses,
		.threshold = who->witness_threshold,
	};
}

/* --- as much as was ever seen ------------------------------------------------- */

static bool was_shown(const struct logged *l, const struct note_key *log)
{
	for (size_t i = 0; i < l->nshown; i++)
		if (memcmp(l->shown[i], log->id, sizeof(log->id)) == 0)
			return true;
	return false;
}

/* A proof may be older than what was seen, if something else by this mirror is not. */
static int demand(struct logged *l, const struct finding *f, struct error *err)
{
	int r = was_shown(l, f->log) ? 0 : heads_check(l->st, f->log, &f->checkpoint, err);

	if (r == 0 && !was_shown(l, f->log) && l->nshown < STATE_LOGS_MAX)
		memcpy(l->shown[l->nshown++], f->log->id, sizeof(f->log->id));
	return r;
}

static void remember(struct logged *l, const struct publisher *who, const struct finding *f)
{
	heads_remember(l->st, f->log, &f->checkpoint, who);
	if (f->when.known && f->when.high > l->st->witnessed)
		l->st->witnessed = f->when.high;
}

/* --- the log's own checkpoint ------------------------------------------------- */

static bool absolute(const char *url)
{
	return strstr(url, "://") != NULL;
}

/* Fetch and verify. 1: there is nothing to be learned from it. */
static int read_checkpoint(const struct logged *l, const struct publisher *who, size_t i,
			   struct buf *bytes, struct finding *out, struct error *err)
{
	const struct log_policy policy = policy_of(who, &who->logs[i].key);
	CLEANUP(freep) char *path = NULL;
	struct error ignored = {0};
	int r = http_url(who->logs[i].url, "checkpoint", &path, err);

	if (r < 0)
		return r;
	r = absolute(path) ? source_get_url(l->from, path, NOTE_MAX, bytes, &ignored)
			   : source_get_top(l->from, path, NOTE_MAX, bytes, &ignored);
	if (r == 0)
		r = checkpoint_parse(bytes->data ? bytes->data : "", bytes->len, &out->checkpoint,
				     &ignored);
	if (r == 0)
		r = checkpoint_verify(&out->checkpoint, &policy, &out->when, &ignored);
	out->log = &who->logs[i].key;
	return r == E_NOMEM ? error_nomem(err) : r < 0;
}

/* One log's checkpoint; *found is set if it could be verified. */
static int look_at(struct logged *l, const struct publisher *who, size_t i, bool *found,
		   struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct finding f = {0};
	int r = read_checkpoint(l, who, i, &bytes, &f, err);

	if (r != 0)
		return r < 0 ? r : 0;
	*found = true;
	r = demand(l, &f, err);
	if (r == 0)
		remember(l, who, &f);
	return r;
}

int logged_look(struct logged *l, const struct tuf_root *root, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r = who ? publisher_read(root, "root", who, err) : error_nomem(err);
	bool found = false;

	/* What lies beside the product; other people's servers are asked only if there is none. */
	for (size_t i = 0; r == 0 && !found && i < who->nlogs; i++)
		if (!absolute(who->logs[i].url))
			r = look_at(l, who, i, &found, err);
	for (size_t i = 0; r == 0 && !found && i < who->nlogs; i++)
		if (absolute(who->logs[i].url))
			r = look_at(l, who, i, &found, err);
	return r;
}

/* --- proofs ------------------------------------------------------------------- */

static int read_chain(struct logged *l, const char *product, struct error *err)
{
	int r;

	if (l->read)
		return 0;
	r = leaves_read(l->from, product, l->st, &l->chain, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTYET,
				 "leaves.jsonl: is not there, so no root can be "
				 "followed");
	l->read = r == 0;
	return r;
}

/* Whose checkpoints and leaves count for a root. */
struct voice {
	struct publisher who;
	struct logs logs; /* those that it names, and those that they moved to */
};

static int read_file(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	return source_get(ctx, path, max, out, err);
}

static int voice_of(const struct logged *l, const struct tuf_root *root,
		    const struct leaf_chain *chain, struct voice **out, struct error *err)
{
	struct source from = *l->from;
	const struct evidence_source source = {.ctx = &from, .read = read_file};
	CLEANUP(freep) struct voice *v = calloc(1, sizeof(*v));
	int r = v ? publisher_read(root, "root", &v->who, err) : error_nomem(err);

	if (r < 0)
		return r;
	assert(v);
	logs_init(&v->logs, &v->who, root->version);
	r = logs_follow(&v->logs, &source, root->product, chain, err);
	if (r == 0)
		*out = steal(v);
	return r;
}

/* Does one of the logs vouch for the leaf? `bytes` are what `out` borrows. */
static int check_proof(const struct voice *v, const struct buf *bytes, const struct leaf *leaf,
		       struct finding *out, struct error *err)
{
	struct tlog_proof proof = {0};
	struct shown shown = {0};
	int r = logs_check(&v->logs, bytes->data, bytes->len, &leaf->hash, &shown, err);

	if (r == 0)
		r = tlog_proof_parse(bytes->data ? bytes->data : "", bytes->len, &proof, err);
	if (r < 0)
		return r;
	if (!shown.good)
		return error_set(err, E_UNTRUSTED,
				 "log \"%.80s\": too few witnesses of root %" PRId64
				 " cosigned, or it has moved",
				 proof.checkpoint.origin, v->logs.root);
	*out = (struct finding){.log = logs_key(&v->logs, proof.checkpoint.origin),
				.checkpoint = proof.checkpoint,
				.when = shown.when};
	return 0;
}

static int read_proof(const struct logged *l, const struct voice *v, const struct leaf *leaf,
		      struct buf *bytes, struct finding *out, struct error *err)
{
	char path[PATH_MAX_BYTES];
	int r;

	(void)snprintf(path, sizeof(path), "proofs/%s.tlog-proof", leaf->id);
	r = source_get(l->from, path, TLOG_PROOF_MAX, bytes, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTYET, "its log proof is not there");
	return r == 0 ? check_proof(v, bytes, leaf, out, err) : r;
}

static int check_leaf(struct logged *l, const struct voice *v, const struct leaf *leaf,
		      bool accepted, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct finding f = {0};
	int r = read_proof(l, v, leaf, &bytes, &f, err);

	if (r == 0)
		r = demand(l, &f, err);
	if (r < 0 || !accepted)
		return r;
	remember(l, &v->who, &f);
	leaves_remember(leaf, l->st);
	return 0;
}

int logged_root(struct logged *l, const struct tuf_root *from, const struct tuf_root *to,
		bool accepted, struct error *err)
{
	CLEANUP(freep) struct voice *v = NULL;
	const struct leaf *leaf;
	int r = read_chain(l, to->product, err);

	if (r == 0)
		r = voice_of(l, from, &l->chain, &v, err);
	if (r != 0)
		return r;
	leaf = leaf_chain_first_root(&l->chain, to->version);
	if (!leaf)
		return error_set(err, E_NOTYET, "root %" PRId64 ": is not in the log yet",
				 to->version);
	if (strcmp(leaf->id, envelope_id(to->doc)) != 0)
		return error_set(err, E_UNTRUSTED,
				 "root %" PRId64 ": the log has another one first, %.16s...",
				 to->version, leaf->id);
	r = check_leaf(l, v, leaf, accepted, err);
	return r < 0 ? error_prefix(err, r, "root %" PRId64, to->version) : 0;
}

int logged_leaf(struct logged *l, const struct tuf_root *root, const struct leaf_chain *chain,
		const struct leaf *leaf, struct error *err)
{
	CLEANUP(freep) struct voice *v = NULL;
	int r = voice_of(l, root, chain, &v, err);

	if (r == 0)
		r = check_leaf(l, v, leaf, true, err);
	return r < 0 ? error_prefix(err, r, "leaf %" PRId64, leaf->seq) : 0;
}

/* Of the logs that `root` names, the one of which most was seen; NULL: nothing of any. */
static const struct seen_log *most_seen(const struct logged *l, const struct publisher *root)
{
	const struct seen_log *most = NULL;

	for (size_t i = 0; i < root->nlogs; i++) {
		const struct seen_log *seen = heads_find(l->st, &root->logs[i].key);

		if (seen && (!most || seen->size > most->size))
			most = seen;
	}
	return most;
}

/* The newest leaf with a proof that counts; the last few may be too new to have one. */
static int look_at_tail(struct logged *l, const struct tuf_root *root, struct error *err)
{
	CLEANUP(freep) struct voice *v = NULL;
	int r = voice_of(l, root, &l->chain, &v, err);
	size_t tried = 0;

	for (size_t i = l->chain.n; r == 0 && i > 0 && !l->nshown && tried < TAIL_MAX;
	     i--, tried++) {
		struct error why = {0};

		r = check_leaf(l, v, &l->chain.leaves[i - 1], true, &why);
		if (r == E_NOTYET)
			r = 0;
		else if (r < 0)
			r = error_set(err, r, "%s", why.text);
	}
	return r;
}

int logged_demand(struct logged *l, const struct tuf_root *root, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	const struct seen_log *seen;
	int r = who ? publisher_read(root, "root", who, err) : error_nomem(err);

	seen = r == 0 ? most_seen(l, who) : NULL;
	if (r < 0 || !seen || l->nshown)
		return r;
	r = read_chain(l, root->product, err);
	if (r == 0)
		r = look_at_tail(l, root, err);
	if (r < 0 && r != E_NOTYET)
		return r;
	if (l->nshown)
		return 0;
	return error_set(err, E_UNTRUSTED,
			 "log %s: %" PRId64 " leaves were seen before, and no checkpoint here "
			 "shows as much: log/checkpoint has to come with the product",
			 seen->log, seen->size);
}
