/* SPDX-License-Identifier: Apache-2.0 */
#include "client/leaves.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "tests/unit/unit.h"

#define PRODUCT "acme.x1"

/* A folder with a product's part of a tree, and a chain that grows in it. */
struct place {
	char path[32];
	int fd;
	struct http *http;
	struct source from;
	struct buf text;
	struct leaf last;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	memcpy(p->path, "/tmp/bequest-test-XXXXXX", 25);
	assert_non_null(mkdtemp(p->path));
	assert_int_equal(file_open_dir(AT_FDCWD, p->path, false, &p->fd, NULL), 0);
	assert_int_equal(mkdirat(p->fd, "metadata", 0755), 0);
	assert_int_equal(http_new(NULL, &p->http, NULL), 0);
	assert_int_equal(source_open_folder(p->http, p->path, PRODUCT, &p->from, NULL), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	source_close(&p->from);
	http_free(p->http);
	buf_clear(&p->text);
	closep(&p->fd);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, NULL), 0);
	free(p);
	return 0;
}

static void grow(struct place *p, const char *kind, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct leaf l = {.version = 1 + i, .seq = p->last.seq + 1, .prev = p->last.hash};
		CLEANUP(buf_clear) struct buf bytes = {0};

		(void)snprintf(l.kind, sizeof(l.kind), "%s", kind);
		(void)snprintf(l.product, sizeof(l.product), PRODUCT);
		if (strcmp(kind, "targets") == 0)
			memcpy(l.role, "targets", 8);
		sha256_hex(&l.seq, sizeof(l.seq), l.id);
		memcpy(l.sha256, l.id, sizeof(l.sha256));
		l.index = (uint64_t)l.seq * 3;
		assert_int_equal(leaf_write(&l, &bytes, NULL), 0);
		assert_int_equal(leaf_line(&l, &p->text, NULL), 0);
		p->last = l;
	}
}

static int read_chain(struct place *p, const struct state *st, struct leaf_chain *out,
		      struct error *err)
{
	assert_int_equal(file_write(p->fd, "leaves.jsonl", p->text.data, p->text.len, 0644, NULL),
			 0);
	return leaves_read(&p->from, PRODUCT, st, out, err);
}

static void of_updates_in_a_row_first_and_last_are_kept(void **state)
{
	struct place *p = *state;
	CLEANUP(leaf_chain_clear) struct leaf_chain c = {0};
	const struct state st = {0};
	size_t others = 0;
	struct error err = {0};

	grow(p, "eol", 1);
	for (unsigned i = 0; i < 20; i++) {
		grow(p, "targets", 500);
		grow(p, "heartbeat", 1);
	}
	assert_int_equal(read_chain(p, &st, &c, &err), 0);
	assert_true(c.n < 300); /* of 10021 */
	for (size_t i = 0; i < c.n; i++) {
		others += strcmp(c.leaves[i].kind, "targets") != 0;
		if (!i || c.leaves[i].seq == c.leaves[i - 1].seq + 1)
			continue;
		assert_string_equal(c.leaves[i].kind, "targets");
		assert_string_equal(c.leaves[i - 1].kind, "targets");
	}
	assert_int_equal(others, 21);
	for (int64_t i = 0; i < 16; i++) /* the newest, whatever they are */
		assert_int_equal(c.leaves[c.n - 1 - (size_t)i].seq, p->last.seq - i);
}

static void what_was_seen_before_has_to_be_there(void **state)
{
	struct place *p = *state;
	CLEANUP(leaf_chain_clear) struct leaf_chain c = {0};
	struct state st = {0};
	struct error err = {0};

	assert_int_equal(leaves_read(&p->from, PRODUCT, &st, &c, &err), E_NOTFOUND);
	grow(p, "targets", 100);
	leaves_remember(&p->last, &st);
	assert_int_equal(st.seq, 100);
	assert_int_equal(read_chain(p, &st, &c, &err), 0);
	leaf_chain_clear(&c);
	grow(p, "targets", 100);
	assert_int_equal(read_chain(p, &st, &c, &err), 0);
	leaf_chain_clear(&c);
	leaves_remember(&p->last, &st);
	st.seq++;
	assert_error(read_chain(p, &st, &c, &err), E_UNTRUSTED, &err,
		     "200 leaves, but 201 were seen before");
	st.seq = 57; /* one that is not kept is compared all the same */
	assert_error(read_chain(p, &st, &c, &err), E_UNTRUSTED, &err, "leaf 57 is another one");
	st.seq = 200;
	assert_int_equal(read_chain(p, &st, &c, &err), 0);
	assert_int_equal(st.seq, 200);
	leaves_remember(&c.leaves[0], &st); /* less changes nothing */
	assert_int_equal(st.seq, 200);
}

static void a_chain_that_is_cut_short_or_wrong_is_refused(void **state)
{
	struct place *p = *state;
	CLEANUP(leaf_chain_clear) struct leaf_chain c = {0};
	const struct state st = {0};
	struct error err = {0};

	grow(p, "eol", 300);
	p->text.len--;
	assert_error(read_chain(p, &st, &c, &err), E_INVALID, &err, "line 300: cut short");
	p->text.len -= 200;
	assert_error(read_chain(p, &st, &c, &err), E_INVALID, &err, "line 300: cut short");
	p->text.len = 0;
	assert_int_equal(read_chain(p, &st, &c, &err), 0);
	assert_int_equal(c.n, 0);
}

static void what_has_to_be_kept_has_a_bound(void **state)
{
	struct place *p = *state;
	CLEANUP(leaf_chain_clear) struct leaf_chain c = {0};
	const struct state st = {0};
	struct error err = {0};

	grow(p, "heartbeat", LEAVES_KEPT_MAX);
	assert_int_equal(read_chain(p, &st, &c, &err), 0);
	assert_int_equal(c.n, LEAVES_KEPT_MAX);
	leaf_chain_clear(&c);
	grow(p, "heartbeat", 1);
	assert_error(read_chain(p, &st, &c, &err), E_INVALID, &err, "more than 16384 leaves");
	assert_int_equal(c.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_updates_in_a_row_first_and_last_are_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_was_seen_before_has_to_be_there, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_chain_that_is_cut_short_or_wrong_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_to_be_kept_has_a_bound, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
