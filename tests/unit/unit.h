/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka, and its prerequisites in the order it wants. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/error.h"

/* Check the code and that the text mentions `part`. */
#define assert_error(r, want, err, part) \
	do { \
		assert_int_equal((r), (want)); \
		assert_int_equal((err)->code, (want)); \
		assert_non_null(strstr((err)->text, (part))); \
	} while (0)

/*
 * Make the nth allocation from now fail (0: the next one), and then recover.
 * Returns through oom_fired() whether it came to that. Covers allocations made
 * by our objects (linker --wrap) and by libraries given oom_malloc().
 */
void oom_after(long n);
int oom_fired(void);
void *oom_malloc(size_t size);

#endif
