/* SPDX-License-Identifier: Apache-2.0 */
#include "client/history.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"

#define HISTORY_FILE "history.jsonl"
enum { TEXT_SIZE = 512, HISTORY_MODE = 0644 };
#define READ_MAX ((size_t)2 * HISTORY_MAX)

static void unref(json_t **j)
{
	json_decref(*j);
}

/* The line, with its newline, put before which is another if the last line is unfinished. */
static int format(int64_t at, const char *event, const char *text, struct buf *out,
		  struct error *err)
{
	char when[UTC_SIZE];
	CLEANUP(unref) json_t *j = NULL;
	CLEANUP(freep) char *line = NULL;
	int r;

	utc_format(at, when);
	j = json_pack("{s:s, s:s, s:s}", "at", when, "event", event, "text", text);
	line = j ? json_dumps(j, JSON_COMPACT) : NULL;
	if (!line)
		return error_nomem(err);
	r = buf_puts(out, line, err);
	return r == 0 ? buf_puts(out, "\n", err) : r;
}

static int append(int dir, const struct buf *line, struct error *err)
{
	CLEANUP(closep)
	int fd = openat(dir, HISTORY_FILE, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, HISTORY_MODE);
	int r;

	if (fd < 0)
		return error_errno(err, errno, HISTORY_FILE);
	r = file_write_all(fd, line->data, line->len, HISTORY_FILE, err);
	if (r == 0 && fdatasync(fd) < 0)
		r = error_errno(err, errno, HISTORY_FILE);
	return r;
}

int history_add(int dir, int64_t at, const char *event, struct error *err, const char *fmt, ...)
{
	CLEANUP(buf_clear) struct buf old = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	char text[TEXT_SIZE];
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?'; /* what it quotes need not be UTF-8 */
	r = file_read(dir, HISTORY_FILE, READ_MAX, &old, err);
	if (r == E_INVALID) /* far too large: nothing of ours */
		r = file_remove(dir, HISTORY_FILE, err);
	if (r < 0 && r != E_NOTFOUND)
		return r;
	if (old.len && old.data[old.len - 1] != '\n')
		r = buf_puts(&line, "\n", err);
	else
		r = 0;
	if (r == 0)
		r = format(at, event, text, &line, err);
	if (r < 0 || old.len + line.len <= HISTORY_MAX)
		return r == 0 ? append(dir, &line, err) : r;

	const char *keep = memchr(old.data + old.len / 2, '\n', old.len - old.len / 2);
	CLEANUP(buf_clear) struct buf anew = {0};
	if (keep)
		r = buf_add(&anew, keep + 1, (size_t)(old.data + old.len - keep - 1), err);
	if (r == 0)
		r = buf_add(&anew, line.data, line.len, err);
	return r == 0 ? file_write(dir, HISTORY_FILE, anew.data, anew.len, HISTORY_MODE, err) : r;
}

int history_read(int dir, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf all = {0};
	CLEANUP(unref) json_t *list = json_array();
	int r = file_read(dir, HISTORY_FILE, READ_MAX, &all, err);
	const char *line = all.data ? all.data : "", *end = line + all.len;

	if (!list)
		return error_nomem(err);
	if (r < 0 && r != E_NOTFOUND)
		return r;
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);
		json_t *one;

		/* Not ours, torn, or zeros after a power cut: the rest is still worth showing. */
		if (strict_parse(line, len, HISTORY_FILE, &one, NULL) == 0 &&
		    json_array_append_new(list, one) < 0)
			return error_nomem(err);
		line += len + 1;
	}
	*out = steal(list);
	return 0;
}
