/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

/* Set or not: qemu, which takes TCP_CORK for SO_TYPE, says 2 for 1 on MIPS. */
static int get(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, name, &value, &len), 0);
	return value != 0;
}

static void set(int fd, int name, int value)
{
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value)), 0);
}

static void one_uncorking_is_passed_over(void **state)
{
	int fd = new_socket();

	(void)state;
	cork_hold(fd);
	assert_int_equal(get(fd, TCP_CORK), 1);
	set(fd, TCP_CORK, 0);
	assert_int_equal(get(fd, TCP_CORK), 1);
	set(fd, TCP_CORK, 0);
	assert_int_equal(get(fd, TCP_CORK), 0);
	(void)close(fd);
}

static void other_sockets_and_options_are_set(void **state)
{
	int fd = new_socket(), other = new_socket();

	(void)state;
	cork_hold(fd);
	set(other, TCP_CORK, 1);
	set(other, TCP_CORK, 0);
	assert_int_equal(get(other, TCP_CORK), 0);
	set(fd, TCP_NODELAY, 1);
	assert_int_equal(get(fd, TCP_NODELAY), 1);
	set(fd, TCP_NODELAY, 0);
	assert_int_equal(get(fd, TCP_NODELAY), 0);
	set(fd, TCP_CORK, 0); /* only now */
	assert_int_equal(get(fd, TCP_CORK), 1);
	(void)close(fd);
	(void)close(other);
}

/* A socket that was held may be closed, and its number be another's. */
static void what_is_forgotten_is_not_held(void **state)
{
	int fd = new_socket();

	(void)state;
	cork_hold(fd);
	cork_forget();
	set(fd, TCP_CORK, 0);
	assert_int_equal(get(fd, TCP_CORK), 0);
	(void)close(fd);
}

static void what_is_no_tcp_socket_is_not_held(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;

	(void)state;
	cork_hold(fd);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off)), -1);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_uncorking_is_passed_over),
		cmocka_unit_test(other_sockets_and_options_are_set),
		cmocka_unit_test(what_is_forgotten_is_not_held),
		cmocka_unit_test(what_is_no_tcp_socket_is_not_held),
	};

	return cmocka_run_group_tests_name("cork", tests, NULL, NULL);
}
