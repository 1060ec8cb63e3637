/* SPDX-License-Identifier: Apache-2.0 */
/* capture - what is written to a standard descriptor meanwhile */
#ifndef TESTS_SUPPORT_CAPTURE_H
#define TESTS_SUPPORT_CAPTURE_H

#include "lib/base/buf.h"

struct capture {
	int fd, kept, file;
};

/* `fd` is 1 or 2. Asserts that it works. */
struct capture capture_begin(int fd);

/* Append what came since, and let the descriptor be again what it was. */
void capture_end(struct capture *c, struct buf *out);

#endif
