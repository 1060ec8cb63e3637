/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/log/cosign.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/net/http.h"
#include "lib/tlog/lines.h"
#include "lib/tlog/witness.h"
#include "registry/log/sequencer.h"

enum {
	ASK_S = 10, /* that a witness has for an answer */
	LOOK_S = 3,
	CONFLICTS_MAX = 3,
	RETRY_FIRST_MS = 250,
	RETRY_MAX_MS = 60000,
	PACE_MS = 100, /* from the start of one round to that of the next, at least */
	REFRESH_MS = 3600000,
	LATE_MS = 30000, /* when a round without its quorum is worth a line of the log */
	IDLE_MS = 1000,
	SKEW_S = 3600, /* that a witness's clock may differ from ours */
	AWAIT_MS = 2000,
	AWAITING_MAX = 2, /* of the threads that take documents */
};

/* A witness. What its thread alone uses comes first, then what c->lock is for. */
struct member {
	struct cosign *c;
	const struct config_witness *w; /* borrowed */
	struct http *http;
	uint64_t known; /* the size that it cosigned last, as far as we know */

	pthread_t thread;
	bool started, looked, down;
	unsigned round; /* the last one that it is done with */
	int64_t retry_ms, pause_ms;
	struct buf line; /* its signature line for c->note; empty: it has none */
};

struct cosign {
	struct registry *r;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t turn; /* something below changed */
	pthread_t leader;
	bool leads;

	bool news;      /* there may be a newer checkpoint */
	unsigned round; /* 0: none yet */
	int64_t began_ms;
	uint64_t size; /* of this round's checkpoint */
	struct buf note;
	size_t fresh;   /* lines that came in this round */
	bool unshown;   /* some of them are not published */
	bool published; /* the quorum was reached */
	bool told;      /* that it was not */
	size_t n;
	struct member members[];
};

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait for a change, until `until_ms` at most. */
static void wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
	const struct timespec t = {until_ms / 1000, (long)(until_ms % 1000 * 1000000)};

	(void)pthread_cond_timedwait(cond, lock, &t);
}

/* --- what is asked of the store ------------------------------------------------ */

/* The latest checkpoint that was signed, once it is remembered. */
struct latest {
	uint64_t size;
	struct buf note;
};

static int load_latest(struct work *w, void *arg, struct error *err)
{
	struct latest *l = arg;
	int r = store_checkpoint(w->store, &l->size, &l->note, err);

	if (r == 0 && w->r->log_head != l->size + 1)
		r = error_set(err, E_NOTYET, "%s lacks the latest checkpoint", LOG_HEAD);
	return r;
}

struct growth {
	uint64_t from, to;
	struct merkle_proof proof;
};

static int prove_growth(struct work *w, void *arg, struct error *err)
{
	const struct merkle_store tiles = log_tiles(w->store);
	struct growth *g = arg;

	return merkle_prove_consistency(&tiles, g->from, g->to, &g->proof, err);
}

struct showing {
	const struct checkpoint *head;
	const char *who;
};

/* Whether the log goes on is decided with the lock that its leader needs. */
static int compare(struct work *w, void *arg, struct error *err)
{
	const struct showing *s = arg;
	int r = log_compare(w->r, s->head, s->who, err);

	if (r == E_UNTRUSTED && !w->r->forked[0]) {
		(void)snprintf(w->r->forked, sizeof(w->r->forked), "%s", err->text);
		log_line(LOG_ERROR, "forked error=%s", err->text);
	}
	return r;
}

static int is_forked(struct work *w, void *arg, struct error *err)
{
	(void)arg;
	return w->r->forked[0] ? error_set(err, E_UNTRUSTED, "%s", w->r->forked) : 0;
}

/* --- what is asked of a witness -------------------------------------------------- */

static bool must_stop(void *ctx)
{
	const struct member *m = ctx;

	return atomic_load(&m->c->stopping);
}

