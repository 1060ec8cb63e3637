/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/error.h"

enum { BACKLOG = 4096, PORT_MAX = 65535 };

static int split_address(const char *address, char *host, size_t size, const char **port,
			 struct error *err)
{
	const char *colon = strrchr(address, ':');
	const char *start = address;
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		start++;
		len -= 2;
	}
	if (!colon || len >= size || strlen(colon + 1) > 5 || !colon[1] ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strtol(colon + 1, NULL, 10) > PORT_MAX)
		return error_set(err, E_USAGE, "%s: want ADDRESS:PORT", address);
	memcpy(host, start, len);
	host[len] = '\0';
	*port = colon + 1;
	return 0;
}

static int bind_one(const struct addrinfo *a, const char *address, int *out, struct error *err)
{
	CLEANUP(closep)
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return error_errno(err, errno, "%s", address);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		if (errno == EADDRINUSE)
			return error_set(err, E_BUSY, "%s: in use", address);
		return error_errno(err, errno, "%s", address);
	}
	*out = steal_fd(&fd);
	return 0;
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	(void)getsockname(fd, (struct sockaddr *)&at, &len);
	memcpy(&in, &at, sizeof(in));
	memcpy(&in6, &at, sizeof(in6));
	return ntohs(at.ss_family == AF_INET6 ? in6.sin6_port : in.sin_port);
}

int listen_on(const char *address, int *out, unsigned *out_port, struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	const char *port = NULL;
	char host[256];
	int r = split_address(address, host, sizeof(host), &port, err);

	if (r < 0)
		return r;
	if (getaddrinfo(host[0] ? host : NULL, port, &hints, &found) != 0 || !found)
		return error_set(err, E_USAGE, "%s: no such address", address);
	r = bind_one(found, address, out, err);
	freeaddrinfo(found);
	if (r == 0)
		*out_port = port_of(*out);
	return r;
}
