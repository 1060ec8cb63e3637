/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/policy/statements/<type>.json: a good `signed` part, edits of it that
 * are good also, and bad ones with what is said of them. An edit is {"at": path,
 * "to": value}; without "to" what is there is removed. The schemas are held
 * against the same files (tests/integration/test_schema.py).
 */
#include "policies/statement.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/json/strict.h"
#include "policies/deposit.h"
#include "tests/unit/unit.h"

static json_t *load(enum statement_type t)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};
	char path[128];
	json_t *src = NULL;

	(void)snprintf(path, sizeof(path), "tests/policy/statements/%s.json", statement_name(t));
	if (file_read(AT_FDCWD, path, 1 << 20, &text, &err) < 0 ||
	    strict_parse(text.data, text.len, path, &src, &err) < 0)
		fail_msg("%s", err.text);
	return src;
}

static void apply(json_t *v, const json_t *edit)
{
	const json_t *at = json_object_get(edit, "at");
	json_t *to = json_object_get(edit, "to");
	size_t last = json_array_size(at) - 1;

	for (size_t i = 0; i < last; i++) {
		const json_t *step = json_array_get(at, i);

		v = json_is_string(step) ? json_object_get(v, json_string_value(step))
					 : json_array_get(v, (size_t)json_integer_value(step));
	}
	const json_t *step = json_array_get(at, last);
	int r;
	if (json_is_string(step))
		r = to ? json_object_set(v, json_string_value(step), to)
		       : json_object_del(v, json_string_value(step));
	else
		r = to ? json_array_set(v, (size_t)json_integer_value(step), to)
		       : json_array_remove(v, (size_t)json_integer_value(step));
	assert_int_equal(r, 0);
}

static int read_signed(json_t *body_take, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct statement st = {.product = "untouched"};
	int r = envelope_new(body_take, &doc, err);

	assert_int_equal(r, 0);
	if (strcmp(envelope_type(doc), "deposit") == 0) {
		struct deposit d = {.nseats = 99};

		r = deposit_read(doc, "file", &d, err);
		if (r == 0)
			deposit_clear(&d);
		else
			assert_int_equal(d.nseats, 99);
	} else {
		r = statement_read(doc, "file", &st, err);
		if (r < 0)
			assert_string_equal(st.product, "untouched");
	}
	return r;
}

static void check_edit(const json_t *good, const json_t *edit, const char *type)
{
	const char *complaint = json_string_value(json_object_get(edit, "error"));
	json_t *body = json_deep_copy(good);
	struct error err = {0};

	apply(body, edit);
	int r = read_signed(body, &err);
	CLEANUP(freep) char *what = json_dumps(edit, 0);
	if (!complaint && r < 0)
		fail_msg("%s: %s: %s", type, what, err.text);
	if (complaint && (r != E_INVALID || !strstr(err.text, complaint)))
		fail_msg("%s: %s: got %d \"%s\"", type, what, r, err.text);
	if (complaint)
		assert_memory_equal(err.text, "file: ", strlen("file: "));
}

static void every_type_is_read_and_every_fault_named(void **state)
{
	(void)state;
	for (size_t t = 0; t < ST_TYPES; t++) {
		const char *type = statement_name((enum statement_type)t);
		CLEANUP(json_decrefp) json_t *src = load((enum statement_type)t);
		json_t *good = json_object_get(src, "good"), *edit;
		struct error err = {0};
		size_t i;

		if (read_signed(json_deep_copy(good), &err) < 0)
			fail_msg("%s", err.text);
		json_array_foreach(json_object_get(src, "also"), i, edit)
			check_edit(good, edit, type);
		json_array_foreach(json_object_get(src, "bad"), i, edit)
			check_edit(good, edit, type);
		assert_true(i >= 3);
	}
}

