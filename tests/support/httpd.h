/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd - a web server on loopback that says whatever a test wants it to
 *
 * One thread; requests are answered one after the other, over any number of
 * kept connections. The handler writes raw bytes, so it can break every rule.
 */
#ifndef TESTS_SUPPORT_HTTPD_H
#define TESTS_SUPPORT_HTTPD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"

struct httpd;

struct httpd_request {
	const char *head; /* request line and header, a C string */
	struct buf body;
	int fd;       /* to answer on */
	int opened;   /* connections so far, this one included */
	int requests; /* so far, this one included */
};

/* Answer one request. False: close the connection. Runs in the server's thread. */
typedef bool (*httpd_handler)(void *ctx, const struct httpd_request *q);

/* NULL: no socket, no thread. */
struct httpd *httpd_start(httpd_handler handler, void *ctx);
void httpd_stop(struct httpd *s);

/* "http://127.0.0.1:PORT/"; lives as long as the server. */
const char *httpd_url(const struct httpd *s);

/* Does the request line begin with `start`, such as "GET /a "? */
bool httpd_asks(const struct httpd_request *q, const char *start);

/* False: the other side is gone. */
bool httpd_send(int fd, const void *data, size_t len);
bool httpd_say(int fd, const char *text);

/* A whole answer with Content-Length. `head` is further header lines, or "". */
bool httpd_answer(int fd, int status, const char *head, const char *body);

/* Let `ms` pass. False: the other side hung up meanwhile. */
bool httpd_pause(int fd, int ms);

#endif
