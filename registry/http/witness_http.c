/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/witness_http.h"

#include "lib/base/utc.h"
#include "lib/tlog/witness.h"
#include "registry/http/respond.h"
#include "registry/witness/witness.h"

void witness_http_work(struct request *q, struct witness *w)
{
	q->status = witness_add(w, q->body.data, q->body.len, utc_now(), &q->text, &q->err);
	if (q->status != WITNESS_COSIGN)
		q->r = q->err.code;
}

/* What is wrong, as a line for the people of the log. */
static enum MHD_Result explain(struct request *q)
{
	char *at = q->err.text;

	for (; *at; at++) /* it may quote the request */
		if ((unsigned char)*at >= 0x7f || (unsigned char)*at < 0x20)
			*at = '?';
	buf_cut(&q->text, 0);
	if (buf_printf(&q->text, NULL, "%s\n", q->err.text) < 0)
		return MHD_NO;
	return respond_text(q->connection, q->status, "text/plain; charset=utf-8", &q->text);
}

enum MHD_Result witness_http_answer(struct request *q, unsigned *status)
{
	*status = q->status;
	if (q->status == WITNESS_COSIGN)
		return respond_text(q->connection, q->status, "text/plain; charset=utf-8",
				    &q->text);
	if (q->status == WITNESS_CONFLICT)
		return respond_text(q->connection, q->status, WITNESS_SIZE_TYPE, &q->text);
	return explain(q);
}
