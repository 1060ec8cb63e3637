/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/route.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/compiler.h"
#include "lib/base/digest.h"
#include "lib/base/hex.h"
#include "lib/tlog/witness.h"
#include "policies/statement.h"

enum {
	DOCUMENTS_MAX = 64 * 1024 * 1024,
	SMALL_BODY_MAX = 16 * 1024,     /* a share, a publisher's id */
	GIT_BODY_MAX = 8 * 1024 * 1024, /* what a client has and wants */
};

enum arg { ARG_NONE, ARG_DIGEST, ARG_PRODUCT };

/* `before` + argument + `after` is the whole path. */
static const struct pattern {
	const char *method, *before;
	enum arg arg;
	const char *after;
	enum route_kind kind;
	size_t body_max;
	bool writes;
} patterns[] = {
	{"GET", "/healthz", ARG_NONE, "", ROUTE_HEALTH, 0, false},
	{"GET", "/metrics", ARG_NONE, "", ROUTE_METRICS, 0, false},
	{"POST", "/v1/documents", ARG_NONE, "", ROUTE_SUBMIT, DOCUMENTS_MAX, true},
	{"GET", "/v1/documents/", ARG_DIGEST, "", ROUTE_DOCUMENT, 0, false},
	{"GET", "/v1/products/", ARG_PRODUCT, "", ROUTE_PRODUCT, 0, false},
	{"GET", "/v1/products/", ARG_PRODUCT, "/proposals", ROUTE_PROPOSALS, 0, false},
	{"POST", "/v1/products/", ARG_PRODUCT, "/online-keys", ROUTE_ONLINE_KEYS, SMALL_BODY_MAX,
	 true},
	{"POST", "/" WITNESS_CALL, ARG_NONE, "", ROUTE_WITNESS, WITNESS_REQUEST_MAX, true},
	{"POST", "/v1/shares", ARG_NONE, "", ROUTE_SHARE, SMALL_BODY_MAX, true},
	{"OPTIONS", "/v1/blobs/", ARG_NONE, "", ROUTE_TUS, 0, false},
	{"OPTIONS", "/v1/blobs/", ARG_DIGEST, "", ROUTE_TUS, 0, false},
	{"HEAD", "/v1/blobs/", ARG_DIGEST, "", ROUTE_BLOB_STATUS, 0, false},
	{"PATCH", "/v1/blobs/", ARG_DIGEST, "", ROUTE_BLOB_APPEND, SIZE_MAX, true},
	{"PUT", "/v1/blobs/", ARG_DIGEST, "", ROUTE_BLOB_PUT, SIZE_MAX, true},
	{"POST", "/p/", ARG_PRODUCT, "/source.git/git-upload-pack", ROUTE_GIT_PACK, GIT_BODY_MAX,
	 true},
};

/* Does `url` fit? The argument is copied to `arg`. */
static bool fits(const struct pattern *p, const char *url, char arg[ROUTE_ARG_SIZE])
{
	size_t before = strlen(p->before), after = strlen(p->after), len = strlen(url);

	if (p->arg == ARG_NONE)
		return strcmp(url, p->before) == 0;
	if (strncmp(url, p->before, before) != 0 || len <= before + after ||
	    len - before - after >= ROUTE_ARG_SIZE || strcmp(url + len - after, p->after) != 0)
		return false;
	memcpy(arg, url + before, len - before - after);
	arg[len - before - after] = '\0';
	return p->arg == ARG_DIGEST ? hex_is(arg, SHA256_HEX) : product_id_ok(arg);
}

bool route_is_info_refs(const char *url)
{
	static const char end[] = "/source.git/info/refs";
	size_t len = strlen(url);

	return len > sizeof(end) && strcmp(url + len - (sizeof(end) - 1), end) == 0;
}

static struct route git_advertise(const char *url)
{
	static const struct pattern p = {
		.before = "/p/", .arg = ARG_PRODUCT, .after = "/source.git/info/refs"};
	struct route out = {.kind = ROUTE_NONE};

	if (fits(&p, url, out.arg))
		out.kind = ROUTE_GIT_ADVERTISE;
	return out;
}

struct route route_of(const char *method, const char *url, const char *service)
{
	bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	struct route out = {.kind = ROUTE_NONE};
	bool elsewhere = false;

	if (reads && service && route_is_info_refs(url))
		return strcmp(service, "git-upload-pack") == 0 ? git_advertise(url) : out;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		const struct pattern *p = &patterns[i];

		if (!fits(p, url, out.arg))
			continue;
		if (strcmp(method, p->method) == 0 ||
		    (strcmp(method, "HEAD") == 0 && strcmp(p->method, "GET") == 0)) {
			out.kind = p->kind;
			out.body_max = p->body_max;
			out.writes = p->writes;
			return out;
		}
		elsewhere = true;
	}
	if (elsewhere || (!reads && strncmp(url, "/v1/", 4) != 0))
		out.kind = ROUTE_METHOD;
	else if (strncmp(url, "/v1/", 4) != 0)
		out.kind = ROUTE_FILE;
	return out;
}

const char *route_name(enum route_kind k)
{
	static const char *const names[] = {
		[ROUTE_FILE] = "file",
		[ROUTE_NONE] = "none",
		[ROUTE_METHOD] = "method",
		[ROUTE_HEALTH] = "health",
		[ROUTE_METRICS] = "metrics",
		[ROUTE_SUBMIT] = "submit",
		[ROUTE_DOCUMENT] = "document",
		[ROUTE_PRODUCT] = "product",
		[ROUTE_PROPOSALS] = "proposals",
		[ROUTE_ONLINE_KEYS] = "online-keys",
		[ROUTE_SHARE] = "share",
		[ROUTE_TUS] = "tus",
		[ROUTE_BLOB_STATUS] = "blob-status",
		[ROUTE_BLOB_APPEND] = "blob-append",
		[ROUTE_BLOB_PUT] = "blob-put",
		[ROUTE_WITNESS] = WITNESS_CALL,
		[ROUTE_GIT_ADVERTISE] = "git-refs",
		[ROUTE_GIT_PACK] = "git-pack",
	};

	return names[k];
}
