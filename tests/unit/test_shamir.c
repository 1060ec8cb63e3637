/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "escrow/shamir.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"

static const unsigned char secret[SHARE_LEN] =
	"00112233445566778899aabbccddeeff0123456789abcdef0123456789abcde"
	"f";

static void any_k_shares_give_the_secret_back(void **state)
{
	struct share s[5], pick[3];
	unsigned char got[SHARE_LEN];
	struct error err = {0};

	(void)state;
	assert_int_equal(shamir_split(secret, 3, 5, s, &err), 0);
	for (size_t a = 0; a < 5; a++)
		for (size_t b = a + 1; b < 5; b++)
			for (size_t c = b + 1; c < 5; c++) {
				pick[0] = s[c];
				pick[1] = s[a];
				pick[2] = s[b];
				assert_int_equal(shamir_combine(pick, 3, got, &err), 0);
				assert_memory_equal(got, secret, SHARE_LEN);
			}
}

static void fewer_than_k_shares_give_something_else(void **state)
{
	struct share s[4];
	unsigned char got[SHARE_LEN];
	struct error err = {0};

	(void)state;
	assert_int_equal(shamir_split(secret, 3, 4, s, &err), 0);
	assert_int_equal(shamir_combine(s, 2, got, &err), 0);
	assert_memory_not_equal(got, secret, SHARE_LEN);
}

static void coefficients_are_fresh_each_time(void **state)
{
	struct share a[2], b[2];
	struct error err = {0};

	(void)state;
	assert_int_equal(shamir_split(secret, 2, 2, a, &err), 0);
	assert_int_equal(shamir_split(secret, 2, 2, b, &err), 0);
	assert_memory_not_equal(a[0].data, b[0].data, SHARE_LEN);
	assert_memory_not_equal(a[0].data, secret, SHARE_LEN);
}

static void limits_are_2_and_255_shares(void **state)
{
	static struct share s[SHARES_MAX];
	unsigned char got[SHARE_LEN];
	struct error err = {0};

	(void)state;
	assert_int_equal(shamir_split(secret, SHARES_MAX, SHARES_MAX, s, &err), 0);
	assert_int_equal(s[SHARES_MAX - 1].number, SHARES_MAX);
	assert_int_equal(shamir_combine(s, SHARES_MAX, got, &err), 0);
	assert_memory_equal(got, secret, SHARE_LEN);
	assert_error(shamir_combine(s, 1, got, &err), E_INVALID, &err, "want 2 to 255");
}

static void numbers_are_checked_where_libgfshare_does_not(void **state)
{
	static const struct {
		int first, second;
		const char *complaint;
	} bad[] = {
		{1, 1, "share 1: given twice"},
		{0, 2, "share 0: want a number from 1 to 255"},
		{256, 2, "share 256: want"},
		{2, -1, "share -1: want"},
	};
	struct share s[2];
	unsigned char got[SHARE_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error err = {0};

		assert_int_equal(shamir_split(secret, 2, 2, s, &err), 0);
		s[0].number = bad[i].first;
		s[1].number = bad[i].second;
		assert_error(shamir_combine(s, 2, got, &err), E_INVALID, &err, bad[i].complaint);
	}
}

/* What a person without this program does. */
static void gfcombine_opens_what_split_made(void **state)
{
	CLEANUP(freep) char *dir = NULL;
	CLEANUP(buf_clear) struct buf got = {0};
	struct share s[5];
	struct error err = {0};
	char names[2][256], out[256];

	(void)state;
	assert_int_equal(file_temp_dir(false, &dir, &err), 0);
	assert_int_equal(shamir_split(secret, 2, 5, s, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct share *one = &s[3 * i + 1]; /* 2 and 5 */

		(void)snprintf(names[i], sizeof(names[i]), "%s/share.%03d", dir, one->number);
		assert_int_equal(file_write(AT_FDCWD, names[i], one->data, SHARE_LEN, 0600, &err),
				 0);
	}
	(void)snprintf(out, sizeof(out), "%s/out", dir);

	const char *const argv[] = {"gfcombine", "-o", out, names[0], names[1], NULL};

	assert_int_equal(proc_run(argv, NULL, NULL, NULL, 4096, &err), 0);
	assert_int_equal(file_read(AT_FDCWD, out, 4096, &got, &err), 0);
	assert_int_equal(got.len, SHARE_LEN);
	assert_memory_equal(got.data, secret, SHARE_LEN);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_k_shares_give_the_secret_back),
		cmocka_unit_test(fewer_than_k_shares_give_something_else),
		cmocka_unit_test(coefficients_are_fresh_each_time),
		cmocka_unit_test(limits_are_2_and_255_shares),
		cmocka_unit_test(numbers_are_checked_where_libgfshare_does_not),
		cmocka_unit_test(gfcombine_opens_what_split_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
