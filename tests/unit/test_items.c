/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "escrow/items.h"
#include "lib/base/file.h"
#include "lib/base/scratch.h"

#define ONE "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" /* "one" */
#define TWO "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3" /* "two" */

static int setup(void **state)
{
	static struct scratch s;
	struct error err;

	*state = &s;
	if (scratch_open(NULL, &s, &err) < 0 || mkdirat(s.fd, "sub", 0700) < 0)
		return -1;
	return file_write(s.fd, "b.sh", "one", 3, 0755, &err) < 0 ||
			       file_write(s.fd, "sub/a", "two", 3, 0644, &err) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	scratch_close(*state);
	return 0;
}

static void tree_is_listed_in_order_with_digests(void **state)
{
	const struct scratch *s = *state;
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	assert_int_equal(items_add_tree(&items, "build", s->path, &err), 0);
	assert_int_equal(items_sort(&items, &err), 0);
	assert_int_equal(items_text(&items, &text, &err), 0);
	assert_string_equal(text.data, ONE "  build/b.sh\n" TWO "  build/sub/a\n");
	assert_true(items.list[0].executable);
	assert_false(items.list[1].executable);
	assert_int_equal(items_size(&items), 6);
	assert_true(items_has_below(&items, "build/"));
	assert_false(items_has_below(&items, "source/"));
	assert_ptr_equal(items_find(&items, "build/sub/a"), &items.list[1]);
	assert_null(items_find(&items, "build/sub"));
}

static void what_is_no_file_is_refused(void **state)
{
	const struct scratch *s = *state;
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(freep) char *link = NULL;
	CLEANUP(freep) char *pipe = NULL;
	struct error err = {0};

	assert_int_equal(scratch_path(s, "link", &link, &err), 0);
	assert_int_equal(scratch_path(s, "pipe", &pipe, &err), 0);
	assert_int_equal(symlinkat("b.sh", s->fd, "link"), 0);
	assert_error(items_add_tree(&items, NULL, s->path, &err), E_USAGE, &err, "link: a link");
	assert_int_equal(unlinkat(s->fd, "link", 0), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_error(items_add(&items, "p", pipe, &err), E_USAGE, &err, "want a regular file");
	assert_error(items_add(&items, "p", s->path, &err), E_USAGE, &err, "want a regular file");
	assert_int_equal(unlinkat(s->fd, "pipe", 0), 0);
}

static void names_that_no_archive_can_have_are_refused(void **state)
{
	const struct scratch *s = *state;
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(freep) char *from = NULL;
	struct error err = {0};
	char name[1026];

	assert_int_equal(scratch_path(s, "b.sh", &from, &err), 0);
	static const char *const bad[] = {"",     "/a",   "a//b", "../a",
					  "a/..", "a\\b", "a\nb", "a\xff"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_error(items_add(&items, bad[i], from, &err), E_USAGE, &err,
			     "does not fit an archive");
	memset(name, 'a', sizeof(name));
	for (size_t i = 200; i < sizeof(name); i += 200)
		name[i] = '/'; /* a component has at most 255 bytes */
	name[1025] = '\0';
	assert_error(items_add(&items, name, from, &err), E_USAGE, &err, "does not fit");
	name[1024] = '\0';
	assert_int_equal(items_add(&items, name, from, &err), 0);
}

static void same_path_twice_is_refused(void **state)
{
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(freep) char *from = NULL;
	struct error err = {0};

	assert_int_equal(scratch_path(*state, "b.sh", &from, &err), 0);
	assert_int_equal(items_add(&items, "a", from, &err), 0);
	assert_int_equal(items_add(&items, "b", from, &err), 0);
	assert_int_equal(items_sort(&items, &err), 0);
	assert_int_equal(items_add(&items, "a", from, &err), 0);
	assert_error(items_sort(&items, &err), E_INVALID, &err, "a: twice");
}

static void manifest_list_survives_the_way_there_and_back(void **state)
{
	const struct scratch *s = *state;
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(items_clear) struct items back = {0};
	CLEANUP(json_decrefp) json_t *list = NULL;
	struct error err = {0};

	assert_int_equal(items_add_tree(&items, NULL, s->path, &err), 0);
	assert_int_equal(items_sort(&items, &err), 0);
	assert_int_equal(items_json(&items, &list, &err), 0);
	assert_int_equal(items_add_json(&back, list, &err), 0);
	assert_int_equal(back.n, 2);
	assert_string_equal(back.list[1].path, "sub/a");
	assert_string_equal(back.list[1].sha256, TWO);
	assert_int_equal(back.list[1].size, 3);
}

static void malformed_manifest_lists_are_refused(void **state)
{
	static const char *const bad[] = {
		"[{\"path\": \"a\", \"size\": 1}]",
		"[{\"path\": \"../a\", \"size\": 1, \"sha256\": \"" ONE "\"}]",
		"[{\"path\": \"a\", \"size\": -1, \"sha256\": \"" ONE "\"}]",
		"[{\"path\": \"a\", \"size\": 1, \"sha256\": \"00\"}]",
		"[1]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(items_clear) struct items items = {0};
		CLEANUP(json_decrefp) json_t *list = json_loads(bad[i], 0, NULL);
		struct error err = {0};

		assert_error(items_add_json(&items, list, &err), E_INVALID, &err, "items");
	}
}

static int read_text(const char *text, struct items *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf b = {0};

	assert_int_equal(buf_puts(&b, text, err), 0);
	return items_add_text(out, &b, err);
}

static void checksum_file_with_a_nul_in_a_name_is_refused(void **state)
{
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(buf_clear) struct buf b = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(buf_puts(&b, ONE "  name\n", &err), 0);
	b.data[b.len - 2] = '\0';
	assert_error(items_add_text(&items, &b, &err), E_INVALID, &err, "not a digest and a path");
}

static void checksum_file_is_read_strictly(void **state)
{
	static const char *const bad[] = {
		"x",
		ONE "  a",             /* no newline at the end */
		ONE " a\n",            /* one blank */
		ONE " *a\n",           /* binary mode */
		ONE "  \n",            /* no path */
		ONE "  ../a\n",        /* a way out */
		"\\" ONE "  a\\\\b\n", /* an escaped name */
		"G" ONE "  a\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(items_clear) struct items items = {0};
		struct error err = {0};

		assert_int_equal(read_text(bad[i], &items, &err), E_INVALID);
	}
	CLEANUP(items_clear) struct items items = {0};
	struct error err = {0};

	assert_int_equal(read_text(ONE "  a b\n" TWO "  c/d\n", &items, &err), 0);
	assert_int_equal(items.n, 2);
	assert_string_equal(items.list[0].path, "a b");
	assert_int_equal(items.list[0].size, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_is_listed_in_order_with_digests),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(names_that_no_archive_can_have_are_refused),
		cmocka_unit_test(same_path_twice_is_refused),
		cmocka_unit_test(manifest_list_survives_the_way_there_and_back),
		cmocka_unit_test(malformed_manifest_lists_are_refused),
		cmocka_unit_test(checksum_file_is_read_strictly),
		cmocka_unit_test(checksum_file_with_a_nul_in_a_name_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
