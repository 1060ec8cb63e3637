/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit - the job behind POST /v1/documents
 */
#ifndef REGISTRY_DOCUMENTS_SUBMIT_H
#define REGISTRY_DOCUMENTS_SUBMIT_H

#include <jansson.h>

#include "registry/internal.h"

struct error;

struct submission {
	const void *body;
	size_t len;
	json_t *reply; /* set on success; the caller's */
};

/* Jobs (registry/internal.h): a submission; the number (int64_t) of a batch whose blobs are here.
 */
MUSTCHECK int submit_body(struct work *w, void *submission, struct error *err);
MUSTCHECK int submit_again(struct work *w, void *number, struct error *err);

#endif
