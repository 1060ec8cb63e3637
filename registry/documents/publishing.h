/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publishing - may this image be published, by the policy for its publisher?
 *
 * publish/basic for vendors, publish/open-source for stewards and whom they
 * appoint. Asked for what `custom.bequest` calls installable; other targets
 * (block files, bills of materials) need their digest and length only.
 */
#ifndef REGISTRY_DOCUMENTS_PUBLISHING_H
#define REGISTRY_DOCUMENTS_PUBLISHING_H

#include "policies/publisher.h"
#include "registry/documents/batch.h"

struct error;

/* A new version of a targets role. */
struct offer {
	struct batch *b;
	const struct item *it;
	const struct role_keys *keys; /* of the role */
	enum publisher_kind kind;
	const json_t *targets;  /* all of the new version: path -> entry */
	const json_t *previous; /* the same of the version before; NULL: none */
};

/* One target that the version before did not list like this. E_DENIED: no, and why. */
MUSTCHECK int publishing_check(const struct offer *o, const char *path, const json_t *entry,
			       struct error *err);

#endif
