/* SPDX-License-Identifier: Apache-2.0 */
#include "client/elsewhere.h"

#include "lib/base/error.h"

static size_t find(const struct elsewhere *e, const char *url)
{
	size_t i = 0;

	while (i < e->n && strcmp(e->asked[i].url, url) != 0)
		i++;
	return i;
}

static int ask(struct elsewhere *e, const struct source *from, const char *url, size_t max,
	       struct error *err)
{
	struct source there = *from;
	struct error ignored = {0};
	struct asked *a;
	int r = e->http ? 0 : http_new(&e->options, &e->http, err);

	if (r < 0)
		return r;
	if (e->n == ELSEWHERE_MAX)
		return error_set(err, E_NOTFOUND, "%s: so many log servers are not asked", url);
	there.http = e->http;
	a = &e->asked[e->n];
	*a = (struct asked){.url = strdup(url)};
	if (!a->url)
		return error_nomem(err);
	e->n++;
	a->r = source_get_url(&there, url, max, &a->got, &ignored);
	return 0;
}

int elsewhere_get(struct elsewhere *e, const struct source *from, const char *url, size_t max,
		  struct buf *out, struct error *err)
{
	size_t i = find(e, url);
	int r = i == e->n ? ask(e, from, url, max, err) : 0;

	if (r < 0)
		return r;
	if (e->asked[i].r < 0)
		return error_set(err, e->asked[i].r, "%s: gave no answer in this run", url);
	return buf_add(out, e->asked[i].got.data, e->asked[i].got.len, err);
}

void elsewhere_clear(struct elsewhere *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->asked[i].url);
		buf_clear(&e->asked[i].got);
	}
	http_free(e->http);
	e->http = NULL;
	e->n = 0;
}
