/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/file.h"
#include "registry/http/listen.h"
#include "registry/sources/sources.h"
#include "tests/support/gitbox.h"
#include "tests/unit/unit.h"

enum { LARGE = 300000 }; /* more than libmicrohttpd sends in one step */

/* A server of a temporary tree. */
struct webtree {
	char *path;
	int dir;  /* of the tree */
	int work; /* its sub-folder ".work" */
	unsigned port;
	struct server *server;
};

struct web_answer {
	int status; /* 0: the connection ended without an answer */
	struct buf head, body;
	size_t first; /* bytes that the first read gave */
};

enum { CHUNK = 4096, WAIT_S = 10 };

static void webtree_start(struct webtree *w, const struct conns_limits *limits)
{
	struct server_options o = {.threads = 2, .limits = limits ? *limits : conns_defaults};
	struct error err = {0};

	*w = (struct webtree){.dir = -1, .work = -1};
	assert_int_equal(file_temp_dir(true, &w->path, &err), 0);
	assert_int_equal(file_open_dir(AT_FDCWD, w->path, false, &w->dir, &err), 0);
	assert_int_equal(file_open_dir(w->dir, ".work", true, &w->work, &err), 0);
	assert_int_equal(listen_on("127.0.0.1:0", &o.listener, &w->port, &err), 0);
	o.tree = w->dir;
	o.work = w->work;
	assert_int_equal(server_start(&o, &w->server, &err), 0);
}

static void webtree_stop(struct webtree *w)
{
	struct error err = {0};

	server_stop(w->server);
	closep(&w->dir);
	closep(&w->work);
	assert_int_equal(file_remove_tree(AT_FDCWD, w->path, &err), 0);
	free(w->path);
}

static void webtree_put(struct webtree *w, const char *path, const char *text, bool settle)
{
	struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	char *folder = strdup(path);
	struct error err = {0};
	char *slash;

	assert_non_null(folder);
	slash = strrchr(folder, '/');
	if (slash) {
		*slash = '\0';
		assert_int_equal(file_mkdir(w->dir, folder, 0755, &err), 0);
	}
	free(folder);
	assert_int_equal(file_write(w->dir, path, text, strlen(text), 0644, &err), 0);
	if (settle) {
		struct timespec wait = {0, 120000000}; /* the change time cannot be set back */

		assert_int_equal(utimensat(w->dir, path, old, 0), 0);
		(void)nanosleep(&wait, NULL);
	}
}

static int webtree_connect(const struct webtree *w, const char *from)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)w->port)};
	struct sockaddr_in me = {.sin_family = AF_INET};
	struct timeval limit = {.tv_sec = WAIT_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (from) {
		assert_int_equal(inet_pton(AF_INET, from, &me.sin_addr), 1);
		assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	}
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static const char *web_header(const struct web_answer *a, const char *name)
{
	static char value[512];
	size_t len = strlen(name);

	for (const char *p = a->head.data; p && *p; p = strchr(p, '\n') + 1)
		if (strncasecmp(p, name, len) == 0 && p[len] == ':') {
			size_t n = strcspn(p + len + 2, "\r\n");

			assert_true(n < sizeof(value));
			memcpy(value, p + len + 2, n);
			value[n] = '\0';
			return value;
		}
	return NULL;
}

static void web_talk(int fd, const char *text, bool head, struct web_answer *out)
{
	struct error err = {0};
	char chunk[CHUNK];
	char *end = NULL;
	size_t want = 0;
	ssize_t n;

	*out = (struct web_answer){0};
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	while (!end) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n <= 0)
			return;
		out->first = out->first ? out->first : (size_t)n;
		assert_int_equal(buf_add(&out->head, chunk, (size_t)n, &err), 0);
		end = strstr(out->head.data, "\r\n\r\n");
	}
	end += 4;
	assert_int_equal(
		buf_add(&out->body, end, out->head.len - (size_t)(end - out->head.data), &err), 0);
	*end = '\0';
	assert_int_equal(sscanf(out->head.data, "HTTP/1.1 %d", &out->status), 1);
	if (!head && web_header(out, "Content-Length"))
		want = strtoul(web_header(out, "Content-Length"), NULL, 10);
	while (out->body.len < want) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		assert_true(n > 0);
		assert_int_equal(buf_add(&out->body, chunk, (size_t)n, &err), 0);
	}
}

