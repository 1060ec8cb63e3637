/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/digest.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "lib/base/random.h"
#include "tests/unit/unit.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void digests_are_those_of_fips180(void **state)
{
	char hex[SHA256_HEX_SIZE];

	(void)state;
	sha256_hex("", 0, hex);
	assert_string_equal(hex, EMPTY);
	sha256_hex("abc", 3, hex);
	assert_string_equal(hex, ABC);
}

static void *hash_many(void *wrong)
{
	for (int i = 0; i < 1000; i++) {
		char hex[SHA256_HEX_SIZE];

		sha256_hex("abc", 3, hex);
		*(bool *)wrong |= strcmp(hex, ABC) != 0;
	}
	return NULL;
}

/* Runs first, so that all find the algorithm not looked up yet. */
static void threads_may_hash_at_once(void **state)
{
	enum { THREADS = 4 };
	pthread_t thread[THREADS];
	bool wrong[THREADS] = {false};

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hash_many, &wrong[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_false(wrong[i]);
	}
}

static void two_pieces_are_one_text(void **state)
{
	unsigned char want[SHA256_LEN], got[SHA256_LEN];

	(void)state;
	sha256("abc", 3, want);
	for (size_t cut = 0; cut <= 3; cut++) {
		sha256_pair("abc", cut, &"abc"[cut], 3 - cut, got);
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void a_running_digest_starts_again(void **state)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	char hex[SHA256_HEX_SIZE];
	char chunk[1000];

	(void)state;
	memset(chunk, 'a', sizeof(chunk));
	assert_int_equal(digest_new(&d, NULL), 0);
	for (int round = 0; round < 2; round++) {
		digest_finish_hex(d, hex);
		assert_string_equal(hex, EMPTY);
		digest_add(d, "a", 1);
		digest_add(d, "", 0);
		digest_add(d, "bc", 2);
		digest_finish_hex(d, hex);
		assert_string_equal(hex, ABC);
		for (int i = 0; i < 1000; i++)
			digest_add(d, chunk, sizeof(chunk));
		digest_finish_hex(d, hex);
		assert_string_equal(hex, MILLION_A);
	}
}

static void a_file_is_hashed_from_its_start(void **state)
{
	int fd = memfd_create("million", MFD_CLOEXEC);
	char hex[SHA256_HEX_SIZE], chunk[1000];
	struct error err = {0};

	(void)state;
	memset(chunk, 'a', sizeof(chunk));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, chunk, sizeof(chunk)), sizeof(chunk));
	assert_int_equal(digest_fd(fd, -1, hex, NULL), 0);
	assert_string_equal(hex, MILLION_A);
	assert_int_equal(digest_fd(fd, 1000000, hex, NULL), 0);
	assert_string_equal(hex, MILLION_A);
	assert_int_equal(digest_fd(fd, 0, hex, NULL), 0);
	assert_string_equal(hex, EMPTY);
	assert_error(digest_fd(fd, 1000001, hex, &err), E_SYS, &err, "1000000 of 1000001 bytes");
	assert_int_equal(close(fd), 0);
	assert_int_equal(digest_fd(fd, -1, hex, NULL), E_SYS);
}

static void out_of_memory_is_reported(void **state)
{
	struct digest *d = NULL;
	char hex[SHA256_HEX_SIZE];

	(void)state;
	oom_after(0);
	assert_int_equal(digest_new(&d, NULL), E_NOMEM);
	for (long n = 0; n < 2; n++) {
		oom_after(n);
		assert_int_equal(digest_fd(0, -1, hex, NULL), E_NOMEM);
	}
	(void)oom_fired();
	assert_null(d);
	digest_free(NULL);
}

static void random_bytes_differ(void **state)
{
	unsigned char a[32] = {0}, b[32] = {0};

	(void)state;
	assert_int_equal(random_bytes(a, sizeof(a), NULL), 0);
	assert_int_equal(random_bytes(b, sizeof(b), NULL), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_may_hash_at_once),
		cmocka_unit_test(digests_are_those_of_fips180),
		cmocka_unit_test(two_pieces_are_one_text),
		cmocka_unit_test(a_running_digest_starts_again),
		cmocka_unit_test(a_file_is_hashed_from_its_start),
		cmocka_unit_test(out_of_memory_is_reported),
		cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