static void what_statements_refer_by_is_handed_out(void **state)
{
	static const struct {
		enum statement_type type;
		const char *target; /* the member that `target` is; NULL: none */
		bool deposit, root;
	} want[] = {
		{ST_PRODUCT, NULL, false, true},       {ST_DEPOSIT, NULL, false, true},
		{ST_EOL, NULL, false, true},           {ST_NOTICE, NULL, true, false},
		{ST_APPROVAL, "notice", true, false},  {ST_REFUSAL, "notice", true, false},
		{ST_OBJECTION, "notice", false, true}, {ST_RELEASE, NULL, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CLEANUP(json_decrefp) json_t *src = load(want[i].type);
		json_t *good = json_object_get(src, "good");
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		struct statement st;

		assert_int_equal(envelope_new(json_incref(good), &doc, NULL), 0);
		assert_int_equal(statement_read(doc, "file", &st, NULL), 0);
		assert_int_equal(st.type, want[i].type);
		assert_ptr_equal(st.doc, doc);
		assert_string_equal(st.product, "acme.x1");
		assert_int_equal(st.version, 1);
		assert_int_equal(st.issued, 1893553445);
		assert_int_equal(st.root_id != NULL, want[i].root);
		assert_int_equal(st.root_version, want[i].root);
		assert_int_equal(st.deposit != NULL, want[i].deposit);
		assert_int_equal(st.target != NULL, want[i].target != NULL);
		if (want[i].target)
			assert_string_equal(st.target, json_string_value(json_object_get(
							       good, want[i].target)));
		if (st.type == ST_EOL) {
			assert_true(st.release);
			assert_string_equal(st.final_root, st.root_id);
			assert_non_null(st.final_bridge);
			assert_int_equal(st.date, st.issued);
		}
		if (st.type == ST_NOTICE)
			assert_string_equal(st.ground, "silence");
	}
}

static void only_known_types_are_statements(void **state)
{
	static const char *const none[] = {"root", "targets", "Eol", "eol ", "eo", ""};
	enum statement_type t = ST_AUDIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(statement_type_of(none[i], &t));
	assert_false(statement_type_of(NULL, &t));
	assert_int_equal(t, ST_AUDIT);
	for (size_t i = 0; i < ST_TYPES; i++) {
		assert_true(statement_type_of(statement_name((enum statement_type)i), &t));
		assert_int_equal(t, i);
	}

	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct error err = {0};
	struct statement st;
	assert_int_equal(envelope_new(json_pack("{s:s, s:s, s:i}", "_type", "will", "spec_version",
						"1.0", "version", 1),
				      &doc, NULL),
			 0);
	assert_error(statement_read(doc, "will.json", &st, &err), E_INVALID, &err,
		     "will.json: signed._type: \"will\" is no statement");
}

static void whose_signature_counts_is_fixed(void **state)
{
	(void)state;
	assert_int_equal(statement_signer(ST_EOL), BY_ROOT);
	assert_int_equal(statement_signer(ST_DEPOSIT), BY_ROOT);
	assert_int_equal(statement_signer(ST_OBJECTION), BY_ROOT);
	assert_int_equal(statement_signer(ST_NOTICE), BY_TRUSTEE);
	assert_int_equal(statement_signer(ST_APPROVAL), BY_TRUSTEE);
	assert_int_equal(statement_signer(ST_RELEASE), BY_ONLINE);
	assert_int_equal(statement_signer(ST_SUCCESSION), BY_BOTH_ROOTS);
	assert_int_equal(statement_signer(ST_ROTATION), BY_ANCHOR);
	assert_int_equal(statement_signer(ST_LOG_MOVE), BY_WITNESSES);
	assert_int_equal(statement_signer(ST_REGISTRY), BY_REGISTRY_ROOT);
}

static void a_product_id_has_a_form(void **state)
{
	static const char *const bad[] = {"", ".a", "-a", "A", "a_b", "a b", "a/b", "a\n"};
	char longest[65] = {0};

	(void)state;
	memset(longest, 'a', 63);
	assert_true(product_id_ok(longest));
	longest[63] = 'a';
	assert_false(product_id_ok(longest));
	assert_true(product_id_ok("a"));
	assert_true(product_id_ok("0.-"));
	assert_false(product_id_ok(NULL));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(product_id_ok(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read_and_every_fault_named),
		cmocka_unit_test(what_statements_refer_by_is_handed_out),
		cmocka_unit_test(only_known_types_are_statements),
		cmocka_unit_test(whose_signature_counts_is_fixed),
		cmocka_unit_test(a_product_id_has_a_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
