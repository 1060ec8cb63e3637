/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts - an array of strings
 */
#ifndef LIB_JSON_TEXTS_H
#define LIB_JSON_TEXTS_H

#include <jansson.h>
#include <stddef.h>

/* A new reference, as jansson's makers give it. NULL: no memory, or one of them is not UTF-8. */
json_t *json_texts(const char *const *items, size_t n);

#endif
