/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_http - clone and fetch over git's smart protocol
 *
 * git's own upload-pack answers, as a process for each request: in a job
 * thread, with a bound on time, its answer spooled to an unnamed file so that
 * a slow client holds no process.
 */
#ifndef REGISTRY_HTTP_GIT_HTTP_H
#define REGISTRY_HTTP_GIT_HTTP_H

#include "registry/http/request.h"

/* Take note of the headers, as long as they are there. */
void git_http_begin(struct request *q);

/* In a job thread. `tree` is the public tree, `work` a folder for the spool. */
void git_http_work(struct request *q, int tree, int work);

enum MHD_Result git_http_answer(struct request *q, unsigned *status);

#endif
