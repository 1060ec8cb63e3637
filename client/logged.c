/* SPDX-License-Identifier: Apache-2.0 */
#include "client/logged.h"

#include <assert.h>
#include <inttypes.h>

#include "client/heads.h"
#include "client/leaves.h"
#include "lib/base/error.h"
#include "policies/logs.h"

enum {
	PATH_BYTES = 128,
	TAIL_MAX = 16, /* newest leaves that are tried for a proof */
};

/* A verified checkpoint, and whose it is. */
struct finding {
	const struct note_key *log; /* borrowed from the publisher */
	struct checkpoint checkpoint;
	struct witnessed when;
};

void logged_init(struct logged *l, const struct source *from, struct elsewhere *elsewhere,
		 struct state *st)
{
	*l = (struct logged){.from = from, .elsewhere = elsewhere, .st = st};
}

void logged_clear(struct logged *l)
{
	leaf_chain_clear(&l->own);
	l->chain = NULL;
}

void logged_give(struct logged *l, struct leaf_chain *out)
{
	*out = l->own;
	l->own = (struct leaf_chain){0};
	l->chain = NULL;
}

void logged_lend(struct logged *l, const struct leaf_chain *chain)
{
	leaf_chain_clear(&l->own);
	l->chain = chain;
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

static bool same_log(const struct note_key *a, const struct note_key *b)
{
	return strcmp(a->name, b->name) == 0 && memcmp(a->pub, b->pub, sizeof(a->pub)) == 0;
}

static size_t find_shown(const struct logged *l, const struct note_key *log)
{
	size_t i = 0;

	while (i < l->nshown && !same_log(&l->shown[i].log, log))
		i++;
	return i;
}

static void note_shown(struct logged *l, const struct finding *f)
{
	size_t i = find_shown(l, f->log);

	if (i == STATE_LOGS_MAX)
		return;
	if (i == l->nshown) {
		l->shown[l->nshown++].log = *f->log;
		l->shown[i].size = 0;
	}
	if (f->checkpoint.size > l->shown[i].size)
		l->shown[i].size = f->checkpoint.size;
}

/*
 * A proof may be older than what was seen, if something else by this mirror is not. Only what an
 * accepted root vouches for shows anything.
 */
static int demand(struct logged *l, const struct finding *f, bool accepted, struct error *err)
{
	struct error why = {0};
	int r = 0;

	if (find_shown(l, f->log) == l->nshown)
		r = heads_check(l->st, f->log, &f->checkpoint, &why);
	if (r < 0) {
		l->behind = why;
		return error_set(err, r, "%s", why.text);
	}
	if (accepted)
		note_shown(l, f);
	return 0;
}

static void remember(struct logged *l, const struct publisher *who, const struct finding *f)
{
	heads_remember(l->st, f->log, &f->checkpoint, who);
	if (f->when.known && f->when.high > l->st->witnessed)
		l->st->witnessed = f->when.high;
}

/* --- the log's own checkpoint ------------------------------------------------- */

/* The bytes of one log's checkpoint; a server elsewhere is asked once for all mirrors. */
static int fetch_checkpoint(const struct logged *l, const struct publisher_log *log,
			    struct buf *out, struct error *err)
{
	CLEANUP(freep) char *url = NULL;

	if (l->from->folder || !source_elsewhere(log->url))
		return source_get_log(l->from, log, "checkpoint", NOTE_MAX, out, err);
	int r = http_url(log->url, "checkpoint", &url, err);
	return r < 0 ? r : elsewhere_get(l->elsewhere, l->from, url, NOTE_MAX, out, err);
}

/* Fetch and verify. 1: there is nothing to be learned from it. */
static int read_checkpoint(const struct logged *l, const struct publisher *who, size_t i,
			   struct buf *bytes, struct finding *out, struct error *err)
{
	const struct log_policy policy = policy_of(who, &who->logs[i].key);
	struct error ignored = {0};
	int r = fetch_checkpoint(l, &who->logs[i], bytes, &ignored);

	if (r == 0)
		r = checkpoint_parse(bytes->data ? bytes->data : "", bytes->len, &out->checkpoint,
				     &ignored);
	if (r == 0)
		r = checkpoint_verify(&out->checkpoint, &policy, &out->when, &ignored);
	out->log = &who->logs[i].key;
	return r == E_NOMEM ? error_nomem(err) : r < 0;
}

/* One log's checkpoint; *good is set if it could be verified and is not less than was seen. */
static int look_at(struct logged *l, const struct publisher *who, size_t i, bool *good,
		   struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct finding f = {0};
	struct error why = {0};
	int r = read_checkpoint(l, who, i, &bytes, &f, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (demand(l, &f, true, &why) < 0)
		return 0; /* it is in l->behind */
	*good = true;
	remember(l, who, &f);
	return 0;
}

int logged_look(struct logged *l, const struct tuf_root *root, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r = who ? publisher_read(root, "root", who, err) : error_nomem(err);
	bool good = false;

	/* What lies beside the product; other people's servers are asked only if that is none. */
	for (int away = 0; r == 0 && away <= 1; away++)
		for (size_t i = 0; r == 0 && i < who->nlogs; i++)
			if (source_elsewhere(who->logs[i].url) == (away != 0) &&
			    (!good || l->from->folder))
				r = look_at(l, who, i, &good, err);
	return r;
}

/* --- proofs ------------------------------------------------------------------- */

static int read_chain(struct logged *l, const char *product, struct error *err)
{
	int r;

	if (l->chain)
		return 0;
	r = leaves_read(l->from, product, l->st, &l->own, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_NOTYET,
				 "leaves.jsonl: is not there, so no root can be "
				 "followed");
	if (r == 0)
		l->chain = &l->own;
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

/* Those that the root names, so far. */
static int voice_new(const struct tuf_root *root, struct voice **out, struct error *err)
{
	CLEANUP(freep) struct voice *v = calloc(1, sizeof(*v));
	int r = v ? publisher_read(root, "root", &v->who, err) : error_nomem(err);

	if (r < 0)
		return r;
	assert(v);
	logs_init(&v->logs, &v->who, root->version);
	*out = steal(v);
	return 0;
}

static int follow_moves(const struct logged *l, const struct tuf_root *root,
			const struct leaf_chain *chain, struct voice *v, struct error *err)
{
	struct source from = *l->from;
	const struct evidence_source source = {.ctx = &from, .read = read_file};

	return logs_follow(&v->logs, &source, root->product, chain, err);
}

static int voice_of(const struct logged *l, const struct tuf_root *root,
		    const struct leaf_chain *chain, struct voice **out, struct error *err)
{
	CLEANUP(freep) struct voice *v = NULL;
	int r = voice_new(root, &v, err);

	if (r == 0)
		r = follow_moves(l, root, chain, v, err);
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
	assert(out->log); /* else it would not be good */
	return 0;
}

static int read_proof(const struct logged *l, const struct voice *v, const struct leaf *leaf,
		      struct buf *bytes, struct finding *out, struct error *err)
{
	char path[PATH_BYTES];
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

	if (r != 0)
		return r;
	r = demand(l, &f, accepted, err);
	l->late = r < 0;
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

	l->late = false;
	if (r == 0)
		r = voice_of(l, from, l->chain, &v, err);
	if (r != 0)
		return r;
	leaf = leaf_chain_first_root(l->chain, to->version);
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

/* --- what somebody brings by hand ------------------------------------------------ */

/* Was so much shown of this tree, under whatever of its logs' keys? */
static bool covered(const struct logged *l, const struct logs *logs, size_t tree, int64_t size)
{
	for (size_t i = 0; i < logs->n; i++) {
		size_t at = find_shown(l, &logs->log[i].key);

		if (logs->log[i].tree == tree && at < l->nshown &&
		    l->shown[at].size >= (uint64_t)size)
			return true;
	}
	return false;
}

/* A log that counts and of which more was seen than was shown here; NULL: there is none. */
static const struct seen_log *lacking(const struct logged *l, const struct logs *logs)
{
	for (size_t i = 0; i < logs->n; i++) {
		const struct seen_log *seen = heads_find(l->st, &logs->log[i].key);

		if (seen && !covered(l, logs, logs->log[i].tree, seen->size))
			return seen;
	}
	return NULL;
}

/* The newest leaves with a proof that counts; the last few may be too new to have one. */
static int look_at_tail(struct logged *l, const struct voice *v, struct error *err)
{
	size_t tried = 0;
	int r = 0;

	for (size_t i = l->chain->n; r == 0 && i > 0 && lacking(l, &v->logs) && tried < TAIL_MAX;
	     i--, tried++) {
		struct error why = {0};

		r = check_leaf(l, v, &l->chain->leaves[i - 1], true, &why);
		if (r == E_NOTYET)
			r = 0;
		else if (r < 0)
			r = error_set(err, r, "%s", why.text);
	}
	return r;
}

/* By the checkpoints alone, if they are enough; else with the newest proofs. */
static int find_lacking(struct logged *l, const struct tuf_root *root, const struct seen_log **out,
			struct error *err)
{
	CLEANUP(freep) struct voice *v = NULL;
	int r = voice_new(root, &v, err);

	if (r < 0)
		return r;
	*out = lacking(l, &v->logs);
	if (!*out)
		return 0;
	r = read_chain(l, root->product, err);
	if (r == 0)
		r = follow_moves(l, root, l->chain, v, err);
	if (r == 0)
		r = look_at_tail(l, v, err);
	if (r == 0)
		*out = lacking(l, &v->logs);
	return r == E_NOTYET ? 0 : r;
}

int logged_demand(struct logged *l, const struct tuf_root *root, struct error *err)
{
	const struct seen_log *seen = NULL;
	int r = 0;

	if (l->behind.code)
		return error_set(err, l->behind.code, "%s", l->behind.text);
	r = find_lacking(l, root, &seen, err);
	if (r < 0 || !seen)
		return r;
	return error_set(err, E_UNTRUSTED,
			 "log %s: %" PRId64 " leaves were seen before, and no checkpoint here "
			 "shows as much: log/checkpoint has to come with the product",
			 seen->log, seen->size);
}
