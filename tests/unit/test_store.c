/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "registry/store/migrations.h"
#include "registry/store/store.h"
#include "tests/unit/unit.h"

struct place {
	char *dir;
	char db[256];
	struct store *s;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p || file_temp_dir(false, &p->dir, NULL) < 0)
		return -1;
	(void)snprintf(p->db, sizeof(p->db), "%s/registry.db", p->dir);
	*state = p;
	return store_open(p->db, &p->s, NULL);
}

static int teardown(void **state)
{
	struct place *p = *state;
	int r;

	store_close(p->s);
	r = file_remove_tree(AT_FDCWD, p->dir, NULL);
	free(p->dir);
	free(p);
	return r;
}

static void reopen(struct place *p)
{
	store_close(p->s);
	p->s = NULL;
	assert_int_equal(store_open(p->db, &p->s, NULL), 0);
}

static struct document_row a_document(char letter, int64_t version)
{
	struct document_row d = {.product = "p", .type = "eol", .version = version};

	memset(d.id, letter, SHA256_HEX);
	memset(d.sha256, letter, SHA256_HEX);
	return d;
}

static int add(struct store *s, struct document_row *d, uint64_t index, struct error *err)
{
	char text[] = "{}", entry[] = "leaf";
	struct buf bytes = {text, 2, 0}, data = {entry, 4, 0};
	struct hash hash = {{1}};
	int r = store_document_add(s, d, &bytes, err);

	d->seq = (int64_t)index + 1;
	return r < 0 ? r : store_leaf_add(s, index, d, &hash, &data, err);
}

static void schema_is_ours_and_of_this_version(void **state)
{
	struct place *p = *state;
	struct store *other = NULL;
	struct error err = {0};
	sqlite3 *db;

	store_close(p->s);
	p->s = NULL;
	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", 0, 0, 0), SQLITE_OK);
	assert_error(store_open(p->db, &other, &err), E_INVALID, &err,
		     "schema version 99 is newer than 3");
	assert_int_equal(sqlite3_exec(db, "PRAGMA application_id = 7", 0, 0, 0), SQLITE_OK);
	assert_error(store_open(p->db, &other, &err), E_INVALID, &err, "not a registry database");
	sqlite3_close(db);
	assert_null(other);
	assert_int_equal(migrations_len, 3);
}

static void commit_survives_reopening_and_rollback_does_not(void **state)
{
	struct place *p = *state;
	struct product_row row;

	assert_int_equal(store_begin(p->s, NULL), 0);
	assert_int_equal(store_product_add(p->s, "kept", 1, NULL), 0);
	assert_int_equal(store_commit(p->s, NULL), 0);
	assert_int_equal(store_begin(p->s, NULL), 0);
	assert_int_equal(store_product_add(p->s, "lost", 1, NULL), 0);
	store_rollback(p->s);
	reopen(p);
	assert_int_equal(store_product(p->s, "kept", &row, NULL), 0);
	assert_int_equal(row.root, 0);
	assert_string_equal(row.head, "");
	assert_int_equal(store_product(p->s, "lost", &row, NULL), E_NOTFOUND);
}

static void savepoint_undoes_one_job_only(void **state)
{
	struct place *p = *state;
	struct product_row row;

	assert_int_equal(store_begin(p->s, NULL), 0);
	assert_int_equal(store_savepoint(p->s, NULL), 0);
	assert_int_equal(store_product_add(p->s, "first", 1, NULL), 0);
	assert_int_equal(store_release(p->s, NULL), 0);
	assert_int_equal(store_savepoint(p->s, NULL), 0);
	assert_int_equal(store_product_add(p->s, "second", 1, NULL), 0);
	assert_int_equal(store_undo(p->s, NULL), 0);
	assert_int_equal(store_commit(p->s, NULL), 0);
	assert_int_equal(store_product(p->s, "first", &row, NULL), 0);
	assert_int_equal(store_product(p->s, "second", &row, NULL), E_NOTFOUND);
}

static void documents_are_unique_by_id_and_by_version(void **state)
{
	struct place *p = *state;
	struct document_row a = a_document('a', 1), same = a_document('b', 1),
			    next = a_document('c', 2), found = a_document('x', 1);
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error err = {0};

	assert_int_equal(store_product_add(p->s, "p", 1, NULL), 0);
	assert_int_equal(add(p->s, &a, 0, NULL), 0);
	assert_int_equal(add(p->s, &same, 1, &err), E_EXISTS);
	assert_int_equal(add(p->s, &a, 1, &err), E_EXISTS);
	assert_int_equal(add(p->s, &next, 1, NULL), 0);
	assert_int_equal(store_document_find(p->s, &found, &bytes, NULL), 0);
	assert_string_equal(found.id, a.id);
	assert_string_equal(bytes.data, "{}");
	assert_int_equal(store_document_latest(p->s, &found, NULL, NULL), 0);
	assert_int_equal(found.version, 2);
	assert_int_equal(found.index, 1);
	found.signer[0] = 'x';
	assert_int_equal(store_document_latest(p->s, &found, NULL, NULL), E_NOTFOUND);
}

