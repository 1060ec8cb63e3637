/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url - addresses that a person gave, judged before any request is made
 *
 * Apart from http.h, so that who only reads a configuration needs no libcurl.
 */
#ifndef LIB_NET_URL_H
#define LIB_NET_URL_H

#include <stdbool.h>

/* Could requests go there: http, https or a file of an absolute path? */
bool url_ok(const char *url);

#endif