static void web_get(const struct webtree *w, const char *path, const char *more,
		    struct web_answer *out)
{
	int fd = webtree_connect(w, NULL);
	struct buf text = {0};
	struct error err = {0};

	assert_int_equal(buf_printf(&text, &err, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path,
				    more ? more : ""),
			 0);
	web_talk(fd, text.data, false, out);
	buf_clear(&text);
	closep(&fd);
}

static void web_clear(struct web_answer *a)
{
	buf_clear(&a->head);
	buf_clear(&a->body);
}

static int start(void **state)
{
	static struct webtree w;

	webtree_start(&w, NULL);
	*state = &w;
	return 0;
}

static int stop(void **state)
{
	webtree_stop(*state);
	return 0;
}

static int status_of(struct webtree *w, const char *path, const char *more)
{
	struct web_answer a;
	int status;

	web_get(w, path, more, &a);
	status = a.status;
	web_clear(&a);
	return status;
}

/* The entity tag of a file, into `out`. */
static void tag_of(struct webtree *w, const char *path, char out[64])
{
	struct web_answer a;

	web_get(w, path, NULL, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(web_header(&a, "ETag"));
	(void)snprintf(out, 64, "%s", web_header(&a, "ETag"));
	web_clear(&a);
}

static void file_comes_whole_with_type_and_life_time(void **state)
{
	struct webtree *w = *state;
	struct web_answer a;

	webtree_put(w, "p/a/metadata/1.root.json", "{}", true);
	webtree_put(w, "p/a/metadata/timestamp.json", "{\"x\":1}", true);
	for (int i = 0; i < 2; i++) { /* from disk, then from memory */
		web_get(w, "/p/a/metadata/1.root.json", NULL, &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body.data, "{}");
		assert_string_equal(web_header(&a, "Content-Type"), "application/json");
		assert_non_null(strstr(web_header(&a, "Cache-Control"), "immutable"));
		assert_string_equal(web_header(&a, "X-Content-Type-Options"), "nosniff");
		web_clear(&a);
		web_get(w, "/p/a/metadata/timestamp.json", NULL, &a);
		assert_string_equal(a.body.data, "{\"x\":1}");
		assert_null(strstr(web_header(&a, "Cache-Control"), "immutable"));
		web_clear(&a);
	}
}

static void page_has_a_content_security_policy(void **state)
{
	struct webtree *w = *state;
	struct web_answer a;

	webtree_put(w, "index.html", "<p>", false);
	web_get(w, "/", NULL, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(web_header(&a, "Content-Security-Policy"), "default-src 'none'"));
	web_clear(&a);
}

static void unchanged_file_is_304(void **state)
{
	struct webtree *w = *state;
	char tag[64], more[128];

	webtree_put(w, "registry.json", "{}", true);
	for (int i = 0; i < 2; i++) {
		struct web_answer a;

		tag_of(w, "/registry.json", tag);
		(void)snprintf(more, sizeof(more), "If-None-Match: \"x\", W/%s\r\n", tag);
		web_get(w, "/registry.json", more, &a);
		assert_int_equal(a.status, 304);
		assert_string_equal(web_header(&a, "ETag"), tag);
		assert_int_equal(a.body.len, 0);
		web_clear(&a);
		assert_int_equal(status_of(w, "/registry.json", "If-None-Match: \"x\"\r\n"), 200);
	}
}

static void replaced_file_is_seen_at_once(void **state)
{
	struct webtree *w = *state;
	char before[64], tag[64], text[16];

	for (int i = 0; i < 200; i++) {
		struct web_answer a;

		(void)snprintf(text, sizeof(text), "{\"v\":%03d}", i);
		webtree_put(w, "products.json", text, i == 100);
		web_get(w, "/products.json", NULL, &a);
		assert_string_equal(a.body.data, text);
		web_clear(&a);
		tag_of(w, "/products.json", tag);
		if (i)
			assert_string_not_equal(tag, before);
		memcpy(before, tag, sizeof(tag));
	}
}

/* A large file is kept open; what is served is still what has its name now. */
static void replaced_large_file_is_seen_at_once(void **state)
{
	static char large[LARGE + 1];
	struct webtree *w = *state;
	struct web_answer a;

	for (int i = 0; i < 4; i++) {
		memset(large, 'a' + i, LARGE);
		webtree_put(w, "p/a/targets/00.image", large, true);
		for (int again = 0; again < 3; again++) {
			web_get(w, "/p/a/targets/00.image", NULL, &a);
			assert_int_equal(a.status, 200);
			assert_int_equal(a.body.len, LARGE);
			assert_string_equal(a.body.data, large);
			web_clear(&a);
		}
	}
	assert_int_equal(unlinkat(w->dir, "p/a/targets/00.image", 0), 0);
	assert_int_equal(status_of(w, "/p/a/targets/00.image", NULL), 404);
}

/* On one connection, with answers between that have no body of a file to wait for. */
static void header_of_a_large_file_brings_its_first_bytes(void **state)
{
	static const struct {
		const char *method, *path, *more;
		int status;
		size_t len;
		bool together;
	} asks[] = {
		{"GET", "/large", "", 200, LARGE, false}, /* the library has to learn the socket */
		{"GET", "/large", "", 200, LARGE, true},
		{"HEAD", "/large", "", 200, 0, false},
		{"GET", "/small", "", 200, 2, true},
		{"GET", "/large", "If-None-Match: *\r\n", 304, 0, false},
		{"GET", "/large", "", 200, LARGE, true},
		{"GET", "/large", "Range: bytes=0-29999\r\n", 206, 30000, true},
		{"GET", "/large", "Range: bytes=99999999-\r\n", 416, 0, false},
		{"GET", "/nothing", "", 404, 0, false},
		{"GET", "/large", "", 200, LARGE, true},
		{"GET", "/healthz", "", 200, 11, true},
	};
	static char large[LARGE + 1];
	struct webtree *w = *state;
	CLEANUP(closep) int fd = webtree_connect(w, NULL);
	struct web_answer a;
	char text[256];

	memset(large, 'x', LARGE);
	webtree_put(w, "large", large, true);
	webtree_put(w, "small", "{}", true);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		(void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n",
			       asks[i].method, asks[i].path, asks[i].more);
		web_talk(fd, text, strcmp(asks[i].method, "HEAD") == 0 || asks[i].status == 304,
			 &a);
		assert_int_equal(a.status, asks[i].status);
		if (asks[i].len)
			assert_int_equal(a.body.len, asks[i].len);
		if (asks[i].together)
			assert_true(a.first > strlen(a.head.data));
		web_clear(&a);
	}
}

