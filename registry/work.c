/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: one transaction, one checkpoint and one commit for all that is queued. */
#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "registry/internal.h"
#include "registry/log/cosign.h"
#include "registry/log/sequencer.h"
#include "registry/tree/outbox.h"
#include "registry/tree/render.h"

struct job {
	job_fn fn;
	void *arg;
	int result;
	struct error *err;
	bool done;
	struct job *next;
};

int work_touch(struct work *w, const char *product, struct error *err)
{
	for (size_t i = 0; i < w->ntouched; i++)
		if (strcmp(w->touched[i], product) == 0)
			return 0;
	if (w->ntouched == w->touched_cap) {
		size_t cap = w->touched_cap ? 2 * w->touched_cap : 8;
		void *more = realloc(w->touched, cap * sizeof(*w->touched));

		if (!more)
			return error_nomem(err);
		w->touched = more;
		w->touched_cap = cap;
	}
	memset(w->touched[w->ntouched], 0, PRODUCT_SIZE);
	memcpy(w->touched[w->ntouched++], product, strnlen(product, PRODUCT_SIZE - 1));
	return 0;
}

/* Run one job in its savepoint. Only a failure of the transaction itself is returned. */
static int run_one(struct work *w, struct job *j, struct error *err)
{
	int r = store_savepoint(w->store, err);

	if (r < 0)
		return r;
	w->again = false;
	j->result = j->fn(w, j->arg, j->err);
	if (j->result < 0)
		return store_undo(w->store, err);
	w->dirty = true;
	return store_release(w->store, err);
}

/*
 * Run jobs from *next on until the queue's end, a full batch, or a job that has
 * to see the others' results in the tree first; *next is then where to go on.
 */
static int run_some(struct work *w, struct job **next, struct error *err)
{
	while (*next) {
		uint64_t size = 0;
		int r = run_one(w, *next, err);

		if (r < 0)
			return r;
		if (w->again && w->dirty)
			return 0;
		*next = (*next)->next;
		r = store_log_size(w->store, &size, err);
		if (r < 0)
			return r;
		if (size - w->log_size >= LEAVES_A_BATCH)
			return 0;
	}
	return 0;
}

static int transact(struct work *w, struct job **next, struct error *err)
{
	int r = store_begin(w->store, err);

	if (r < 0)
		return r;
	r = store_log_size(w->store, &w->log_size, err);
	if (r == 0)
		r = run_some(w, next, err);
	if (r == 0)
		r = log_seal(w, err);
	if (r == 0)
		r = render_touched(w, err);
	if (r == 0)
		r = store_commit(w->store, err);
	if (r < 0)
		store_rollback(w->store);
	return r;
}

/* All jobs that had their turn in a transaction that failed share its failure. */
static void fail(struct job *from, const struct job *to, int code, const struct error *why)
{
	for (; from && from != to; from = from->next)
		if (from->result >= 0)
			from->result = error_set(from->err, code, "%s", why->text);
}

/* Tell those who wait for their proofs, and those who ask the witnesses. */
static int note_shown(struct registry *r, struct error *err)
{
	struct published_row shown;
	int e;

	if (!r->config.nwitnesses)
		return 0;
	e = store_published(r->store, &shown, NULL, err);
	if (e < 0)
		return e;
	(void)pthread_mutex_lock(&r->mutex);
	if (shown.proved > r->proved) {
		r->proved = shown.proved;
		r->late = false;
		(void)pthread_cond_broadcast(&r->shown);
	}
	if (r->cosign)
		cosign_wake(r->cosign);
	(void)pthread_mutex_unlock(&r->mutex);
	return 0;
}

/*
 * One transaction over the list at `first`; what is behind it when it ends was
 * not looked at. The decision is the commit; if the tree then cannot be written
 * (a full disk), the jobs say so, and the next call or the next start does it.
 */
static struct job *lead(struct registry *r, struct job *first)
{
	struct work w = {.r = r, .store = r->store, .now = utc_now()};
	struct job *next = first;
	struct error why = {0};
	int code = outbox_apply(r, &why);

	if (code == 0) {
		code = transact(&w, &next, &why);
		if (code < 0)
			next = next ? next->next : NULL;
	} else {
		next = NULL;
	}
	if (code == 0) {
		code = log_remember(r, &why);
		if (code == 0)
			code = outbox_apply(r, &why);
		if (code == 0)
			code = note_shown(r, &why);
		if (code < 0)
			(void)error_prefix(&why, code,
					   "accepted, but the public tree cannot be written");
	}
	if (code < 0)
		fail(first, next, code, &why);
	free(w.touched);
	return next;
}

/*
 * Lead until the queue as it was taken is done. Called and left with the mutex
 * held; meanwhile others queue up, for the next to lead.
 */
static void lead_queue(struct registry *r)
{
	struct job *list = r->first;

	r->first = NULL;
	r->last = &r->first;
	(void)pthread_mutex_unlock(&r->mutex);
	(void)pthread_mutex_lock(&r->store_lock);
	while (list) {
		struct job *rest = lead(r, list);

		(void)pthread_mutex_lock(&r->mutex);
		while (list != rest) {
			struct job *done = list;

			list = list->next; /* a job lives on its thread's stack: not after done */
			done->done = true;
		}
		(void)pthread_cond_broadcast(&r->turn);
		(void)pthread_mutex_unlock(&r->mutex);
	}
	(void)pthread_mutex_unlock(&r->store_lock);
	(void)pthread_mutex_lock(&r->mutex);
}

int registry_work(struct registry *r, job_fn fn, void *arg, struct error *err)
{
	struct error mine = {0};
	struct job j = {.fn = fn, .arg = arg, .err = &mine};

	(void)pthread_mutex_lock(&r->mutex);
	*r->last = &j;
	r->last = &j.next;
	while (!j.done) {
		if (r->leading) {
			(void)pthread_cond_wait(&r->turn, &r->mutex);
			continue;
		}
		r->leading = true;
		lead_queue(r);
		r->leading = false;
		(void)pthread_cond_broadcast(&r->turn);
	}
	(void)pthread_mutex_unlock(&r->mutex);
	if (j.result < 0 && err)
		*err = mine;
	return j.result;
}

int registry_read(struct registry *r, job_fn fn, void *arg, struct error *err)
{
	struct work w = {.r = r, .now = utc_now()};
	int result;

	(void)pthread_mutex_lock(&r->store_lock);
	w.store = r->store;
	result = fn(&w, arg, err);
	(void)pthread_mutex_unlock(&r->store_lock);
	return result;
}
