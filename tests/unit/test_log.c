/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/capture.h"
#include "tests/unit/unit.h"

static void lines_have_a_level(void **state)
{
	static const char *const want[] = {"error event n=5\n", "warning event n=5\n",
					   "info event n=5\n"};

	(void)state;
	for (int level = LOG_ERROR; level <= LOG_INFO; level++) {
		struct capture c = capture_begin(STDERR_FILENO);
		CLEANUP(buf_clear) struct buf out = {0};

		log_line((enum log_level)level, "event n=%d", 5);
		capture_end(&c, &out);
		assert_string_equal(out.data, want[level]);
	}
}

static void debug_is_for_who_asks(void **state)
{
	struct capture c = capture_begin(STDERR_FILENO);
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	(void)unsetenv("BEQUEST_DEBUG");
	log_line(LOG_DEBUG, "quiet");
	(void)setenv("BEQUEST_DEBUG", "1", 1);
	log_line(LOG_DEBUG, "asked for");
	(void)unsetenv("BEQUEST_DEBUG");
	capture_end(&c, &out);
	assert_string_equal(out.data, "debug asked for\n");
}

static void bytes_from_outside_cannot_forge_a_line(void **state)
{
	struct capture c = capture_begin(STDERR_FILENO);
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	log_line(LOG_INFO, "name=%s", "a\nerror all is lost\r\x1b[2J\x7f\t\xc3\xa4");
	capture_end(&c, &out);
	assert_string_equal(out.data,
			    "info name=a\\x0aerror all is lost\\x0d\\x1b[2J\\x7f\\x09\xc3\xa4\n");
}

static void long_lines_are_cut(void **state)
{
	struct capture c = capture_begin(STDERR_FILENO);
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	log_line(LOG_INFO, "%5000s", "x");
	capture_end(&c, &out);
	assert_int_equal(out.len, strlen("info ") + 1023 + 1);
	assert_int_equal(out.data[out.len - 1], '\n');
}

/* Or the lines of two processes with one log run into each other. */
static void one_line_is_one_write(void **state)
{
	int pair[2], saved = dup(STDERR_FILENO);
	char got[64] = "";
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_true(saved >= 0 && dup2(pair[1], STDERR_FILENO) >= 0);
	log_line(LOG_INFO, "name=%s\n", "x");
	n = recv(pair[0], got, sizeof(got) - 1, MSG_DONTWAIT);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_string_equal(got, "info name=x\\x0a\n");
	assert_int_equal(n, strlen(got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_a_level),
		cmocka_unit_test(debug_is_for_who_asks),
		cmocka_unit_test(bytes_from_outside_cannot_forge_a_line),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(one_line_is_one_write),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