/* A file that the library sends in one step must not leave the socket corked. */
static void nothing_waits_behind_a_file(void **state)
{
	enum { MEDIUM = 30000, ROUNDS = 5, WAIT_MS = 200 };
	static const char *const paths[] = {"/medium", "/small", "/small"};
	static char medium[MEDIUM + 1];
	struct webtree *w = *state;
	CLEANUP(closep) int fd = webtree_connect(w, NULL);
	struct timespec from, to;
	int64_t ms = 0;

	memset(medium, 'x', MEDIUM);
	webtree_put(w, "medium", medium, true);
	webtree_put(w, "small", "{}", true);
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < ROUNDS * ARRAY_LEN(paths); i++) {
		struct web_answer a;
		char text[64];

		(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
			       paths[i % ARRAY_LEN(paths)]);
		web_talk(fd, text, false, &a);
		assert_int_equal(a.status, 200);
		web_clear(&a);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (int64_t)(to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	/* Corked, each of the fifteen would have waited. */
	assert_true(ms < ROUNDS * (int64_t)ARRAY_LEN(paths) * WAIT_MS / 2);
}

static void range_of_small_and_large_files(void **state)
{
	static char large[LARGE + 1];
	struct webtree *w = *state;
	struct web_answer a;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)('a' + i % 26);
	webtree_put(w, "p/a/targets/00.small", "0123456789", false);
	webtree_put(w, "p/a/targets/00.large", large, false);
	web_get(w, "/p/a/targets/00.small", "Range: bytes=2-4\r\n", &a);
	assert_int_equal(a.status, 206);
	assert_string_equal(a.body.data, "234");
	assert_string_equal(web_header(&a, "Content-Range"), "bytes 2-4/10");
	web_clear(&a);
	web_get(w, "/p/a/targets/00.large", "Range: bytes=299998-\r\n", &a);
	assert_int_equal(a.status, 206);
	assert_string_equal(a.body.data, large + 299998);
	web_clear(&a);
	web_get(w, "/p/a/targets/00.large", NULL, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, LARGE);
	assert_string_equal(a.body.data, large);
	assert_string_equal(web_header(&a, "Accept-Ranges"), "bytes");
	web_clear(&a);
	web_get(w, "/p/a/targets/00.large", "Range: bytes=300000-\r\n", &a);
	assert_int_equal(a.status, 416);
	assert_string_equal(web_header(&a, "Content-Range"), "bytes */300000");
	web_clear(&a);
	assert_int_equal(status_of(w, "/p/a/targets/00.small",
				   "Range: bytes=2-4\r\nIf-Range: \"other\"\r\n"),
			 200);
}

