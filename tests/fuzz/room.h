/* SPDX-License-Identifier: Apache-2.0 */
/* room - a folder in memory for targets whose code reads files */
#ifndef TESTS_FUZZ_ROOM_H
#define TESTS_FUZZ_ROOM_H

#include <stddef.h>

/* The descriptor of this process's folder: made when first asked for, gone at exit. */
int room(void);

/* Make it hold this file, whatever it held under that name; aborts if it cannot. */
void room_put(int dir, const char *name, const void *data, size_t len);

/* Remove everything that is in it. */
void room_empty(int dir);

#endif
