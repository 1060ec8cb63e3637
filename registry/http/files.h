/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files - the public tree over HTTP: GET and HEAD of static files
 *
 * Small files are kept in memory as ready answers, and checked against the file
 * system on every request; large ones go by sendfile. No symbolic link is
 * followed, no folder listed. Any number of threads.
 */
#ifndef REGISTRY_HTTP_FILES_H
#define REGISTRY_HTTP_FILES_H

#include <microhttpd.h>
#include <stdbool.h>

#include "lib/base/compiler.h"

struct error;
struct files;

/* `dir` is borrowed and outlives *out. */
MUSTCHECK int files_new(int dir, struct files **out, struct error *err);
void files_free(struct files *f);
DEFINE_CLEANUP(struct files *, files_free)

/* Queue the answer for a raw URL path; `head`: its header alone. *status is what was answered. */
enum MHD_Result files_answer(struct files *f, struct MHD_Connection *c, const char *url, bool head,
			     unsigned *status);

#endif
