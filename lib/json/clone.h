/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone - a deep copy that is whole
 *
 * jansson's json_copy() and json_deep_copy() leave out a member for which there
 * was no memory, and say nothing. Whoever edits a copy and signs it would sign
 * something else.
 */
#ifndef LIB_JSON_CLONE_H
#define LIB_JSON_CLONE_H

#include <jansson.h>

#include "lib/base/compiler.h"

/* The caller owns it; NULL only for lack of memory. */
MUSTCHECK json_t *json_clone(const json_t *from);

#endif
