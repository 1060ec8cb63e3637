/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon - OLPC canonical JSON, the bytes that TUF signs
 *
 * Members in code-point order, no white space, strings raw but for \\ and \",
 * integers in decimal; other numbers do not exist. Source: the TUF
 * specification 4.2.1 and securesystemslib's formats.encode_canonical().
 */
#ifndef LIB_JSON_CANON_H
#define LIB_JSON_CANON_H

#include <jansson.h>

#include "lib/base/buf.h"

struct error;

/* Append the canonical form of `v`; on failure `out` is as it was. E_INVALID: a real number.
 * E_NOMEM. */
MUSTCHECK int canon_write(const json_t *v, struct buf *out, struct error *err);

#endif
