/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/buf.h"

#include "tests/unit/unit.h"

static void an_empty_buf_holds_nothing(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_null(b.data);
	buf_clear(&b);
	buf_wipe(&b);
	assert_null(buf_steal(&b));
}

static void adding_nothing_makes_an_empty_text(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};

	(void)state;
	assert_int_equal(buf_add(&b, NULL, 0, NULL), 0);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
}

static void bytes_are_kept_and_ended_by_nul(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		char c = (char)i;

		assert_int_equal(buf_add(&b, &c, 1, NULL), 0);
		assert_int_equal(b.len, i + 1);
		assert_true(b.cap > b.len);
		assert_int_equal(b.data[b.len], 0);
	}
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(b.data[i], (char)i);
}

static void text_is_appended(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};

	(void)state;
	assert_int_equal(buf_puts(&b, "a", NULL), 0);
	assert_int_equal(buf_printf(&b, NULL, "-%d-%s", 5, "x"), 0);
	assert_int_equal(buf_add(&b, "yz", 1, NULL), 0);
	assert_string_equal(b.data, "a-5-xy");
}

static void printf_fits_any_length(void **state)
{
	(void)state;
	for (int n = 250; n < 260; n++) {
		CLEANUP(buf_clear) struct buf b = {0};

		assert_int_equal(buf_printf(&b, NULL, "%*s", n, "x"), 0);
		assert_int_equal(b.len, n);
		assert_int_equal(strlen(b.data), n);
		assert_int_equal(b.data[n - 1], 'x');
	}
}

static void reserving_changes_no_byte(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};
	const char *data;

	(void)state;
	assert_int_equal(buf_puts(&b, "text", NULL), 0);
	assert_int_equal(buf_reserve(&b, 10000, NULL), 0);
	assert_string_equal(b.data, "text");
	assert_int_equal(b.len, 4);
	assert_true(b.cap > 10004);
	data = b.data;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_add(&b, "x", 1, NULL), 0);
	assert_ptr_equal(b.data, data);
}

static void cutting_leaves_a_text(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_cut(&b, 0);
	assert_null(b.data);
	assert_int_equal(buf_puts(&b, "text", NULL), 0);
	buf_cut(&b, 4);
	assert_string_equal(b.data, "text");
	buf_cut(&b, 2);
	assert_string_equal(b.data, "te");
	assert_int_equal(b.len, 2);
	buf_clear(&b);
}

static void what_cannot_exist_is_no_memory(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(buf_puts(&b, "text", NULL), 0);
	assert_error(buf_reserve(&b, SIZE_MAX, &err), E_NOMEM, &err, "out of memory");
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2, NULL), E_NOMEM);
	assert_string_equal(b.data, "text");
}

static void stolen_bytes_are_the_callers(void **state)
{
	struct buf b = {0};
	CLEANUP(freep) char *text = NULL;

	(void)state;
	assert_int_equal(buf_puts(&b, "text", NULL), 0);
	text = buf_steal(&b);
	assert_string_equal(text, "text");
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
}

static void out_of_memory_leaves_a_buf_as_it_was(void **state)
{
	long n = 0;

	(void)state;
	for (;; n++) {
		CLEANUP(buf_clear) struct buf b = {0};
		size_t len = 0;
		int r = 0;

		oom_after(n);
		for (int i = 0; i < 300 && r == 0; i++) {
			len = b.len;
			r = i % 2 ? buf_add(&b, "0123456789", 10, NULL)
				  : buf_printf(&b, NULL, "%s", "0123456789");
		}
		if (!oom_fired()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, E_NOMEM);
		assert_int_equal(b.len, len);
		if (b.data)
			assert_int_equal(strlen(b.data), len);
	}
	assert_int_equal(n, 5); /* 256, 512, ... 4096 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buf_holds_nothing),
		cmocka_unit_test(adding_nothing_makes_an_empty_text),
		cmocka_unit_test(bytes_are_kept_and_ended_by_nul),
		cmocka_unit_test(text_is_appended),
		cmocka_unit_test(printf_fits_any_length),
		cmocka_unit_test(reserving_changes_no_byte),
		cmocka_unit_test(cutting_leaves_a_text),
		cmocka_unit_test(what_cannot_exist_is_no_memory),
		cmocka_unit_test(stolen_bytes_are_the_callers),
		cmocka_unit_test(out_of_memory_leaves_a_buf_as_it_was),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
