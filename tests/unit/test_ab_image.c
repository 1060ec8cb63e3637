/* SPDX-License-Identifier: Apache-2.0 */
#include "client/install/ab_image.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

enum { SLOT_BYTES = 4096 };

/* A device that is a folder: two slots, a boot environment. */
struct box {
	char path[32];
	struct conf conf;
	struct backend *backend;
};

static void put(const struct box *x, const char *name, const char *text, size_t len)
{
	struct error err = {0};

	assert_int_equal(file_write(x->conf.dir, name, text, len, 0600, &err), 0);
}

static int set_up(void **state)
{
	static struct box x;
	static const char env[] = "BOOT_ORDER=A B\nBOOT_A_LEFT=2\nBOOT_B_LEFT=3\nBOOTED=A\n";
	char empty[SLOT_BYTES] = {0};
	struct error err = {0};

	x = (struct box){
		.path = "/tmp/bequest-test-XXXXXX",
		.conf = {.dir = -1, .slot = {"a", "b"}, .boot_env = "boot.env", .boot_tries = 3}};
	if (!mkdtemp(x.path) || file_open_dir(AT_FDCWD, x.path, false, &x.conf.dir, &err) < 0)
		return -1;
	put(&x, "a", empty, sizeof(empty));
	put(&x, "b", empty, sizeof(empty));
	put(&x, "boot.env", env, strlen(env));
	if (ab_image_open(&x.conf, &x.backend, &err) < 0)
		return -1;
	*state = &x;
	return 0;
}

static int tear_down(void **state)
{
	struct box *x = *state;
	struct error err = {0};

	backend_close(x->backend);
	closep(&x->conf.dir);
	return file_remove_tree(AT_FDCWD, x->path, &err);
}

static struct backend_state state_of(struct box *x)
{
	struct backend_state s;
	struct error err = {0};

	assert_int_equal(backend_state(x->backend, &s, &err), 0);
	return s;
}

static void a_prepared_slot_cannot_be_started(void **state)
{
	struct box *x = *state;
	struct error err = {0};
	struct backend_state s = state_of(x);

	assert_int_equal(s.running, SLOT_A);
	assert_int_equal(s.next, SLOT_A);
	assert_true(s.listed[SLOT_B]);
	assert_int_equal(backend_prepare(x->backend, SLOT_B, SLOT_BYTES, &err), 0);
	s = state_of(x);
	assert_false(s.listed[SLOT_B]);
	assert_int_equal(s.left[SLOT_B], 0);
	assert_int_equal(s.next, SLOT_A);
	assert_int_equal(s.left[SLOT_A], 2); /* the running one is left alone */
}

static void an_activated_slot_is_first_with_all_its_attempts(void **state)
{
	struct box *x = *state;
	struct error err = {0};
	char back[5] = {0};

	assert_int_equal(backend_prepare(x->backend, SLOT_B, 4, &err), 0);
	assert_int_equal(backend_write(x->backend, 0, "im", 2, &err), 0);
	assert_int_equal(backend_write(x->backend, 2, "ag", 2, &err), 0);
	assert_int_equal(backend_flush(x->backend, &err), 0);
	assert_int_equal(backend_read(x->backend, SLOT_B, 0, back, 4, &err), 0);
	assert_string_equal(back, "imag");
	assert_int_equal(state_of(x).next, SLOT_A);
	assert_int_equal(backend_activate(x->backend, &err), 0);

	struct backend_state s = state_of(x);
	assert_int_equal(s.next, SLOT_B);
	assert_int_equal(s.running, SLOT_A);
	assert_int_equal(s.left[SLOT_B], 3);
	assert_true(s.listed[SLOT_A]); /* to fall back on */
}

static void an_image_of_one_byte_too_many_changes_nothing(void **state)
{
	struct box *x = *state;
	struct error err = {0};

	assert_error(backend_prepare(x->backend, SLOT_B, SLOT_BYTES + 1, &err), E_FULL, &err,
		     "b: holds 4096 bytes, the image has 4097");
	assert_true(state_of(x).listed[SLOT_B]);
}

static void confirm_gives_the_running_slot_its_attempts_back(void **state)
{
	struct box *x = *state;
	struct error err = {0};

	assert_int_equal(backend_confirm(x->backend, &err), 0);
	assert_int_equal(state_of(x).left[SLOT_A], 3);
	assert_int_equal(state_of(x).next, SLOT_A);
}

static void start_can_drop_the_other_slot_or_leave_it(void **state)
{
	struct box *x = *state;
	struct error err = {0};

	assert_int_equal(backend_start(x->backend, SLOT_B, false, &err), 0);
	assert_int_equal(state_of(x).next, SLOT_B);
	assert_true(state_of(x).listed[SLOT_A]);
	assert_int_equal(backend_start(x->backend, SLOT_B, true, &err), 0);
	assert_false(state_of(x).listed[SLOT_A]);
}

static void next_is_the_first_with_attempts_left(void **state)
{
	static const char env[] = "BOOT_ORDER=B A\nBOOT_A_LEFT=1\nBOOT_B_LEFT=0\nBOOTED=B\n";
	struct box *x = *state;

	put(x, "boot.env", env, strlen(env));
	assert_int_equal(state_of(x).next, SLOT_A);
	assert_int_equal(state_of(x).running, SLOT_B);
}

static void reading_past_the_end_is_an_error(void **state)
{
	struct box *x = *state;
	struct error err = {0};
	char back[2];

	assert_error(backend_read(x->backend, SLOT_A, SLOT_BYTES - 1, back, 2, &err), E_SYS, &err,
		     "a: ends at byte 4096");
}

static void a_missing_slot_or_environment_is_named(void **state)
{
	struct box *x = *state;
	struct backend_state s;
	struct error err = {0};

	assert_int_equal(file_remove(x->conf.dir, "b", &err), 0);
	assert_error(backend_prepare(x->backend, SLOT_B, 1, &err), E_NOTFOUND, &err, "b: ");
	assert_int_equal(file_remove(x->conf.dir, "boot.env", &err), 0);
	assert_error(backend_state(x->backend, &s, &err), E_NOTFOUND, &err, "boot.env");
}

static void two_names_of_one_file_are_not_two_slots(void **state)
{
	struct box *x = *state;
	struct backend *other = NULL;
	struct error err = {0};

	assert_int_equal(file_remove(x->conf.dir, "b", &err), 0);
	assert_int_equal(linkat(x->conf.dir, "a", x->conf.dir, "b", 0), 0);
	assert_error(ab_image_open(&x->conf, &other, &err), E_USAGE, &err, "are the same");
	assert_null(other);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_prepared_slot_cannot_be_started),
		CASE(an_activated_slot_is_first_with_all_its_attempts),
		CASE(an_image_of_one_byte_too_many_changes_nothing),
		CASE(confirm_gives_the_running_slot_its_attempts_back),
		CASE(start_can_drop_the_other_slot_or_leave_it),
		CASE(next_is_the_first_with_attempts_left),
		CASE(reading_past_the_end_is_an_error),
		CASE(a_missing_slot_or_environment_is_named),
		CASE(two_names_of_one_file_are_not_two_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
