/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/monitor/memory.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"

enum {
	APPLICATION_ID = 0x42514d4f, /* "BQMO", marks the file as a monitor's */
	BUSY_TIMEOUT_MS = 5000,
	NUMBER_SIZE = 24,
};

enum ask {
	ASK_GET,
	ASK_PUT,
	ASK_DROP,
	ASK_NEXT,
	ASK_LAST,
	ASK_BEGIN,
	ASK_COMMIT,
	ASK_ROLLBACK,
	ASKS
};

static const char *const asks[ASKS] = {
	[ASK_GET] = "SELECT value FROM memory WHERE name = ?1",
	[ASK_PUT] = "REPLACE INTO memory (name, value) VALUES (?1, ?2)",
	[ASK_DROP] = "DELETE FROM memory WHERE name = ?1",
	[ASK_NEXT] = "SELECT name FROM memory WHERE name > ?1 ORDER BY name LIMIT 1",
	[ASK_LAST] = "SELECT name FROM memory WHERE name < ?1 ORDER BY name DESC LIMIT 1",
	[ASK_BEGIN] = "BEGIN IMMEDIATE",
	[ASK_COMMIT] = "COMMIT",
	[ASK_ROLLBACK] = "ROLLBACK",
};

struct memory {
	sqlite3 *db;
	sqlite3_stmt *st[ASKS];
};

