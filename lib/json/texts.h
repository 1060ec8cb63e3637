/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts - strings that come from elsewhere, such as a command line
 */
#ifndef LIB_JSON_TEXTS_H
#define LIB_JSON_TEXTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A new reference, as jansson's makers give it. NULL: no memory, or one of them is not UTF-8. */
json_t *json_texts(const char *const *items, size_t n);

/* Does jansson take it: is it UTF-8? Also false where there is no memory to ask. */
bool json_text_ok(const char *text);

#endif
