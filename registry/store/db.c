/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/store/db.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "registry/store/migrations.h"
#include "registry/store/store.h"

enum {
	APPLICATION_ID = 0x42515354, /* "BQST", marks the file as ours */
	BUSY_TIMEOUT_MS = 5000,      /* the operator's verbs write beside the service */
};

int db_error(sqlite3 *db, struct error *err, const char *doing)
{
	int why = sqlite3_extended_errcode(db);
	int code = E_SYS;

	switch (why & 0xff) { /* the primary code */
	case SQLITE_NOMEM: return error_nomem(err);
	case SQLITE_LOCKED:
	case SQLITE_BUSY: code = E_BUSY; break;
	case SQLITE_FULL: code = E_FULL; break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: code = E_INVALID; break;
	case SQLITE_CONSTRAINT:
		code = why == SQLITE_CONSTRAINT_PRIMARYKEY || why == SQLITE_CONSTRAINT_UNIQUE
			       ? E_EXISTS
			       : E_INVALID;
		break;
	}
	return error_set(err, code, "%s: %s", doing, sqlite3_errmsg(db));
}

void db_donep(sqlite3_stmt **st)
{
	if (*st) {
		(void)sqlite3_reset(*st);
		(void)sqlite3_clear_bindings(*st);
	}
}

static int bind_all(sqlite3_stmt *st, const char *fmt, va_list args)
{
	int r = SQLITE_OK;

	for (int col = 1; *fmt && r == SQLITE_OK; fmt++, col++) {
		const void *data;

		switch (*fmt) {
		case 't':
			r = sqlite3_bind_text(st, col, va_arg(args, const char *), -1,
					      SQLITE_STATIC);
			break;
		case 'i': r = sqlite3_bind_int64(st, col, va_arg(args, int64_t)); break;
		case 'b':
			data = va_arg(args, const void *);
			r = sqlite3_bind_blob64(st, col, data ? data : "", va_arg(args, size_t),
						SQLITE_STATIC);
			break;
		default: abort(); /* not a letter of the bind format: a bug */
		}
	}
	return r;
}

static int bind_list(struct store *s, enum query q, sqlite3_stmt **out, struct error *err,
		     const char *fmt, va_list args)
{
	if (!s->stmt[q] && sqlite3_prepare_v3(s->db, queries[q], -1, SQLITE_PREPARE_PERSISTENT,
					      &s->stmt[q], NULL) != SQLITE_OK)
		return db_error(s->db, err, "registry.db");
	if (bind_all(s->stmt[q], fmt, args) != SQLITE_OK)
		return db_error(s->db, err, "registry.db");
	*out = s->stmt[q];
	return 0;
}

int db_bind(struct store *s, enum query q, sqlite3_stmt **out, struct error *err, const char *fmt,
	    ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = bind_list(s, q, out, err, fmt, args);
	va_end(args);
	return r;
}

int db_next(struct store *s, sqlite3_stmt *st, bool *more, struct error *err)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW: *more = true; return 0;
	case SQLITE_DONE: *more = false; return 0;
	default: return db_error(s->db, err, "registry.db");
	}
}

int db_row(struct store *s, sqlite3_stmt *st, const char *missing, struct error *err)
{
	bool more = false;
	int r = db_next(s, st, &more, err);

	if (r < 0 || more)
		return r;
	return error_set(err, E_NOTFOUND, "%s", missing);
}

int db_run(struct store *s, enum query q, struct error *err, const char *fmt, ...)
{
	CLEANUP(db_donep) sqlite3_stmt *st = NULL;
	bool more = false;
	va_list args;
	int r;

	va_start(args, fmt);
	r = bind_list(s, q, &st, err, fmt, args);
	va_end(args);
	return r < 0 ? r : db_next(s, st, &more, err);
}

void db_text(sqlite3_stmt *st, int col, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, col);

	(void)snprintf(out, size, "%s", text ? (const char *)text : "");
}

int db_blob(sqlite3_stmt *st, int col, struct buf *out, struct error *err)
{
	const void *data = sqlite3_column_blob(st, col);

	return buf_add(out, data, (size_t)sqlite3_column_bytes(st, col), err);
}

static int exec(sqlite3 *db, const char *text, struct error *err)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, err, "registry.db");
	return 0;
}

static int query_int(sqlite3 *db, const char *text, int *out, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		r = db_error(db, err, "registry.db");
	else
		*out = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	return r;
}

/* Apply migration `from` in a transaction; user_version is part of it. */
static int migrate_step(sqlite3 *db, int from, struct error *err)
{
	char bump[64];
	int r;

	(void)snprintf(bump, sizeof(bump), "PRAGMA user_version = %d", from + 1);
	r = exec(db, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	r = exec(db, migrations[from], err);
	if (r == 0)
		r = exec(db, bump, err);
	if (r == 0)
		r = exec(db, "COMMIT", err);
	if (r < 0)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int migrate(sqlite3 *db, struct error *err)
{
	int version = 0;
	int r = query_int(db, "PRAGMA user_version", &version, err);

	if (r < 0)
		return r;
	if (version > migrations_len)
		return error_set(err, E_INVALID, "schema version %d is newer than %d", version,
				 migrations_len);
	for (int from = version; from < migrations_len; from++) {
		r = migrate_step(db, from, err);
		if (r < 0)
			return error_prefix(err, r, "migration %d", from + 1);
	}
	return 0;
}

/* Ours are marked; an unmarked file is adopted only if it is empty. */
static int check_owner(sqlite3 *db, struct error *err)
{
	int id = 0, tables = 0;
	int r = query_int(db, "PRAGMA application_id", &id, err);

	if (r == 0)
		r = query_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (r < 0)
		return r;
	if (id != APPLICATION_ID && (id != 0 || tables != 0))
		return error_set(err, E_INVALID, "not a registry database");
	return 0;
}

static int configure(sqlite3 *db, struct error *err)
{
	char setup[192];
	int r;

	(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	r = check_owner(db, err);
	if (r < 0)
		return r;
	(void)snprintf(setup, sizeof(setup),
		       "PRAGMA application_id = %d; PRAGMA journal_mode = WAL;"
		       "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		       "PRAGMA trusted_schema = OFF",
		       APPLICATION_ID);
	return exec(db, setup, err);
}

int store_open(const char *path, struct store **out, struct error *err)
{
	CLEANUP(store_closep) struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_nomem(err);
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		return db_error(s->db, err, path);
	r = configure(s->db, err);
	if (r == 0)
		r = migrate(s->db, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	*out = steal(s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int q = 0; q < Q_COUNT; q++)
		(void)sqlite3_finalize(s->stmt[q]);
	(void)sqlite3_close(s->db);
	free(s);
}

int store_begin(struct store *s, struct error *err)
{
	return exec(s->db, "BEGIN IMMEDIATE", err);
}

int store_commit(struct store *s, struct error *err)
{
	return exec(s->db, "COMMIT", err);
}

void store_rollback(struct store *s)
{
	/* SQLite has done it already where the failure was its own. */
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_savepoint(struct store *s, struct error *err)
{
	return exec(s->db, "SAVEPOINT job", err);
}

int store_release(struct store *s, struct error *err)
{
	return exec(s->db, "RELEASE job", err);
}

int store_undo(struct store *s, struct error *err)
{
	if (sqlite3_get_autocommit(s->db))
		return error_set(err, E_FULL, "registry.db: the transaction was undone");
	return exec(s->db, "ROLLBACK TO job; RELEASE job", err);
}
