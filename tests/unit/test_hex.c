/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/hex.h"

#include "lib/base/buf.h"
#include "tests/unit/unit.h"

static void every_byte_has_one_hex_text(void **state)
{
	unsigned char all[256], back[256];
	char text[513];

	(void)state;
	for (unsigned i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	hex_encode(all, sizeof(all), text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 508, "feff");
	assert_true(hex_decode(text, back, sizeof(back)));
	assert_memory_equal(back, all, sizeof(all));
}

static void only_lower_case_hex_of_the_length_is_hex(void **state)
{
	static const char *const bad[] = {"",      "00f",  "00ff0", "00fF", "00fg", " 0ff",
					  "00f\n", "0x0f", "00f/",  "00f:", "00f`", "-0ff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		unsigned char out[2] = {7, 7};

		assert_false(hex_is(bad[i], 4));
		assert_false(hex_decode(bad[i], out, 2));
		assert_int_equal(out[0] + out[1], 14); /* untouched */
	}
	assert_false(hex_is(NULL, 4));
	assert_true(hex_is("09af", 4));
	assert_true(hex_is("", 0));
}

/* RFC 4648 §10. */
static const char *const rfc4648[][2] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static void base64_is_that_of_rfc4648(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc4648); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		const char *plain = rfc4648[i][0], *text = rfc4648[i][1];

		assert_int_equal(base64_encode(plain, strlen(plain), &out, NULL), 0);
		assert_string_equal(out.data, text);
		assert_int_equal(out.len, BASE64_LEN(strlen(plain)));
		buf_clear(&out);
		assert_int_equal(buf_puts(&out, "> ", NULL), 0);
		assert_int_equal(base64_decode(text, strlen(text), &out, NULL), 0);
		assert_string_equal(out.data + 2, plain);
	}
}

static void every_byte_survives_base64(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256 * 3; i++) {
		CLEANUP(buf_clear) struct buf text = {0};
		CLEANUP(buf_clear) struct buf back = {0};
		unsigned char in[3] = {0xaa, 0x55, 0xaa};

		in[i % 3] = (unsigned char)(i / 3);
		assert_int_equal(base64_encode(in, 1 + i % 3, &text, NULL), 0);
		assert_int_equal(base64_decode(text.data, text.len, &back, NULL), 0);
		assert_int_equal(back.len, 1 + i % 3);
		assert_memory_equal(back.data, in, back.len);
	}
}

static void one_text_one_meaning(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{"Z", 1},
		{"Zg", 2},
		{"Zg=", 3},
		{"Zg==\n", 5},
		{"Zg===", 5},
		{"Zh==", 4},
		/* stray bits */ {"Zm9=", 4},
		{"Z===", 4},
		{"====", 4},
		{"=Zg=", 4},
		{"Zg==Zg==", 8},
		{"Zm8=Zm8=", 8},
		{"Zm 9", 4},
		{"Zm9v Zm9", 8},
		{"Zm9-", 4},
		{"Zm9_", 4},
		{"Zm\0v", 4},
		{"Zm\xc3\xa4", 4},
		{"Zm9vYg=v", 8},
		{"Zg=A", 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_int_equal(buf_puts(&out, "before", NULL), 0);
		assert_error(base64_decode(bad[i].text, bad[i].len, &out, &err), E_INVALID, &err,
			     "base64");
		assert_string_equal(out.data, "before");
		assert_int_equal(out.len, strlen("before"));
	}
}

static void out_of_memory_is_reported(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	oom_after(0);
	assert_int_equal(base64_encode("x", 1, &out, NULL), E_NOMEM);
	oom_after(0);
	assert_int_equal(base64_decode("eA==", 4, &out, NULL), E_NOMEM);
	(void)oom_fired();
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_has_one_hex_text),
		cmocka_unit_test(only_lower_case_hex_of_the_length_is_hex),
		cmocka_unit_test(base64_is_that_of_rfc4648),
		cmocka_unit_test(every_byte_survives_base64),
		cmocka_unit_test(one_text_one_meaning),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
