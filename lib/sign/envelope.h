/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope - the one form of everything that anybody signs
 *
 *	{"signatures": [{"keyid": ..., "sig": ...}], "signed": {"_type": ..., ...}}
 *
 * The signatures are over the canonical JSON of `signed`; the id is the SHA-256
 * of the same bytes, so signatures may come and go without changing it. The
 * bytes as received are kept for storing and serving.
 */
#ifndef LIB_SIGN_ENVELOPE_H
#define LIB_SIGN_ENVELOPE_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/sign/key.h"

struct error;
struct envelope;

/*
 * Parse `len` bytes; `name` begins every error text. Checked here: the shape,
 * `signed._type` a name, `signed.spec_version` of major version 1,
 * `signed.version` >= 1, at most SIGNATURES_MAX signatures, no key id twice.
 * A signature that is empty or malformed is kept and never counts. E_INVALID, E_NOMEM.
 */
MUSTCHECK int envelope_parse(const void *data, size_t len, const char *name, struct envelope **out,
			     struct error *err);

/*
 * A new unsigned document around `signed_take`, whose reference is taken in any case; NULL is
 * E_NOMEM, so that a json_pack() can stand there.
 */
MUSTCHECK int envelope_new(json_t *signed_take, struct envelope **out, struct error *err);

void envelope_free(struct envelope *e);
DEFINE_CLEANUP(struct envelope *, envelope_free)

json_t *envelope_signed(const struct envelope *e);              /* borrowed; do not modify */
const char *envelope_type(const struct envelope *e);            /* signed._type */
int64_t envelope_version(const struct envelope *e);             /* signed.version */
const char *envelope_id(const struct envelope *e);              /* 64 hex digits */
const char *envelope_sha256(const struct envelope *e);          /* of envelope_bytes() */
const struct buf *envelope_bytes(const struct envelope *e);     /* as received, or as written */
const struct buf *envelope_canonical(const struct envelope *e); /* what is signed */
size_t envelope_signatures(const struct envelope *e);
struct signature envelope_signature(const struct envelope *e, size_t i); /* borrowed */

/*
 * Is it signed by a threshold of these keys? `whose` names them in the error:
 * E_UNTRUSTED "root.json: 1 of 2 signatures of the root role". One key counts
 * once, whatever ids it hides behind; what is not by these keys is ignored.
 */
MUSTCHECK int envelope_verify(const struct envelope *e, const struct role_keys *by,
			      const char *whose, struct error *err);

/* How many of these keys signed it; bit i of *who (may be NULL) is by->keys[i]. */
size_t envelope_count(const struct envelope *e, const struct role_keys *by, uint64_t *who);

/*
 * Add one signature object (borrowed), replacing one of the same key id; or all
 * of `from`, which must have the same id (E_INVALID) and cannot displace what
 * is there. The bytes are written anew, in one stable form.
 */
MUSTCHECK int envelope_add(struct envelope *e, json_t *signature, struct error *err);
MUSTCHECK int envelope_merge(struct envelope *e, const struct envelope *from, struct error *err);

/*
 * Of `from`, likewise of the same id, add those by these keys that hold. They displace what is
 * under the same key ids and does not, so that nobody who handed on a copy is in their way.
 */
MUSTCHECK int envelope_merge_counting(struct envelope *e, const struct envelope *from,
				      const struct role_keys *by, struct error *err);

#endif
