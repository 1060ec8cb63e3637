/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cork - the header of a file's answer leaves with the file's first bytes
 *
 * libmicrohttpd (0.9.75) pushes the header out by itself before it begins with
 * sendfile(), and has no option against it. A small packet and a wake-up of the
 * client more for each file cost a client on loopback some 6 % of what it can
 * take. So we cork the socket, and let the one call by which the library would
 * uncork it after the header do nothing: this program has a setsockopt() of its
 * own, which passes everything else on to the C library. Where that is not what
 * gets called, the header is a packet of its own again, and nothing else changes.
 */
#ifndef REGISTRY_HTTP_CORK_H
#define REGISTRY_HTTP_CORK_H

#include <stdbool.h>

/*
 * For the answer that this network thread is about to send on socket `fd`: a
 * header, then a body from a file. Not where no body follows (HEAD, 304): the
 * header would lie there until the kernel loses patience, after 200 ms.
 */
void cork_hold(int fd);

/* No answer is under way on this thread. To be called first for every request. */
void cork_forget(void);

/* Is there one whose header is held? Then the socket is to be released when it has been sent. */
bool cork_holds(void);

/*
 * Uncork, past the library: a body that it sends in one step leaves the socket
 * corked, because it believes that it has uncorked it after the header. Then the
 * end of this answer, and of all that follow on the connection, would wait 200 ms.
 */
void cork_release(int fd);

#endif