static int fail(struct memory *m, struct error *err)
{
	int code = E_SYS;

	switch (sqlite3_errcode(m->db)) {
	case SQLITE_NOMEM: return error_nomem(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: code = E_BUSY; break;
	case SQLITE_FULL: code = E_FULL; break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: code = E_INVALID; break;
	}
	return error_set(err, code, "monitor.db: %s", sqlite3_errmsg(m->db));
}

static int exec(struct memory *m, const char *text, struct error *err)
{
	return sqlite3_exec(m->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(m, err);
}

/* The file is new, or one of ours. */
static int check_owner(struct memory *m, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int id = 0, tables = 0, r = 0;

	if (sqlite3_prepare_v2(m->db,
			       "SELECT application_id, (SELECT count(*) FROM sqlite_schema) "
			       "FROM pragma_application_id",
			       -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW) {
		r = fail(m, err);
	} else {
		id = sqlite3_column_int(st, 0);
		tables = sqlite3_column_int(st, 1);
	}
	(void)sqlite3_finalize(st);
	if (r == 0 && id != APPLICATION_ID && (id || tables))
		r = error_set(err, E_INVALID, "monitor.db: is not a monitor's");
	return r;
}

int memory_open(const char *path, struct memory **out, struct error *err)
{
	CLEANUP(memory_closep) struct memory *m = calloc(1, sizeof(*m));
	char setup[256];
	int r = 0;

	if (!m)
		return error_nomem(err);
	if (sqlite3_open_v2(path, &m->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		return fail(m, err);
	(void)sqlite3_busy_timeout(m->db, BUSY_TIMEOUT_MS);
	r = check_owner(m, err);
	(void)snprintf(setup, sizeof(setup),
		       "PRAGMA application_id = %d; PRAGMA journal_mode = WAL; "
		       "PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; "
		       "CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value BLOB) "
		       "STRICT, WITHOUT ROWID",
		       APPLICATION_ID);
	if (r == 0)
		r = exec(m, setup, err);
	for (int i = 0; r == 0 && i < ASKS; i++)
		if (sqlite3_prepare_v3(m->db, asks[i], -1, SQLITE_PREPARE_PERSISTENT, &m->st[i],
				       NULL) != SQLITE_OK)
			r = fail(m, err);
	if (r < 0)
		return r;
	*out = steal(m);
	return 0;
}

void memory_close(struct memory *m)
{
	if (!m)
		return;
	for (int i = 0; i < ASKS; i++)
		(void)sqlite3_finalize(m->st[i]);
	(void)sqlite3_close(m->db);
	free(m);
}

/* Run one question to its first row; 1: no row. The caller resets it. */
static int step(struct memory *m, enum ask q, struct error *err)
{
	switch (sqlite3_step(m->st[q])) {
	case SQLITE_ROW: return 0;
	case SQLITE_DONE: return 1;
	default: return fail(m, err);
	}
}

static void reset(struct memory *m, enum ask q)
{
	(void)sqlite3_reset(m->st[q]);
	(void)sqlite3_clear_bindings(m->st[q]);
}

static int run(struct memory *m, enum ask q, struct error *err)
{
	int r = step(m, q, err);

	reset(m, q);
	return r < 0 ? r : 0;
}

int memory_begin(struct memory *m, struct error *err)
{
	return run(m, ASK_BEGIN, err);
}

int memory_commit(struct memory *m, struct error *err)
{
	return run(m, ASK_COMMIT, err);
}

void memory_rollback(struct memory *m)
{
	if (!sqlite3_get_autocommit(m->db))
		(void)run(m, ASK_ROLLBACK, NULL);
}

int memory_sync(struct memory *m, struct error *err)
{
	return exec(m, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}

/* Names are bound by reference and given back by reset(). */
static int name_it(struct memory *m, enum ask q, const char *name, struct error *err)
{
	if (sqlite3_bind_text(m->st[q], 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return fail(m, err);
	return 0;
}

int memory_get(struct memory *m, const char *name, struct buf *out, struct error *err)
{
	sqlite3_stmt *st = m->st[ASK_GET];
	int r = name_it(m, ASK_GET, name, err);

	if (r == 0)
		r = step(m, ASK_GET, err);
	if (r == 0) {
		const void *data = sqlite3_column_blob(st, 0);

		r = buf_add(out, data, (size_t)sqlite3_column_bytes(st, 0), err);
	}
	reset(m, ASK_GET);
	return r;
}

int memory_put(struct memory *m, const char *name, const void *data, size_t len, struct error *err)
{
	int r = name_it(m, ASK_PUT, name, err);

	if (r == 0 && sqlite3_bind_blob64(m->st[ASK_PUT], 2, len ? data : "", len, SQLITE_STATIC) !=
			      SQLITE_OK)
		r = fail(m, err);
	return r < 0 ? r : run(m, ASK_PUT, err);
}

int memory_drop(struct memory *m, const char *name, struct error *err)
{
	int r = name_it(m, ASK_DROP, name, err);

	return r < 0 ? r : run(m, ASK_DROP, err);
}

int memory_get_json(struct memory *m, const char *name, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = memory_get(m, name, &text, err);

	if (r != 0)
		return r;
	return strict_parse(text.data ? text.data : "", text.len, name, out, err);
}

int memory_put_json(struct memory *m, const char *name, json_t *v_take, struct error *err)
{
	json_auto_t *v = v_take;
	CLEANUP(freep) char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;

	if (!text)
		return error_nomem(err);
	return memory_put(m, name, text, strlen(text), err);
}

int memory_get_number(struct memory *m, const char *name, uint64_t *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = memory_get(m, name, &text, err);

	if (r < 0)
		return r;
	*out = r == 0 && text.data ? strtoull(text.data, NULL, 10) : 0;
	return 0;
}

int memory_put_number(struct memory *m, const char *name, uint64_t v, struct error *err)
{
	char text[NUMBER_SIZE];
	int n = snprintf(text, sizeof(text), "%" PRIu64, v);

	return memory_put(m, name, text, (size_t)n, err);
}

/* The one name that `q` finds from `bound` on, if it begins with `prefix`; 1: it does not. */
static int find(struct memory *m, enum ask q, const char *bound, const char *prefix,
		char out[MEMORY_NAME_SIZE], struct error *err)
{
	int r = name_it(m, q, bound, err);
	bool there = false;

	if (r == 0)
		r = step(m, q, err);
	if (r == 0) {
		const char *found = (const char *)sqlite3_column_text(m->st[q], 0);

		there = found && strncmp(found, prefix, strlen(prefix)) == 0 &&
			strlen(found) <= MEMORY_NAME_MAX;
		if (there)
			memcpy(out, found, strlen(found) + 1);
	}
	reset(m, q);
	if (r < 0)
		return r;
	return there ? 0 : 1;
}

int memory_next(struct memory *m, const char *prefix, char name[MEMORY_NAME_SIZE],
		struct error *err)
{
	return find(m, ASK_NEXT, name, prefix, name, err);
}

int memory_last(struct memory *m, const char *prefix, char name[MEMORY_NAME_SIZE],
		struct error *err)
{
	char bound[MEMORY_NAME_SIZE + 1];

	/* Above every name that goes on from the prefix with ASCII. */
	(void)snprintf(bound, sizeof(bound), "%s\x7f", prefix);
	return find(m, ASK_LAST, bound, prefix, name, err);
}
