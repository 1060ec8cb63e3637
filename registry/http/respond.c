/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/respond.h"

#include "lib/base/error.h"

unsigned respond_status(int code)
{
	switch (code) {
	case 0: return MHD_HTTP_OK;
	case E_INVALID:
	case E_USAGE: return MHD_HTTP_BAD_REQUEST;
	case E_UNTRUSTED: return MHD_HTTP_FORBIDDEN;
	case E_NOTFOUND: return MHD_HTTP_NOT_FOUND;
	case E_DENIED:
	case E_NOTYET:
	case E_EXISTS: return MHD_HTTP_CONFLICT;
	case E_BUSY: return MHD_HTTP_SERVICE_UNAVAILABLE;
	case E_FULL: return MHD_HTTP_INSUFFICIENT_STORAGE;
	default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
}

enum MHD_Result respond_text(struct MHD_Connection *c, unsigned status, const char *type,
			     struct buf *body_take)
{
	size_t len = body_take->len;
	char *text = buf_steal(body_take);
	struct MHD_Response *r = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok;

	if (!r) {
		free(text);
		return MHD_NO;
	}
	ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (ok)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (ok)
		ok = MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (ok && (status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS))
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	if (ok)
		ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

enum MHD_Result respond_json(struct MHD_Connection *c, unsigned status, const json_t *body)
{
	CLEANUP(buf_clear) struct buf text = {0};
	char *dump = json_dumps(body, JSON_COMPACT);

	if (!dump)
		return MHD_NO;
	text = (struct buf){.data = dump, .len = strlen(dump), .cap = strlen(dump) + 1};
	return respond_text(c, status, "application/json", &text);
}

/* Bytes that an error quotes need not be UTF-8, which jansson demands. */
static void plain(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p >= 0x7f || (unsigned char)*p < 0x20)
			*p = '?';
}

enum MHD_Result respond_error(struct MHD_Connection *c, unsigned status, const struct error *err)
{
	struct error said = *err;
	enum MHD_Result ok;
	json_t *body;

	plain(said.text);
	body = json_pack("{s:s, s:s}", "error", error_name(said.code), "message", said.text);
	if (!body)
		return MHD_NO;
	ok = respond_json(c, status ? status : respond_status(said.code), body);
	json_decref(body);
	return ok;
}