/* `path` is below the witness's prefix. No body: GET. */
static int request(struct member *m, const char *path, const struct buf *body, int limit_s,
		   struct http_answer *out, struct error *err)
{
	struct http_request q = {.method = body ? "POST" : "GET",
				 .fd = -1,
				 .ctx = m,
				 .max = NOTE_MAX,
				 .limit_s = limit_s,
				 .stop = must_stop};
	CLEANUP(freep) char *url = NULL;
	int r = http_url(m->w->url, path, &url, err);

	if (r < 0)
		return r;
	q.url = url;
	if (body) {
		q.body = body->data;
		q.len = body->len;
	}
	return http_send(m->http, &q, out, err);
}

static void answer_clear(struct http_answer *a)
{
	buf_clear(&a->body);
}

/*
 * What has it seen of our log? Only what our own key has signed is believed.
 * E_UNTRUSTED: more than we have, or other leaves.
 */
static int look(struct member *m, struct error *err)
{
	const struct registry *r = m->c->r;
	CLEANUP(answer_clear) struct http_answer a = {.status = 0};
	char path[WITNESS_PATH_SIZE], who[NOTE_NAME_MAX + 64];
	struct checkpoint head;
	struct showing s = {&head, who};
	int e;

	witness_path(r->config.origin, path);
	e = request(m, path, NULL, LOOK_S, &a, err);
	if (e < 0)
		return e;
	if (a.status != WITNESS_COSIGN)
		return error_set(err, E_NOTFOUND, "%s: HTTP status %ld", path, a.status);
	e = checkpoint_parse(a.body.data ? a.body.data : "", a.body.len, &head, err);
	if (e == 0 && (strcmp(head.origin, r->config.origin) != 0 ||
		       note_verify(&head.note, keys_log(r->keys), NULL, err) != 1))
		e = error_set(err, E_INVALID, "%s: not by our log", path);
	if (e < 0)
		return error_prefix(err, E_INVALID, "answer");
	(void)snprintf(who, sizeof(who), "what witness %s has", m->w->key.name);
	e = registry_read(m->c->r, compare, &s, err);
	if (e == 0)
		m->known = head.size;
	return e;
}

/* It has another size: one that we can start from, or one that our log never had? */
static int take_size(struct member *m, const struct http_answer *a, uint64_t size,
		     struct error *err)
{
	struct lines at = {a->body.data, a->body.data + a->body.len};
	struct text line;
	uint64_t told = 0;

	if (!a->body.len || !lines_next(&at, &line) || !text_decimal(&line, &told) ||
	    at.at != at.end)
		return error_set(err, E_INVALID, "409 without a size");
	if (told == m->known)
		return error_set(err, E_INVALID, "409 for the size that it told");
	if (told > size)
		return look(m, err);
	m->known = told;
	return 0;
}

/* Its line, if the signature holds and the time can be. */
static int take_line(const struct member *m, const struct buf *note, const struct http_answer *a,
		     struct buf *line, struct error *err)
{
	CLEANUP(buf_clear) struct buf all = {0};
	struct note parsed;
	int64_t time = 0, now = utc_now();
	int r = buf_add(&all, note->data, note->len, err);

	if (r == 0)
		r = buf_add(&all, a->body.data, a->body.len, err);
	if (r == 0)
		r = note_parse(all.data, all.len, &parsed, err);
	if (r < 0)
		return r;
	r = note_verify(&parsed, &m->w->key, &time, err);
	if (r == 0)
		return error_set(err, E_UNTRUSTED, "no cosignature by its key");
	if (r < 0)
		return r;
	if (time < now - SKEW_S || time > now + SKEW_S)
		return error_set(err, E_UNTRUSTED, "its clock is %" PRId64 " s from ours",
				 time - now);
	r = note_lines_of(&parsed, &m->w->key, line, err);
	/* Many would leave no room for the others'. */
	if (r == 0 && memchr(line->data, '\n', line->len) != line->data + line->len - 1)
		r = error_set(err, E_INVALID, "more than one cosignature");
	return r;
}

