/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only header that may use compiler extensions (GCC and Clang).
 *
 * Scope-bound cleanup:
 *
 *	CLEANUP(freep) char *path = NULL;
 *
 * Declare and initialise in one statement. Hand the value over with
 * `*out = steal(path);` as the last step before `return 0`.
 */
#ifndef LIB_BASE_COMPILER_H
#define LIB_BASE_COMPILER_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUSTCHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Define fn##p(), usable with CLEANUP(), for a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, fn) \
	static inline void fn##p(type *p) \
	{ \
		fn(*p); \
	}

/* Move a pointer out of its variable, leaving NULL behind. */
#define steal(ptr) \
	__extension__({ \
		__typeof__(ptr) *p_ = &(ptr); \
		__typeof__(ptr) v_ = *p_; \
		*p_ = NULL; \
		v_; \
	})

/* Move a file descriptor out of its variable, leaving -1 behind. */
static inline int steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* free() for any object pointer variable; memcpy because void ** may not alias. */
static inline void freep(void *var)
{
	void *p;

	memcpy(&p, var, sizeof(p));
	free(p);
}

/* close() that keeps errno, so that cleanup never hides the first error. */
static inline void closep(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

#endif
