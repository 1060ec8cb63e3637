/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api - the calls below /v1/, between HTTP and registry.h
 */
#ifndef REGISTRY_HTTP_API_H
#define REGISTRY_HTTP_API_H

#include "registry/http/request.h"

/*
 * The headers of an upload are here: check them, open the upload. A failure is to
 * be answered at once, `status` (if not 0) before the error's own.
 */
MUSTCHECK int api_upload_begin(struct request *q, struct registry *r, unsigned *status,
			       struct error *err);

/* In a job thread: call the registry, note the outcome. */
void api_work(struct request *q, struct registry *r);

/* Answer with the outcome. */
enum MHD_Result api_answer(struct request *q, unsigned *status);

/* An upload that was cut off: keep what came of it. */
void api_abandon(struct request *q);

#endif
