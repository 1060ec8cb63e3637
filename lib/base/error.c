/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static void set(struct error *err, int code, const char *fmt, va_list ap) PRINTF(3, 0);

static void set(struct error *err, int code, const char *fmt, va_list ap)
{
	assert(code < 0);
	if (!err)
		return;
	err->code = code;
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int(error_set)(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int error_errno(struct error *err, int errnum, const char *fmt, ...)
{
	va_list ap;
	int code;

	switch (errnum) {
	case ENOMEM: code = E_NOMEM; break;
	case ENOENT: code = E_NOTFOUND; break;
	case EEXIST: code = E_EXISTS; break;
	case ENOSPC:
	case EDQUOT: code = E_FULL; break;
	default: code = E_SYS; break;
	}
	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);
	if (err) {
		size_t len = strlen(err->text);

		(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(errnum));
	}
	return code;
}

int(error_nomem)(struct error *err)
{
	return error_set(err, E_NOMEM, "out of memory");
}

int(error_prefix)(struct error *err, int code, const char *fmt, ...)
{
	struct error tail;
	va_list ap;

	if (!err)
		return code;
	tail = *err;
	va_start(ap, fmt);
	set(err, code, fmt, ap);
	va_end(ap);

	size_t len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", tail.text);
	return code;
}

const char *error_name(int code)
{
	switch (code) {
	case 0: return "ok";
	case E_NOMEM: return "no-memory";
	case E_SYS: return "system";
	case E_NOTFOUND: return "not-found";
	case E_EXISTS: return "exists";
	case E_INVALID: return "invalid";
	case E_UNTRUSTED: return "untrusted";
	case E_DENIED: return "denied";
	case E_NET: return "network";
	case E_BUSY: return "busy";
	case E_USAGE: return "usage";
	case E_FULL: return "full";
	case E_NOTYET: return "not-yet";
	default: return "unknown";
	}
}
