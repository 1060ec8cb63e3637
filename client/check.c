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
	struct elsewhere elsewhere;
	/* The mirror whose metadata is past its expiry by the fewest days, so far; -1: none. */
	ssize_t freshest;
	int64_t stale_days;
	ssize_t went_on; /* with this one's all the same; -1: with none */
	bool stale_too;  /* nobody has fresher: go on with what there is */
	/* Mirrors that showed less of the log than they should, left for later. */
	bool later[SOURCES_MAX];
	size_t nlater;
	bool log_too; /* nobody shows more: go on with what is signed all the same */
	/* The device's state, and its root's id, before the mirror that is asked now. */
	struct state before;
	char root[SHA256_HEX_SIZE];
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
	elsewhere_clear(&run->elsewhere);
}

void check_clear(struct check *c)
{
	int64_t root_before = c->root_before;

	handover_clear(&c->trust.handover);
	pick_clear(&c->pick);
	*c = (struct check){.root_before = root_before};
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
	bool last = i + 1 == run->n && !run->nlater;

	*wait = s->stale_days > 0 && !run->stale_too && !(better && last);
	if (s->stale_days > 0 && better) {
		run->freshest = (ssize_t)i;
		run->stale_days = s->stale_days;
		run->went_on = *wait ? run->went_on : (ssize_t)i;
	}
}

/* Put on record what waits, unless a handover does, which matters more. */
static void record_update(struct device *d, const struct check *c)
{
	const struct slot_record *r = &c->pick.image.record;

	if (c->trust.handover.present)
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
	int r = session_open(d, &run->from[i], out->trust.handover.present, &s, err);

	if (r == 0 && s.tuf) {
		r = look(run, i, &s, out, err);
	} else if (r == 0) {
		d->st.stale[0] = '\0';
		record_update(d, out);
	}
	session_close(&s);
	return r;
}

/*
 * Forget what the last mirror said: what it offered, what waited because of it, and what
 * consent it voided. Not so after it led to another root, which stays, nor a change of publisher
 * whose evidence is whole: who that is, nobody need say twice.
 */
static void forget(struct run *run, const struct check *last)
{
	const struct handover *h = &last->trust.handover;
	const struct state *before = &run->before;
	struct state *st = &run->d->st;
	bool stays = h->present && !h->wrong.code && h->evidence.released == ANSWER_YES;

	if (strcmp(run->root, envelope_id(run->d->root->doc)) == 0) {
		if (!stays) {
			st->offer = before->offer;
			st->consent = before->consent;
			st->waiting = before->waiting;
		}
		memcpy(st->stale, before->stale, sizeof(st->stale));
		memcpy(st->log, before->log, sizeof(st->log));
	}
	run->before = *st;
	memcpy(run->root, envelope_id(run->d->root->doc), sizeof(run->root));
}

/* What another mirror may do better. */
static bool mirror_failed(int r)
{
	return r == E_NET || r == E_BUSY || r == E_NOTFOUND || r == E_INVALID || r == E_UNTRUSTED ||
	       r == E_NOTYET;
}

/* Less of the log than there should be: somebody may show more. */
static bool leave(struct run *run, size_t i)
{
	if (run->o->trust_only)
		return true;
	if (run->log_too || run->n == 1)
		return false;
	run->later[i] = true;
	run->nlater++;
	return true;
}

static int try_mirror(struct run *run, size_t i, struct check *out, struct error *err)
{
	const struct error *wrong = &out->trust.handover.wrong, *log = &out->trust.log;
	struct device *d = run->d;
	int r;

	forget(run, out);
	check_clear(out);
	r = trust_walk(d, &run->from[i], &run->elsewhere, &out->trust, err);
	if (r == 0 || log->code)
		state_log(&d->st, log->text);
	if (r == 0 && log->code && leave(run, i))
		return error_set(err, log->code, "%s", log->text);
	if (r == 0 && out->trust.handover.present && !wrong->code)
		r = why_handover(d, out->trust.handover.why, err);
	if (r == 0 && !run->o->trust_only)
		r = try_updates(run, i, out, err);
	/* Whatever became of updates: this is the worse news. */
	if (wrong->code)
		return error_set(err, wrong->code, "%s", wrong->text);
	if (mirror_failed(r) && log->code)
		return error_set(err, log->code, "%s", log->text);
	return r;
}

/* Of two failures the person is told the one that says more. */
static void keep_worse(struct error *worst, const struct error *now)
{
	bool serious = now->code == E_UNTRUSTED || now->code == E_INVALID;
	bool was_serious = worst->code == E_UNTRUSTED || worst->code == E_INVALID;

	if (!worst->code || (serious && !was_serious))
		*worst = *now;
}

/* Ask one mirror. True: no other one has to be asked, and `worst` says how it ended. */
static bool settled(struct run *run, size_t i, struct check *out, struct error *worst)
{
	struct error now = {0};
	int r = try_mirror(run, i, out, &now);

	if (r == 0)
		*worst = (struct error){0};
	else
		keep_worse(worst, &now);
	return r == 0 || !mirror_failed(r);
}

static void try_all(struct run *run, struct check *out, struct error *worst)
{
	assert(run->n); /* conf_parse() wants one */
	for (size_t i = 0; i < run->n; i++)
		if (settled(run, i, out, worst))
			return;
	/* Nobody shows the log as it should be. */
	run->log_too = true;
	for (size_t i = 0; i < run->n; i++)
		if (run->later[i] && settled(run, i, out, worst))
			return;
	/* Nobody has it fresh. */
	run->stale_too = true;
	if (run->freshest >= 0 && run->freshest != run->went_on)
		(void)settled(run, (size_t)run->freshest, out, worst);
}

int check_run(struct device *d, const struct check_options *o, struct check *out, struct error *err)
{
	const struct http_options options = {.allow_plain = d->conf.allow_http,
					     .any_certificate = !d->conf.tls_verified};
	const struct http_options hurried = {.allow_plain = options.allow_plain,
					     .any_certificate = options.any_certificate,
					     .stall_s = ELSEWHERE_PATIENCE_S,
					     .patience_s = ELSEWHERE_PATIENCE_S};
	CLEANUP(http_freep) struct http *http = NULL;
	CLEANUP(close_sources)
	struct run run = {.d = d,
			  .o = o,
			  .freshest = -1,
			  .went_on = -1,
			  .before = d->st,
			  .elsewhere = {.options = hurried}};
	struct error worst = {0};
	int r = http_new(&options, &http, err);

	if (r == 0)
		r = open_sources(&run, http, err);
	if (r < 0)
		return r;
	memcpy(run.root, envelope_id(d->root->doc), sizeof(run.root));
	out->root_before = d->root->version;
	try_all(&run, out, &worst);
	if (worst.code && err)
		*err = worst;
	return worst.code;
}
