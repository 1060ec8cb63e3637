/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log.h"

#include <stdarg.h>
#include <stdbool.h>

enum { LINE_MAX_BYTES = 1024 };

void log_escaped(FILE *f, const char *text)
{
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			(void)fprintf(f, "\\x%02x", c);
		else
			(void)fputc(c, f);
	}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (level == LOG_DEBUG && !getenv("BEQUEST_DEBUG"))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	flockfile(stderr); /* one line is one line, whichever thread writes it */
	(void)fprintf(stderr, "%s ", names[level]);
	log_escaped(stderr, text);
	(void)fputc('\n', stderr);
	funlockfile(stderr);
}
