/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/json/strict.h"

enum {
	MS = 1000,
	NS_PER_MS = 1000000,
	RETRY_FIRST_MS = 100,
	RETRY_FOR_MS = 3000,
	WAIT_FIRST_MS = 50,
	WAIT_MAX_MS = 1000,
	UPLOAD_TRIES = 5, /* of one blob, each from where the last one got to */
	OFFSET_TEXT = 48,
	DOCUMENTS_MAX = 4096,
	MISSING_MAX = 65536,
};

enum {
	STATUS_OK_FIRST = 200,
	STATUS_OK_LAST = 299,
	STATUS_BAD_FIRST = 400,
	STATUS_BAD_LAST = 499,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_CONFLICT = 409,
	STATUS_TOO_MANY = 429,
	STATUS_UNAVAILABLE = 503,
	STATUS_NO_SPACE = 507,
};

static const char *const states[] = {"published", "waiting", "proposal", "refused", NULL};
enum { PUBLISHED, WAITING, PROPOSAL, REFUSED };

static void answer_clear(struct http_answer *a)
{
	buf_clear(&a->body);
}

/* --- time ------------------------------------------------------------------ */

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * MS + t.tv_nsec / NS_PER_MS;
}

static void pause_ms(int64_t ms)
{
	const struct timespec t = {.tv_sec = (time_t)(ms / MS),
				   .tv_nsec = (long)(ms % MS * NS_PER_MS)};

	(void)nanosleep(&t, NULL); /* a signal shortens it: no harm */
}

/* --- answers --------------------------------------------------------------- */

/* `said` is the registry's name for the error, or "". */
static int code_of(long status, const char *said)
{
	switch (status) {
	case STATUS_FORBIDDEN: return E_UNTRUSTED;
	case STATUS_NOT_FOUND: return E_NOTFOUND;
	case STATUS_CONFLICT:
		if (strcmp(said, error_name(E_NOTYET)) == 0)
			return E_NOTYET;
		return strcmp(said, error_name(E_EXISTS)) == 0 ? E_EXISTS : E_DENIED;
	case STATUS_TOO_MANY:
	case STATUS_UNAVAILABLE: return E_BUSY;
	case STATUS_NO_SPACE: return E_FULL;
	default: return status >= STATUS_BAD_FIRST && status <= STATUS_BAD_LAST ? E_INVALID : E_NET;
	}
}

/* 0 for 2xx, else the error that the answer is. */
static int judge(const struct http_answer *a, const char *url, struct error *err)
{
	struct refusal {
		const char *error, *message;
	} said = {"", ""};
	static const struct field fields[] = {
		{.key = "error", .kind = FIELD_TEXT, .offset = offsetof(struct refusal, error)},
		{.key = "message", .kind = FIELD_TEXT, .offset = offsetof(struct refusal, message)},
	};
	CLEANUP(json_decrefp) json_t *body = NULL;

	if (a->status >= STATUS_OK_FIRST && a->status <= STATUS_OK_LAST)
		return 0;
	/* Whoever else answered, a proxy say, does not answer in our form. */
	if (a->body.len && strict_parse(a->body.data, a->body.len, NULL, &body, NULL) == 0 &&
	    strict_read(body, "", fields, ARRAY_LEN(fields), STRICT_OPEN, &said, NULL) == 0)
		return error_set(err, code_of(a->status, said.error), "registry: %s", said.message);
	return error_set(err, code_of(a->status, ""), "%s: HTTP status %ld", url, a->status);
}

static int read_json(const struct http_answer *a, const char *url, json_t **out, struct error *err)
{
	return strict_parse(a->body.data ? a->body.data : "", a->body.len, url, out, err);
}

/* --- requests -------------------------------------------------------------- */

/* Send what may be sent again, until there is an answer. */
static int ask(const struct api *a, const struct http_request *q, struct http_answer *out,
	       struct error *err)
{
	int64_t give_up = now_ms() + RETRY_FOR_MS;

	for (int64_t ms = RETRY_FIRST_MS;; ms *= 2) {
		int r = http_send(a->http, q, out, err);

		if (r != E_NET || now_ms() + ms > give_up)
			return r;
		pause_ms(ms);
	}
}

int api_get(const struct api *a, const char *path, json_t **out, struct error *err)
{
	CLEANUP(answer_clear) struct http_answer answer = {0};
	CLEANUP(freep) char *url = NULL;
	int r = http_url(a->base, path, &url, err);

	if (r == 0)
		r = ask(a, &(struct http_request){.method = "GET", .url = url, .fd = -1}, &answer,
			err);
	if (r == 0)
		r = judge(&answer, url, err);
	return r < 0 ? r : read_json(&answer, url, out, err);
}