static void tile_may_be_read_narrower_but_not_wider(void **state)
{
	struct place *p = *state;
	struct hash in[3] = {{{1}}, {{2}}, {{3}}}, out[4];
	struct error err = {0};

	assert_int_equal(store_tile_set(p->s, 0, 7, 3, in, NULL), 0);
	assert_int_equal(store_tile(p->s, 0, 7, 2, out, NULL), 0);
	assert_memory_equal(out, in, 2 * sizeof(in[0]));
	assert_error(store_tile(p->s, 0, 7, 4, out, &err), E_INVALID, &err, "too short");
	assert_error(store_tile(p->s, 1, 7, 1, out, &err), E_NOTFOUND, &err, "missing");
}

static int count_number(void *ctx, int64_t n, struct error *err)
{
	(void)n;
	(void)err;
	++*(size_t *)ctx;
	return 0;
}

static void batch_is_ready_with_its_last_blob(void **state)
{
	static const char one[] =
		"1111111111111111111111111111111111111111111111111111111111111111";
	static const char two[] =
		"2222222222222222222222222222222222222222222222222222222222222222";
	struct place *p = *state;
	int64_t n = 0, size = 0;
	size_t ready = 0;

	assert_int_equal(store_batch_add(p->s, "p", "waiting", 5, &n, NULL), 0);
	assert_int_equal(store_batch_blob_add(p->s, n, one, 10, NULL), 0);
	assert_int_equal(store_batch_blob_add(p->s, n, two, 20, NULL), 0);
	assert_int_equal(store_blob_wanted(p->s, two, &size, NULL), 0);
	assert_int_equal(size, 20);
	assert_int_equal(store_blob_add(p->s, one, 10, 6, NULL), 0);
	assert_int_equal(store_batches_ready(p->s, one, count_number, &ready, NULL), 0);
	assert_int_equal(ready, 0);
	assert_int_equal(store_blob_add(p->s, two, 20, 6, NULL), 0);
	assert_int_equal(store_batches_ready(p->s, two, count_number, &ready, NULL), 0);
	assert_int_equal(ready, 1);
	assert_int_equal(store_batches_expire(p->s, 6, NULL), 0);
	assert_int_equal(store_blob_wanted(p->s, two, &size, NULL), E_NOTFOUND);
	assert_int_equal(store_blob(p->s, two, &size, NULL), 0);
}

static void outbox_is_read_by_stage_and_knows_what_is_superseded(void **state)
{
	static const struct outbox_row rows[] = {
		{.stage = STAGE_INDEX, .kind = "put", .path = "index"},
		{.stage = STAGE_FILES, .kind = "put", .path = "file"},
		{.stage = STAGE_METADATA, .kind = "put", .path = "timestamp"},
		{.stage = STAGE_METADATA, .kind = "put", .path = "timestamp"},
	};
	static const char *const order[] = {"file", "timestamp", "timestamp", "index"};
	struct place *p = *state;
	struct outbox_row at = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(store_outbox_add(p->s, &rows[i], "x", 1, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		CLEANUP(buf_clear) struct buf content = {0};
		bool superseded = false;

		assert_int_equal(store_outbox_next(p->s, &at, &content, NULL), 0);
		assert_string_equal(at.path, order[i]);
		assert_int_equal(store_outbox_superseded(p->s, &at, &superseded, NULL), 0);
		assert_int_equal(superseded, i == 1);
		if (i == 1)
			assert_int_equal(store_outbox_done(p->s, &at, NULL), 0);
	}
	at = (struct outbox_row){0};
	CLEANUP(buf_clear) struct buf content = {0};
	assert_int_equal(store_outbox_next(p->s, &at, &content, NULL), 0);
	assert_string_equal(at.path, "timestamp"); /* the second one: the rest was struck off */
}

#define STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE(schema_is_ours_and_of_this_version),
		STORE(commit_survives_reopening_and_rollback_does_not),
		STORE(savepoint_undoes_one_job_only),
		STORE(documents_are_unique_by_id_and_by_version),
		STORE(tile_may_be_read_narrower_but_not_wider),
		STORE(batch_is_ready_with_its_last_blob),
		STORE(outbox_is_read_by_stage_and_knows_what_is_superseded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
