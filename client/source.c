/* SPDX-License-Identifier: Apache-2.0 */
#include "client/source.h"

#include <fcntl.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tuf/client.h"

int source_open(struct http *http, const char *url, const char *product, struct source *out,
		struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "p/%s", product);

	if (r == 0)
		r = http_url(url, path.data, &out->base, err);
	if (r == 0)
		out->http = http;
	return r;
}

int source_open_folder(struct http *http, const char *path, const char *product, struct source *out,
		       struct error *err)
{
	CLEANUP(freep) char *real = realpath(path, NULL);
	CLEANUP(freep) char *quoted = NULL;
	CLEANUP(closep) int dir = -1;
	CLEANUP(buf_clear) struct buf at = {0};
	int r;

	if (!real)
		return error_set(err, E_USAGE, "%s: %s", path, strerror(errno));
	r = buf_printf(&at, err, "p/%s/metadata", product);
	if (r == 0)
		r = file_open_dir(AT_FDCWD, real, false, &dir, err);
	if (r < 0)
		return r;

	bool top = file_exists(dir, at.data);
	if (!top && !file_exists(dir, "metadata"))
		return error_set(err, E_USAGE, "%s: neither %s nor metadata is in it", path,
				 at.data);
	r = tuf_quote(real, true, &quoted, err);
	buf_clear(&at);
	if (r == 0)
		r = buf_printf(&at, err, "file://%s", quoted);
	if (r == 0 && top)
		return source_open(http, at.data, product, out, err);
	if (r < 0)
		return r;
	out->base = buf_steal(&at);
	out->http = http;
	return 0;
}

void source_close(struct source *s)
{
	free(s->base);
	*s = (struct source){0};
}

int source_get(const struct source *s, const char *path, size_t max, struct buf *out,
	       struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	int r = http_url(s->base, path, &url, err);

	return r == 0 ? http_get(s->http, url, max, out, err) : r;
}

int source_stream(const struct source *s, const char *path, uint64_t from, uint64_t max,
		  const struct http_sink *sink, struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	int r = http_url(s->base, path, &url, err);

	return r == 0 ? http_stream(s->http, url, from, max, sink, err) : r;
}