static int post(const struct api *a, const char *path, const void *body, size_t len, json_t **out,
		struct error *err)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	CLEANUP(answer_clear) struct http_answer answer = {0};
	CLEANUP(freep) char *url = NULL;
	struct http_request q = {
		.method = "POST", .headers = headers, .body = body, .len = len, .fd = -1};
	int r = http_url(a->base, path, &url, err);

	q.url = url;
	if (r == 0)
		r = http_send(a->http, &q, &answer, err);
	if (r == 0)
		r = judge(&answer, url, err);
	return r < 0 ? r : read_json(&answer, url, out, err);
}

int api_post(const struct api *a, const char *path, const json_t *body, json_t **out,
	     struct error *err)
{
	CLEANUP(freep) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (body && !text)
		return error_nomem(err);
	return post(a, path, text, text ? strlen(text) : 0, out, err);
}

/* --- documents ------------------------------------------------------------- */

struct outcome {
	const char *id;
	int state;
	json_t *missing; /* borrowed, as the next */
	const char *reason;
	int64_t have, need;
};

static int read_missing(json_t *list, const char *where, struct error *err)
{
	struct blob {
		const char *sha256;
		int64_t size;
	} blob;
	static const struct field fields[] = {
		{.key = "sha256",
		 .kind = FIELD_HEX,
		 .offset = offsetof(struct blob, sha256),
		 .max = SHA256_HEX},
		{.key = "size", .kind = FIELD_INT, .offset = offsetof(struct blob, size)},
	};
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		int r = strict_read(one, where, fields, ARRAY_LEN(fields), STRICT_OPEN, &blob, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_outcome(const json_t *object, const char *where, struct outcome *out,
			struct error *err)
{
	static const struct field fields[] = {
		{.key = "id",
		 .kind = FIELD_HEX,
		 .offset = offsetof(struct outcome, id),
		 .max = SHA256_HEX},
		{.key = "state",
		 .kind = FIELD_NAME,
		 .offset = offsetof(struct outcome, state),
		 .names = states},
		{.key = "missing",
		 .kind = FIELD_ARRAY,
		 .offset = offsetof(struct outcome, missing),
		 .max = MISSING_MAX},
		{.key = "have", .kind = FIELD_INT, .offset = offsetof(struct outcome, have)},
		{.key = "need", .kind = FIELD_INT, .offset = offsetof(struct outcome, need)},
		{.key = "reason",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct outcome, reason),
		 .optional = true},
	};
	int r;

	*out = (struct outcome){0};
	r = strict_read(object, where, fields, ARRAY_LEN(fields), STRICT_OPEN, out, err);
	return r < 0 ? r : read_missing(out->missing, "missing", err);
}

static int check_reply(const json_t *reply, size_t n, struct error *err)
{
	json_t *list = NULL;
	const struct field fields[] = {{.key = "documents",
					.kind = FIELD_ARRAY,
					.offset = 0,
					.min = (int64_t)n,
					.max = (int64_t)n}};
	int r = strict_read(reply, "", fields, ARRAY_LEN(fields), STRICT_OPEN, &list, err);

	for (size_t i = 0; i < n && r == 0; i++) {
		struct outcome one;

		r = read_outcome(json_array_get(list, i), "documents", &one, err);
	}
	return r < 0 ? error_prefix(err, r, "registry") : 0;
}

int api_post_documents(const struct api *a, const struct buf *docs, size_t n, json_t **out,
		       struct error *err)
{
	CLEANUP(json_decrefp) json_t *reply = NULL;
	CLEANUP(buf_clear) struct buf body = {0};
	int r = 0;

	if (n < 1 || n > DOCUMENTS_MAX)
		return error_set(err, E_INVALID, "want 1 to %d documents", DOCUMENTS_MAX);
	for (size_t i = 0; i < n && n > 1 && r == 0; i++) {
		r = buf_puts(&body, i ? "," : "[", err);
		if (r == 0)
			r = buf_add(&body, docs[i].data, docs[i].len, err);
	}
	if (r == 0 && n > 1)
		r = buf_puts(&body, "]", err);
	if (r == 0)
		r = n > 1 ? post(a, "v1/documents", body.data, body.len, &reply, err)
			  : post(a, "v1/documents", docs->data, docs->len, &reply, err);
	if (r == 0)
		r = check_reply(reply, n, err);
	if (r == 0)
		*out = steal(reply);
	return r;
}

/* E_NOTYET with what the document waits for; E_DENIED: it waits no more. */
static int still_waiting(const struct outcome *o, struct error *err)
{
	if (o->state == REFUSED)
		return error_set(err, E_DENIED, "registry: %s",
				 o->reason ? o->reason : "refused, and does not say why");
	if (o->state == PROPOSAL)
		return error_set(err, E_NOTYET,
				 "%s: has %" PRId64 " of %" PRId64 " signatures, waits for more",
				 o->id, o->have, o->need);
	return error_set(err, E_NOTYET, "%s: waits for %zu blobs", o->id,
			 json_array_size(o->missing));
}

/* Look once: 0 and the object if it is published, else E_NOTYET. */
static int look(const struct api *a, const char *path, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *reply = NULL;
	struct outcome o;
	int r = api_get(a, path, &reply, err);

	if (r < 0)
		return r;
	r = read_outcome(reply, "", &o, err);
	if (r < 0)
		return error_prefix(err, r, "registry");
	if (o.state != PUBLISHED)
		return still_waiting(&o, err);
	*out = steal(reply);
	return 0;
}

int api_wait(const struct api *a, const char *id, int timeout_s, json_t **out, struct error *err)
{
	int64_t give_up = now_ms() + (int64_t)timeout_s * MS;
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "v1/documents/%s", id);

	if (r < 0)
		return r;
	for (int64_t ms = WAIT_FIRST_MS;; ms = ms * 2 < WAIT_MAX_MS ? ms * 2 : WAIT_MAX_MS) {
		r = look(a, path.data, out, err);
		if ((r != E_NOTYET && r != E_BUSY) || now_ms() + ms > give_up)
			return r;
		pause_ms(ms);
	}
}

