/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conns - who is connected, and who takes too long
 *
 * libmicrohttpd ends a connection that is silent; one that sends a byte now and
 * then would stay for ever. So each connection has a time by which its request
 * must have come, and a sweep ends those that are late. The number of
 * connections and the rate of writes from one address are bounded as well.
 * Addresses are counted in a table by hash: two that share a place share its
 * bounds. Loopback is exempt: a proxy in front has its own bounds.
 */
#ifndef REGISTRY_HTTP_CONNS_H
#define REGISTRY_HTTP_CONNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/compiler.h"

struct conns;
struct conn;
struct error;

struct conns_limits {
	unsigned per_address; /* connections */
	unsigned writes;      /* a minute from one address, and at once */
	int64_t header_ms;    /* for a request's first line and headers */
	int64_t idle_ms;      /* between requests, the next one's headers included */
	int64_t body_ms,
		body_rate; /* for a body: body_ms and one second for each body_rate bytes */
};

extern const struct conns_limits conns_defaults;

MUSTCHECK int conns_new(const struct conns_limits *l, struct conns **out, struct error *err);
void conns_free(struct conns *c);
DEFINE_CLEANUP(struct conns *, conns_free)

/* May this address have another connection? Each yes is to be followed by conns_add(). */
bool conns_admit(struct conns *c, const struct sockaddr *from);

/* May this address write once more now? */
bool conns_may_write(struct conns *c, const struct sockaddr *from, int64_t now_ms);

/* A connection begins and ends; `fd` stays open in between. NULL: out of memory. */
struct conn *conns_add(struct conns *c, int fd, const struct sockaddr *from, int64_t now_ms);
void conns_drop(struct conns *c, struct conn *k);

/*
 * The headers are here; the body begins; some more of it came; the answer is
 * due; the answer is out. False: the connection was ended for being late.
 */
bool conn_request(struct conn *k);
void conn_body(struct conn *k, int64_t now_ms);
void conn_received(struct conn *k, uint64_t bytes);
void conn_answer(struct conn *k);
void conn_idle(struct conn *k, int64_t now_ms);

/* End those that are late, telling 408 where a request has begun. Returns how many. */
unsigned conns_sweep(struct conns *c, int64_t now_ms);

unsigned conns_count(struct conns *c);
unsigned conns_busy(struct conns *c); /* with a request under way */

#endif
