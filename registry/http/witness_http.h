/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness_http - a witness's one call, by HTTP
 */
#ifndef REGISTRY_HTTP_WITNESS_HTTP_H
#define REGISTRY_HTTP_WITNESS_HTTP_H

#include "registry/http/request.h"

struct witness;

/* On a job thread: judge the body; on a network thread: say what came of it. */
void witness_http_work(struct request *q, struct witness *w);
enum MHD_Result witness_http_answer(struct request *q, unsigned *status);

#endif