static void head_has_the_length_and_no_body(void **state)
{
	struct webtree *w = *state;
	int fd = webtree_connect(w, NULL);
	struct web_answer a;

	webtree_put(w, "registry.json", "{\"h\":1}", false);
	web_talk(fd, "HEAD /registry.json HTTP/1.1\r\nHost: x\r\n\r\n", true, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(web_header(&a, "Content-Length"), "7");
	assert_int_equal(a.body.len, 0);
	web_clear(&a);
	/* the same connection goes on */
	web_talk(fd, "GET /registry.json HTTP/1.1\r\nHost: x\r\n\r\n", false, &a);
	assert_string_equal(a.body.data, "{\"h\":1}");
	web_clear(&a);
	closep(&fd);
}

static void nothing_outside_of_the_tree_is_served(void **state)
{
	static const char *const bad[] = {
		"/../etc/passwd",
		"/%2e%2e/etc/passwd",
		"/p/../../etc/passwd",
		"//etc/passwd",
		"/link",
		"/folder-link/registry.json",
		"/p/%00",
		"/registry.json%00",
		"/registry.json/",
		"/.tmp-0123456789",
		"/p%2fa",
		"/fifo",
	};
	struct webtree *w = *state;

	webtree_put(w, "registry.json", "{}", false);
	webtree_put(w, ".tmp-0123456789", "{}", false);
	webtree_put(w, "p/a/x", "{}", false);
	assert_int_equal(symlinkat("registry.json", w->dir, "link"), 0);
	assert_int_equal(symlinkat(".", w->dir, "folder-link"), 0);
	assert_int_equal(mkfifoat(w->dir, "fifo", 0644), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (status_of(w, bad[i], NULL) != 404)
			fail_msg("%s is served", bad[i]);
}

static void folder_is_not_listed_but_led_to_its_page(void **state)
{
	struct webtree *w = *state;
	struct web_answer a;

	webtree_put(w, "p/a/x", "{}", false);
	web_get(w, "/p/a", NULL, &a);
	assert_int_equal(a.status, 301);
	assert_string_equal(web_header(&a, "Location"), "./a/");
	web_clear(&a);
	assert_int_equal(status_of(w, "/p/a/", NULL), 404);
}

static void unknown_calls_and_methods_say_so(void **state)
{
	struct webtree *w = *state;
	int fd = webtree_connect(w, NULL);
	struct web_answer a;

	assert_int_equal(status_of(w, "/v1/nothing", NULL), 404);
	assert_int_equal(status_of(w, "/v1/documents", NULL), 405);
	web_talk(fd, "DELETE /registry.json HTTP/1.1\r\nHost: x\r\n\r\n", false, &a);
	assert_int_equal(a.status, 405);
	assert_non_null(strstr(a.body.data, "\"error\":\"invalid\""));
	web_clear(&a);
	closep(&fd);
}

static void body_beyond_the_limit_is_413_before_it_is_sent(void **state)
{
	struct webtree *w = *state;
	int fd = webtree_connect(w, NULL);
	struct web_answer a;

	web_talk(fd,
		 "POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\n"
		 "Expect: 100-continue\r\n\r\n",
		 false, &a);
	assert_int_equal(a.status, 413);
	web_clear(&a);
	closep(&fd);
}

static void health_and_metrics(void **state)
{
	struct webtree *w = *state;
	struct web_answer a;

	assert_int_equal(status_of(w, "/healthz", NULL), 200);
	webtree_put(w, "log/checkpoint", "example.org/log\n42\nAAAA\n", false);
	web_get(w, "/metrics", NULL, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body.data, "bequest_http_requests_total{status=\"200\"} "));
	assert_non_null(strstr(a.body.data, "\nbequest_log_size 42\n"));
	assert_non_null(strstr(a.body.data, "\nbequest_uptime_seconds "));
	web_clear(&a);
}

/* Sweep until the peer ends the connection; what it sent goes to `out`. */
static void sweep_until_closed(struct webtree *w, int fd, struct buf *out)
{
	struct timespec step = {0, 10000000};
	struct error err = {0};
	char chunk[512];

	for (int i = 0; i < 500; i++) {
		ssize_t n;

		server_sweep(w->server);
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return;
		if (n > 0)
			assert_int_equal(buf_add(out, chunk, (size_t)n, &err), 0);
		(void)nanosleep(&step, NULL);
	}
	fail_msg("a slow client stays");
}

static void slow_client_is_told_408(void **state)
{
	static const char *const begun[] = {
		"GET /regis",
		"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
	};
	struct conns_limits hasty = conns_defaults;
	struct webtree w;

	(void)state;
	hasty.header_ms = hasty.body_ms = 50;
	webtree_start(&w, &hasty);
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
		int fd = webtree_connect(&w, NULL);
		struct buf said = {0};

		assert_true(send(fd, begun[i], strlen(begun[i]), 0) > 0);
		sweep_until_closed(&w, fd, &said);
		assert_non_null(said.data);
		assert_non_null(strstr(said.data, "HTTP/1.1 408 "));
		buf_clear(&said);
		closep(&fd);
	}
	webtree_stop(&w);
}

