/* SPDX-License-Identifier: Apache-2.0 */
#include "client/bootenv.h"

#include <fcntl.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

static struct bootenv env_of(const char *text)
{
	struct bootenv e = {0};
	struct error err = {0};

	assert_int_equal(bootenv_parse(text, strlen(text), "boot.env", &e, &err), 0);
	return e;
}

static void bootenv_refuses_what_a_boot_loader_could_misread(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"", "boot.env: BOOT_ORDER: is missing"},
		{"BOOT_A_LEFT=1\n", "BOOT_ORDER: is missing"},
		{"BOOT_ORDER=A A\n", "line 1: BOOT_ORDER: want slots A and B"},
		{"BOOT_ORDER=A C\n", "want slots A and B"},
		{"BOOT_ORDER=AB\n", "want slots A and B"},
		{"BOOT_ORDER=A\nBOOT_ORDER=A\n", "line 2: BOOT_ORDER: given twice"},
		{"BOOT_ORDER=A\nBOOT_A_LEFT=\n", "BOOT_A_LEFT: want 0 to 100"},
		{"BOOT_ORDER=A\nBOOT_A_LEFT=-1\n", "want 0 to 100"},
		{"BOOT_ORDER=A\nBOOT_A_LEFT=101\n", "want 0 to 100"},
		{"BOOT_ORDER=A\nBOOT_A_LEFT=1000\n", "want 0 to 100"},
		{"BOOT_ORDER=A\nBOOTED=C\n", "BOOTED: want A or B"},
		{"BOOT_ORDER=A\nnonsense\n", "line 2: want name=value"},
		{"BOOT_ORDER=A\n=x\n", "line 2: want name=value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bootenv e = {.n = 7};
		struct error err = {0};

		assert_error(bootenv_parse(bad[i].text, strlen(bad[i].text), "boot.env", &e, &err),
			     E_INVALID, &err, bad[i].complaint);
		assert_int_equal(e.n, 7); /* untouched */
	}
}

static void bootenv_survives_a_round_trip_with_names_it_does_not_know(void **state)
{
	static const char text[] = "kernel_addr=0x100\nBOOT_ORDER=B A\nBOOT_A_LEFT=0\n"
				   "BOOT_B_LEFT=100\nBOOTED=B\nempty=\n";
	char dir[] = "/tmp/bequest-test-XXXXXX";
	struct bootenv e = env_of(text), again = {0};
	struct error err = {0};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(file_open_dir(AT_FDCWD, dir, false, &fd, &err), 0);
	assert_int_equal(bootenv_load(fd, "boot.env", &again, &err), E_NOTFOUND);
	assert_int_equal(bootenv_save(&e, fd, "boot.env", &err), 0);
	assert_int_equal(bootenv_load(fd, "boot.env", &again, &err), 0);
	assert_int_equal(again.n, 2);
	assert_int_equal(again.order[0], SLOT_B);
	assert_int_equal(again.order[1], SLOT_A);
	assert_int_equal(again.left[SLOT_A], 0);
	assert_int_equal(again.left[SLOT_B], 100);
	assert_int_equal(again.booted, SLOT_B);
	assert_string_equal(again.others.data, "kernel_addr=0x100\nempty=\n");
	bootenv_clear(&e);
	bootenv_clear(&again);
	closep(&fd);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
}

static void boot_takes_the_first_slot_with_attempts_and_counts_down(void **state)
{
	struct bootenv e = env_of("BOOT_ORDER=B A\nBOOT_A_LEFT=3\nBOOT_B_LEFT=2\nBOOTED=A\n");

	(void)state;
	assert_int_equal(bootenv_boot(&e, 3), SLOT_B);
	assert_int_equal(e.left[SLOT_B], 1);
	assert_int_equal(e.booted, SLOT_B);
	assert_int_equal(bootenv_boot(&e, 3), SLOT_B);
	assert_int_equal(bootenv_boot(&e, 3), SLOT_A); /* B never confirmed itself */
	assert_int_equal(e.left[SLOT_B], 0);
	assert_int_equal(e.left[SLOT_A], 2);
	assert_int_equal(e.booted, SLOT_A);
}

static void boot_never_starts_a_slot_out_of_the_order(void **state)
{
	struct bootenv e = env_of("BOOT_ORDER=A\nBOOT_A_LEFT=1\nBOOT_B_LEFT=3\n");
	struct bootenv none = env_of("BOOT_ORDER=\n");

	(void)state;
	for (int i = 0; i < 10; i++) /* out of attempts, it gets new ones */
		assert_int_equal(bootenv_boot(&e, 2), SLOT_A);
	assert_int_equal(bootenv_boot(&none, 3), SLOT_NONE);
}

static void drop_and_put_first_keep_the_other_slot_where_it_was(void **state)
{
	struct bootenv e = {0};

	(void)state;
	bootenv_init(&e, 3);
	assert_int_equal(e.booted, SLOT_NONE);
	bootenv_drop(&e, SLOT_B);
	bootenv_drop(&e, SLOT_B);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.order[0], SLOT_A);
	assert_int_equal(e.left[SLOT_B], 0);
	bootenv_put_first(&e, SLOT_B);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.order[0], SLOT_B);
	bootenv_drop(&e, SLOT_A);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.order[0], SLOT_B);
	bootenv_put_first(&e, SLOT_B);
	assert_int_equal(e.n, 1);
	bootenv_drop(&e, SLOT_B);
	assert_int_equal(e.n, 0);
	bootenv_put_first(&e, SLOT_A);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.order[0], SLOT_A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bootenv_refuses_what_a_boot_loader_could_misread),
		cmocka_unit_test(bootenv_survives_a_round_trip_with_names_it_does_not_know),
		cmocka_unit_test(boot_takes_the_first_slot_with_attempts_and_counts_down),
		cmocka_unit_test(boot_never_starts_a_slot_out_of_the_order),
		cmocka_unit_test(drop_and_put_first_keep_the_other_slot_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
