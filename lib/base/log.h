/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - lines of a daemon, `event key=value ...`, to standard error
 *
 * Only main functions and daemon loops log; everything else returns an error.
 * Bytes from outside are escaped here: no control character reaches a terminal.
 */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include <stdio.h>

#include "lib/base/compiler.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* One line, at most 1 KiB. LOG_DEBUG only if $BEQUEST_DEBUG is set. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

/* One byte as it may be shown, 1 to 4 of them, no NUL behind; returns where the next one goes. */
enum { LOG_ESCAPED_MAX = 4 };
char *log_escape(char *to, unsigned char c);

/* Write text with every byte below 0x20, and 0x7f, as \xNN. */
void log_escaped(FILE *f, const char *text);

#endif
