/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/api.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "lib/json/strict.h"
#include "registry/http/precond.h"
#include "registry/http/respond.h"

static const char tus_version[] = "1.0.0";

static const char *header(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

static int begin_append(struct request *q, uint64_t *from, unsigned *status, struct error *err)
{
	const char *type = header(q, MHD_HTTP_HEADER_CONTENT_TYPE);
	const char *version = header(q, "Tus-Resumable");

	if (version && strcmp(version, tus_version) != 0) {
		*status = MHD_HTTP_PRECONDITION_FAILED;
		return error_set(err, E_INVALID, "Tus-Resumable: want %s", tus_version);
	}
	if (!type || strcmp(type, "application/offset+octet-stream") != 0) {
		*status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
		return error_set(err, E_INVALID,
				 "Content-Type: want application/offset+octet-stream");
	}
	if (!offset_parse(header(q, "Upload-Offset"), from))
		return error_set(err, E_INVALID, "Upload-Offset: want a number");
	if (*from != q->have) {
		*status = MHD_HTTP_CONFLICT;
		return error_set(err, E_INVALID, "Upload-Offset: want %" PRIu64 ", got %" PRIu64,
				 q->have, *from);
	}
	return 0;
}

int api_upload_begin(struct request *q, struct registry *r, unsigned *status, struct error *err)
{
	uint64_t from = 0;
	int e = registry_blob_status(r, q->route.arg, &q->size, &q->have, err);

	if (e == 0 && q->route.kind == ROUTE_BLOB_APPEND)
		e = begin_append(q, &from, status, err);
	if (e < 0)
		return e;
	if (q->declared != UINT64_MAX && q->declared > q->size - from) {
		*status = MHD_HTTP_CONTENT_TOO_LARGE;
		return error_set(err, E_INVALID,
				 "%s: longer than the %" PRIu64 " bytes it is listed with",
				 q->route.arg, q->size);
	}
	if (q->have == q->size) /* nothing to add; what comes is read and dropped */
		return 0;
	q->have = from;
	return registry_blob_begin(r, q->route.arg, from, &q->upload, err);
}

static void end_upload(struct request *q)
{
	bool complete = false;
	struct error err = {0};
	int r = registry_blob_end(steal(q->upload), &complete, &err);

	if (q->r < 0) /* the body failed before: that is what to tell */
		return;
	q->r = r;
	q->err = err;
	q->have += q->received;
	if (complete)
		q->have = q->size;
}

void api_abandon(struct request *q)
{
	struct error err = {0};
	bool complete;

	if (q->upload && registry_blob_end(steal(q->upload), &complete, &err) < 0)
		log_line(LOG_WARNING, "upload blob=%s error=%s", q->route.arg, err.text);
}

/* {"publisher": "<id>"} */
static int online_keys(struct request *q, struct registry *r)
{
	const char *publisher = NULL;
	const struct field fields[] = {{"publisher", FIELD_TEXT, 0, false, 1, 64, NULL}};
	json_t *body = NULL;
	int e = strict_parse(q->body.data, q->body.len, "body", &body, &q->err);

	if (e == 0)
		e = strict_read(body, "body", fields, ARRAY_LEN(fields), STRICT_CLOSED, &publisher,
				&q->err);
	if (e == 0)
		e = registry_online_keys(r, q->route.arg, publisher, &q->reply, &q->err);
	json_decref(body);
	return e;
}

void api_work(struct request *q, struct registry *r)
{
	switch (q->route.kind) {
	case ROUTE_SUBMIT:
		q->r = registry_submit(r, q->body.data, q->body.len, &q->reply, &q->err);
		break;
	case ROUTE_DOCUMENT: q->r = registry_document(r, q->route.arg, &q->reply, &q->err); break;
	case ROUTE_PRODUCT: q->r = registry_product(r, q->route.arg, &q->reply, &q->err); break;
	case ROUTE_PROPOSALS: q->r = registry_proposals(r, q->route.arg, &q->reply, &q->err); break;
	case ROUTE_ONLINE_KEYS: q->r = online_keys(q, r); break;
	case ROUTE_SHARE:
		q->r = registry_share(r, q->body.data, q->body.len, &q->reply, &q->err);
		break;
	case ROUTE_BLOB_STATUS:
		q->r = registry_blob_status(r, q->route.arg, &q->size, &q->have, &q->err);
		break;
	case ROUTE_BLOB_APPEND:
	case ROUTE_BLOB_PUT:
		if (q->upload)
			end_upload(q);
		break;
	default: q->r = error_set(&q->err, E_NOTFOUND, "no such call"); break;
	}
}

static enum MHD_Result answer_blob(struct request *q, unsigned *status)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char offset[24], length[24];
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	*status = q->route.kind == ROUTE_BLOB_STATUS ? MHD_HTTP_OK : MHD_HTTP_NO_CONTENT;
	(void)snprintf(offset, sizeof(offset), "%" PRIu64, q->have);
	(void)snprintf(length, sizeof(length), "%" PRIu64, q->size);
	ok = MHD_add_response_header(r, "Tus-Resumable", tus_version);
	if (ok)
		ok = MHD_add_response_header(r, "Upload-Offset", offset);
	if (ok)
		ok = MHD_add_response_header(r, "Upload-Length", length);
	if (ok)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (ok)
		ok = MHD_queue_response(q->connection, *status, r);
	MHD_destroy_response(r);
	return ok;
}

enum MHD_Result api_answer(struct request *q, unsigned *status)
{
	if (q->r < 0) {
		*status = q->too_large ? MHD_HTTP_CONTENT_TOO_LARGE : respond_status(q->err.code);
		return respond_error(q->connection, *status, &q->err);
	}
	if (q->reply) {
		*status = MHD_HTTP_OK;
		return respond_json(q->connection, *status, q->reply);
	}
	return answer_blob(q, status);
}
