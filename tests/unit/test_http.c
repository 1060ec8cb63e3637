/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/http.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "tests/support/httpd.h"
#include "tests/unit/unit.h"

enum { MAX = 100, BIG = 3 << 20 };

static struct httpd *server;
static bool gone_once; /* the server has hung up on its first PUT */

static bool say_redirect(const struct httpd_request *q, int status, const char *to)
{
	char head[200];

	(void)snprintf(head, sizeof(head), "Location: %s\r\n", to);
	return httpd_answer(q->fd, status, head, "moved, and this page says so at some length");
}

static bool say_endless(const struct httpd_request *q, const char *status)
{
	char junk[4096] = {0};

	if (!httpd_say(q->fd, "HTTP/1.1 ") || !httpd_say(q->fd, status) ||
	    !httpd_say(q->fd, " OK\r\n\r\n"))
		return false;
	while (httpd_send(q->fd, junk, sizeof(junk)))
		;
	return false;
}

static bool say_drip(const struct httpd_request *q)
{
	if (!httpd_say(q->fd, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"))
		return false;
	while (httpd_send(q->fd, "x", 1) && httpd_pause(q->fd, 100))
		;
	return false;
}

/* What the server has is ten digits. */
static bool say_range(const struct httpd_request *q)
{
	const char *range = strstr(q->head, "Range: bytes=");
	int from = range ? atoi(range + strlen("Range: bytes=")) : 0;
	char head[80];

	if (!range)
		return httpd_answer(q->fd, 200, "", "0123456789");
	if (from >= 10)
		return httpd_answer(q->fd, 416, "Content-Range: bytes */10\r\n", "");
	(void)snprintf(head, sizeof(head), "Content-Range: bytes %d-9/10\r\n", from);
	return httpd_answer(q->fd, 206, head, "0123456789" + from);
}

static bool say_echo(const struct httpd_request *q)
{
	struct buf text = {0};
	bool keep = buf_puts(&text, q->head, NULL) == 0 &&
		    (q->body.len > MAX || buf_add(&text, q->body.data, q->body.len, NULL) == 0) &&
		    buf_printf(&text, NULL, "|%zu", q->body.len) == 0 &&
		    httpd_answer(q->fd, 418, "Upload-Offset: 77\r\n", text.data);

	buf_clear(&text);
	return keep;
}

static bool say_files(const struct httpd_request *q)
{
	static const struct {
		const char *path, *raw;
	} files[] = {
		{"GET /lies-long ", "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nshort"},
		{"GET /chunks-cut ",
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"},
		{"GET /announces ", "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"},
		{"GET /overflows ",
		 "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"},
		{"GET /no-http ", "220 mail.example ESMTP\r\n"},
		{"GET /silent ", ""},
		{"GET /wrong-range ",
		 "HTTP/1.1 206 OK\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 7\r\n\r\n3456789"},
		{"GET /no-range ", "HTTP/1.1 206 OK\r\nContent-Length: 7\r\n\r\n3456789"},
		{"GET /long-range ",
		 "HTTP/1.1 206 OK\r\nContent-Range: bytes 4-99/100\r\nContent-Length: 96\r\n\r\n"},
		{"GET /short-range ",
		 "HTTP/1.1 206 OK\r\nContent-Range: bytes 4-6/10\r\nContent-Length: 3\r\n\r\n456"},
		{"GET /first-half ",
		 "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n"
		 "\r\n0123456789"},
		{"GET /open-range ",
		 "HTTP/1.1 206 OK\r\nContent-Range: bytes 4-9/*\r\nContent-Length: 6\r\n\r\n456789"},
		{"GET /other-unit ",
		 "HTTP/1.1 206 OK\r\nContent-Range: lines 4-9/10\r\nContent-Length: 6\r\n\r\n456789"},
		{"GET /huge-404 ", "HTTP/1.1 404 No\r\nContent-Length: 4000000000\r\n\r\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (httpd_asks(q, files[i].path))
			(void)httpd_say(q->fd, files[i].raw);
	return false;
}

static bool say_opened(const struct httpd_request *q)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d", q->opened);
	return httpd_answer(q->fd, 200, "", text);
}

/* What follows the path is a number. */
static bool say_status(const struct httpd_request *q)
{
	return httpd_answer(q->fd, atoi(q->head + strlen("GET /status/")), "", "no");
}

static bool say_hop(const struct httpd_request *q)
{
	int n = atoi(q->head + strlen("GET /hop/"));
	char text[32];

	(void)snprintf(text, sizeof(text), n > 1 ? "/hop/%d" : "/hello", n - 1);
	return say_redirect(q, 301, text);
}

static bool say_length_only(const struct httpd_request *q)
{
	return httpd_say(q->fd, "HTTP/1.1 200 OK\r\nUpload-Offset: 12\r\n"
				"Content-Length: 99999999\r\n\r\n");
}

static bool say_endless_found(const struct httpd_request *q)
{
	return say_endless(q, "200");
}

static bool say_endless_missing(const struct httpd_request *q)
{
	return say_endless(q, "404");
}

/* What the server says to whom: by a function, a redirect, or a text. The first row that fits. */
static const struct row {
	const char *asks;
	bool (*say)(const struct httpd_request *q);
	int status;
	const char *text;
} rows[] = {
	{"GET /hello ", .status = 200, .text = "hello"},
	{"GET /exact ", .status = 200,
	 .text = "01234567890123456789012345678901234567890123456789"
		 "01234567890123456789012345678901234567890123456789"},
	{"GET /whole ", .status = 200, .text = "0123456789"},
	{"GET /loop ", .status = 302, .text = "/loop"},
	{"GET /to-file ", .status = 302, .text = "file:///etc/passwd"},
	{"GET /to-ftp ", .status = 302, .text = "ftp://127.0.0.1/x"},
	{"GET /to-plain ", .status = 302, .text = "http://host.invalid/x"},
	{"POST /moved ", .status = 302, .text = "/echo"},
	{"POST /kept ", .status = 307, .text = "/echo"},
	{"GET /opened ", say_opened},
	{"GET /status/", say_status},
	{"GET /hop/", say_hop},
	{"GET /endless ", say_endless_found},
	{"POST /endless ", say_endless_found},
	{"GET /endless-404 ", say_endless_missing},
	{"GET /drip ", say_drip},
	{"GET /range ", say_range},
	{"POST ", say_echo},
	{"PATCH ", say_echo},
	{"PUT ", say_echo},
	{"HEAD ", say_length_only},
	{"", say_files},
};

static bool handle(void *ctx, const struct httpd_request *q)
{
	const struct row *row = rows;

	(void)ctx;
	if (httpd_asks(q, "PUT /gone-once ") && !gone_once) {
		gone_once = true;
		return false;
	}
	while (!httpd_asks(q, row->asks))
		row++;
	if (row->say)
		return row->say(q);
	return row->status == 200 ? httpd_answer(q->fd, 200, "", row->text)
				  : say_redirect(q, row->status, row->text);
}

static int start(void **state)
{
	struct http *h;

	server = httpd_start(handle, NULL);
	if (!server || http_new(NULL, &h, NULL) < 0)
		return -1;
	*state = h;
	return 0;
}

static int stop(void **state)
{
	http_free(*state);
	httpd_stop(server);
	return 0;
}

static int get(struct http *h, const char *path, struct buf *out, struct error *err)
{
	CLEANUP(freep) char *url = NULL;

	assert_int_equal(http_url(httpd_url(server), path, &url, NULL), 0);
	return http_get(h, url, MAX, out, err);
}

static int into(void *ctx, const void *data, size_t len, struct error *err)
{
	return buf_add(ctx, data, len, err);
}

static int stream(struct http *h, const char *path, uint64_t from, struct buf *out,
		  struct error *err)
{
	CLEANUP(freep) char *url = NULL;
	struct http_sink sink = {into, out};

	assert_int_equal(http_url(httpd_url(server), path, &url, NULL), 0);
	return http_stream(h, url, from, 10, &sink, err);
}

static void url_joins_with_one_slash(void **state)
{
	static const char *const parts[][2] = {
		{"http://a/b", "c/d"}, {"http://a/b/", "c/d"}, {"http://a/b//", "//c/d"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		CLEANUP(freep) char *url = NULL;

		assert_int_equal(http_url(parts[i][0], parts[i][1], &url, NULL), 0);
		assert_string_equal(url, "http://a/b/c/d");
	}
}

static void get_appends_the_body(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	assert_int_equal(buf_puts(&out, "> ", NULL), 0);
	assert_int_equal(get(*state, "hello", &out, NULL), 0);
	assert_string_equal(out.data, "> hello");
}

static void get_takes_exactly_the_limit(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	assert_int_equal(get(*state, "exact", &out, NULL), 0);
	assert_int_equal(out.len, MAX);
}

static void get_names_what_went_wrong(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *part;
	} bad[] = {
		{"status/404", E_NOTFOUND, "not there"},
		{"status/410", E_NOTFOUND, "not there"},
		{"status/429", E_BUSY, "busy"},
		{"status/503", E_BUSY, "busy"},
		{"status/500", E_NET, "500"},
		{"status/403", E_NET, "403"},
		{"status/204", E_NET, "204"},
		{"status/206", E_INVALID, "range"},
		{"status/304", E_NET, "304"},
		{"status/302", E_NET, "302"},
		{"huge-404", E_NOTFOUND, "not there"},
		{"endless-404", E_NOTFOUND, "not there"},
		{"announces", E_INVALID, "longer than 100 bytes"},
		{"overflows", E_INVALID, "longer than 100 bytes"},
		{"endless", E_INVALID, "longer than 100 bytes"},
		{"lies-long", E_NET, ""},
		{"chunks-cut", E_NET, ""},
		{"no-http", E_NET, ""},
		{"silent", E_NET, ""},
		{"loop", E_NET, "more than 5 redirects"},
		{"hop/6", E_NET, "more than 5 redirects"},
		{"to-file", E_NET, "redirected to"},
		{"to-ftp", E_NET, "want http, https or file"},
		{"to-plain", E_NET, "plain http"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_int_equal(buf_puts(&out, "before", NULL), 0);
		assert_error(get(*state, bad[i].path, &out, &err), bad[i].code, &err, bad[i].part);
		assert_non_null(strstr(err.text, bad[i].path)); /* names the URL */
		assert_string_equal(out.data, "before");
	}
}

static void get_follows_five_redirects(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	assert_int_equal(get(*state, "hop/5", &out, NULL), 0);
	assert_string_equal(out.data, "hello");
}

static void connection_is_kept(void **state)
{
	CLEANUP(buf_clear) struct buf first = {0};
	CLEANUP(buf_clear) struct buf second = {0};

	assert_int_equal(get(*state, "opened", &first, NULL), 0);
	assert_int_equal(get(*state, "status/404", &second, NULL), E_NOTFOUND);
	assert_int_equal(get(*state, "hop/2", &second, NULL), 0);
	buf_clear(&second);
	assert_int_equal(get(*state, "opened", &second, NULL), 0);
	assert_string_equal(first.data, second.data);
}

static void drip_is_a_stall(void **state)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(buf_clear) struct buf out = {0};
	struct http_options o = {.stall_s = 1};
	struct error err = {0};

	(void)state;
	assert_int_equal(http_new(&o, &h, NULL), 0);
	assert_error(get(h, "drip", &out, &err), E_NET, &err, "Less than 100 bytes");
}

static void drip_that_is_no_stall_ends_too(void **state)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(buf_clear) struct buf out = {0};
	CLEANUP(freep) char *url = NULL;
	struct http_options o = {.patience_s = 1};
	struct http_sink sink = {into, &out};
	struct error err = {0};

	(void)state;
	assert_int_equal(http_new(&o, &h, NULL), 0);
	assert_error(get(h, "drip", &out, &err), E_NET, &err, "timed out");
	assert_int_equal(http_url(httpd_url(server), "drip", &url, NULL), 0);
	assert_error(http_stream(h, url, 0, 90, &sink, &err), E_NET, &err, "timed out");
}

static void refused_connection_is_a_network_error(void **state)
{
	struct httpd *gone = httpd_start(handle, NULL);
	CLEANUP(freep) char *url = NULL;
	CLEANUP(buf_clear) struct buf out = {0};

	assert_non_null(gone);
	assert_int_equal(http_url(httpd_url(gone), "hello", &url, NULL), 0);
	httpd_stop(gone);
	assert_int_equal(http_get(*state, url, MAX, &out, NULL), E_NET);
}

static void only_some_urls_are_asked(void **state)
{
	static const struct {
		const char *url;
		int code;
		const char *part;
	} bad[] = {
		{"http://host.invalid/", E_USAGE, "plain http is not allowed"},
		{"http://128.0.0.1/", E_USAGE, "plain http is not allowed"},
		{"http://127.0.0.1.host.invalid/", E_USAGE, "plain http is not allowed"},
		{"http://[::2]/", E_USAGE, "plain http is not allowed"},
		{"ftp://127.0.0.1/", E_INVALID, "want http, https or file"},
		{"gopher://127.0.0.1/", E_INVALID, "want http, https or file"},
		{"http://ann:secret@127.0.0.1/", E_INVALID, ""},
		{"nothing", E_INVALID, ""},
		{"", E_INVALID, ""},
		{"http://", E_INVALID, ""},
		{"file://host.invalid/etc/passwd", E_INVALID, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_error(http_get(*state, bad[i].url, MAX, &out, &err), bad[i].code, &err,
			     bad[i].part);
	}
}

static void plain_http_is_an_option(void **state)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(buf_clear) struct buf out = {0};
	struct http_options o = {.allow_plain = true};

	(void)state;
	assert_int_equal(http_new(&o, &h, NULL), 0);
	/* No such port can be connected to, but it is asked. */
	assert_int_equal(http_get(h, "http://0.0.0.0:0/", MAX, &out, NULL), E_NET);
}

static void proxies_of_the_environment_are_ignored(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1/", 1), 0);
	assert_int_equal(get(*state, "hello", &out, NULL), 0);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

static void stream_starts_where_it_is_told(void **state)
{
	static const char *const paths[] = {"range", "whole"}; /* the latter ignores Range */

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		for (uint64_t from = 0; from < 10; from++) {
			CLEANUP(buf_clear) struct buf out = {0};

			assert_int_equal(stream(*state, paths[i], from, &out, NULL), 0);
			assert_string_equal(out.data, "0123456789" + from);
		}
	}
}

static void stream_from_the_end_of_a_whole_gives_nothing(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	assert_int_equal(stream(*state, "whole", 10, &out, NULL), 0);
	assert_int_equal(out.len, 0);
}

static void stream_refuses_another_range(void **state)
{
	static const struct {
		const char *path;
		uint64_t from;
		const char *part;
	} bad[] = {
		{"wrong-range", 4, "another range"},  {"wrong-range", 0, "another range"},
		{"no-range", 4, "another range"},     {"short-range", 4, "another range"},
		{"open-range", 4, "another range"},   {"other-unit", 4, "another range"},
		{"first-half", 0, "another range"},   {"long-range", 4, "longer than 10 bytes"},
		{"range", 10, "no byte 10"},          {"hello", 6, "no byte 6"},
		{"exact", 0, "longer than 10 bytes"}, {"endless", 4, "longer than 10 bytes"},
		{"whole", 11, "no byte 11"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_error(stream(*state, bad[i].path, bad[i].from, &out, &err), E_INVALID, &err,
			     bad[i].part);
	}
}

static int refuse(void *ctx, const void *data, size_t len, struct error *err)
{
	(void)ctx;
	(void)data;
	(void)len;
	return error_set(err, E_FULL, "slot is full");
}

static void sink_ends_the_transfer_with_its_error(void **state)
{
	CLEANUP(freep) char *url = NULL;
	struct http_sink sink = {refuse, NULL};
	struct error err = {0};

	assert_int_equal(http_url(httpd_url(server), "whole", &url, NULL), 0);
	assert_error(http_stream(*state, url, 0, MAX, &sink, &err), E_FULL, &err, "slot is full");
}

static int send_to(struct http *h, const char *path, struct http_request q, struct http_answer *out,
		   struct error *err)
{
	CLEANUP(freep) char *url = NULL;

	assert_int_equal(http_url(httpd_url(server), path, &url, NULL), 0);
	q.url = url;
	return http_send(h, &q, out, err);
}

static void send_gives_any_answer_to_the_caller(void **state)
{
	static const char *const headers[] = {"Content-Type: application/json", "X-Two: 2", NULL};
	const struct http_request q = {
		.method = "POST", .headers = headers, .body = "{\"a\":1}", .len = 7, .fd = -1};
	struct http_answer a = {0};

	assert_int_equal(send_to(*state, "echo", q, &a, NULL), 0);
	assert_int_equal(a.status, 418);
	assert_int_equal(a.upload_offset, 77);
	assert_non_null(strstr(a.body.data, "POST /echo "));
	assert_non_null(strstr(a.body.data, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(a.body.data, "X-Two: 2\r\n"));
	assert_non_null(strstr(a.body.data, "{\"a\":1}|7"));
	buf_clear(&a.body);
}

static void send_without_a_body_has_length_zero(void **state)
{
	struct http_answer a = {0};

	assert_int_equal(send_to(*state, "echo", (struct http_request){.method = "POST", .fd = -1},
				 &a, NULL),
			 0);
	assert_non_null(strstr(a.body.data, "Content-Length: 0\r\n"));
	assert_null(strstr(a.body.data, "Content-Type"));
	buf_clear(&a.body);
}

static void head_tells_the_offset(void **state)
{
	struct http_answer a = {0};

	assert_int_equal(
		send_to(*state, "x", (struct http_request){.method = "HEAD", .fd = -1}, &a, NULL),
		0);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.upload_offset, 12);
	assert_int_equal(a.body.len, 0);
	buf_clear(&a.body);
}

static void count_up(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *last = ctx;

	assert_true(done >= *last && done <= total);
	assert_int_equal(total, BIG);
	*last = done;
}

static void send_streams_a_file_from_an_offset(void **state)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	uint64_t last = 0;
	struct http_answer a = {0};
	struct http_request q = {.method = "PATCH",
				 .fd = fd,
				 .from = 5,
				 .size = BIG,
				 .progress = count_up,
				 .ctx = &last};
	char want[32];

	assert_int_equal(ftruncate(fd, BIG), 0);
	assert_int_equal(send_to(*state, "echo", q, &a, NULL), 0);
	(void)snprintf(want, sizeof(want), "|%d", BIG - 5);
	assert_non_null(strstr(a.body.data, want));
	assert_int_equal(last, BIG);
	buf_clear(&a.body);
	(void)close(fd);
}

/* A server may close an idle connection at any time; the body then goes again, from its start. */
static void send_starts_anew_on_a_connection_that_was_closed(void **state)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	const struct http_request q = {.method = "PUT", .fd = fd, .from = 5, .size = 5 + 900};
	CLEANUP(buf_clear) struct buf hello = {0};
	struct http_answer a = {0};

	assert_int_equal(ftruncate(fd, 5 + 900), 0);
	assert_int_equal(get(*state, "hello", &hello, NULL), 0);
	assert_int_equal(send_to(*state, "gone-once", q, &a, NULL), 0);
	assert_true(gone_once);
	assert_non_null(strstr(a.body.data, "|900"));
	buf_clear(&a.body);
	(void)close(fd);
}

static void send_of_a_file_that_ends_early_fails(void **state)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	struct http_request q = {.method = "PUT", .fd = fd, .size = BIG};
	struct http_answer a = {.status = 1};
	struct error err = {0};

	assert_int_equal(ftruncate(fd, BIG - 1), 0);
	assert_error(send_to(*state, "echo", q, &a, &err), E_SYS, &err, "body ends after");
	assert_int_equal(a.status, 1); /* untouched */
	(void)close(fd);
}

static void send_bounds_the_answer(void **state)
{
	struct http_request q = {.method = "POST", .fd = -1};
	struct http_answer a = {0};
	struct error err = {0};

	assert_error(send_to(*state, "endless", q, &a, &err), E_INVALID, &err, "longer than");
}

static void send_follows_only_redirects_that_keep_the_body(void **state)
{
	const struct http_request q = {.method = "POST", .body = "abc", .len = 3, .fd = -1};
	struct http_answer a = {0};

	assert_int_equal(send_to(*state, "moved", q, &a, NULL), 0);
	assert_int_equal(a.status, 302);
	buf_clear(&a.body);
	assert_int_equal(send_to(*state, "kept", q, &a, NULL), 0);
	assert_int_equal(a.status, 418);
	assert_non_null(strstr(a.body.data, "abc|3"));
	buf_clear(&a.body);
}

static void send_needs_a_server(void **state)
{
	struct http_request q = {.method = "POST", .url = "file:///tmp/x", .fd = -1};
	struct http_answer a = {0};
	struct error err = {0};

	assert_error(http_send(*state, &q, &a, &err), E_INVALID, &err, "want http or https");
}

/* A file below /tmp, for file:// */
struct local {
	char path[32], url[64];
};

static void make_local(struct local *l, const char *text)
{
	int fd;

	(void)snprintf(l->path, sizeof(l->path), "/tmp/test-http %%-XXXXXX");
	fd = mkstemp(l->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)snprintf(l->url, sizeof(l->url), "file:///tmp/test-http%%20%%25%s",
		       l->path + strlen("/tmp/test-http %"));
}

static void file_urls_are_read(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct http_sink sink = {into, &out};
	struct error err = {0};
	struct local l;

	make_local(&l, "0123456789");
	assert_int_equal(http_get(*state, l.url, 10, &out, NULL), 0);
	assert_string_equal(out.data, "0123456789");
	assert_error(http_get(*state, l.url, 9, &out, &err), E_INVALID, &err, "longer than 9");
	buf_clear(&out);
	assert_int_equal(http_stream(*state, l.url, 7, 10, &sink, NULL), 0);
	assert_string_equal(out.data, "789");
	assert_int_equal(http_stream(*state, l.url, 10, 10, &sink, NULL), 0);
	assert_error(http_stream(*state, l.url, 11, 20, &sink, &err), E_INVALID, &err, "no byte");
	assert_int_equal(unlink(l.path), 0);
	assert_int_equal(http_get(*state, l.url, 10, &out, NULL), E_NOTFOUND);
	assert_int_equal(http_get(*state, "file:///etc/passwd/x", 10, &out, NULL), E_NOTFOUND);
	assert_error(http_get(*state, "file:///tmp", 10, &out, &err), E_INVALID, &err, "regular");
}

static void out_of_memory_is_reported(void **state)
{
	CLEANUP(freep) char *url = NULL;
	struct http_options o = {.ca_file = "/none"};
	struct http *h = NULL;
	long n = 0;

	(void)state;
	for (;; n++) {
		oom_after(n);

		int r = http_new(&o, &h, NULL);
		if (!oom_fired()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, E_NOMEM);
		assert_null(h);
	}
	assert_int_equal(n, 2);
	http_free(h);
	oom_after(0);
	assert_int_equal(http_url("a", "b", &url, NULL), E_NOMEM);
	(void)oom_fired();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url_joins_with_one_slash),
		cmocka_unit_test(get_appends_the_body),
		cmocka_unit_test(get_takes_exactly_the_limit),
		cmocka_unit_test(get_names_what_went_wrong),
		cmocka_unit_test(get_follows_five_redirects),
		cmocka_unit_test(connection_is_kept),
		cmocka_unit_test(drip_is_a_stall),
		cmocka_unit_test(drip_that_is_no_stall_ends_too),
		cmocka_unit_test(refused_connection_is_a_network_error),
		cmocka_unit_test(only_some_urls_are_asked),
		cmocka_unit_test(plain_http_is_an_option),
		cmocka_unit_test(proxies_of_the_environment_are_ignored),
		cmocka_unit_test(stream_starts_where_it_is_told),
		cmocka_unit_test(stream_from_the_end_of_a_whole_gives_nothing),
		cmocka_unit_test(stream_refuses_another_range),
		cmocka_unit_test(sink_ends_the_transfer_with_its_error),
		cmocka_unit_test(send_gives_any_answer_to_the_caller),
		cmocka_unit_test(send_without_a_body_has_length_zero),
		cmocka_unit_test(head_tells_the_offset),
		cmocka_unit_test(send_streams_a_file_from_an_offset),
		cmocka_unit_test(send_starts_anew_on_a_connection_that_was_closed),
		cmocka_unit_test(send_of_a_file_that_ends_early_fails),
		cmocka_unit_test(send_bounds_the_answer),
		cmocka_unit_test(send_follows_only_redirects_that_keep_the_body),
		cmocka_unit_test(send_needs_a_server),
		cmocka_unit_test(file_urls_are_read),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("http", tests, start, stop);
}
