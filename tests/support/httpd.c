/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/httpd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

enum { CONNECTIONS_MAX = 16, HEAD_MAX = 16384, BODY_MAX = 1 << 26 };

struct httpd {
	httpd_handler handler;
	void *ctx;
	pthread_t thread;
	int stop[2]; /* a pipe; closing its end stops the thread */
	struct pollfd fds[CONNECTIONS_MAX];
	nfds_t n; /* 0: the pipe, 1: the listener, then connections */
	int opened, requests;
	char url[48];
};

bool httpd_send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool httpd_say(int fd, const char *text)
{
	return httpd_send(fd, text, strlen(text));
}

bool httpd_answer(int fd, int status, const char *head, const char *body)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n", status,
		       strlen(body));
	return httpd_say(fd, line) && httpd_say(fd, head) && httpd_say(fd, "\r\n") &&
	       httpd_say(fd, body);
}

bool httpd_pause(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};

	return poll(&p, 1, ms) == 0;
}

bool httpd_asks(const struct httpd_request *q, const char *start)
{
	return strncmp(q->head, start, strlen(start)) == 0;
}

const char *httpd_url(const struct httpd *s)
{
	return s->url;
}

/* Read up to the empty line, byte by byte so that nothing of the body is taken. */
static bool read_head(int fd, char head[HEAD_MAX])
{
	size_t n = 0;

	while (n < HEAD_MAX - 1 && recv(fd, head + n, 1, 0) == 1) {
		head[++n] = '\0';
		if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool read_body(int fd, const char *head, struct buf *body)
{
	const char *at = strcasestr(head, "\r\nContent-Length:");
	size_t len = at ? strtoul(strchr(at + 2, ':') + 1, NULL, 10) : 0;

	if (len > BODY_MAX || buf_reserve(body, len, NULL) < 0)
		return false;
	if (strcasestr(head, "\r\nExpect: 100-continue") &&
	    !httpd_say(fd, "HTTP/1.1 100 Continue\r\n\r\n"))
		return false;
	while (body->len < len) {
		ssize_t n = recv(fd, body->data + body->len, len - body->len, 0);

		if (n <= 0)
			return false;
		body->len += (size_t)n;
	}
	return true;
}

static bool serve(struct httpd *s, int fd)
{
	CLEANUP(freep) char *head = malloc(HEAD_MAX);
	struct httpd_request q = {.head = head, .fd = fd};
	bool keep = false;

	if (head && read_head(fd, head) && read_body(fd, head, &q.body)) {
		q.opened = s->opened;
		q.requests = ++s->requests;
		keep = s->handler(s->ctx, &q);
	}
	buf_clear(&q.body);
	return keep;
}

static void welcome(struct httpd *s)
{
	int fd = accept4(s->fds[1].fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	s->opened++;
	if (s->n == CONNECTIONS_MAX)
		(void)close(fd);
	else
		s->fds[s->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void *run(void *arg)
{
	struct httpd *s = arg;

	for (;;) {
		if (poll(s->fds, s->n, -1) < 0)
			continue;
		if (s->fds[0].revents)
			return NULL;
		for (nfds_t i = s->n; i-- > 2;) {
			if (!s->fds[i].revents || serve(s, s->fds[i].fd))
				continue;
			(void)close(s->fds[i].fd);
			s->fds[i] = s->fds[--s->n];
		}
		if (s->fds[1].revents)
			welcome(s);
	}
}

static int listen_anywhere(char url[48])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		closep(&fd);
		return -1;
	}
	(void)snprintf(url, 48, "http://127.0.0.1:%u/", ntohs(a.sin_port));
	return fd;
}

static void drop(struct httpd *s)
{
	for (nfds_t i = 0; i < s->n; i++)
		closep(&s->fds[i].fd);
	closep(&s->stop[1]);
	free(s);
}

struct httpd *httpd_start(httpd_handler handler, void *ctx)
{
	struct httpd *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->handler = handler;
	s->ctx = ctx;
	s->n = 2;
	if (pipe(s->stop) < 0) {
		free(s);
		return NULL;
	}
	s->fds[0] = (struct pollfd){.fd = s->stop[0], .events = POLLIN};
	s->fds[1] = (struct pollfd){.fd = listen_anywhere(s->url), .events = POLLIN};
	if (s->fds[1].fd < 0 || pthread_create(&s->thread, NULL, run, s) != 0) {
		drop(s);
		return NULL;
	}
	return s;
}

void httpd_stop(struct httpd *s)
{
	if (!s)
		return;
	(void)close(s->stop[1]);
	s->stop[1] = -1;
	(void)pthread_join(s->thread, NULL);
	drop(s);
}
