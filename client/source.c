/* SPDX-License-Identifier: Apache-2.0 */
#include "client/source.h"

#include <fcntl.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tuf/client.h"
#include "policies/publisher.h"

bool source_is_network(const char *url)
{
	return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

bool source_elsewhere(const char *url)
{
	return strstr(url, "://") != NULL;
}

int source_open(struct http *http, const char *url, const char *product, struct source *out,
		struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(freep) char *top = strdup(url);
	int r = top ? buf_printf(&path, err, "p/%s", product) : error_nomem(err);

	if (r == 0)
		r = http_url(url, path.data, &out->base, err);
	if (r < 0)
		return r;
	out->http = http;
	out->top = steal(top);
	out->folder = false;
	return 0;
}

/* Cut "/p/<product>" off the end of a path; false: it is not there. */
static bool cut_product(char *path, const char *product)
{
	static const char part[] = "/p/";
	size_t n = strlen(path), tail = strlen(part) + strlen(product);

	if (n <= tail || strcmp(path + n - strlen(product), product) != 0 ||
	    strncmp(path + n - tail, part, strlen(part)) != 0)
		return false;
	path[n - tail] = '\0';
	return true;
}

/* "file://" and the path, quoted. */
static int file_url(const char *path, char **out, struct error *err)
{
	CLEANUP(freep) char *quoted = NULL;
	CLEANUP(buf_clear) struct buf url = {0};
	int r = tuf_quote(path, true, &quoted, err);

	if (r == 0)
		r = buf_printf(&url, err, "file://%s", quoted);
	if (r == 0)
		*out = buf_steal(&url);
	return r;
}

int source_open_folder(struct http *http, const char *path, const char *product, struct source *out,
		       struct error *err)
{
	CLEANUP(freep) char *real = realpath(path, NULL);
	CLEANUP(freep) char *url = NULL;
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
	r = file_url(real, &url, err);
	if (r == 0 && top)
		r = source_open(http, url, product, out, err);
	if (r < 0)
		return r;
	if (!top) {
		/* Perhaps the log is there, too, beside the products. */
		r = cut_product(real, product) && *real ? file_url(real, &out->top, err) : 0;
		if (r < 0)
			return r;
		out->base = steal(url);
		out->http = http;
	}
	out->folder = true;
	return 0;
}

/* The folder of an absolute path, which is cut there, and the file's name in it. */
static int open_beside(struct http *http, char *real, struct source *out, char **name,
		       struct error *err)
{
	char *slash = strrchr(real, '/');
	CLEANUP(freep) char *base = NULL;
	int r;

	*slash = '\0';
	r = file_url(slash == real ? "/" : real, &base, err);
	if (r == 0)
		r = tuf_quote(slash + 1, false, name, err);
	if (r == 0)
		*out = (struct source){.http = http, .base = steal(base), .folder = true};
	return r;
}

int source_open_file(struct http *http, const char *folder, const char *path, struct source *out,
		     char **name, struct error *err)
{
	CLEANUP(buf_clear) struct buf at = {0};
	CLEANUP(freep) char *real = NULL;
	int r = buf_printf(&at, err, "%s%s%s", *path == '/' ? "" : folder, *path == '/' ? "" : "/",
			   path);

	if (r < 0)
		return r;
	real = realpath(at.data, NULL);
	if (!real)
		return error_errno(err, errno, "%s", path);
	return open_beside(http, real, out, name, err);
}

void source_close(struct source *s)
{
	free(s->base);
	free(s->top);
	*s = (struct source){0};
}

int source_get(const struct source *s, const char *path, size_t max, struct buf *out,
	       struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	int r = http_url(s->base, path, &url, err);

	return r == 0 ? http_get(s->http, url, max, out, err) : r;
}

int source_get_top(const struct source *s, const char *path, size_t max, struct buf *out,
		   struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	int r;

	if (!s->top)
		return error_set(err, E_NOTFOUND, "%s: only the product's part is here", path);
	r = http_url(s->top, path, &url, err);
	return r == 0 ? http_get(s->http, url, max, out, err) : r;
}

int source_get_url(const struct source *s, const char *url, size_t max, struct buf *out,
		   struct error *err)
{
	if (s->folder || !source_is_network(url))
		return error_set(err, E_NOTFOUND, "%s: is elsewhere", url);
	return http_get(s->http, url, max, out, err);
}

int source_get_log(const struct source *s, const struct publisher_log *log, const char *path,
		   size_t max, struct buf *out, struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	CLEANUP(buf_clear) struct buf own = {0};
	char name[SHA256_HEX_SIZE];
	int r = http_url(log->url, path, &url, err);

	if (r < 0)
		return r;
	if (!source_elsewhere(url))
		return source_get_top(s, url, max, out, err);
	if (!s->folder)
		return source_get_url(s, url, max, out, err);
	sha256_hex(log->origin, strlen(log->origin), name);
	r = buf_printf(&own, err, "log/%s/%s", name, path);
	return r < 0 ? r : source_get_top(s, own.data, max, out, err);
}

int source_stream(const struct source *s, const char *path, uint64_t from, uint64_t max,
		  const struct http_sink *sink, struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	int r = http_url(s->base, path, &url, err);

	return r == 0 ? http_stream(s->http, url, from, max, sink, err) : r;
}
