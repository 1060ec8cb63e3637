/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/net/header.h"

enum {
	CONNECT_MAX_S = 20,
	STALL_BYTES_S = 100,
	STALL_S = 30,
	PATIENCE_S = 60,       /* for a body, and what its limit on bytes takes at this rate: */
	GET_BYTES_S = 4096,    /* slow enough for any modem, too fast for a server that drips */
	LIMIT_MAX_S = 1000000, /* libcurl counts milliseconds in an int */
	REDIRECTS_MAX = 5,
	UNASKED_MAX = 1 << 20, /* bytes of a body that goes without `Expect: 100-continue` */
	ANSWER_MAX = 1 << 20,
	REFUSAL_MAX = 1 << 16, /* of a page that nobody reads, so that the connection can stay */
	CHUNK = 1 << 16,
	RANGE_TEXT = 32,
};

enum {
	STATUS_OK = 200,
	STATUS_PARTIAL = 206,
	STATUS_MOVED = 301,
	STATUS_FOUND = 302,
	STATUS_OTHER = 303,
	STATUS_TEMPORARY = 307,
	STATUS_PERMANENT = 308,
	STATUS_NOT_FOUND = 404,
	STATUS_GONE = 410,
	STATUS_RANGE = 416,
	STATUS_TOO_MANY = 429,
	STATUS_UNAVAILABLE = 503,
};

struct http {
	CURL *easy;
	bool allow_plain, any_certificate;
	char *ca_file;
	int stall_s, patience_s;
	char why[CURL_ERROR_SIZE];
};

/* One request and its answer, as libcurl's callbacks see them. */
struct transfer {
	const char *url;                 /* as asked for; begins the error texts */
	const struct http_request *send; /* NULL: a GET whose body goes to the sink only if 2xx */
	uint64_t from, max;
	long limit_s; /* 0: none but the stall */
	struct http_sink sink;

	CURL *easy;
	long status;
	struct http_header header;
	uint64_t at;   /* offset in the whole of the next byte of the answer */
	uint64_t sent; /* bytes of the request's body that were read */
	int r;         /* why a callback ended the transfer */
	struct error *err;
};

DEFINE_CLEANUP(CURLU *, curl_url_cleanup)
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)

static void curl_freep(char **text)
{
	curl_free(*text);
}

/* --- handle and URLs ------------------------------------------------------- */

int http_new(const struct http_options *o, struct http **out, struct error *err)
{
	CLEANUP(freep) struct http *h = calloc(1, sizeof(*h));
	CLEANUP(freep) char *ca_file = NULL;

	if (!h)
		return error_nomem(err);
	if (o && o->ca_file) {
		ca_file = strdup(o->ca_file);
		if (!ca_file)
			return error_nomem(err);
	}
	h->allow_plain = o && o->allow_plain;
	h->any_certificate = o && o->any_certificate;
	h->stall_s = o && o->stall_s ? o->stall_s : STALL_S;
	h->patience_s = o && o->patience_s ? o->patience_s : PATIENCE_S;
	/* Counted by libcurl, and safe from any thread since 7.84. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, E_SYS, "libcurl: cannot start");
	h->easy = curl_easy_init();
	if (!h->easy) {
		curl_global_cleanup();
		return error_nomem(err);
	}
	h->ca_file = steal(ca_file);
	*out = steal(h);
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	curl_global_cleanup();
	free(h->ca_file);
	free(h);
}

int http_url(const char *base, const char *path, char **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf url = {0};
	size_t len = strlen(base);
	int r;

	while (len && base[len - 1] == '/')
		len--;
	while (*path == '/')
		path++;
	r = buf_printf(&url, err, "%.*s/%s", (int)len, base, path);
	if (r < 0)
		return r;
	*out = buf_steal(&url);
	return 0;
}

static bool loopback(const char *host)
{
	struct in_addr v4;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Set `u` to `url` if a request may go there. *local: it is a file. */
static int aim(const struct http *h, CURLU *u, const char *url, bool *local, struct error *err)
{
	CLEANUP(curl_freep) char *scheme = NULL;
	CLEANUP(curl_freep) char *host = NULL;
	/* As it is written: what ".." in the name of a target means is the server's to say. */
	CURLUcode c = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);

	if (c == CURLUE_OK)
		c = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	if (c == CURLUE_OUT_OF_MEMORY)
		return error_nomem(err);
	if (c != CURLUE_OK)
		return error_set(err, E_INVALID, "%s: %s", url, curl_url_strerror(c));
	*local = strcmp(scheme, "file") == 0;
	if (*local || strcmp(scheme, "https") == 0)
		return 0;
	if (strcmp(scheme, "http") != 0)
		return error_set(err, E_INVALID, "%s: want http, https or file", url);
	if (h->allow_plain)
		return 0;
	c = curl_url_get(u, CURLUPART_HOST, &host, 0);
	if (c != CURLUE_OK)
		return error_set(err, E_INVALID, "%s: %s", url, curl_url_strerror(c));
	if (!loopback(host))
		return error_set(err, E_USAGE, "%s: plain http is not allowed here", url);
	return 0;
}