static int refused(struct member *m, long status, struct error *err)
{
	switch (status) {
	case WITNESS_UNKNOWN:
		return error_set(err, E_NOTFOUND, "it does not know log %s",
				 m->c->r->config.origin);
	case WITNESS_UNPROVEN: /* because the old root is another one? */
		if (look(m, err) == E_UNTRUSTED)
			return E_UNTRUSTED;
		return error_set(err, E_INVALID, "it refuses our proof");
	case WITNESS_UNSIGNED: return error_set(err, E_INVALID, "it refuses our signature");
	default: return error_set(err, E_NET, "HTTP status %ld", status);
	}
}

/* E_EXISTS: it has cosigned a later one already. */
static int ask(struct member *m, uint64_t size, const struct buf *note, struct buf *line,
	       struct error *err)
{
	for (int n = 0; n < CONFLICTS_MAX; n++) {
		CLEANUP(answer_clear) struct http_answer a = {.status = 0};
		CLEANUP(buf_clear) struct buf body = {0};
		struct growth g = {.from = m->known, .to = size};
		int r;

		if (m->known > size)
			return error_set(err, E_EXISTS, "it has cosigned a later checkpoint");
		r = registry_read(m->c->r, prove_growth, &g, err);
		if (r == 0)
			r = witness_request_format(g.from, &g.proof, note->data, note->len, &body,
						   err);
		if (r == 0)
			r = request(m, WITNESS_CALL, &body, ASK_S, &a, err);
		if (r < 0)
			return r;
		if (a.status == WITNESS_COSIGN) {
			r = take_line(m, note, &a, line, err);
			if (r == 0)
				m->known = size;
			return r;
		}
		r = a.status == WITNESS_CONFLICT ? take_size(m, &a, size, err)
						 : refused(m, a.status, err);
		if (r < 0)
			return r;
	}
	return error_set(err, E_INVALID, "409 again and again");
}

/* --- a witness's thread ------------------------------------------------------------ */

/* With the lock held: this is how it went. */
static void settle(struct member *m, unsigned round, int r, struct buf *line,
		   const struct error *err)
{
	struct cosign *c = m->c;
	bool ok = r == 0 || r == E_EXISTS;

	if (ok != !m->down && !atomic_load(&c->stopping)) {
		if (ok)
			log_line(LOG_INFO, "witness name=%s ok", m->w->key.name);
		else
			log_line(LOG_WARNING, "witness name=%s error=%s", m->w->key.name,
				 err->text);
		m->down = !ok;
	}
	if (!ok) {
		m->pause_ms = m->pause_ms ? 2 * m->pause_ms : RETRY_FIRST_MS;
		if (m->pause_ms > RETRY_MAX_MS)
			m->pause_ms = RETRY_MAX_MS;
		m->retry_ms = now_ms() + m->pause_ms;
		return;
	}
	m->pause_ms = m->retry_ms = 0;
	if (round != c->round) /* it took too long: this is of no use any more */
		return;
	m->round = round;
	if (r == E_EXISTS)
		return;
	buf_clear(&m->line);
	m->line = *line;
	*line = (struct buf){0};
	c->fresh++;
	c->unshown = true;
	(void)pthread_cond_broadcast(&c->turn);
}

/* With the lock held, which is left meanwhile. */
static void ask_once(struct member *m)
{
	struct cosign *c = m->c;
	CLEANUP(buf_clear) struct buf note = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	struct error err = {0};
	unsigned round = c->round;
	uint64_t size = c->size;
	int r = buf_add(&note, c->note.data, c->note.len, &err);

	(void)pthread_mutex_unlock(&c->lock);
	if (r == 0)
		r = ask(m, size, &note, &line, &err);
	(void)pthread_mutex_lock(&c->lock);
	settle(m, round, r, &line, &err);
}

