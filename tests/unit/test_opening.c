/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>

#include "escrow/opening.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/scratch.h"

enum { SEATS = 3 };

/* A deposit of 2 of 3, as far as combining looks at it. */
struct world {
	struct deposit d;
	struct share shares[SEATS];
	char digests[SEATS][SHA256_HEX_SIZE], passphrase_digest[SHA256_HEX_SIZE];
};

static const char passphrase[SHARE_LEN + 1] =
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static int setup(void **state)
{
	static const char *const names[SEATS] = {"Anna", "Bert", "Carla"};
	static struct world w;
	struct error err;

	if (shamir_split((const unsigned char *)passphrase, 2, SEATS, w.shares, &err) < 0)
		return -1;
	sha256_hex(passphrase, SHARE_LEN, w.passphrase_digest);
	w.d.trustees.threshold = 2;
	w.d.nseats = SEATS;
	w.d.compartments[COMPARTMENT_PUBLIC].present = true;
	w.d.compartments[COMPARTMENT_PUBLIC].passphrase_sha256 = w.passphrase_digest;
	for (size_t i = 0; i < SEATS; i++) {
		sha256_hex(w.shares[i].data, SHARE_LEN, w.digests[i]);
		w.d.seats[i] = (struct seat){.name = names[i], .number = (int64_t)i + 1};
		w.d.seats[i].share_sha256[COMPARTMENT_PUBLIC] = w.digests[i];
	}
	*state = &w;
	return 0;
}

static void add(struct share_set *s, const struct share *share, int number)
{
	struct error err;

	assert_int_equal(share_set_add(s, number, share->data, SHARE_LEN, &err), 0);
}

static void threshold_of_right_shares_gives_the_passphrase(void **state)
{
	const struct world *w = *state;
	CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
	char out[SHARE_LEN + 1];
	struct error err = {0};

	add(&s, &w->shares[2], 3);
	assert_error(opening_combine(&w->d, COMPARTMENT_PUBLIC, &s, out, &err), E_NOTYET, &err,
		     "1 of 2 shares");
	add(&s, &w->shares[0], 1);
	assert_int_equal(opening_combine(&w->d, COMPARTMENT_PUBLIC, &s, out, &err), 0);
	assert_string_equal(out, passphrase);
	add(&s, &w->shares[1], 2); /* one more does no harm */
	assert_int_equal(opening_combine(&w->d, COMPARTMENT_PUBLIC, &s, out, &err), 0);
	assert_string_equal(out, passphrase);
}

static void wrong_share_is_named(void **state)
{
	const struct world *w = *state;
	struct share damaged = w->shares[1];
	const struct {
		const struct share *share;
		int number;
		const char *complaint;
	} bad[] = {
		{&damaged, 2, "share 2 (Bert): damaged, or of another deposit"},
		{&w->shares[1], 3, "share 3: is share 2 of the public compartment"},
		{&damaged, 4, "share 4: nobody has this number"},
	};

	damaged.data[0] ^= 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
		char out[SHARE_LEN + 1];
		struct error err = {0};

		add(&s, &w->shares[0], 1);
		add(&s, bad[i].share, bad[i].number);
		assert_error(opening_combine(&w->d, COMPARTMENT_PUBLIC, &s, out, &err), E_UNTRUSTED,
			     &err, bad[i].complaint);
	}
}

static void a_manifest_that_lies_of_the_passphrase_is_caught(void **state)
{
	struct world w = *(struct world *)*state;
	CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
	char other[SHA256_HEX_SIZE], out[SHARE_LEN + 1];
	struct error err = {0};

	sha256_hex("x", 1, other);
	w.d.compartments[COMPARTMENT_PUBLIC].passphrase_sha256 = other;
	add(&s, &w.shares[0], 1);
	add(&s, &w.shares[1], 2);
	assert_error(opening_combine(&w.d, COMPARTMENT_PUBLIC, &s, out, &err), E_UNTRUSTED, &err,
		     "passphrase: not that of the public compartment");
	assert_error(opening_combine(&w.d, COMPARTMENT_RESTRICTED, &s, out, &err), E_USAGE, &err,
		     "has no restricted compartment");
}

/* Give text on a pipe, as the registry's worker gets it. */
static int from_pipe(const char *text, struct share_set *out, struct error *err)
{
	CLEANUP(closep) int from = -1;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	from = ends[0];
	assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	(void)close(ends[1]);
	return share_set_add_fd(out, from, err);
}

static void lines_of_shares_are_read(void **state)
{
	const struct world *w = *state;
	CLEANUP(buf_wipe) struct buf text = {0};
	CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
	struct error err = {0};

	for (size_t i = 0; i < SEATS; i++) {
		assert_int_equal(buf_printf(&text, &err, "%zu ", i + 1), 0);
		assert_int_equal(base64_encode(w->shares[i].data, SHARE_LEN, &text, &err), 0);
		assert_int_equal(buf_puts(&text, "\n", &err), 0);
	}
	assert_int_equal(from_pipe(text.data, &s, &err), 0);
	assert_int_equal(s.n, SEATS);
	assert_int_equal(s.list[2].number, 3);
	assert_memory_equal(s.list[2].data, w->shares[2].data, SHARE_LEN);
}

static void malformed_lines_are_refused(void **state)
{
	char longer[256];
	const char *const bad[] = {"1\n", "x AAAA\n", "1 AAAA\n", "1 ????\n", "1 AAAA", longer};

	(void)state;
	memset(longer, 'A', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
		struct error err = {0};
		int r = from_pipe(bad[i], &s, &err);

		assert_true(r == E_USAGE || r == E_INVALID);
		assert_int_equal(s.n, 0);
	}
}

static void share_files_are_named_and_sized(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int r;
	} cases[] = {
		{"share.001", SHARE_LEN, 0},       {"x.y.255", SHARE_LEN, 0},
		{"share.000", SHARE_LEN, E_USAGE}, {"share.256", SHARE_LEN, E_USAGE},
		{"share.01", SHARE_LEN, E_USAGE},  {"share.0001", SHARE_LEN, E_USAGE},
		{"share", SHARE_LEN, E_USAGE},     {"share.00x", SHARE_LEN, E_USAGE},
		{"a.001", SHARE_LEN - 1, E_USAGE}, {"b.001", SHARE_LEN + 1, E_USAGE},
	};
	CLEANUP(scratch_close) struct scratch dir = SCRATCH_NONE;
	const char data[SHARE_LEN + 1] = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(scratch_open(NULL, &dir, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(share_set_wipe) struct share_set s = {.n = 0};
		CLEANUP(freep) char *path = NULL;

		assert_int_equal(scratch_path(&dir, cases[i].name, &path, &err), 0);
		assert_int_equal(file_write(dir.fd, cases[i].name, data, cases[i].len, 0600, &err),
				 0);
		assert_int_equal(share_set_add_file(&s, path, &err), cases[i].r);
		assert_int_equal(s.n, cases[i].r == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold_of_right_shares_gives_the_passphrase),
		cmocka_unit_test(wrong_share_is_named),
		cmocka_unit_test(a_manifest_that_lies_of_the_passphrase_is_caught),
		cmocka_unit_test(lines_of_shares_are_read),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(share_files_are_named_and_sized),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