/* --- blobs ----------------------------------------------------------------- */

/* How much of it the registry has. */
static int offset_of(const struct api *a, const char *url, const char *sha256, uint64_t size,
		     uint64_t *out, struct error *err)
{
	CLEANUP(answer_clear) struct http_answer answer = {0};
	int r = ask(a, &(struct http_request){.method = "HEAD", .url = url, .fd = -1}, &answer,
		    err);

	if (r < 0)
		return r;
	if (answer.status == STATUS_NOT_FOUND)
		return error_set(err, E_NOTFOUND, "blob %s: no document at the registry lists it",
				 sha256);
	r = judge(&answer, url, err);
	if (r < 0)
		return r;
	if (answer.upload_offset < 0 || (uint64_t)answer.upload_offset > size)
		return error_set(err, E_INVALID, "%s: Upload-Offset: want 0 to %" PRIu64, url,
				 size);
	*out = (uint64_t)answer.upload_offset;
	return 0;
}

/* Send the rest. 0: it is complete. E_NET: ask again how far it got. */
static int append(const struct api *a, const char *url, int fd, uint64_t from, uint64_t size,
		  struct error *err)
{
	CLEANUP(answer_clear) struct http_answer answer = {0};
	char offset[OFFSET_TEXT];
	const char *const headers[] = {"Content-Type: application/offset+octet-stream",
				       "Tus-Resumable: 1.0.0", offset, NULL};
	const struct http_request q = {.method = "PATCH",
				       .url = url,
				       .headers = headers,
				       .fd = fd,
				       .from = from,
				       .size = size,
				       .progress = a->progress,
				       .ctx = a->ctx};
	int r;

	(void)snprintf(offset, sizeof(offset), "Upload-Offset: %" PRIu64, from);
	r = http_send(a->http, &q, &answer, err);
	if (r == 0)
		r = judge(&answer, url, err);
	if (r == E_DENIED || r == E_EXISTS) /* another upload went on meanwhile */
		return error_prefix(err, E_NET, "%s", url);
	if (r == 0 && answer.upload_offset != (int64_t)size)
		return error_set(err, E_NET, "%s: it took less than all", url);
	return r;
}

int api_put_blob(const struct api *a, const char *sha256, int fd, uint64_t size, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(freep) char *url = NULL;
	int64_t ms = RETRY_FIRST_MS;
	int r = buf_printf(&path, err, "v1/blobs/%s", sha256);

	if (r == 0)
		r = http_url(a->base, path.data, &url, err);
	for (int i = 0; i < UPLOAD_TRIES && r == 0; i++, ms *= 2) {
		uint64_t have = 0;

		r = offset_of(a, url, sha256, size, &have, err);
		if (r < 0 || (have == size && size))
			return r;
		r = append(a, url, fd, have, size, err);
		if (r != E_NET || i == UPLOAD_TRIES - 1)
			return r;
		pause_ms(ms);
		r = 0;
	}
	return r;
}
