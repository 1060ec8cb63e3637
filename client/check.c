/* SPDX-License-Identifier: Apache-2.0 */
#include "client/check.h"

#include <assert.h>
#include <stdio.h>

#include "client/leaves.h"
#include "client/why.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "policies/rebuild.h"

enum { SOURCES_MAX = CONF_URLS_MAX + 16 };

struct run {
	struct device *d;
	const struct check_options *o;
	struct source from[SOURCES_MAX];
	size_t n;
	/* The mirror whose metadata is past its expiry by the fewest days, so far; -1: none. */
	ssize_t freshest;
	int64_t stale_days;
	bool stale_too; /* nobody has fresher: go on with what there is */
};

/* Where documents are read while one mirror is asked. */
struct mirror {
	const struct source *from;
	const struct device *d;
};

static void close_sources(struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		source_close(&run->from[i]);
	run->n = 0;
}

void check_clear(struct check *c)
{
	handover_clear(&c->handover);
	pick_clear(&c->pick);
}

static void unref(json_t **j)
{
	json_decref(*j);
}

/* --- mirrors ------------------------------------------------------------------ */

static int add_mirror(struct run *run, struct http *http, const char *url, struct error *err)
{
	int r;

	if (run->n == SOURCES_MAX)
		return 0;
	r = source_open(http, url, run->d->conf.product, &run->from[run->n], err);
	if (r == 0)
		run->n++;
	return r;
}

