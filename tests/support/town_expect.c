/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/town_expect.h"

#include <sqlite3.h>

#include "registry/verbs_admin.h"
#include "tests/unit/unit.h"

int open_town(void **state)
{
	*state = town_new(true);
	return 0;
}

int close_town(void **state)
{
	town_free(*state);
	return 0;
}

void assert_sound(const struct town *t)
{
	CLEANUP(freep) char *wrong = town_broken(t);
	CLEANUP(json_decrefp) json_t *report = NULL;
	struct error err = {0};

	if (wrong)
		fail_msg("%s", wrong);
	if (registry_fsck(t->r, false, &report, &err) < 0)
		fail_msg("%s", json_dumps(report, JSON_INDENT(1)));
}

void assert_refused(struct town *t, struct paper *papers, size_t n, int code, const char *text)
{
	struct error err = {0};
	int r = town_post(t, papers, n, NULL, &err);

	if (r != code || !strstr(err.text, text))
		fail_msg("want %s \"%s\", got %s \"%s\"", error_name(code), text, error_name(r),
			 err.text);
}

void assert_refused1(struct town *t, struct paper p, int code, const char *text)
{
	assert_refused(t, &p, 1, code, text);
}

void town_sql(const struct town *t, const char *sql)
{
	CLEANUP(buf_clear) struct buf path = {0};
	struct error err = {0};
	sqlite3 *db = NULL;

	assert_int_equal(buf_printf(&path, &err, "%s/registry.db", t->dir), 0);
	assert_int_equal(sqlite3_open(path.data, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
