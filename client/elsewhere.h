/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elsewhere - what other people's log servers said in one run
 *
 * A root may name a log by an absolute URL: the same server, whichever mirror is asked.
 * Each is asked once in a run, with less patience than a mirror, so that one that is dead or
 * drips costs little time, once and not for every mirror; and every mirror is held against the
 * same answer.
 */
#ifndef CLIENT_ELSEWHERE_H
#define CLIENT_ELSEWHERE_H

#include "client/source.h"

struct error;

/* Servers that are asked in one run (a root names no more logs), and seconds that each gets. */
enum { ELSEWHERE_MAX = 8, ELSEWHERE_PATIENCE_S = 10 };

struct asked {
	char *url;      /* owned */
	struct buf got; /* owned */
	int r;          /* 0, or how it failed */
};

struct elsewhere {
	struct http_options options; /* for all of them */
	struct http *http;           /* owned; NULL: nobody was asked yet */
	struct asked asked[ELSEWHERE_MAX];
	size_t n;
};

/*
 * Append what `url` has, or had when it was first asked. Fails as source_get_url() does, or did;
 * E_NOTFOUND too if too many others were asked before.
 */
MUSTCHECK int elsewhere_get(struct elsewhere *e, const struct source *from, const char *url,
			    size_t max, struct buf *out, struct error *err);
void elsewhere_clear(struct elsewhere *e);

#endif
