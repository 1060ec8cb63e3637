/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log.h"

#include <stdarg.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

char *log_escape(char *to, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	if (c >= 0x20 && c != 0x7f) {
		*to++ = (char)c;
		return to;
	}
	*to++ = '\\';
	*to++ = 'x';
	*to++ = digits[c >> 4];
	*to++ = digits[c & 15];
	return to;
}

void log_escaped(FILE *f, const char *text)
{
	char shown[LOG_ESCAPED_MAX];

	for (const char *p = text; *p; p++)
		(void)fwrite(shown, 1, (size_t)(log_escape(shown, (unsigned char)*p) - shown), f);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	char text[LINE_MAX_BYTES];
	char line[sizeof("warning ") + (size_t)LOG_ESCAPED_MAX * LINE_MAX_BYTES + 1];
	char *end = line;
	va_list ap;

	if (level == LOG_DEBUG && !getenv("BEQUEST_DEBUG"))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	end += snprintf(line, sizeof(line), "%s ", names[level]);
	for (const char *p = text; *p; p++)
		end = log_escape(end, (unsigned char)*p);
	*end++ = '\n';
	/* One line is one write, whichever thread or process shares the log. */
	(void)fflush(stderr);
	(void)!write(STDERR_FILENO, line, (size_t)(end - line));
}
