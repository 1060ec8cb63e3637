/* SPDX-License-Identifier: Apache-2.0 */
#include "client/elsewhere.h"

#include <stdio.h>
#include <time.h>

#include "tests/support/httpd.h"
#include "tests/unit/unit.h"

enum { NOTE_SIZE = 64 };

static struct httpd *server;
static struct http *http;
static int requests;

/* /good says which request it is, /slow says nothing for long, everything else is busy. */
static bool handle(void *ctx, const struct httpd_request *q)
{
	char text[NOTE_SIZE];

	(void)ctx;
	requests++;
	(void)snprintf(text, sizeof(text), "answer %d", requests);
	if (httpd_asks(q, "GET /slow"))
		return httpd_pause(q->fd, 20 * 1000) && httpd_answer(q->fd, 200, "", text);
	return httpd_asks(q, "GET /good") ? httpd_answer(q->fd, 200, "", text)
					  : httpd_answer(q->fd, 503, "", "");
}

static int setup(void **state)
{
	(void)state;
	requests = 0;
	server = httpd_start(handle, NULL);
	assert_non_null(server);
	assert_int_equal(http_new(NULL, &http, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	httpd_stop(server);
	return 0;
}

static int ask(struct elsewhere *e, const struct source *from, const char *path, struct buf *out,
	       struct error *err)
{
	char url[NOTE_SIZE];

	(void)snprintf(url, sizeof(url), "%s%s", httpd_url(server), path);
	return elsewhere_get(e, from, url, NOTE_SIZE, out, err);
}

static void each_is_asked_once_and_what_it_said_stands(void **state)
{
	CLEANUP(elsewhere_clear) struct elsewhere e = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	const struct source from = {.http = http};
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		buf_clear(&out);
		assert_int_equal(ask(&e, &from, "good", &out, &err), 0);
		assert_int_equal(out.len, strlen("answer 1"));
		assert_memory_equal(out.data, "answer 1", out.len);
		assert_error(ask(&e, &from, "bad", &out, &err), E_BUSY, &err,
			     "no answer in this run");
	}
	assert_int_equal(out.len, strlen("answer 1"));
	assert_int_equal(requests, 2);
}

static void no_more_are_asked_than_a_root_may_name(void **state)
{
	CLEANUP(elsewhere_clear) struct elsewhere e = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	const struct source from = {.http = http};
	struct error err = {0};
	char path[NOTE_SIZE];

	(void)state;
	for (int i = 0; i < ELSEWHERE_MAX; i++) {
		(void)snprintf(path, sizeof(path), "good-%d", i);
		assert_int_equal(ask(&e, &from, path, &out, &err), 0);
	}
	assert_error(ask(&e, &from, "good-more", &out, &err), E_NOTFOUND, &err, "are not asked");
	assert_int_equal(ask(&e, &from, "good-0", &out, &err), 0);
	assert_int_equal(requests, ELSEWHERE_MAX);
}

static void one_that_says_nothing_costs_its_patience_and_once(void **state)
{
	CLEANUP(elsewhere_clear) struct elsewhere e = {.options = {.stall_s = 1, .patience_s = 1}};
	CLEANUP(buf_clear) struct buf out = {0};
	const struct source from = {.http = http};
	struct error err = {0};
	time_t began = time(NULL);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(&e, &from, "slow", &out, &err), E_NET);
	assert_int_equal(ask(&e, &from, "good", &out, &err), 0);
	assert_int_equal(requests, 2);
	assert_in_range(time(NULL) - began, 0, 5);
}

static void a_folder_asks_no_network(void **state)
{
	CLEANUP(elsewhere_clear) struct elsewhere e = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	const struct source stick = {.http = http, .folder = true};
	struct error err = {0};

	(void)state;
	assert_int_equal(ask(&e, &stick, "good", &out, &err), E_NOTFOUND);
	assert_int_equal(requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_asked_once_and_what_it_said_stands, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_more_are_asked_than_a_root_may_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_says_nothing_costs_its_patience_and_once,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_asks_no_network, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
