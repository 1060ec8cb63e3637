/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print - the one JSON object that a verb with --json writes to standard output
 */
#ifndef LIB_JSON_PRINT_H
#define LIB_JSON_PRINT_H

#include <jansson.h>

#include "lib/base/compiler.h"

struct error;

/* Write `o_take` (whose reference is taken; NULL is E_NOMEM) and a newline. */
MUSTCHECK int json_print(json_t *o_take, struct error *err);

#endif
