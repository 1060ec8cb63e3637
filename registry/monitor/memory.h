/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory - what a monitor remembers between two looks, durable at every instant
 *
 * Values by name in one SQLite file. Whatever one step of the monitor learns, and
 * the news of it that nobody has been told yet, is one transaction: so a monitor
 * that is killed goes on where it was and leaves nothing out.
 *
 *	log                  which log, and by what it is trusted (json)
 *	head                 the newest checkpoint that was found consistent
 *	next                 the first leaf that was not looked at
 *	products             which ones concern us (json)
 *	record               registry.json, as last taken
 *	v/<url>              the greatest checkpoint that this vantage point showed
 *	p/<product>          struct watched (json)
 *	s/<product>/<seq>    index of the leaf with this seq
 *	q/<product>/<index>  a leaf whose document was not looked at yet
 *	r/<product>/<kind>/<whose>/<version>  id, index and SHA-256 of what had this version
 *	d/<product>/<id>     a root, deposit or notice, byte for byte
 *	d/<product>/role/<role>  the last version of a targets role, under this publisher
 *	t/<kind>/<scope>     something that is wrong and may pass (json)
 *	e/<n>                an event that was not told yet (json)
 *
 * Numbers in names have 16 hex digits, so that names sort as numbers do.
 */
#ifndef REGISTRY_MONITOR_MEMORY_H
#define REGISTRY_MONITOR_MEMORY_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct error;
struct memory;

enum { MEMORY_NAME_MAX = 512, MEMORY_NAME_SIZE };

MUSTCHECK int memory_open(const char *path, struct memory **out, struct error *err);
void memory_close(struct memory *m);
DEFINE_CLEANUP(struct memory *, memory_close)

MUSTCHECK int memory_begin(struct memory *m, struct error *err);
MUSTCHECK int memory_commit(struct memory *m, struct error *err);
void memory_rollback(struct memory *m); /* nothing is under way: a no-op */

/*
 * A commit outlives the process; all of them outlive a power cut from here on. One that is lost
 * is found again at the next look: so this is for before anybody is told.
 */
MUSTCHECK int memory_sync(struct memory *m, struct error *err);

/* Append the value; 1: there is none. */
MUSTCHECK int memory_get(struct memory *m, const char *name, struct buf *out, struct error *err);
MUSTCHECK int memory_put(struct memory *m, const char *name, const void *data, size_t len,
			 struct error *err);
MUSTCHECK int memory_drop(struct memory *m, const char *name, struct error *err);

/* The same for JSON. The caller owns *out; `v_take` is taken (NULL: E_NOMEM). */
MUSTCHECK int memory_get_json(struct memory *m, const char *name, json_t **out, struct error *err);
MUSTCHECK int memory_put_json(struct memory *m, const char *name, json_t *v_take,
			      struct error *err);

/* A number; 0 if there is none. */
MUSTCHECK int memory_get_number(struct memory *m, const char *name, uint64_t *out,
				struct error *err);
MUSTCHECK int memory_put_number(struct memory *m, const char *name, uint64_t v, struct error *err);

/*
 * Go to the first name after `name` that begins with `prefix` (start with the prefix itself):
 * `name` becomes it. 1: there is none.
 */
MUSTCHECK int memory_next(struct memory *m, const char *prefix, char name[MEMORY_NAME_SIZE],
			  struct error *err);

/* Likewise the last one that begins with `prefix`. */
MUSTCHECK int memory_last(struct memory *m, const char *prefix, char name[MEMORY_NAME_SIZE],
			  struct error *err);

#endif
