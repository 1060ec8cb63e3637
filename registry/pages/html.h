/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html - writing a page piece by piece
 *
 * The first failure is kept and everything after it does nothing, so that a
 * page is written top to bottom and checked once, by html_write(). Only
 * html_raw() takes markup; whatever else comes is escaped.
 */
#ifndef REGISTRY_PAGES_HTML_H
#define REGISTRY_PAGES_HTML_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct html {
	struct buf text;
	int failed;
	struct error err;
};

void html_raw(struct html *h, const char *markup);
void html_text(struct html *h, const char *text); /* NULL: nothing */

/* %s is escaped, %d is an int64_t, %% a percent sign; nothing else is known. */
void html_add(struct html *h, const char *form, ...);

/* A path as the value of an attribute: what may not stand in a URL is percent-encoded. */
void html_path(struct html *h, const char *path);

/* <a href="path">text</a> */
void html_link(struct html *h, const char *path, const char *text);

/* Begin and end a page; `up` leads to the tree's root: "" or "../../". */
void html_begin(struct html *h, const char *title, const char *up);
void html_end(struct html *h, const char *up);

/* Write it to `path` below `dir`, if it differs from what is there; clears `h`. */
MUSTCHECK int html_write(struct html *h, int dir, const char *path, struct error *err);
void html_clear(struct html *h);

/* Write style.css, likewise. */
MUSTCHECK int html_style(int dir, struct error *err);

#endif
