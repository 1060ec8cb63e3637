/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "registry/monitor/monitor.h"
#include "tests/unit/unit.h"

enum { START = 1900000000 };

struct desk {
	char *dir, path[256];
	struct memory *memory;
	struct monitor m;
};

static void reopen(struct desk *d)
{
	memory_close(d->memory);
	d->memory = NULL;
	assert_int_equal(memory_open(d->path, &d->memory, NULL), 0);
	d->m.memory = d->memory;
}

static int start(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	if (!d || file_temp_dir(false, &d->dir, NULL) < 0)
		return -1;
	(void)snprintf(d->path, sizeof(d->path), "%s/monitor.db", d->dir);
	reopen(d);
	d->m.now = START;
	d->m.limits = monitor_defaults;
	*state = d;
	return file_open_dir(AT_FDCWD, d->dir, false, &d->m.dir, NULL);
}

static int stop(void **state)
{
	struct desk *d = *state;

	memory_close(d->memory);
	closep(&d->m.dir);
	int r = file_remove_tree(AT_FDCWD, d->dir, NULL);
	free(d->dir);
	free(d);
	return r;
}

/* --- values ------------------------------------------------------------------------------ */

static void put(struct desk *d, const char *name, const char *value)
{
	assert_int_equal(memory_put(d->memory, name, value, strlen(value), NULL), 0);
}

static void assert_value(struct desk *d, const char *name, const char *want)
{
	CLEANUP(buf_clear) struct buf v = {0};
	int r = memory_get(d->memory, name, &v, NULL);

	assert_int_equal(r, want ? 0 : 1);
	if (want)
		assert_string_equal(v.data ? v.data : "", want);
}

