/* SPDX-License-Identifier: Apache-2.0 */
#include "client/journal.h"

#include <fcntl.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

struct place {
	char path[32];
	int dir;
};

static int set_up(void **state)
{
	static struct place p;
	struct error err = {0};

	memcpy(p.path, "/tmp/bequest-test-XXXXXX", 25);
	if (!mkdtemp(p.path) || file_open_dir(AT_FDCWD, p.path, false, &p.dir, &err) < 0)
		return -1;
	*state = &p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct error err = {0};

	closep(&p->dir);
	return file_remove_tree(AT_FDCWD, p->path, &err);
}

static struct journal_record writing(uint64_t done)
{
	struct journal_record r = {
		.phase = JOURNAL_WRITING, .slot = SLOT_B, .size = 1000, .done = done};

	sha256_hex("image", 5, r.sha256);
	return r;
}

static struct journal_record reread(int dir)
{
	CLEANUP(journal_close) struct journal j = JOURNAL_NONE;
	struct error err = {0};

	assert_int_equal(journal_open(dir, "journal", &j, &err), 0);
	return j.now;
}

static void put(int dir, const struct journal_record *r)
{
	CLEANUP(journal_close) struct journal j = JOURNAL_NONE;
	struct error err = {0};

	assert_int_equal(journal_open(dir, "journal", &j, &err), 0);
	assert_int_equal(journal_put(&j, r, &err), 0);
}

static void a_new_journal_is_idle(void **state)
{
	struct place *p = *state;
	struct journal_record r = reread(p->dir);

	assert_int_equal(r.phase, JOURNAL_IDLE);
	assert_int_equal(r.slot, SLOT_NONE);
	assert_string_equal(r.sha256, "");
}

static void the_newest_record_is_read_back_whole(void **state)
{
	struct place *p = *state;

	for (uint64_t done = 0; done <= 1000; done += 125) {
		struct journal_record r = writing(done), back;

		put(p->dir, &r);
		back = reread(p->dir);
		assert_int_equal(back.phase, JOURNAL_WRITING);
		assert_int_equal(back.slot, SLOT_B);
		assert_int_equal(back.size, 1000);
		assert_int_equal(back.done, done);
		assert_string_equal(back.sha256, r.sha256);
	}
}

/* Write records 1 and 2, then cut the third off at every byte: 2 must survive. */
static void a_write_torn_at_any_byte_leaves_the_record_before(void **state)
{
	struct place *p = *state;
	struct journal_record first = writing(100), second = writing(200), third = writing(300);
	CLEANUP(buf_clear) struct buf before = {0};
	CLEANUP(buf_clear) struct buf after = {0};
	struct error err = {0};
	size_t torn = 0;

	put(p->dir, &first);
	put(p->dir, &second);
	assert_int_equal(file_read(p->dir, "journal", 1 << 16, &before, &err), 0);
	put(p->dir, &third);
	assert_int_equal(file_read(p->dir, "journal", 1 << 16, &after, &err), 0);
	assert_int_equal(before.len, after.len);
	for (size_t i = 0; i < after.len; i++) {
		if (before.data[i] == after.data[i])
			continue;
		/* Bytes up to i are new, the rest old; and the other way round. */
		for (int way = 0; way < 2; way++) {
			CLEANUP(buf_clear) struct buf mix = {0};
			const struct buf *head = way ? &before : &after;
			const struct buf *tail = way ? &after : &before;

			assert_int_equal(buf_add(&mix, head->data, i, &err), 0);
			assert_int_equal(buf_add(&mix, tail->data + i, tail->len - i, &err), 0);
			assert_int_equal(
				file_write(p->dir, "journal", mix.data, mix.len, 0600, &err), 0);

			uint64_t done = reread(p->dir).done;

			/* At the first differing byte one of the two mixes is whole. */
			assert_true(done == 200 || (done == 300 && torn == 0));
		}
		torn++;
	}
	assert_true(torn > 32); /* the digest alone differs in about that many */
}

static void one_flipped_bit_never_makes_another_record(void **state)
{
	struct place *p = *state;
	struct journal_record r = writing(500);
	CLEANUP(buf_clear) struct buf good = {0};
	struct error err = {0};

	put(p->dir, &r);
	assert_int_equal(file_read(p->dir, "journal", 1 << 16, &good, &err), 0);
	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		struct journal_record back;

		good.data[bit / 8] = (char)(good.data[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(file_write(p->dir, "journal", good.data, good.len, 0600, &err), 0);
		back = reread(p->dir);
		assert_true(back.phase == JOURNAL_IDLE || back.done == 500);
		good.data[bit / 8] = (char)(good.data[bit / 8] ^ 1 << bit % 8);
		if (bit == 8 * 256) /* the rest is the gap between the copies */
			bit = 8 * 4096;
	}
}

static void a_short_file_reads_as_idle(void **state)
{
	struct place *p = *state;
	struct journal_record r = writing(500);
	CLEANUP(buf_clear) struct buf good = {0};
	struct error err = {0};

	put(p->dir, &r);
	assert_int_equal(file_read(p->dir, "journal", 1 << 16, &good, &err), 0);
	assert_int_equal(file_write(p->dir, "journal", good.data, good.len - 1, 0600, &err), 0);
	assert_int_equal(reread(p->dir).phase, JOURNAL_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_journal_is_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_newest_record_is_read_back_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_write_torn_at_any_byte_leaves_the_record_before,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_flipped_bit_never_makes_another_record, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_short_file_reads_as_idle, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
