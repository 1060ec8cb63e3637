/* SPDX-License-Identifier: Apache-2.0 */
#include "client/heads.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

/* What state.json can hold, and more than any log will have. */
#define SIZE_LIMIT ((UINT64_C(1) << 53) - 1)

static void name_of(const struct note_key *log, char out[STATE_LOG_NAME_MAX + 1])
{
	char id[2 * sizeof(log->id) + 1];

	hex_encode(log->id, sizeof(log->id), id);
	(void)snprintf(out, STATE_LOG_NAME_MAX + 1, "%s+%s", log->name, id);
}

static bool is(const struct seen_log *l, const struct note_key *log)
{
	char name[STATE_LOG_NAME_MAX + 1];

	name_of(log, name);
	return strcmp(l->log, name) == 0;
}

const struct seen_log *heads_find(const struct state *st, const struct note_key *log)
{
	for (size_t i = 0; i < st->nlogs; i++)
		if (is(&st->logs[i], log))
			return &st->logs[i];
	return NULL;
}

int heads_check(const struct state *st, const struct note_key *log, const struct checkpoint *c,
		struct error *err)
{
	const struct seen_log *seen = heads_find(st, log);
	char root[SHA256_HEX_SIZE];

	if (c->size > SIZE_LIMIT)
		return error_set(err, E_INVALID, "log %s: %" PRIu64 " leaves: want at most 2^53",
				 log->name, c->size);
	if (!seen)
		return 0;
	if ((int64_t)c->size < seen->size)
		return error_set(err, E_UNTRUSTED,
				 "log %s: %" PRIu64 " leaves, but %" PRId64
				 " were seen before: it is frozen or was rolled back",
				 log->name, c->size, seen->size);
	hex_encode(c->root.b, SHA256_LEN, root);
	if ((int64_t)c->size == seen->size && strcmp(root, seen->root) != 0)
		return error_set(err, E_UNTRUSTED,
				 "log %s: another tree of %" PRIu64
				 " leaves was seen before: it has forked",
				 log->name, c->size);
	return 0;
}

static bool named(const struct publisher *root, const struct seen_log *l)
{
	for (size_t i = 0; i < root->nlogs; i++)
		if (is(l, &root->logs[i].key))
			return true;
	return false;
}

/* Which one has to go? A root names fewer logs than there is room for. */
static size_t stalest(const struct state *st, const struct publisher *root)
{
	_Static_assert((int)STATE_LOGS_MAX > (int)PUBLISHER_LOGS_MAX,
		       "room for all logs of a root");
	size_t i = 0;

	while (i + 1 < st->nlogs && named(root, &st->logs[i]))
		i++;
	return i;
}

static void drop(struct state *st, size_t i)
{
	memmove(&st->logs[i], &st->logs[i + 1], (st->nlogs - i - 1) * sizeof(st->logs[0]));
	st->nlogs--;
}

void heads_remember(struct state *st, const struct note_key *log, const struct checkpoint *c,
		    const struct publisher *root)
{
	const struct seen_log *seen = heads_find(st, log);
	struct seen_log *l;

	/* Unchanged it stays where it is, so that nothing has to be written anew. */
	if (seen && seen->size >= (int64_t)c->size)
		return;
	if (seen)
		drop(st, (size_t)(seen - st->logs));
	else if (st->nlogs == STATE_LOGS_MAX)
		drop(st, stalest(st, root));
	l = &st->logs[st->nlogs++];
	name_of(log, l->log);
	l->size = (int64_t)c->size;
	hex_encode(c->root.b, SHA256_LEN, l->root);
}
