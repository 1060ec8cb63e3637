/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/conns.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/error.h"

enum { PLACES = 4096, MINUTE_MS = 60000, SECOND_MS = 1000 };

const struct conns_limits conns_defaults = {.per_address = 512,
					    .writes = 600,
					    .header_ms = 20000,
					    .idle_ms = 75000,
					    .body_ms = 20000,
					    .body_rate = 1024};

enum phase { PHASE_HEADERS, PHASE_IDLE, PHASE_BODY, PHASE_ANSWER, PHASE_ENDED };

struct conn {
	struct conn *prev, *next;
	int fd;
	unsigned place;
	_Atomic int phase;
	_Atomic int64_t since_ms; /* of the phase */
	_Atomic uint64_t received;
};

/* What is counted of the addresses that share a hash. */
struct place {
	unsigned connections;
	int64_t tokens; /* thousandths of a write */
	int64_t at_ms;
};

struct conns {
	struct conns_limits limits;
	pthread_mutex_t lock;
	struct conn *first;
	unsigned n;
	struct place places[PLACES + 1]; /* the last one: loopback, not bounded */
};

int conns_new(const struct conns_limits *l, struct conns **out, struct error *err)
{
	struct conns *c = calloc(1, sizeof(*c));

	if (!c)
		return error_nomem(err);
	c->limits = *l;
	for (size_t i = 0; i < PLACES; i++)
		c->places[i].tokens = (int64_t)l->writes * SECOND_MS;
	(void)pthread_mutex_init(&c->lock, NULL);
	*out = c;
	return 0;
}

void conns_free(struct conns *c)
{
	if (!c)
		return;
	while (c->first)
		conns_drop(c, c->first);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* An IPv4 address counts whole, an IPv6 one by its network of 64 bits. */
static unsigned place_of_address(const struct sockaddr *from)
{
	static const unsigned char loopback6[16] = {[15] = 1};
	unsigned char raw[8] = {0};
	uint32_t h = 2166136261U;

	if (from->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, from, sizeof(in));
		if (in.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
			return PLACES;
		memcpy(raw, &in.sin_addr, sizeof(in.sin_addr));
	} else if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, from, sizeof(in));
		if (memcmp(&in.sin6_addr, loopback6, sizeof(loopback6)) == 0)
			return PLACES;
		memcpy(raw, &in.sin6_addr, sizeof(raw));
	}
	for (size_t i = 0; i < sizeof(raw); i++)
		h = (h ^ raw[i]) * 16777619U;
	return (h ^ h >> 16) % PLACES;
}

bool conns_admit(struct conns *c, const struct sockaddr *from)
{
	unsigned at = place_of_address(from);
	bool ok;

	(void)pthread_mutex_lock(&c->lock);
	ok = at == PLACES || c->places[at].connections < c->limits.per_address;
	(void)pthread_mutex_unlock(&c->lock);
	return ok;
}

bool conns_may_write(struct conns *c, const struct sockaddr *from, int64_t now_ms)
{
	unsigned at = place_of_address(from);
	int64_t full = (int64_t)c->limits.writes * SECOND_MS;
	struct place *p = &c->places[at];
	bool ok;

	if (at == PLACES)
		return true;
	(void)pthread_mutex_lock(&c->lock);
	if (p->at_ms)
		p->tokens += (now_ms - p->at_ms) * c->limits.writes * SECOND_MS / MINUTE_MS;
	p->tokens = p->tokens < full ? p->tokens : full;
	p->at_ms = now_ms;
	ok = p->tokens >= SECOND_MS;
	p->tokens -= ok ? SECOND_MS : 0;
	(void)pthread_mutex_unlock(&c->lock);
	return ok;
}

struct conn *conns_add(struct conns *c, int fd, const struct sockaddr *from, int64_t now_ms)
{
	struct conn *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->fd = fd;
	k->place = place_of_address(from);
	atomic_store(&k->since_ms, now_ms);
	(void)pthread_mutex_lock(&c->lock);
	k->next = c->first;
	if (k->next)
		k->next->prev = k;
	c->first = k;
	c->n++;
	c->places[k->place].connections++;
	(void)pthread_mutex_unlock(&c->lock);
	return k;
}

void conns_drop(struct conns *c, struct conn *k)
{
	if (!k)
		return;
	(void)pthread_mutex_lock(&c->lock);
	if (k->next)
		k->next->prev = k->prev;
	if (k->prev)
		k->prev->next = k->next;
	else
		c->first = k->next;
	c->n--;
	c->places[k->place].connections--;
	(void)pthread_mutex_unlock(&c->lock);
	free(k);
}

bool conn_request(struct conn *k)
{
	int was = atomic_load(&k->phase);

	/* The sweep may end it at this very moment: only one of the two gets its way. */
	while (was != PHASE_ENDED)
		if (atomic_compare_exchange_weak(&k->phase, &was, PHASE_ANSWER))
			return true;
	return false;
}

void conn_body(struct conn *k, int64_t now_ms)
{
	int answer = PHASE_ANSWER;

	atomic_store(&k->received, 0);
	atomic_store(&k->since_ms, now_ms);
	(void)atomic_compare_exchange_strong(&k->phase, &answer, PHASE_BODY);
}

void conn_received(struct conn *k, uint64_t bytes)
{
	(void)atomic_fetch_add(&k->received, bytes);
}

void conn_answer(struct conn *k)
{
	int body = PHASE_BODY;

	(void)atomic_compare_exchange_strong(&k->phase, &body, PHASE_ANSWER);
}

void conn_idle(struct conn *k, int64_t now_ms)
{
	atomic_store(&k->since_ms, now_ms);
	if (atomic_load(&k->phase) != PHASE_ENDED)
		atomic_store(&k->phase, PHASE_IDLE);
}

/* When a connection in this phase is late; INT64_MAX: never. */
static int64_t deadline(const struct conns_limits *l, const struct conn *k, int phase)
{
	int64_t since = atomic_load(&k->since_ms);

	switch (phase) {
	case PHASE_HEADERS: return since + l->header_ms;
	case PHASE_IDLE: return since + l->idle_ms;
	case PHASE_BODY:
		return since + l->body_ms +
		       (int64_t)atomic_load(&k->received) * SECOND_MS / l->body_rate;
	default: return INT64_MAX;
	}
}

static void tell_timeout(int fd)
{
	static const char answer[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
				     "Content-Length: 0\r\n\r\n";

	(void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

unsigned conns_sweep(struct conns *c, int64_t now_ms)
{
	unsigned ended = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (struct conn *k = c->first; k; k = k->next) {
		int phase = atomic_load(&k->phase);

		if (now_ms < deadline(&c->limits, k, phase) ||
		    !atomic_compare_exchange_strong(&k->phase, &phase, PHASE_ENDED))
			continue;
		if (phase != PHASE_IDLE)
			tell_timeout(k->fd);
		/* libmicrohttpd sees the end of the stream and closes; the fd is its own. */
		(void)shutdown(k->fd, SHUT_RDWR);
		ended++;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return ended;
}

unsigned conns_count(struct conns *c)
{
	unsigned n;

	(void)pthread_mutex_lock(&c->lock);
	n = c->n;
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}

unsigned conns_busy(struct conns *c)
{
	unsigned n = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (struct conn *k = c->first; k; k = k->next) {
		int phase = atomic_load(&k->phase);

		n += phase == PHASE_BODY || phase == PHASE_ANSWER;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}