/* --- what libcurl calls ---------------------------------------------------- */

static bool wanted(const struct transfer *t)
{
	return t->send || t->status == STATUS_OK || t->status == STATUS_PARTIAL;
}

static int too_long(const struct transfer *t)
{
	return error_set(t->err, E_INVALID, "%s: longer than %" PRIu64 " bytes", t->url, t->max);
}

/* The header is complete: is this the body that was asked for? */
static int begin(struct transfer *t)
{
	bool head = t->send && strcmp(t->send->method, "HEAD") == 0;

	t->at = 0;
	if (!wanted(t) || head)
		return 0;
	if (!t->send && t->status == STATUS_PARTIAL) {
		if (!t->from || t->header.start != t->from)
			return error_set(t->err, E_INVALID,
					 "%s: another range than from byte %" PRIu64 " to the end",
					 t->url, t->from);
		t->at = t->from;
	}
	return t->header.length > t->max - t->at ? too_long(t) : 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n;

	if (len == 0 || line[len - 1] != '\n')
		return len;
	if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0) {
		http_header_clear(&t->header);
	} else if (line[0] == '\r' || line[0] == '\n') {
		(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
		t->r = begin(t);
	} else {
		http_header_line(&t->header, line, len);
	}
	return t->r < 0 ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n, drop = 0;

	if (!wanted(t)) {
		t->at += len;
		return t->at > REFUSAL_MAX ? 0 : len;
	}
	if (len > t->max - t->at) {
		t->r = too_long(t);
		return 0;
	}
	if (t->at < t->from)
		drop = t->from - t->at < len ? (size_t)(t->from - t->at) : len;
	t->at += len;
	if (drop < len)
		t->r = t->sink.take(t->sink.ctx, data + drop, len - drop, t->err);
	return t->r < 0 ? 0 : len;
}

static uint64_t body_length(const struct http_request *q)
{
	return q->fd < 0 ? q->len : q->size - q->from;
}

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	const struct http_request *q = t->send;
	uint64_t left = body_length(q) - t->sent;
	size_t want = left < size * n ? (size_t)left : size * n;
	ssize_t got = (ssize_t)want;

	if (want && q->fd < 0) {
		memcpy(out, (const char *)q->body + t->sent, want);
	} else if (want) {
		do
			got = pread(q->fd, out, want, (off_t)(q->from + t->sent));
		while (got < 0 && errno == EINTR);
		if (got <= 0) {
			t->r = got ? error_errno(t->err, errno, "%s: body", t->url)
				   : error_set(t->err, E_SYS,
					       "%s: body ends after %" PRIu64 " of %" PRIu64
					       " bytes",
					       t->url, t->sent, body_length(q));
			return CURL_READFUNC_ABORT;
		}
	}
	t->sent += (uint64_t)got;
	if (q->fd >= 0 && q->progress)
		q->progress(q->ctx, q->from + t->sent, q->size);
	return (size_t)got;
}

/* libcurl starts the body anew when a kept connection turns out to be closed. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct transfer *t = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > body_length(t->send))
		return CURL_SEEKFUNC_FAIL;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* libcurl calls this at least once a second, also while nothing comes. */
static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up)
{
	struct transfer *t = ctx;

	(void)total;
	(void)now;
	(void)up_total;
	(void)up;
	if (!t->send->stop(t->send->ctx))
		return 0;
	t->r = error_set(t->err, E_NET, "%s: given up", t->url);
	return 1;
}

/* --- one request ----------------------------------------------------------- */

static int set_common(struct http *h, struct transfer *t, CURLU *u, struct error *err)
{
	CURL *e = h->easy;
	int bad = 0;

	curl_easy_reset(e);
	h->why[0] = '\0';
	bad |= curl_easy_setopt(e, CURLOPT_CURLU, u) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_PROXY, "") != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "bequest") != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->why) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)CHUNK) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_MAX_S) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_S) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)h->stall_s) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_TIMEOUT, t->limit_s) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_HEADERDATA, t) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, t) != CURLE_OK;
	if (h->any_certificate) {
		bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L) != CURLE_OK;
		bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK;
	}
	if (h->ca_file)
		bad |= curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_file) != CURLE_OK;
	return bad ? error_nomem(err) : 0;
}

