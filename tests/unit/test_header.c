/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/header.h"

#include <string.h>

#include "lib/base/compiler.h"
#include "tests/unit/unit.h"

static struct http_header read_line(const char *line)
{
	struct http_header h;

	http_header_clear(&h);
	http_header_line(&h, line, strlen(line));
	return h;
}

static void lengths_and_offsets_are_read_in_any_case(void **state)
{
	(void)state;
	assert_int_equal(read_line("Content-Length: 5\r\n").length, 5);
	assert_int_equal(read_line("content-length:\t18446744073709551615\n").length, UINT64_MAX);
	assert_int_equal(read_line("upload-offset: 9223372036854775807\r\n").upload_offset,
			 INT64_MAX);
}

static void what_is_malformed_says_nothing(void **state)
{
	static const char *const bad[] = {
		"Content-Length: -1\r\n",
		"Content-Length: 18446744073709551616\r\n",
		"Content-Length:\r\n",
		"Content-Lengths: 5\r\n",
		"Upload-Offset: 9223372036854775808\r\n",
		"Upload-Offset: +3\r\n",
		"\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_header h = read_line(bad[i]);

		assert_int_equal(h.length, 0);
		assert_int_equal(h.upload_offset, -1);
		assert_true(h.start == HEADER_NOWHERE);
	}
}

static void only_a_range_to_the_end_has_a_start(void **state)
{
	static const char *const bad[] = {
		"Content-Range: bytes 100-198/200\r\n",
		"Content-Range: bytes 100-200/200\r\n",
		"Content-Range: bytes */200\r\n",
		"Content-Range: bytes 100-199/*\r\n",
		"Content-Range: lines 100-199/200\r\n",
		"Content-Range: byte\n",
		"Content-Range:\n",
		"Content-Range: bytes 0-18446744073709551615/0\r\n",
	};

	(void)state;
	assert_int_equal(read_line("Content-Range: bytes 100-199/200\r\n").start, 100);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(read_line(bad[i]).start == HEADER_NOWHERE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_and_offsets_are_read_in_any_case),
		cmocka_unit_test(what_is_malformed_says_nothing),
		cmocka_unit_test(only_a_range_to_the_end_has_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