static void address_has_a_bound_on_connections(void **state)
{
	struct conns_limits few = conns_defaults;
	struct webtree w;
	struct web_answer a;
	int fds[3];

	(void)state;
	few.per_address = 2;
	webtree_start(&w, &few);
	webtree_put(&w, "registry.json", "{}", false);
	for (size_t i = 0; i < 3; i++) {
		fds[i] = webtree_connect(&w, "127.0.0.9");
		web_talk(fds[i], "GET /registry.json HTTP/1.1\r\nHost: x\r\n\r\n", false, &a);
		assert_int_equal(a.status, i < 2 ? 200 : 0);
		web_clear(&a);
	}
	for (size_t i = 0; i < 3; i++)
		closep(&fds[i]);
	webtree_stop(&w);
}

static void address_has_a_bound_on_writes(void **state)
{
	static const char post[] =
		"POST /v1/shares HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
	struct conns_limits few = conns_defaults;
	struct webtree w;
	struct web_answer a;

	(void)state;
	few.writes = 2;
	webtree_start(&w, &few);
	for (int i = 0; i < 3; i++) {
		int fd = webtree_connect(&w, "127.0.0.9");

		web_talk(fd, post, false, &a);
		assert_int_equal(a.status, i < 2 ? 404 : 429);
		if (i == 2)
			assert_non_null(web_header(&a, "Retry-After"));
		web_clear(&a);
		closep(&fd);
	}
	webtree_stop(&w);
}

