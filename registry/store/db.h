/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db - how the parts of the store talk to SQLite; nobody else includes this
 *
 * A statement is prepared once, bound by a format string, and given back by
 * CLEANUP(db_donep) so that no read transaction outlives its function.
 */
#ifndef REGISTRY_STORE_DB_H
#define REGISTRY_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/compiler.h"
#include "registry/store/queries.h"

struct buf;
struct error;

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmt[Q_COUNT]; /* prepared on first use, finalized on close */
};

int db_error(sqlite3 *db, struct error *err, const char *doing);
void db_donep(sqlite3_stmt **st);

/*
 * Prepare and bind. In `fmt`: 't' const char * (NULL is allowed), 'i' int64_t,
 * 'b' const void * and size_t. What is bound is borrowed until the statement is
 * given back.
 */
MUSTCHECK int db_bind(struct store *s, enum query q, sqlite3_stmt **out, struct error *err,
		      const char *fmt, ...);
/* Step to a row. `missing` (may be NULL) is the text of E_NOTFOUND when there is none. */
MUSTCHECK int db_row(struct store *s, sqlite3_stmt *st, const char *missing, struct error *err);
/* Step: *more says whether there is a row. */
MUSTCHECK int db_next(struct store *s, sqlite3_stmt *st, bool *more, struct error *err);
/* Bind and run to the end; *changed (may be NULL) is the number of rows changed. */
MUSTCHECK int db_run(struct store *s, enum query q, struct error *err, const char *fmt, ...);

/* Column values: text is cut to the field (schema and readers keep it shorter), NULL is "". */
void db_text(sqlite3_stmt *st, int col, char *out, size_t size);
#define db_text_to(st, col, array) db_text((st), (col), (array), sizeof(array))
MUSTCHECK int db_blob(sqlite3_stmt *st, int col, struct buf *out, struct error *err);

#endif