static int open_sources(struct run *run, struct http *http, struct error *err)
{
	const struct conf *c = &run->d->conf;
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	const json_t *one;
	size_t i;
	int r = who ? publisher_read(run->d->root, "root.json", who, err) : error_nomem(err);

	if (r == 0 && run->o->from) {
		r = source_open_folder(http, run->o->from, c->product, &run->from[0], err);
		run->n = r == 0;
		return r;
	}
	for (i = 0; r == 0 && i < c->nurls; i++)
		r = add_mirror(run, http, c->urls[i], err);
	if (r < 0)
		return r;
	json_array_foreach(who->mirrors, i, one)
	{
		const char *url = json_string_value(one);

		/* A root may name places in the network, not files of this device. */
		r = url && source_is_network(url) ? add_mirror(run, http, url, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- updates ------------------------------------------------------------------ */

static int read_file(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct mirror *m = ctx;

	return source_get(m->from, path, max, out, err);
}

static int read_leaves(void *ctx, struct leaf_chain *out, struct error *err)
{
	const struct mirror *m = ctx;

	return leaves_read(m->from, m->d->conf.product, &m->d->st, out, err);
}

/* Who else built this very image? Of a policy that asks. */
static int find_rebuilds(const struct mirror *m, const struct pick *p, struct facts *f,
			 struct error *err)
{
	struct mirror ctx = *m;
	const struct evidence_source source = {
		.ctx = &ctx, .read = read_file, .leaves = read_leaves};
	const struct rebuild_query q = {.product = m->d->conf.product,
					.root = m->d->root,
					.sha256 = p->image.record.sha256,
					.commit = p->commit};

	return rebuild_facts(&source, &q, f, err);
}

/* May an update be installed, by the owner's policy? */
static int decide(struct run *run, const struct session *s, struct check *out, json_t **why,
		  struct error *err)
{
	const struct mirror m = {s->io.from, run->d};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	enum answer answer;
	int r = who ? trust_policy(&run->d->conf, &policy, err) : error_nomem(err);

	if (r == 0)
		r = publisher_read(run->d->root, "root.json", who, err);
	if (r == 0)
		r = facts_new(&f, err);
	if (r == 0)
		r = facts_set_text(f, "action", "install", NULL, err);
	if (r == 0)
		r = facts_set_int(f, "metadata.stale_days", s->stale_days, NULL, err);
	if (r == 0)
		r = facts_set_bool(f, "consent.owner", run->o->yes, NULL, err);
	if (r == 0)
		r = facts_set_text(f, "publisher.kind", publisher_kind_name(who->kind), NULL, err);
	if (r == 0 && policy_asks(policy, "rebuilds"))
		r = find_rebuilds(&m, &out->pick, f, err);
	if (r == 0)
		r = policy_decide(policy, f, &answer, why, err);
	if (r == 0)
		out->allowed = answer == ANSWER_YES;
	return r;
}

/*
 * Past its expiry: somebody may have fresher. *wait: leave this mirror for later. Of those that
 * have the same, the last is as good as any.
 */
static void judge_stale(struct run *run, size_t i, const struct session *s, bool *wait)
{
	bool better = run->freshest < 0 || s->stale_days <= run->stale_days;

	*wait = s->stale_days > 0 && !run->stale_too && !(better && i + 1 == run->n);
	if (s->stale_days > 0 && better) {
		run->freshest = (ssize_t)i;
		run->stale_days = s->stale_days;
	}
}

/* Put on record what waits, unless a handover does, which matters more. */
static void record_update(struct device *d, const struct check *c)
{
	const struct slot_record *r = &c->pick.image.record;

	if (c->handover.present)
		return;
	if (c->next)
		state_wait(&d->st, WAITING_UPDATE, r->sha256,
			   "%s is in slot %c and starts at the next boot", r->version,
			   slot_letter(slot_other(d->boot.running)));
	else if (c->pick.found && !c->allowed && c->stale[0])
		state_wait(&d->st, WAITING_UPDATE, r->sha256,
			   "%s is there, in metadata past its expiry: `bequest-client update "
			   "--yes` installs it all the same, if the policy of this device asks "
			   "its owner",
			   r->version);
	else if (c->pick.found && !c->allowed)
		state_wait(&d->st, WAITING_UPDATE, r->sha256,
			   "%s is there, and the policy of this device does not allow it now",
			   r->version);
	else if (c->pick.found)
		state_wait(&d->st, WAITING_UPDATE, r->sha256,
			   "%s can be installed: `bequest-client update`", r->version);
	else if (c->pick.postponed)
		state_wait(&d->st, WAITING_UPDATE, c->pick.later_record.sha256, "%s",
			   c->pick.later);
	else
		state_wait(&d->st, WAITING_NOTHING, "", "%s", "");
}

static int install(struct run *run, size_t first, struct check *out, struct error *err)
{
	const struct image *im = &out->pick.image;
	struct device *d = run->d;
	struct source order[SOURCES_MAX];
	const struct image_feed feed = {order, run->n, run->o->progress, run->o->ctx};
	int r;

	/* The mirror that had the metadata first, then the others. */
	for (size_t i = 0; i < run->n; i++)
		order[i] = run->from[(first + i) % run->n];
	r = image_install(d, im, &feed, err);
	if (r < 0)
		return r;
	out->installed = out->next = true;
	return device_note(d, "installed", err, "%s in slot %c, to be tried at the next boot",
			   im->record.version, slot_letter(slot_other(d->boot.running)));
}

/* What there is to install, and whether the policy allows it. */
static int choose(struct run *run, struct session *s, struct check *out, struct error *err)
{
	struct device *d = run->d;
	CLEANUP(unref) json_t *why = NULL;
	bool recognised;
	int r;

	r = pick_recognise(d, s, &recognised, err);
	if (r == 0)
		r = pick_image(d, s, &out->pick, err);
	if (r == 0 && out->pick.found) {
		out->next = image_is_next(d, &out->pick.image.record);
		r = decide(run, s, out, &why, err);
	}
	return r == 0 ? why_update(d, out->pick.why, why, err) : r;
}

static int look(struct run *run, size_t i, struct session *s, struct check *out, struct error *err)
{
	struct device *d = run->d;
	bool wait;
	int r;

	judge_stale(run, i, s, &wait);
	(void)snprintf(out->stale, sizeof(out->stale), "%s", s->stale);
	(void)snprintf(d->st.stale, sizeof(d->st.stale), "%s", s->stale);
	if (wait)
		return error_set(err, E_NOTYET, "%s", out->stale);
	out->published = true;
	r = choose(run, s, out, err);
	/* A channel's role was read on the way. */
	(void)snprintf(out->stale, sizeof(out->stale), "%s", s->stale);
	(void)snprintf(d->st.stale, sizeof(d->st.stale), "%s", s->stale);
	if (r < 0)
		return r;
	if (out->pick.found && out->allowed && !out->next && run->o->install)
		r = install(run, i, out, err);
	record_update(d, out);
	if (r < 0)
		return r;
	if (out->stale[0] && !(out->pick.found && out->allowed))
		return error_set(err, E_NOTYET, "%s", out->stale);
	if (out->pick.found && !out->allowed && run->o->install)
		return error_set(err, E_DENIED,
				 "%s: the policy of this device does not allow it: "
				 "see `why`",
				 out->pick.image.record.version);
	return 0;
}

/* --- one mirror, and the next ------------------------------------------------- */

/* Updates, under the root that is trusted after the walk. */
static int try_updates(struct run *run, size_t i, struct check *out, struct error *err)
{
	struct session s = {0};
	struct device *d = run->d;
	int r = session_open(d, &run->from[i], out->handover.present, &s, err);

	if (r == 0 && s.tuf)
		r = look(run, i, &s, out, err);
	else if (r == 0)
		record_update(d, out);
	session_close(&s);
	return r;
}

static int try_mirror(struct run *run, size_t i, struct check *out, struct error *err)
{
	const struct error *wrong = &out->handover.wrong;
	struct device *d = run->d;
	int r;

	check_clear(out);
	r = trust_walk(d, &run->from[i], &out->handover, err);
	if (r == 0 && out->handover.present && !wrong->code)
		r = why_handover(d, out->handover.why, err);
	if (r == 0 && !run->o->trust_only)
		r = try_updates(run, i, out, err);
	/* Whatever became of updates: this is the worse news. */
	return wrong->code ? error_set(err, wrong->code, "%s", wrong->text) : r;
}

/* What another mirror may do better. */
static bool mirror_failed(int r)
{
	return r == E_NET || r == E_BUSY || r == E_NOTFOUND || r == E_INVALID || r == E_UNTRUSTED ||
	       r == E_NOTYET;
}

/* Of two failures the person is told the one that says more. */
static void keep_worse(struct error *worst, const struct error *now)
{
	bool serious = now->code == E_UNTRUSTED || now->code == E_INVALID;
	bool was_serious = worst->code == E_UNTRUSTED || worst->code == E_INVALID;

	if (!worst->code || (serious && !was_serious))
		*worst = *now;
}

static int try_all(struct run *run, struct check *out, struct error *err)
{
	struct error worst = {0};
	ssize_t last = -1;
	int r = 0;

	assert(run->n); /* conf_parse() wants one */
	for (size_t i = 0; i < run->n; i++) {
		struct error now = {0};

		last = (ssize_t)i;
		r = try_mirror(run, i, out, &now);
		if (r == 0)
			return 0;
		keep_worse(&worst, &now);
		if (!mirror_failed(r))
			break;
	}
	/* Nobody has it fresh. */
	if (mirror_failed(r) && run->freshest >= 0 && run->freshest != last) {
		struct error now = {0};

		run->stale_too = true;
		r = try_mirror(run, (size_t)run->freshest, out, &now);
		if (r == 0)
			return 0;
		keep_worse(&worst, &now);
	}
	if (err)
		*err = worst;
	return worst.code;
}

int check_run(struct device *d, const struct check_options *o, struct check *out, struct error *err)
{
	const struct http_options options = {.allow_plain = d->conf.allow_http,
					     .any_certificate = !d->conf.tls_verified};
	CLEANUP(http_freep) struct http *http = NULL;
	CLEANUP(close_sources) struct run run = {.d = d, .o = o, .freshest = -1};
	int r = http_new(&options, &http, err);

	if (r == 0)
		r = open_sources(&run, http, err);
	if (r < 0)
		return r;
	out->root_before = d->root->version;
	return try_all(&run, out, err);
}
