/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - the HTTP side of a registry
 *
 * Static files of the public tree and the calls of registry.h, on
 * libmicrohttpd: a few network threads with epoll, a few job threads for what
 * may block. TLS is left to a proxy in front.
 */
#ifndef REGISTRY_HTTP_SERVER_H
#define REGISTRY_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/http/conns.h"

struct error;
struct registry;
struct server;
struct witness;

struct server_options {
	int listener;              /* a listening socket; the server takes it over */
	int tree;                  /* the public tree; borrowed */
	int work;                  /* a folder for spooling; borrowed */
	struct registry *registry; /* borrowed; NULL: static files (and git) only */
	struct witness *witness;   /* borrowed; NULL: this is none */
	unsigned threads;          /* for the network; 0: one for each CPU */
	unsigned connections;      /* at most, in all; 0: as many as descriptors allow */
	struct conns_limits limits;
};

MUSTCHECK int server_start(const struct server_options *o, struct server **out, struct error *err);

/* End connections that are late; call it once a second or so. */
void server_sweep(struct server *s);

/* Take no new connections, finish what is under way (within 30 s), release. NULL is a no-op. */
void server_stop(struct server *s);
DEFINE_CLEANUP(struct server *, server_stop)

#endif
