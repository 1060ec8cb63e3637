/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy of logs and witnesses, and a checkpoint that some of them signed: it is trusted if
 * and only if counting in another way says so, and a wrong signature spoils it.
 *
 * The input is the text of a policy, in which $a to $l are keys, and after a NUL a byte for each
 * key: how often it signed, and whether it signed something else as well.
 *
 * covers: lib/tlog/policy.c lib/tlog/note.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/sign/ed25519.h"
#include "lib/tlog/policy.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"
#include "tests/fuzz/toy.h"

enum { KEYS = 12, LOGS = 4 }; /* the first are keys of logs */
enum { ONCE = 1, TWICE = 2, WRONG = 4 };
#define ORIGIN "log.example/a"

static struct person {
	struct note_key key;
	unsigned char seed[ED25519_LEN];
	struct buf vkey;
	struct buf signature, wrong; /* lines */
} people[KEYS];
static struct buf head;

static void meet(struct person *p, unsigned number, const char *name, int type)
{
	struct buf other = {.data = (char[]){"other\n"}, .len = 6};

	toy_note_key(number, name, type, p->seed, &p->key);
	if (note_key_format(&p->key, &p->vkey, NULL) < 0 ||
	    note_sign_line(&p->key, p->seed, &head, 1, &p->signature, NULL) < 0 ||
	    note_sign_line(&p->key, p->seed, &other, 1, &p->wrong, NULL) < 0)
		abort();
}

static void meet_all(void)
{
	const struct hash root = {{1}};
	char name[] = "wit-a.example";

	if (checkpoint_format(ORIGIN, 5, &root, &head, NULL) < 0)
		abort();
	for (unsigned i = 0; i < KEYS; i++) {
		name[4] = (char)('a' + i);
		if (i < LOGS)
			meet(&people[i], i, i == 0 ? "log.example/b" : ORIGIN, NOTE_ED25519);
		else
			meet(&people[i], i, name, NOTE_COSIGNATURE);
	}
}

/* The text of the policy, its keys filled in. */
static void fill(const uint8_t *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		bool key = text[i] == '$' && i + 1 < len && text[i + 1] >= 'a' &&
			   text[i + 1] < 'a' + KEYS;
		const struct buf *vkey = key ? &people[text[++i] - 'a'].vkey : NULL;

		if (vkey ? buf_add(out, vkey->data, vkey->len, NULL) < 0
			 : buf_add(out, text + i, 1, NULL) < 0)
			abort();
	}
}

static void sign(const uint8_t deeds[KEYS], struct buf *out)
{
	bool bad = buf_add(out, head.data, head.len, NULL) < 0 || buf_puts(out, "\n", NULL) < 0;

	for (size_t i = 0; i < KEYS; i++) {
		const struct person *p = &people[i];

		for (unsigned once = ONCE; once <= TWICE; once <<= 1)
			if (deeds[i] & once)
				bad |= buf_add(out, p->signature.data, p->signature.len, NULL) < 0;
		if (deeds[i] & WRONG)
			bad |= buf_add(out, p->wrong.data, p->wrong.len, NULL) < 0;
	}
	if (bad)
		abort();
}

/* What the owner of a key did; nothing, if it is none of ours. */
static unsigned deed(const uint8_t deeds[KEYS], const struct note_key *k)
{
	for (size_t i = 0; i < KEYS; i++)
		if (memcmp(people[i].key.pub, k->pub, sizeof(k->pub)) == 0)
			return deeds[i];
	return 0;
}

static bool agrees(const struct tlog_policy *p, size_t node, const uint8_t deeds[KEYS])
{
	size_t n = 0;

	if (!p->nodes[node].need)
		return deed(deeds, &p->nodes[node].key) & (ONCE | TWICE);
	for (size_t i = 0; i < p->nnodes; i++)
		n += p->nodes[i].parent == node && agrees(p, i, deeds);
	return n >= p->nodes[node].need;
}

static bool expected(const struct tlog_policy *p, const uint8_t deeds[KEYS])
{
	bool log = false, wrong = false;

	for (size_t i = 0; i < p->nlogs; i++) {
		const struct note_key *k = &p->logs[i].key;
		bool ours = strcmp(k->name, ORIGIN) == 0;

		log |= ours && deed(deeds, k) & (ONCE | TWICE);
		wrong |= ours && deed(deeds, k) & WRONG;
	}
	for (size_t i = 0; i < p->nnodes; i++)
		wrong |= !p->nodes[i].need && deed(deeds, &p->nodes[i].key) & WRONG;
	return log && !wrong && (p->quorum == TLOG_POLICY_NODES_MAX || agrees(p, p->quorum, deeds));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	struct feed in = {nul ? nul + 1 : data + size, data + size};
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	uint8_t deeds[KEYS];
	struct checkpoint c;

	if (!head.len)
		meet_all();
	fill(data, nul ? (size_t)(nul - data) : size, &text);
	if (tlog_policy_parse(text.data, text.len, &p, NULL) < 0)
		return 0;
	for (size_t i = 0; i < KEYS; i++)
		deeds[i] = feed_byte(&in);
	sign(deeds, &note);
	if (note.len == head.len + 1)
		return 0; /* nobody signed anything, so it is no note */
	assert(checkpoint_parse(note.data, note.len, &c, NULL) == 0);
	assert((tlog_policy_verify(p, &c, NULL) == 0) == expected(p, deeds));
	return 0;
}
