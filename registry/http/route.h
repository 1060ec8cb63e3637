/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - which part of the service a request is for
 */
#ifndef REGISTRY_HTTP_ROUTE_H
#define REGISTRY_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

enum route_kind {
	ROUTE_FILE,          /* the public tree; GET and HEAD */
	ROUTE_NONE,          /* 404 */
	ROUTE_METHOD,        /* 405: there is something, but not by this method */
	ROUTE_HEALTH,        /* GET /healthz */
	ROUTE_METRICS,       /* GET /metrics */
	ROUTE_SUBMIT,        /* POST /v1/documents */
	ROUTE_DOCUMENT,      /* GET /v1/documents/<id> */
	ROUTE_PRODUCT,       /* GET /v1/products/<product> */
	ROUTE_PROPOSALS,     /* GET /v1/products/<product>/proposals */
	ROUTE_ONLINE_KEYS,   /* POST /v1/products/<product>/online-keys */
	ROUTE_SHARE,         /* POST /v1/shares */
	ROUTE_TUS,           /* OPTIONS /v1/blobs/... */
	ROUTE_BLOB_STATUS,   /* HEAD /v1/blobs/<sha256> */
	ROUTE_BLOB_APPEND,   /* PATCH /v1/blobs/<sha256> */
	ROUTE_BLOB_PUT,      /* PUT /v1/blobs/<sha256> */
	ROUTE_GIT_ADVERTISE, /* GET /p/<product>/source.git/info/refs?service=git-upload-pack */
	ROUTE_WITNESS,       /* POST /add-checkpoint, of a witness */
	ROUTE_GIT_PACK,      /* POST /p/<product>/source.git/git-upload-pack */
};

enum { ROUTE_ARG_SIZE = 65 };

struct route {
	enum route_kind kind;
	char arg[ROUTE_ARG_SIZE]; /* the id, digest or product; well-formed */
	size_t body_max;          /* bytes; 0: takes no body */
	bool writes;              /* counts against its address's rate */
};

const char *route_name(enum route_kind k); /* for the log */

/* `service` is the query's value of that name, or NULL. */
struct route route_of(const char *method, const char *url, const char *service);

/* Is this the file that git asks for, with a query, before it clones? */
bool route_is_info_refs(const char *url);

#endif
