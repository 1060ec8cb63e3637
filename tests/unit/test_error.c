/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/error.h"

#include "lib/base/cli.h"
#include "tests/unit/unit.h"

static void setting_gives_the_code_back(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, E_INVALID, "n: want %d", 5), E_INVALID);
	assert_int_equal(err.code, E_INVALID);
	assert_string_equal(err.text, "n: want 5");
	assert_int_equal(error_nomem(&err), E_NOMEM);
	assert_string_equal(err.text, "out of memory");
}

static void nobody_need_listen(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, E_NET, "x"), E_NET);
	assert_int_equal(error_errno(NULL, ENOENT, "x"), E_NOTFOUND);
	assert_int_equal(error_prefix(NULL, E_DENIED, "x"), E_DENIED);
	assert_int_equal(error_nomem(NULL), E_NOMEM);
}

static void errno_becomes_a_code_and_a_text(void **state)
{
	static const struct {
		int errnum, code;
		const char *text;
	} known[] = {
		{ENOENT, E_NOTFOUND, "a/b: No such file or directory"},
		{EEXIST, E_EXISTS, "a/b: File exists"},
		{ENOSPC, E_FULL, "a/b: No space left on device"},
		{EDQUOT, E_FULL, "a/b: Disk quota exceeded"},
		{ENOMEM, E_NOMEM, "a/b: Cannot allocate memory"},
		{EACCES, E_SYS, "a/b: Permission denied"},
		{EIO, E_SYS, "a/b: Input/output error"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct error err = {0};

		assert_int_equal(error_errno(&err, known[i].errnum, "%s/%s", "a", "b"),
				 known[i].code);
		assert_int_equal(err.code, known[i].code);
		assert_string_equal(err.text, known[i].text);
	}
}

static void prefixes_stand_before_the_text(void **state)
{
	struct error err = {0};

	(void)state;
	(void)error_set(&err, E_INVALID, "want 2 to 4");
	assert_int_equal(error_prefix(&err, E_INVALID, "field %d", 7), E_INVALID);
	assert_int_equal(error_prefix(&err, E_UNTRUSTED, "deposit.json"), E_UNTRUSTED);
	assert_string_equal(err.text, "deposit.json: field 7: want 2 to 4");
	assert_int_equal(err.code, E_UNTRUSTED);
}

static void long_texts_are_cut(void **state)
{
	char lots[2 * ERROR_TEXT_MAX];
	struct error err = {0};

	(void)state;
	memset(lots, 'x', sizeof(lots));
	lots[sizeof(lots) - 1] = '\0';
	(void)error_set(&err, E_NET, "%s", lots);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	(void)error_prefix(&err, E_NET, "where");
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "where: xxx", 10);
	(void)error_errno(&err, EIO, "%s", lots);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	(void)error_prefix(&err, E_NET, "%s", lots);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

/* Names go over the wire and exit statuses into scripts: neither may change. */
static void codes_have_stable_names_and_statuses(void **state)
{
	static const struct {
		int code;
		const char *name;
		int status;
	} known[] = {
		{0, "ok", 0},
		{E_NOMEM, "no-memory", 1},
		{E_SYS, "system", 1},
		{E_NOTFOUND, "not-found", 1},
		{E_EXISTS, "exists", 1},
		{E_INVALID, "invalid", 3},
		{E_UNTRUSTED, "untrusted", 3},
		{E_DENIED, "denied", 4},
		{E_NET, "network", 5},
		{E_BUSY, "busy", 5},
		{E_USAGE, "usage", 2},
		{E_FULL, "full", 1},
		{E_NOTYET, "not-yet", 5},
		{-99, "unknown", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		assert_string_equal(error_name(known[i].code), known[i].name);
		assert_int_equal(cli_exit_status(known[i].code), known[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_gives_the_code_back),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(errno_becomes_a_code_and_a_text),
		cmocka_unit_test(prefixes_stand_before_the_text),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(codes_have_stable_names_and_statuses),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
