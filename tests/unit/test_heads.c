/* SPDX-License-Identifier: Apache-2.0 */
#include "client/heads.h"

#include <stdio.h>

#include "lib/sign/ed25519.h"
#include "tests/unit/unit.h"

static struct note_key log_named(const char *name, unsigned char fill)
{
	unsigned char seed[32], pub[32];
	struct note_key k;

	memset(seed, fill, sizeof(seed));
	assert_int_equal(ed25519_public(seed, pub, NULL), 0);
	assert_int_equal(note_key_make(name, NOTE_ED25519, pub, &k, NULL), 0);
	return k;
}

static struct checkpoint head(uint64_t size, unsigned char tree)
{
	struct checkpoint c = {.size = size};

	memset(c.root.b, tree, sizeof(c.root.b));
	return c;
}

static struct publisher *naming(const struct note_key *log)
{
	struct publisher *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->logs[0].key = *log;
	p->nlogs = 1;
	return p;
}

static void a_log_never_shrinks_and_has_one_tree_of_a_size(void **state)
{
	static const struct {
		uint64_t size;
		unsigned char tree;
		int r;
		const char *text;
	} cases[] = {
		{99, 2, E_UNTRUSTED, "99 leaves, but 100 were seen before"},
		{0, 2, E_UNTRUSTED, "frozen or was rolled back"},
		{100, 1, 0, NULL},
		{100, 2, E_UNTRUSTED, "another tree of 100 leaves"},
		{101, 2, 0, NULL},
		{(UINT64_C(1) << 53) - 1, 2, 0, NULL},
		{UINT64_C(1) << 53, 2, E_INVALID, "at most 2^53"},
	};
	struct note_key log = log_named("log.example/a", 1);
	CLEANUP(freep) struct publisher *root = naming(&log);
	struct checkpoint first = head(100, 1);
	struct state st = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(heads_check(&st, &log, &first, &err), 0);
	assert_null(heads_find(&st, &log));
	heads_remember(&st, &log, &first, root);
	assert_int_equal(heads_find(&st, &log)->size, 100);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct checkpoint c = head(cases[i].size, cases[i].tree);

		if (cases[i].r == 0)
			assert_int_equal(heads_check(&st, &log, &c, &err), 0);
		else
			assert_error(heads_check(&st, &log, &c, &err), cases[i].r, &err,
				     cases[i].text);
	}
}

static void less_is_not_remembered(void **state)
{
	struct note_key log = log_named("log.example/a", 1);
	CLEANUP(freep) struct publisher *root = naming(&log);
	struct checkpoint more = head(100, 1), less = head(60, 2);
	struct state st = {0};

	(void)state;
	heads_remember(&st, &log, &more, root);
	heads_remember(&st, &log, &less, root); /* an older proof that was true in its day */
	assert_int_equal(st.nlogs, 1);
	assert_int_equal(st.logs[0].size, 100);
	assert_int_equal(st.logs[0].root[0], '0');
	assert_int_equal(st.logs[0].root[1], '1');
}

/* A log with a new key is another log: the root that names it was accepted. */
static void a_log_is_its_name_and_key(void **state)
{
	struct note_key a = log_named("log.example/a", 1), again = log_named("log.example/a", 2);
	CLEANUP(freep) struct publisher *root = naming(&a);
	struct checkpoint more = head(100, 1), less = head(3, 2);
	struct state st = {0};

	(void)state;
	heads_remember(&st, &a, &more, root);
	assert_int_equal(heads_check(&st, &again, &less, NULL), 0);
	heads_remember(&st, &again, &less, root);
	assert_int_equal(st.nlogs, 2);
	assert_int_equal(heads_find(&st, &a)->size, 100);
	assert_int_equal(heads_find(&st, &again)->size, 3);
}

static void a_log_that_the_root_names_is_never_pushed_out(void **state)
{
	struct note_key ours = log_named("ours", 1);
	CLEANUP(freep) struct publisher *root = naming(&ours);
	struct checkpoint c = head(100, 1);
	struct state st = {0};

	(void)state;
	heads_remember(&st, &ours, &c, root);
	for (unsigned char i = 2; i < 2 * STATE_LOGS_MAX; i++) {
		struct note_key other = log_named("other", i);

		heads_remember(&st, &other, &c, root);
		assert_true(st.nlogs <= STATE_LOGS_MAX);
		assert_non_null(heads_find(&st, &other));
	}
	assert_int_equal(st.nlogs, STATE_LOGS_MAX);
	assert_non_null(heads_find(&st, &ours));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_never_shrinks_and_has_one_tree_of_a_size),
		cmocka_unit_test(less_is_not_remembered),
		cmocka_unit_test(a_log_is_its_name_and_key),
		cmocka_unit_test(a_log_that_the_root_names_is_never_pushed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
