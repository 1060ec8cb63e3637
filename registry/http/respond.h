/* SPDX-License-Identifier: Apache-2.0 */
/*
 * respond - answers that are not files
 *
 * Each queues one response on the connection. MHD_NO: out of memory; the
 * connection is to be closed.
 */
#ifndef REGISTRY_HTTP_RESPOND_H
#define REGISTRY_HTTP_RESPOND_H

#include <jansson.h>
#include <microhttpd.h>

#include "lib/base/buf.h"

struct error;

/* The one place where an error code becomes an HTTP status. */
unsigned respond_status(int code);

/* {"error": "<name>", "message": "<text>"}; err->code chooses the status unless `status` is not 0.
 */
enum MHD_Result respond_error(struct MHD_Connection *c, unsigned status, const struct error *err);

enum MHD_Result respond_json(struct MHD_Connection *c, unsigned status, const json_t *body);

/* The bytes of `body_take` as `type`; the buf is empty afterwards. */
enum MHD_Result respond_text(struct MHD_Connection *c, unsigned status, const char *type,
			     struct buf *body_take);

#endif
