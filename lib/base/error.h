/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error reporting shared by every module.
 *
 * A function that can fail returns int: 0, or one of the negative codes below.
 * The code tells the caller what it can do; the text tells a human what
 * happened. Both are set where the failure is seen and travel up unchanged,
 * save for a prefix where a caller knows something the callee did not.
 *
 * struct error lives on the stack of whoever reports it. It allocates nothing,
 * so it can report E_NOMEM, and needs no release. Every function taking one
 * accepts NULL. Programming errors are assert()ed, not reported.
 *
 * A text may quote bytes from outside: whoever prints it escapes it (cli, log).
 */
#ifndef LIB_BASE_ERROR_H
#define LIB_BASE_ERROR_H

#include "lib/base/compiler.h"

enum {
	E_NOMEM = -1,
	E_SYS = -2,       /* a system call failed; the text holds strerror() */
	E_NOTFOUND = -3,  /* the named thing does not exist */
	E_EXISTS = -4,    /* it does, and must not */
	E_INVALID = -5,   /* malformed or out-of-range data from elsewhere */
	E_UNTRUSTED = -6, /* missing, wrong, expired or revoked signature; wrong digest */
	E_DENIED = -7,    /* well-formed and trusted, but a policy says no */
	E_NET = -8,       /* transport failed; the same call may work later */
	E_BUSY = -9,      /* locked by another process; likewise */
	E_USAGE = -10,    /* command line, configuration, or a file that the person edits */
	E_FULL = -11,     /* no space left on the device, or over quota */
	E_NOTYET = -12,   /* right, but too early: the text says what is awaited */
};

enum { ERROR_TEXT_MAX = 512 };

struct error {
	int code; /* 0 until an error_*() call below */
	char text[ERROR_TEXT_MAX];
};

/* Record a failure. Returns `code`, so that callers can return the call. */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* The code that errno asks for (E_SYS in doubt), with strerror() after the text. */
int error_errno(struct error *err, int errnum, const char *fmt, ...) PRINTF(3, 4);

int error_nomem(struct error *err);

/* Prepend "context: " to the text. Returns `code` as given. */
int error_prefix(struct error *err, int code, const char *fmt, ...) PRINTF(3, 4);

/*
 * The same calls with a value that a reader of only one file can see, so that analysers know
 * what `return error_nomem(err);` returns: something negative. `code` is evaluated twice.
 */
#define error_set(err, code, ...) (error_set((err), (code), __VA_ARGS__), (code))
#define error_prefix(err, code, ...) (error_prefix((err), (code), __VA_ARGS__), (code))
#define error_nomem(err) (error_nomem(err), E_NOMEM)

/* Stable machine-readable name of a code, such as "not-found"; static storage. */
const char *error_name(int code);

#endif
