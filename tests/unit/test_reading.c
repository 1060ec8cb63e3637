/* SPDX-License-Identifier: Apache-2.0 */
#include "client/reading.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

enum { FILES = 32, FILE_SIZE = 20 * 1024, HELD = READING_KEPT_MAX / FILE_SIZE };

struct place {
	char path[32];
	int fd;
	struct http *http;
	struct source from;
	struct device d;
	struct reading in;
};

static const char *name_of(unsigned i, char out[96])
{
	(void)snprintf(out, 96, "statements/%064x.json", i);
	return out;
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	CLEANUP(freep) char *text = malloc(FILE_SIZE);
	char name[96];

	assert_non_null(p);
	assert_non_null(text);
	memset(text, 'x', FILE_SIZE);
	memcpy(p->path, "/tmp/bequest-test-XXXXXX", 25);
	assert_non_null(mkdtemp(p->path));
	assert_int_equal(file_open_dir(AT_FDCWD, p->path, false, &p->fd, NULL), 0);
	assert_int_equal(mkdirat(p->fd, "metadata", 0755), 0);
	assert_int_equal(mkdirat(p->fd, "statements", 0755), 0);
	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(file_write(p->fd, name_of(i, name), text, FILE_SIZE, 0644, NULL),
				 0);
	assert_int_equal(http_new(NULL, &p->http, NULL), 0);
	assert_int_equal(source_open_folder(p->http, p->path, "acme.x1", &p->from, NULL), 0);
	p->d.conf.product = "acme.x1";
	assert_int_equal(reading_init(&p->in, &p->from, &p->d, NULL), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	reading_clear(&p->in);
	source_close(&p->from);
	http_free(p->http);
	closep(&p->fd);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, NULL), 0);
	free(p);
	return 0;
}

/* Read one; its length, or the error. */
static int read_one(struct place *p, const char *path, size_t max)
{
	const struct evidence_source s = reading_source(&p->in);
	CLEANUP(buf_clear) struct buf out = {0};
	int r = s.read(s.ctx, path, max, &out, NULL);

	return r < 0 ? r : (int)out.len;
}

static void what_is_kept_has_a_bound_and_is_not_fetched_again(void **state)
{
	struct place *p = *state;
	char name[96];

	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(read_one(p, name_of(i, name), FILE_SIZE), FILE_SIZE);
	assert_true(p->in.bytes <= READING_KEPT_MAX);
	assert_int_equal(json_object_size(p->in.kept), HELD);
	assert_int_equal(file_remove_tree(p->fd, "statements", NULL), 0);
	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(read_one(p, name_of(i, name), FILE_SIZE),
				 i < HELD ? FILE_SIZE : E_NOTFOUND);
}

static void a_limit_holds_for_what_was_kept_too(void **state)
{
	struct place *p = *state;
	char name[96];

	assert_int_equal(read_one(p, name_of(0, name), FILE_SIZE), FILE_SIZE);
	assert_int_equal(read_one(p, name, FILE_SIZE - 1), E_INVALID);
	assert_int_equal(read_one(p, name, FILE_SIZE), FILE_SIZE);
}

static void texts_are_those_that_can_be_had(void **state)
{
	struct place *p = *state;
	json_t *ids = json_array(), *texts = NULL;
	char name[96], id[SHA256_HEX_SIZE];

	for (unsigned i = 0; i < FILES + 2; i++) {
		(void)snprintf(id, sizeof(id), "%064x", i);
		assert_int_equal(json_array_append_new(ids, json_string(id)), 0);
	}
	assert_int_equal(file_write(p->fd, name_of(3, name), "\xff", 1, 0644, NULL), 0);
	assert_int_equal(reading_texts(&p->in, ids, &texts, NULL), 0);
	assert_int_equal(json_object_size(texts), FILES - 1);
	assert_null(json_object_get(texts, name));
	assert_int_equal(json_string_length(json_object_get(texts, name_of(FILES - 1, name))),
			 FILE_SIZE);
	json_decref(ids);
	json_decref(texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_kept_has_a_bound_and_is_not_fetched_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_holds_for_what_was_kept_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(texts_are_those_that_can_be_had, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
