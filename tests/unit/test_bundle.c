/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/base/scratch.h"
#include "lib/git/bundle.h"
#include "tests/unit/unit.h"

#define HEAD "# v2 git bundle\n"
#define OID "0123456789abcdef0123456789abcdef01234567"
#define OTHER "76543210fedcba9876543210fedcba9876543210"

static void bundle_header_is_taken_apart(void **state)
{
	static const char text[] = HEAD "-" OTHER " why not\n-" OID "\n" OID " HEAD\n" OTHER
					" refs/heads/main\n\nPACKxxxx";
	CLEANUP(bundle_clear) struct bundle b = {0};

	(void)state;
	assert_int_equal(bundle_parse(text, strlen(text), &b, NULL), 0);
	assert_int_equal(b.n, 2);
	assert_string_equal(b.refs[0].oid, OID);
	assert_string_equal(b.refs[0].name, "HEAD");
	assert_string_equal(b.refs[1].oid, OTHER);
	assert_string_equal(b.refs[1].name, "refs/heads/main");
	assert_int_equal(b.nprerequisites, 2);
	assert_string_equal(b.prerequisites[0], OTHER);
	assert_string_equal(b.prerequisites[1], OID);
	assert_memory_equal(text + b.pack_offset, "PACKxxxx", 8);
}

static void bundle_refuses_bad_headers(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"", "want version 2"},
		{"# v2 git bundle", "want version 2"},
		{"# v3 git bundle\n" OID " HEAD\n\nPACK", "want version 2"},
		{"PACK", "want version 2"},
		{HEAD, "no end"},
		{HEAD OID " HEAD\n", "no end"},
		{HEAD OID " HEAD\nPACK", "no end"},
		{HEAD "\nPACK", "no references"},
		{HEAD "-" OID " x\n\nPACK", "no references"},
		{HEAD OID " HEAD\n\n", "no pack"},
		{HEAD OID " HEAD\n\nPAC", "no pack"},
		{HEAD OID " HEAD\n\nKCAP", "no pack"},
		{HEAD OID " HEAD\n-" OID " x\n\nPACK", "after a reference"},
		{HEAD "-" OID "x\n\nPACK", "malformed prerequisite"},
		{HEAD "-0123 x\n\nPACK", "malformed prerequisite"},
		{HEAD OID "\n\nPACK", "malformed reference"},
		{HEAD OID " \n\nPACK", "malformed reference"},
		{HEAD OID "\tHEAD\n\nPACK", "malformed reference"},
		{HEAD "0123 HEAD\n\nPACK", "malformed reference"},
		{HEAD "0123456789ABCDEF0123456789abcdef01234567 HEAD\n\nPACK", "malformed"},
		{HEAD OID " HEAD\n" OTHER " HEAD\n\nPACK", "HEAD is there twice"},
		{HEAD OID " refs/heads/a\n" OID " refs/heads/b\n" OID " refs/heads/a\n\nPACK",
		 "refs/heads/a is there twice"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bundle b = {0};
		struct error err = {0};

		assert_error(bundle_parse(bad[i].text, strlen(bad[i].text), &b, &err), E_INVALID,
			     &err, bad[i].complaint);
		assert_null(b.refs);
	}
}

static void bundle_takes_only_names_that_git_would(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} names[] = {
		{"refs/heads/main", true}, {"refs/tags/v1.0", true},
		{"refs/x", true},          {"refs/heads/a.b@c", true},
		{"refs/a/b/c/d", true},    {"refs/heads/\xc3\xa9", true},
		{"refs/heads/@", true},    {"main", false},
		{"HEAD2", false},          {"refs/", false},
		{"refs", false},           {"heads/main", false},
		{"refs//main", false},     {"refs/main/", false},
		{"refs/../x", false},      {"refs/heads/..", false},
		{"refs/.x", false},        {"refs/x/.y", false},
		{"refs/x.lock", false},    {"refs/x.lock/y", false},
		{"refs/x.", false},        {"refs/a..b", false},
		{"refs/a@{b", false},      {"refs/a b", false},
		{"refs/a~b", false},       {"refs/a^b", false},
		{"refs/a:b", false},       {"refs/a?b", false},
		{"refs/a*b", false},       {"refs/a[b", false},
		{"refs/a\\b", false},      {"refs/a\x7f", false},
		{"refs/a\x01", false},     {"/refs/heads/main", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(buf_clear) struct buf text = {0};
		CLEANUP(bundle_clear) struct bundle b = {0};
		struct error err = {0};

		assert_int_equal(buf_printf(&text, NULL, HEAD OID " %s\n\nPACK", names[i].name), 0);
		int r = bundle_parse(text.data, text.len, &b, &err);
		if (names[i].ok)
			assert_int_equal(r, 0);
		else
			assert_error(r, E_INVALID, &err, "bad name");
	}
}

static void bundle_refuses_a_nul_in_a_name(void **state)
{
	static const char text[] = HEAD OID " refs/heads/a\0b\n\nPACK";
	struct bundle b = {0};

	(void)state;
	assert_int_equal(bundle_parse(text, sizeof(text) - 1, &b, NULL), E_INVALID);
}

