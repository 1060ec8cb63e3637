/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/jobs.h"

#include <pthread.h>

#include "lib/base/error.h"

struct job {
	job_fn fn;
	void *ctx;
};

struct jobs {
	pthread_mutex_t lock;
	pthread_cond_t work;
	bool closing;
	size_t places, taken;  /* taken: reserved, waiting or running */
	size_t first, waiting; /* the ring of those that wait */
	size_t nthreads;
	pthread_t *threads;
	struct job ring[]; /* `places` of them */
};

/* One place less is taken; the threads of a closed queue wait for the last one. */
static void release(struct jobs *j)
{
	j->taken--;
	if (j->closing && !j->taken)
		(void)pthread_cond_broadcast(&j->work);
}

static void *run(void *arg)
{
	struct jobs *j = arg;

	(void)pthread_mutex_lock(&j->lock);
	for (;;) {
		struct job job;

		while (!j->waiting && !(j->closing && !j->taken))
			(void)pthread_cond_wait(&j->work, &j->lock);
		if (!j->waiting)
			break;
		job = j->ring[j->first];
		j->first = (j->first + 1) % j->places;
		j->waiting--;
		(void)pthread_mutex_unlock(&j->lock);
		job.fn(job.ctx);
		(void)pthread_mutex_lock(&j->lock);
		release(j);
	}
	(void)pthread_mutex_unlock(&j->lock);
	return NULL;
}

int jobs_new(size_t threads, size_t places, struct jobs **out, struct error *err)
{
	CLEANUP(jobs_freep) struct jobs *j = calloc(1, sizeof(*j) + places * sizeof(j->ring[0]));

	if (!j)
		return error_nomem(err);
	(void)pthread_mutex_init(&j->lock, NULL);
	(void)pthread_cond_init(&j->work, NULL);
	j->places = places;
	j->threads = calloc(threads, sizeof(*j->threads));
	if (!j->threads)
		return error_nomem(err);
	for (; j->nthreads < threads; j->nthreads++) {
		int why = pthread_create(&j->threads[j->nthreads], NULL, run, j);

		if (why)
			return error_errno(err, why, "thread");
	}
	*out = steal(j);
	return 0;
}

bool jobs_reserve(struct jobs *j)
{
	bool ok;

	(void)pthread_mutex_lock(&j->lock);
	ok = !j->closing && j->taken < j->places;
	j->taken += ok;
	(void)pthread_mutex_unlock(&j->lock);
	return ok;
}

void jobs_put(struct jobs *j, job_fn fn, void *ctx)
{
	(void)pthread_mutex_lock(&j->lock);
	j->ring[(j->first + j->waiting) % j->places] = (struct job){fn, ctx};
	j->waiting++;
	(void)pthread_cond_signal(&j->work);
	(void)pthread_mutex_unlock(&j->lock);
}

void jobs_close(struct jobs *j)
{
	(void)pthread_mutex_lock(&j->lock);
	j->closing = true;
	(void)pthread_cond_broadcast(&j->work);
	(void)pthread_mutex_unlock(&j->lock);
	for (size_t i = 0; i < j->nthreads; i++)
		(void)pthread_join(j->threads[i], NULL);
	j->nthreads = 0;
}

void jobs_free(struct jobs *j)
{
	if (!j)
		return;
	jobs_close(j);
	(void)pthread_cond_destroy(&j->work);
	(void)pthread_mutex_destroy(&j->lock);
	free(j->threads);
	free(j);
}
