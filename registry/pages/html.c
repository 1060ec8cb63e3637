/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/pages/html.h"

#include <inttypes.h>
#include <stdarg.h>

#include "lib/base/file.h"

enum { PAGE_MAX = 16 * 1024 * 1024 };

/* Colours keep a contrast of 4.5 : 1 or better in both themes (WCAG AA). */
static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1b1b;--dim:#555;--line:#d5d5d5;"
	"--link:#0b57a4;--box:#f4f6f8}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#15181b;--fg:#e8e8e8;--dim:#a9b0b6;"
	"--line:#3a4046;--link:#8ec1ff;--box:#1f2428}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--bg);color:var(--fg);font:1rem/1.55 system-ui,sans-serif}\n"
	"main,header,footer{max-width:48rem;margin:0 auto;padding:0 1rem}\n"
	"header{padding-top:1rem}footer{padding-bottom:2rem;color:var(--dim)}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:.6rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}\n"
	"a{color:var(--link)}a:focus-visible{outline:3px solid var(--link);outline-offset:2px}\n"
	".state{background:var(--box);border-left:.3rem solid var(--link);padding:.7rem 1rem;"
	"font-size:1.1rem}\n"
	"code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}\n"
	"pre{background:var(--box);padding:.7rem;white-space:pre-wrap}\n"
	"ul,ol{padding-left:1.2rem}li{margin:.3rem 0}\n"
	".line{list-style:none;padding-left:1rem;border-left:2px solid var(--line)}\n"
	".line li{position:relative;margin:.7rem 0}.line li::before{content:\"\";position:absolute;"
	"left:-1.42rem;top:.45rem;width:.7rem;height:.7rem;border-radius:50%;background:var(--link)}\n"
	".dim{color:var(--dim)}dt{font-weight:600;margin-top:.6rem}dd{margin:0}\n";

static void note(struct html *h, int r)
{
	if (r < 0)
		h->failed = r;
}

void html_raw(struct html *h, const char *markup)
{
	if (!h->failed)
		note(h, buf_puts(&h->text, markup, &h->err));
}

static void add_bytes(struct html *h, const char *data, size_t len)
{
	if (!h->failed)
		note(h, buf_add(&h->text, data, len, &h->err));
}

void html_text(struct html *h, const char *text)
{
	for (const char *p = text; p && *p;) {
		size_t plain = strcspn(p, "&<>\"'");

		add_bytes(h, p, plain);
		p += plain;
		switch (*p) {
		case '&': html_raw(h, "&amp;"); break;
		case '<': html_raw(h, "&lt;"); break;
		case '>': html_raw(h, "&gt;"); break;
		case '"': html_raw(h, "&quot;"); break;
		case '\'': html_raw(h, "&#39;"); break;
		default: continue; /* the end */
		}
		p++;
	}
}

static void add_int(struct html *h, int64_t v)
{
	if (!h->failed)
		note(h, buf_printf(&h->text, &h->err, "%" PRId64, v));
}

void html_add(struct html *h, const char *form, ...)
{
	va_list ap;

	va_start(ap, form);
	while (*form) {
		size_t plain = strcspn(form, "%");

		add_bytes(h, form, plain);
		form += plain;
		if (!*form)
			break;
		if (form[1] == 's')
			html_text(h, va_arg(ap, const char *));
		else if (form[1] == 'd')
			add_int(h, va_arg(ap, int64_t));
		else
			add_bytes(h, "%", 1);
		form += 2;
	}
	va_end(ap);
}

void html_path(struct html *h, const char *path)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";

	for (const char *p = path; *p; p++) {
		unsigned char c = (unsigned char)*p;
		char coded[] = {'%', digits[c >> 4], digits[c & 15]};

		if (strchr(plain, *p))
			add_bytes(h, p, 1);
		else
			add_bytes(h, coded, sizeof(coded));
	}
}

void html_link(struct html *h, const char *path, const char *text)
{
	html_raw(h, "<a href=\"");
	html_path(h, path);
	html_add(h, "\">%s</a>", text);
}

void html_begin(struct html *h, const char *title, const char *up)
{
	html_add(h,
		 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		 "style-src 'self'; base-uri 'none'; form-action 'none'\">\n"
		 "<title>%s</title>\n<link rel=\"stylesheet\" href=\"%sstyle.css\">\n</head>\n"
		 "<body>\n<header>",
		 title, up);
	if (*up)
		html_add(h, "<nav aria-label=\"Registry\"><a href=\"%s\">All products</a></nav>",
			 up);
	html_add(h, "<h1>%s</h1></header>\n<main>\n", title);
}

void html_end(struct html *h, const char *up)
{
	html_add(h,
		 "</main>\n<footer><p>This page is a convenience: nothing on it is evidence. What "
		 "counts are the signed files that it links, and their proofs in the "
		 "<a href=\"%slog/checkpoint\">transparency log</a>.</p></footer>\n</body>\n"
		 "</html>\n",
		 up);
}

/* Do nothing if the file is already so: its time stamp then tells when it last changed. */
static int write_changed(int dir, const char *path, const void *data, size_t len, struct error *err)
{
	CLEANUP(buf_clear) struct buf old = {0};
	struct error unused;

	if (file_read(dir, path, PAGE_MAX, &old, &unused) == 0 && old.len == len &&
	    memcmp(old.data, data, len) == 0)
		return 0;
	return file_write(dir, path, data, len, 0644, err);
}

int html_write(struct html *h, int dir, const char *path, struct error *err)
{
	int r = h->failed;

	if (r < 0)
		*err = h->err;
	else
		r = write_changed(dir, path, h->text.data, h->text.len, err);
	html_clear(h);
	return r;
}

void html_clear(struct html *h)
{
	buf_clear(&h->text);
	h->failed = 0;
}

int html_style(int dir, struct error *err)
{
	return write_changed(dir, "style.css", style, sizeof(style) - 1, err);
}