/* `n` references, the first with a name of `len` bytes. */
static int parse_many(size_t n, size_t len, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(bundle_clear) struct bundle b = {0};

	assert_int_equal(buf_puts(&text, HEAD, NULL), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_printf(&text, NULL, OID " refs/%0*zu\n",
					    i ? 5 : (int)(len - strlen("refs/")), i),
				 0);
	assert_int_equal(buf_puts(&text, "\nPACK", NULL), 0);
	return bundle_parse(text.data, text.len, &b, err);
}

static void bundle_bounds_include_their_ends(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(parse_many(1, BUNDLE_REF_LEN_MAX, &err), 0);
	assert_int_equal(parse_many(1, BUNDLE_REF_LEN_MAX + 1, &err), E_INVALID);
	assert_int_equal(parse_many(BUNDLE_REFS_MAX, 10, &err), 0);
	assert_error(parse_many(BUNDLE_REFS_MAX + 1, 10, &err), E_INVALID, &err,
		     "more than 16384 references");
}

static void bundle_header_ends_within_its_bound(void **state)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(bundle_clear) struct bundle b = {0};
	static const char tail[] = OID " HEAD\n\n";
	struct error err = {0};

	(void)state;
	assert_int_equal(buf_puts(&text, HEAD "-" OID " ", NULL), 0);
	while (text.len + strlen("\n") + strlen(tail) < BUNDLE_HEADER_MAX)
		assert_int_equal(buf_add(&text, "c", 1, NULL), 0);
	size_t comment_end = text.len;
	assert_int_equal(buf_printf(&text, NULL, "\n%s", tail), 0);
	assert_int_equal(text.len, BUNDLE_HEADER_MAX);
	/* The caller has just the header: the pack is not there to be looked at. */
	assert_int_equal(bundle_parse(text.data, text.len, &b, &err), 0);
	assert_int_equal(b.pack_offset, BUNDLE_HEADER_MAX);

	text.len = comment_end;
	assert_int_equal(buf_printf(&text, NULL, "c\n%sPACK", tail), 0);
	struct bundle none = {0};
	assert_error(bundle_parse(text.data, text.len, &none, &err), E_INVALID, &err,
		     "no end within 1048576 bytes");
}

/* What git itself writes, with and without a prerequisite. */
static void bundle_of_git_is_read(void **state)
{
	static const char script[] =
		"git init -q -b main . && git config user.name x && git config user.email x@example.org &&"
		"git commit -q --allow-empty -m one && git tag -a -m t v1 &&"
		"git commit -q --allow-empty -m 'two words' &&"
		"git bundle create -q --version=2 all.bundle --all HEAD &&"
		"git bundle create -q --version=2 part.bundle v1..main";
	const char *const argv[] = {"sh", "-ec", script, NULL};
	CLEANUP(scratch_close) struct scratch s = SCRATCH_NONE;
	CLEANUP(bundle_clear) struct bundle all = {0};
	CLEANUP(bundle_clear) struct bundle part = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct proc_spec spec = PROC_SPEC(argv);
	pid_t pid;

	(void)state;
	assert_int_equal(scratch_open(NULL, &s, NULL), 0);
	spec.folder = s.path;
	assert_int_equal(proc_start(&spec, &pid, NULL), 0);
	assert_int_equal(proc_wait(pid, "git", NULL), 0);
	assert_int_equal(file_read(s.fd, "all.bundle", BUNDLE_HEADER_MAX, &bytes, NULL), 0);
	assert_int_equal(bundle_parse(bytes.data, bytes.len, &all, NULL), 0);
	assert_int_equal(all.n, 3);
	assert_int_equal(all.nprerequisites, 0);
	assert_memory_equal(bytes.data + all.pack_offset, "PACK", 4);
	buf_clear(&bytes);
	assert_int_equal(file_read(s.fd, "part.bundle", BUNDLE_HEADER_MAX, &bytes, NULL), 0);
	assert_int_equal(bundle_parse(bytes.data, bytes.len, &part, NULL), 0);
	assert_int_equal(part.n, 1);
	assert_string_equal(part.refs[0].name, "refs/heads/main");
	assert_int_equal(part.nprerequisites, 1);
}

static void bundle_reports_every_failed_allocation(void **state)
{
	static const char text[] = HEAD "-" OID " x\n" OID " HEAD\n" OID " refs/x\n\nPACK";
	bool failed = true;

	(void)state;
	for (long n = 0; failed; n++) {
		struct bundle b = {0};
		struct error err = {0};

		oom_after(n);
		int r = bundle_parse(text, strlen(text), &b, &err);
		failed = oom_fired();
		assert_int_equal(r, failed ? E_NOMEM : 0);
		bundle_clear(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundle_header_is_taken_apart),
		cmocka_unit_test(bundle_refuses_bad_headers),
		cmocka_unit_test(bundle_takes_only_names_that_git_would),
		cmocka_unit_test(bundle_refuses_a_nul_in_a_name),
		cmocka_unit_test(bundle_bounds_include_their_ends),
		cmocka_unit_test(bundle_header_ends_within_its_bound),
		cmocka_unit_test(bundle_of_git_is_read),
		cmocka_unit_test(bundle_reports_every_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