static int set_range(CURL *e, uint64_t from, struct error *err)
{
	char range[RANGE_TEXT];

	if (!from)
		return 0;
	(void)snprintf(range, sizeof(range), "%" PRIu64 "-", from);
	return curl_easy_setopt(e, CURLOPT_RANGE, range) == CURLE_OK ? 0 : error_nomem(err);
}

/* Bodies go as uploads: a "post" of libcurl's would bring a Content-Type of its own. */
static int set_send(CURL *e, struct transfer *t, struct curl_slist *headers, struct error *err)
{
	const struct http_request *q = t->send;
	int bad = 0;

	bad |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers) != CURLE_OK;
	if (q->stop) {
		bad |= curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L) != CURLE_OK;
		bad |= curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress) != CURLE_OK;
		bad |= curl_easy_setopt(e, CURLOPT_XFERINFODATA, t) != CURLE_OK;
	}
	if (strcmp(q->method, "HEAD") == 0)
		bad |= curl_easy_setopt(e, CURLOPT_NOBODY, 1L) != CURLE_OK;
	if (strcmp(q->method, "HEAD") == 0 || strcmp(q->method, "GET") == 0)
		return bad ? error_nomem(err) : 0;
	bad |= curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_length(q)) !=
	       CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_READDATA, t) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek) != CURLE_OK;
	bad |= curl_easy_setopt(e, CURLOPT_SEEKDATA, t) != CURLE_OK;
	return bad ? error_nomem(err) : 0;
}

static bool redirected(const struct transfer *t)
{
	switch (t->status) {
	case STATUS_MOVED:
	case STATUS_FOUND:
	case STATUS_OTHER: return !t->send;
	case STATUS_TEMPORARY:
	case STATUS_PERMANENT: return true;
	default: return false;
	}
}

static int judge_status(const struct transfer *t, struct error *err)
{
	if (t->send)
		return 0;
	switch (t->status) {
	case STATUS_OK:
	case STATUS_PARTIAL: break;
	case STATUS_NOT_FOUND:
	case STATUS_GONE: return error_set(err, E_NOTFOUND, "%s: not there", t->url);
	case STATUS_TOO_MANY:
	case STATUS_UNAVAILABLE: return error_set(err, E_BUSY, "%s: busy, try later", t->url);
	case STATUS_RANGE:
		return error_set(err, E_INVALID, "%s: no byte %" PRIu64, t->url, t->from);
	default: return error_set(err, E_NET, "%s: HTTP status %ld", t->url, t->status);
	}
	if (t->at < t->from)
		return error_set(err, E_INVALID, "%s: no byte %" PRIu64, t->url, t->from);
	return 0;
}

/* 1: it is elsewhere; ask libcurl where. */
static int once(struct http *h, struct transfer *t, CURLU *u, struct curl_slist *headers,
		struct error *err)
{
	int r = set_common(h, t, u, err);
	CURLcode c;

	if (r == 0)
		r = t->send ? set_send(h->easy, t, headers, err) : set_range(h->easy, t->from, err);
	if (r < 0)
		return r;
	t->easy = h->easy;
	t->err = err;
	t->status = 0;
	t->sent = 0;
	t->r = 0;
	c = curl_easy_perform(h->easy);
	if (t->r < 0)
		return t->r;
	if (c == CURLE_OUT_OF_MEMORY)
		return error_nomem(err);
	/* A body that is not wanted may well be cut short; one that is may not. */
	if (c != CURLE_OK && (t->status == 0 || wanted(t)))
		return error_set(err, E_NET, "%s: %s", t->url,
				 h->why[0] ? h->why : curl_easy_strerror(c));
	return redirected(t) ? 1 : judge_status(t, err);
}

/* --- a file on this machine ------------------------------------------------ */

static int copy_file(const struct transfer *t, int fd, uint64_t size, struct error *err)
{
	CLEANUP(freep) char *chunk = malloc(CHUNK);
	uint64_t at = t->from;

	if (!chunk)
		return error_nomem(err);
	while (at < size) {
		size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		ssize_t n = pread(fd, chunk, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "%s", t->url);
		if (n == 0)
			return error_set(err, E_NET, "%s: cut short", t->url);

		int r = t->sink.take(t->sink.ctx, chunk, (size_t)n, err);
		if (r < 0)
			return r;
		at += (uint64_t)n;
	}
	return 0;
}