static void *run_member(void *arg)
{
	struct member *m = arg;
	struct cosign *c = m->c;
	struct error err = {0};
	int r = look(m, &err);

	if (r < 0 && r != E_NOTFOUND)
		log_line(LOG_DEBUG, "witness name=%s error=%s", m->w->key.name, err.text);
	(void)pthread_mutex_lock(&c->lock);
	m->looked = true;
	(void)pthread_cond_broadcast(&c->turn);
	while (!atomic_load(&c->stopping)) {
		if (m->round == c->round)
			(void)pthread_cond_wait(&c->turn, &c->lock);
		else if (now_ms() < m->retry_ms)
			wait_until(&c->turn, &c->lock, m->retry_ms);
		else
			ask_once(m);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- the leader ---------------------------------------------------------------------- */

/* The checkpoint with the lines that there are. */
static int merge(const struct cosign *c, struct buf *out, struct error *err)
{
	int r = buf_add(out, c->note.data, c->note.len, err);

	for (size_t i = 0; i < c->n && r == 0; i++)
		r = buf_add(out, c->members[i].line.data, c->members[i].line.len, err);
	return r;
}

struct publication {
	uint64_t size;
	const struct buf *note;
	bool more;
};

static int publish_job(struct work *w, void *arg, struct error *err)
{
	struct publication *p = arg;

	return log_publish(w, p->size, p->note, &p->more, err);
}

/* With the lock held, which is left meanwhile. */
static void publish(struct cosign *c)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct publication p = {c->size, &note, true};
	struct error err = {0};
	int r = merge(c, &note, &err);

	c->unshown = false;
	(void)pthread_mutex_unlock(&c->lock);
	while (r == 0 && p.more)
		r = registry_work(c->r, publish_job, &p, &err);
	(void)pthread_mutex_lock(&c->lock);
	if (r < 0) {
		log_line(LOG_ERROR, "checkpoint error=%s", err.text);
		c->unshown = true;
		wait_until(&c->turn, &c->lock, now_ms() + IDLE_MS);
		return;
	}
	c->published = true;
}

/* With the lock held, which is left meanwhile: is there something to ask for? */
static void next_round(struct cosign *c)
{
	struct latest l = {0};
	struct error err = {0};
	int r;

	c->news = false;
	(void)pthread_mutex_unlock(&c->lock);
	r = registry_read(c->r, load_latest, &l, &err);
	(void)pthread_mutex_lock(&c->lock);
	if (r < 0 || (c->round && l.size == c->size && now_ms() < c->began_ms + REFRESH_MS)) {
		buf_clear(&l.note);
		return;
	}
	if (l.size != c->size || !c->round)
		for (size_t i = 0; i < c->n; i++)
			buf_clear(&c->members[i].line);
	buf_clear(&c->note);
	c->note = l.note;
	c->size = l.size;
	c->round++;
	c->began_ms = now_ms();
	c->fresh = 0;
	c->unshown = c->published = c->told = false;
	(void)pthread_cond_broadcast(&c->turn);
}

static void complain(struct cosign *c)
{
	if (c->published || c->told || now_ms() < c->began_ms + LATE_MS)
		return;
	c->told = true;
	log_line(LOG_ERROR, "checkpoint size=%" PRIu64 " cosigned=%zu wanted=%zu", c->size,
		 c->fresh, c->r->config.threshold);
}

/* With the lock held: when there is something to do without anybody's waking us. */
static int64_t next_time(const struct cosign *c)
{
	int64_t now = now_ms(), paced = c->began_ms + PACE_MS;

	return c->news && c->published && now < paced ? paced : now + IDLE_MS;
}

static void *run_leader(void *arg)
{
	struct cosign *c = arg;
	size_t threshold = c->r->config.threshold;

	(void)pthread_mutex_lock(&c->lock);
	while (!atomic_load(&c->stopping)) {
		/* Where nobody is waited for, the log shows its checkpoints by itself. */
		bool done = !c->round || c->published || !threshold;

		if (c->unshown && c->fresh >= threshold) {
			publish(c);
		} else if (done && (c->news || now_ms() >= c->began_ms + REFRESH_MS) &&
			   (!c->round || now_ms() >= c->began_ms + PACE_MS)) {
			next_round(c);
		} else {
			complain(c);
			wait_until(&c->turn, &c->lock, next_time(c));
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- from outside ---------------------------------------------------------------------- */

static bool all_looked(const struct cosign *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->members[i].looked)
			return false;
	return true;
}

static int start_members(struct cosign *c, struct error *err)
{
	/* Signatures are what counts, so it may be plain. */
	const struct http_options plain = {.allow_plain = true};

	for (size_t i = 0; i < c->n; i++) {
		struct member *m = &c->members[i];
		int r = http_new(&plain, &m->http, err);
		int why;

		if (r < 0)
			return r;
		m->c = c;
		m->w = &c->r->config.witnesses[i];
		why = pthread_create(&m->thread, NULL, run_member, m);
		if (why)
			return error_errno(err, why, "thread");
		m->started = true;
	}
	return 0;
}

static void set_cosign(struct registry *r, struct cosign *c)
{
	(void)pthread_mutex_lock(&r->mutex);
	r->cosign = c;
	(void)pthread_mutex_unlock(&r->mutex);
}

int cosign_start(struct registry *r, struct cosign **out, struct error *err)
{
	size_t n = r->config.nwitnesses;
	CLEANUP(cosign_stopp) struct cosign *c = NULL;
	pthread_condattr_t clock;
	int64_t until;
	int e;

	*out = NULL;
	if (!n)
		return 0;
	c = calloc(1, sizeof(*c) + n * sizeof(c->members[0]));
	if (!c)
		return error_nomem(err);
	c->r = r;
	c->n = n;
	c->news = true;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->turn, &clock);
	(void)pthread_condattr_destroy(&clock);
	e = start_members(c, err);
	if (e < 0)
		return e;
	until = now_ms() + (int64_t)(LOOK_S + 1) * 1000;
	(void)pthread_mutex_lock(&c->lock);
	while (!all_looked(c) && now_ms() < until)
		wait_until(&c->turn, &c->lock, until);
	(void)pthread_mutex_unlock(&c->lock);
	e = registry_read(r, is_forked, NULL, err);
	if (e == 0) {
		int why = pthread_create(&c->leader, NULL, run_leader, c);

		c->leads = why == 0;
		e = why ? error_errno(err, why, "thread") : 0;
	}
	if (e < 0)
		return e;
	set_cosign(r, c);
	*out = steal(c);
	return 0;
}

void cosign_stop(struct cosign *c)
{
	if (!c)
		return;
	set_cosign(c->r, NULL);
	(void)pthread_mutex_lock(&c->lock);
	atomic_store(&c->stopping, true);
	(void)pthread_cond_broadcast(&c->turn);
	(void)pthread_mutex_unlock(&c->lock);
	if (c->leads)
		(void)pthread_join(c->leader, NULL);
	for (size_t i = 0; i < c->n; i++) {
		if (c->members[i].started)
			(void)pthread_join(c->members[i].thread, NULL);
		http_free(c->members[i].http);
		buf_clear(&c->members[i].line);
	}
	buf_clear(&c->note);
	(void)pthread_cond_destroy(&c->turn);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

void cosign_wake(struct cosign *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->news = true;
	(void)pthread_cond_broadcast(&c->turn);
	(void)pthread_mutex_unlock(&c->lock);
}

bool cosign_await(struct registry *r, uint64_t size)
{
	int64_t until = now_ms() + AWAIT_MS;
	bool shown;

	(void)pthread_mutex_lock(&r->mutex);
	if (r->proved < size && r->cosign && !r->late && r->waiting < AWAITING_MAX) {
		r->waiting++;
		while (r->proved < size && r->cosign && now_ms() < until)
			wait_until(&r->shown, &r->mutex, until);
		r->waiting--;
		r->late = r->proved < size;
	}
	shown = r->proved >= size;
	(void)pthread_mutex_unlock(&r->mutex);
	return shown;
}
