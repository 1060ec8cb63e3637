/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one request under way, apart from those for plain files
 *
 * Its body is collected (or streamed, for a blob) by a network thread; then the
 * connection is suspended while a job thread does the work; then a network
 * thread answers. Only one of them has it at a time.
 */
#ifndef REGISTRY_HTTP_REQUEST_H
#define REGISTRY_HTTP_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "registry/http/route.h"
#include "registry/registry.h"

struct request {
	struct server *server; /* borrowed */
	struct MHD_Connection *connection;
	struct route route;
	int64_t began_ms;

	struct buf body;
	uint64_t declared; /* Content-Length; UINT64_MAX: none was given */
	uint64_t received;
	bool too_large;        /* more came than the route takes: the rest is dropped */
	struct upload *upload; /* a blob on its way; owned */
	uint64_t size, have;   /* of the blob, as far as known */
	bool gzip;             /* of a git request's body */
	char protocol[64];     /* the Git-Protocol header, checked */

	bool worked; /* the job is done: what follows is its outcome */
	int r;
	struct error err;
	json_t *reply;   /* owned */
	struct buf text; /* a git advertisement, or what a witness answers */
	unsigned status; /* what a witness answers */
	int fd;          /* a git answer, spooled; -1: none */
};

#endif