/* Not left to libcurl: it reads a folder, or a file that shrinks, as an empty success. */
static int read_local(struct transfer *t, CURLU *u, struct error *err)
{
	CLEANUP(curl_freep) char *path = NULL;
	CLEANUP(closep) int fd = -1;
	struct stat st;

	if (curl_url_get(u, CURLUPART_PATH, &path, CURLU_URLDECODE) != CURLUE_OK)
		return error_set(err, E_INVALID, "%s: no path", t->url);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOTDIR)
		return error_set(err, E_NOTFOUND, "%s: not there", t->url);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", t->url);
	if (!S_ISREG(st.st_mode))
		return error_set(err, E_INVALID, "%s: not a regular file", t->url);
	t->err = err;
	if ((uint64_t)st.st_size > t->max)
		return too_long(t);
	if ((uint64_t)st.st_size < t->from)
		return error_set(err, E_INVALID, "%s: no byte %" PRIu64, t->url, t->from);
	return copy_file(t, fd, (uint64_t)st.st_size, err);
}

/* --- requests -------------------------------------------------------------- */

static int transfer(struct http *h, struct transfer *t, struct curl_slist *headers,
		    struct error *err)
{
	CLEANUP(curl_url_cleanupp) CURLU *u = curl_url();
	bool local;
	int r = u ? aim(h, u, t->url, &local, err) : error_nomem(err);

	if (r < 0)
		return r;
	if (local && t->send)
		return error_set(err, E_INVALID, "%s: want http or https", t->url);
	if (local)
		return read_local(t, u, err);
	for (int hops = 0;; hops++) {
		char *next = NULL;

		r = once(h, t, u, headers, err);
		if (r <= 0)
			return r;
		if (curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &next) != CURLE_OK || !next)
			return error_set(err, E_NET, "%s: HTTP status %ld", t->url, t->status);
		if (hops == REDIRECTS_MAX)
			return error_set(err, E_NET, "%s: more than %d redirects", t->url,
					 REDIRECTS_MAX);
		r = aim(h, u, next, &local, err);
		if (r == 0 && local)
			r = error_set(err, E_NET, "a file");
		if (r < 0)
			return error_prefix(err, E_NET, "%s: redirected to", t->url);
	}
}

static int into_buf(void *ctx, const void *data, size_t len, struct error *err)
{
	return buf_add(ctx, data, len, err);
}

/* A server that drips is not to be waited for, however long the thing is. */
static long time_for(const struct http *h, uint64_t max)
{
	uint64_t s = max / GET_BYTES_S;

	return h->patience_s + (long)(s < LIMIT_MAX_S ? s : LIMIT_MAX_S);
}

int http_get(struct http *h, const char *url, size_t max, struct buf *out, struct error *err)
{
	struct transfer t = {.url = url, .max = max, .sink = {into_buf, out}};
	size_t start = out->len;
	int r;

	t.limit_s = time_for(h, max);
	r = transfer(h, &t, NULL, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}

int http_stream(struct http *h, const char *url, uint64_t from, uint64_t max,
		const struct http_sink *sink, struct error *err)
{
	struct transfer t = {.url = url, .from = from, .max = max, .sink = *sink};

	if (from > max)
		return error_set(err, E_INVALID, "%s: no byte %" PRIu64, url, from);
	t.limit_s = time_for(h, max);
	return transfer(h, &t, NULL, err);
}

static int add_header(struct curl_slist **headers, const char *line, struct error *err)
{
	struct curl_slist *more = curl_slist_append(*headers, line);

	if (!more)
		return error_nomem(err);
	*headers = more;
	return 0;
}

int http_send(struct http *h, const struct http_request *q, struct http_answer *out,
	      struct error *err)
{
	CLEANUP(curl_slist_free_allp) struct curl_slist *headers = NULL;
	CLEANUP(buf_clear) struct buf body = {0};
	struct transfer t = {.url = q->url,
			     .send = q,
			     .max = q->max ? q->max : ANSWER_MAX,
			     .limit_s = q->limit_s,
			     .sink = {into_buf, &body}};
	int r;

	assert(q->fd < 0 || q->from <= q->size);
	for (const char *const *line = q->headers; line && *line; line++) {
		r = add_header(&headers, *line, err);
		if (r < 0)
			return r;
	}
	/* Asking first is for what takes long to send; a server that ignores it costs a second. */
	r = body_length(q) <= UNASKED_MAX ? add_header(&headers, "Expect:", err) : 0;
	if (r < 0)
		return r;
	r = transfer(h, &t, headers, err);
	if (r < 0)
		return r;
	out->status = t.status;
	out->upload_offset = t.header.upload_offset;
	out->body = body;
	body = (struct buf){0};
	return 0;
}