static char *clone(const struct webtree *w, const struct gitbox *g, const char *how)
{
	char *url = NULL, *to = NULL, *head;

	assert_true(asprintf(&url, "http://127.0.0.1:%u/p/a/source.git", w->port) > 0);
	assert_true(asprintf(&to, "%s/%s", g->path, how) > 0);
	assert_int_equal(setenv("GIT_SMART_HTTP", strcmp(how, "dumb") == 0 ? "0" : "1", 1), 0);
	free(git(g, "-c", "http.proxy=", "clone", "-q", url, to));
	head = git(g, "-C", to, "--git-dir=.git", "rev-parse", "HEAD");
	assert_int_equal(unsetenv("GIT_SMART_HTTP"), 0);
	free(url);
	free(to);
	return head;
}

static void git_clones_over_smart_and_dumb_http(void **state)
{
	static const char *const ways[] = {"smart", "dumb"};
	struct webtree *w = *state;
	const struct sources_place at = {w->dir, "p/a/source.git", w->work};
	struct error err = {0};
	struct gitbox g;
	char *commit, *tree, *bundle = NULL;
	int fd;

	gitbox_start(&g);
	tree = gitbox_tree(&g, &(struct buf){.data = NULL});
	commit = gitbox_commit(&g, tree, NULL, "main");
	free(git(&g, "tag", "-a", "-m", "one", "v1", commit));
	assert_true(asprintf(&bundle, "%s/b", g.path) > 0);
	free(git(&g, "bundle", "create", "-q", bundle, "--all"));
	fd = openat(g.dir, "b", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_mkdir(w->dir, "p/a", 0755, &err), 0);
	if (sources_add_bundle(&at, fd, "b", NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		char *head = clone(w, &g, ways[i]);

		assert_string_equal(head, commit);
		free(head);
	}
	assert_int_equal(status_of(w, "/p/b/source.git/info/refs?service=git-upload-pack", NULL),
			 404);
	assert_int_equal(status_of(w, "/p/a/source.git/info/refs?service=git-receive-pack", NULL),
			 404);
	closep(&fd);
	free(bundle);
	free(commit);
	free(tree);
	gitbox_stop(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_comes_whole_with_type_and_life_time),
		cmocka_unit_test(page_has_a_content_security_policy),
		cmocka_unit_test(unchanged_file_is_304),
		cmocka_unit_test(replaced_file_is_seen_at_once),
		cmocka_unit_test(replaced_large_file_is_seen_at_once),
		cmocka_unit_test(header_of_a_large_file_brings_its_first_bytes),
		cmocka_unit_test(nothing_waits_behind_a_file),
		cmocka_unit_test(range_of_small_and_large_files),
		cmocka_unit_test(head_has_the_length_and_no_body),
		cmocka_unit_test(nothing_outside_of_the_tree_is_served),
		cmocka_unit_test(folder_is_not_listed_but_led_to_its_page),
		cmocka_unit_test(unknown_calls_and_methods_say_so),
		cmocka_unit_test(body_beyond_the_limit_is_413_before_it_is_sent),
		cmocka_unit_test(health_and_metrics),
		cmocka_unit_test(git_clones_over_smart_and_dumb_http),
		cmocka_unit_test(slow_client_is_told_408),
		cmocka_unit_test(address_has_a_bound_on_connections),
		cmocka_unit_test(address_has_a_bound_on_writes),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