static void values_outlive_the_process(void **state)
{
	struct desk *d = *state;
	uint64_t n = 9;

	put(d, "a", "1");
	put(d, "a", "2");
	put(d, "b", "");
	assert_int_equal(memory_put_number(d->memory, "n", UINT64_MAX, NULL), 0);
	reopen(d);
	assert_value(d, "a", "2");
	assert_value(d, "b", "");
	assert_value(d, "c", NULL);
	assert_int_equal(memory_get_number(d->memory, "n", &n, NULL), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(memory_get_number(d->memory, "none", &n, NULL), 0);
	assert_true(n == 0);
	assert_int_equal(memory_drop(d->memory, "a", NULL), 0);
	assert_value(d, "a", NULL);
}

static void what_was_not_committed_never_was(void **state)
{
	struct desk *d = *state;

	put(d, "a", "1");
	assert_int_equal(memory_begin(d->memory, NULL), 0);
	put(d, "a", "2");
	memory_rollback(d->memory);
	assert_value(d, "a", "1");
	memory_rollback(d->memory);
	assert_int_equal(memory_begin(d->memory, NULL), 0);
	put(d, "a", "3");
	reopen(d); /* as a kill would */
	assert_value(d, "a", "1");
	assert_int_equal(memory_begin(d->memory, NULL), 0);
	put(d, "a", "4");
	assert_int_equal(memory_commit(d->memory, NULL), 0);
	reopen(d);
	assert_value(d, "a", "4");
}

static void names_are_walked_within_their_prefix(void **state)
{
	static const char *const names[] = {"p", "p/", "p/a", "p/a/1", "p/b", "p0", "q/a"};
	struct desk *d = *state;
	char name[MEMORY_NAME_SIZE] = "p/";

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		put(d, names[i], "x");
	assert_int_equal(memory_next(d->memory, "p/", name, NULL), 0);
	assert_string_equal(name, "p/a");
	assert_int_equal(memory_next(d->memory, "p/", name, NULL), 0);
	assert_string_equal(name, "p/a/1");
	assert_int_equal(memory_next(d->memory, "p/", name, NULL), 0);
	assert_string_equal(name, "p/b");
	assert_int_equal(memory_next(d->memory, "p/", name, NULL), 1);
	assert_string_equal(name, "p/b");
	assert_int_equal(memory_last(d->memory, "p/", name, NULL), 0);
	assert_string_equal(name, "p/b");
	assert_int_equal(memory_last(d->memory, "p/a", name, NULL), 0);
	assert_string_equal(name, "p/a/1");
	assert_int_equal(memory_last(d->memory, "o", name, NULL), 1);
}

static void another_programs_file_is_left_alone(void **state)
{
	struct desk *d = *state;
	struct memory *other = NULL;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/other.db", d->dir);
	assert_int_equal(file_write(AT_FDCWD, path, "not a database at all, but long enough", 38,
				    0600, NULL),
			 0);
	assert_int_equal(memory_open(path, &other, NULL), E_INVALID);
	assert_null(other);
}

static void out_of_memory_is_reported(void **state)
{
	struct desk *d = *state;

	for (long n = 0;; n++) {
		struct memory *m = NULL;
		int r;

		oom_after(n);
		r = memory_open(d->path, &m, NULL);
		if (!oom_fired()) {
			assert_int_equal(r, 0);
			memory_close(m);
			return;
		}
		assert_int_equal(r, E_NOMEM);
		assert_null(m);
	}
}

/* --- events and troubles ------------------------------------------------------------------- */

/* The texts that were not told yet, joined; they are told now. */
static void assert_told(struct desk *d, const char *want)
{
	CLEANUP(buf_clear) struct buf all = {0};
	char name[MEMORY_NAME_SIZE] = "e/";

	while (memory_next(d->memory, "e/", name, NULL) == 0) {
		CLEANUP(json_decrefp) json_t *e = NULL;

		assert_int_equal(memory_get_json(d->memory, name, &e, NULL), 0);
		assert_int_equal(buf_printf(&all, NULL, "%s%s %s", all.len ? ", " : "",
					    json_string_value(json_object_get(e, "level")),
					    json_string_value(json_object_get(e, "text"))),
				 0);
		assert_int_equal(memory_drop(d->memory, name, NULL), 0);
	}
	assert_string_equal(all.data ? all.data : "", want);
}

static void trouble(struct desk *d, enum level level, int64_t patience)
{
	const struct happening h = {
		.level = level, .kind = "expiry", .scope = "x/root", .patience = patience};

	assert_int_equal(monitor_trouble(&d->m, &h, NULL, "bad"), 0);
}

static void fine(struct desk *d)
{
	assert_int_equal(monitor_fine(&d->m, "expiry", "x/root", NULL), 0);
}

static void assert_stands(struct desk *d, size_t n, enum level want)
{
	CLEANUP(json_decrefp) json_t *all = NULL;
	enum level worst = LEVEL_INFO;

	assert_int_equal(monitor_standing(&d->m, &all, &worst, NULL), 0);
	assert_int_equal(json_array_size(all), n);
	assert_int_equal(worst, want);
}

static void events_are_told_in_order_and_never_overwritten(void **state)
{
	const struct happening h = {.level = LEVEL_NEWS, .kind = "eol", .product = "x"};
	struct desk *d = *state;

	for (int i = 0; i < 12; i++) {
		assert_int_equal(monitor_tell(&d->m, &h, NULL, "%d", i), 0);
		if (i == 5)
			reopen(d);
	}
	assert_told(d, "news 0, news 1, news 2, news 3, news 4, news 5, news 6, news 7, news 8, "
		       "news 9, news 10, news 11");
	assert_int_equal(monitor_tell(&d->m, &h, NULL, "more"), 0);
	assert_told(d, "news more");
}

static void trouble_is_told_when_it_begins_and_when_it_ends(void **state)
{
	struct desk *d = *state;

	fine(d);
	assert_told(d, "");
	trouble(d, LEVEL_WARNING, 0);
	trouble(d, LEVEL_WARNING, 0);
	assert_told(d, "warning bad");
	assert_stands(d, 1, LEVEL_WARNING);
	fine(d);
	fine(d);
	assert_told(d, "news over: bad");
	assert_stands(d, 0, LEVEL_INFO);
}

static void trouble_that_gets_worse_is_told_again(void **state)
{
	struct desk *d = *state;

	trouble(d, LEVEL_WARNING, 0);
	trouble(d, LEVEL_ALARM, 0);
	trouble(d, LEVEL_ALARM, 0);
	assert_told(d, "warning bad, alarm bad");
	assert_stands(d, 1, LEVEL_ALARM);
	trouble(d, LEVEL_WARNING, 0);
	assert_told(d, "");
	assert_stands(d, 1, LEVEL_WARNING);
}

static void standing_trouble_is_told_again_after_its_time(void **state)
{
	struct desk *d = *state;

	trouble(d, LEVEL_ALARM, 0);
	d->m.now = START + monitor_defaults.remind - 1;
	trouble(d, LEVEL_ALARM, 0);
	assert_told(d, "alarm bad");
	d->m.now++;
	trouble(d, LEVEL_ALARM, 0);
	trouble(d, LEVEL_ALARM, 0);
	assert_told(d, "alarm bad");
	d->m.now = START - 1; /* a clock that was put back */
	trouble(d, LEVEL_ALARM, 0);
	assert_told(d, "alarm bad");
}

static void what_may_still_come_has_its_time(void **state)
{
	struct desk *d = *state;

	trouble(d, LEVEL_ALARM, 60);
	d->m.now = START + 59;
	trouble(d, LEVEL_ALARM, 60);
	assert_told(d, "");
	assert_stands(d, 0, LEVEL_INFO);
	d->m.now = START + 60;
	trouble(d, LEVEL_ALARM, 60);
	assert_told(d, "alarm bad");
	assert_stands(d, 1, LEVEL_ALARM);
	fine(d);
	assert_told(d, "news over: bad");
	trouble(d, LEVEL_ALARM, 60); /* it begins anew */
	fine(d);
	assert_told(d, "");
}

static void trouble_of_what_nobody_asks_about_does_not_stand(void **state)
{
	static const char *const only[] = {"y"};
	const struct happening product = {
		.level = LEVEL_ALARM, .kind = "expiry", .scope = "x/root", .product = "x"};
	const struct happening url = {
		.level = LEVEL_ALARM, .kind = "shrunk", .scope = "https://a.example/"};
	struct desk *d = *state;

	assert_int_equal(monitor_trouble(&d->m, &product, NULL, "bad"), 0);
	assert_int_equal(monitor_trouble(&d->m, &url, NULL, "bad"), 0);
	assert_stands(d, 1, LEVEL_ALARM);
	d->m.vantage[0].url = "https://a.example/";
	d->m.n = 1;
	assert_stands(d, 2, LEVEL_ALARM);
	d->m.products = only;
	d->m.nproducts = 1;
	assert_stands(d, 1, LEVEL_ALARM);
	d->m.n = 0;
	assert_stands(d, 0, LEVEL_INFO);
}

static void evidence_is_kept_once(void **state)
{
	const struct exhibit files[] = {{"a", "one", 3}, {"b", "", 0}};
	struct desk *d = *state;
	char first[EVIDENCE_SIZE], second[EVIDENCE_SIZE], path[EVIDENCE_SIZE + 4];
	CLEANUP(buf_clear) struct buf kept = {0};

	assert_int_equal(monitor_keep(&d->m, "fork", files, 2, first, NULL), 0);
	assert_int_equal(monitor_keep(&d->m, "fork", files, 2, second, NULL), 0);
	assert_string_equal(first, second);
	(void)snprintf(path, sizeof(path), "%s/a", first);
	assert_int_equal(file_read(d->m.dir, path, 10, &kept, NULL), 0);
	assert_string_equal(kept.data, "one");
	assert_int_equal(monitor_keep(&d->m, "fork", files, 1, second, NULL), 0);
	assert_string_not_equal(first, second);
}

int main(void)
{
#define AT_DESK(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		AT_DESK(values_outlive_the_process),
		AT_DESK(what_was_not_committed_never_was),
		AT_DESK(names_are_walked_within_their_prefix),
		AT_DESK(another_programs_file_is_left_alone),
		AT_DESK(out_of_memory_is_reported),
		AT_DESK(events_are_told_in_order_and_never_overwritten),
		AT_DESK(trouble_is_told_when_it_begins_and_when_it_ends),
		AT_DESK(trouble_that_gets_worse_is_told_again),
		AT_DESK(standing_trouble_is_told_again_after_its_time),
		AT_DESK(what_may_still_come_has_its_time),
		AT_DESK(trouble_of_what_nobody_asks_about_does_not_stand),
		AT_DESK(evidence_is_kept_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
