/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <termios.h>

#include "tests/support/capture.h"
#include "tests/unit/unit.h"

/* Standard error is a terminal meanwhile; what it shows is read from `screen`. */
struct terminal {
	int kept, screen;
};

static struct terminal terminal_begin(const char *term)
{
	struct terminal t = {.kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10),
			     .screen = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
	char name[64];

	assert_true(t.kept >= 0 && t.screen >= 0);
	assert_int_equal(grantpt(t.screen), 0);
	assert_int_equal(unlockpt(t.screen), 0);
	assert_int_equal(ptsname_r(t.screen, name, sizeof(name)), 0);
	int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
	assert_int_equal(term ? setenv("TERM", term, 1) : unsetenv("TERM"), 0);
	return t;
}

/* What it showed. The kernel passes that on in its own time, up to an error when all is read. */
static void terminal_end(struct terminal *t, char out[512])
{
	size_t len = 0;

	(void)fflush(stderr);
	assert_int_equal(dup2(t->kept, STDERR_FILENO), STDERR_FILENO);
	for (ssize_t n = 1; n > 0; len += n > 0 ? (size_t)n : 0)
		n = read(t->screen, out + len, 511 - len);
	out[len] = '\0';
	(void)close(t->kept);
	(void)close(t->screen);
}

/* The first bar of a work that took longer than none. */
static void draw(struct progress *p, uint64_t done, uint64_t total)
{
	p->next_ms = 0;
	progress_draw(p, done, total);
}

static void a_bar_shows_the_share(void **state)
{
	static const struct {
		uint64_t done, total;
		const char *want;
	} shows[] = {
		{0, 200, "\r\033[Kup [                              ]   0%"},
		{100, 200, "\r\033[Kup [###############               ]  50%"},
		{200, 200, "\r\033[Kup [##############################] 100%"},
		{300, 200, "\r\033[Kup [##############################] 100%"},
		{77, 0, "\r\033[Kup 77"},
		{0, UINT64_MAX, "\r\033[Kup [                              ]   0%"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shows); i++) {
		struct terminal t = terminal_begin("xterm");
		struct progress p;
		char shown[512];

		progress_init(&p, "up", false);
		draw(&p, shows[i].done, shows[i].total);
		terminal_end(&t, shown);
		assert_string_equal(shown, shows[i].want);
	}
}

/* 2^53 is the largest size that any of our documents can name. */
static void large_totals_are_right(void **state)
{
	struct terminal t = terminal_begin("xterm");
	struct progress p;
	char shown[512];

	(void)state;
	progress_init(&p, "up", false);
	draw(&p, UINT64_C(1) << 52, UINT64_C(1) << 53);
	terminal_end(&t, shown);
	assert_string_equal(shown, "\r\033[Kup [###############               ]  50%");
}

static void the_line_is_cleared_at_the_end(void **state)
{
	struct terminal t = terminal_begin("xterm");
	struct progress p;
	char shown[512];

	(void)state;
	progress_init(&p, "up", false);
	draw(&p, 1, 0);
	progress_end(&p);
	progress_end(&p);
	terminal_end(&t, shown);
	assert_string_equal(shown, "\r\033[Kup 1\r\033[K");
}

static void quick_work_shows_no_bar(void **state)
{
	struct terminal t = terminal_begin("xterm");
	struct progress p;
	char shown[512];

	(void)state;
	progress_init(&p, "up", false);
	for (uint64_t i = 0; i < 1000; i++)
		progress_draw(&p, i, 1000);
	progress_end(&p);
	terminal_end(&t, shown);
	assert_string_equal(shown, "");
}

static void a_bar_is_drawn_five_times_a_second_at_most(void **state)
{
	struct terminal t = terminal_begin("xterm");
	struct progress p;
	char shown[512];

	(void)state;
	progress_init(&p, "up", false);
	draw(&p, 1, 0);
	for (uint64_t i = 2; i < 1000; i++)
		progress_draw(&p, i, 0);
	terminal_end(&t, shown);
	assert_string_equal(shown, "\r\033[Kup 1");
}

static void nothing_is_drawn_where_it_cannot_be_read(void **state)
{
	static const struct {
		const char *term;
		bool quiet;
	} not_here[] = {{"dumb", false}, {NULL, false}, {"xterm", true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(not_here); i++) {
		struct terminal t = terminal_begin(not_here[i].term);
		struct progress p;
		char shown[512];

		progress_init(&p, "up", not_here[i].quiet);
		draw(&p, 1, 2);
		progress_end(&p);
		terminal_end(&t, shown);
		assert_string_equal(shown, "");
	}
	struct capture c = capture_begin(STDERR_FILENO); /* a file */
	CLEANUP(buf_clear) struct buf out = {0};
	struct progress p;

	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	progress_init(&p, "up", false);
	draw(&p, 1, 2);
	progress_end(&p);
	capture_end(&c, &out);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bar_shows_the_share),
		cmocka_unit_test(large_totals_are_right),
		cmocka_unit_test(the_line_is_cleared_at_the_end),
		cmocka_unit_test(quick_work_shows_no_bar),
		cmocka_unit_test(a_bar_is_drawn_five_times_a_second_at_most),
		cmocka_unit_test(nothing_is_drawn_where_it_cannot_be_read),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
