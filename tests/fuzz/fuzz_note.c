/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verifier key on the first line, a signed note after it. A key comes out as it went
 * in; nobody's signature verifies but ours.
 *
 * covers: lib/tlog/note.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sign/ed25519.h"
#include "lib/tlog/note.h"
#include "tests/fuzz/fuzz.h"

enum { VKEY_MAX = 512 };

static void try_note(const struct note_key *k, const uint8_t *data, size_t size)
{
	static const unsigned char seed[32] = {7};
	struct note n;
	int64_t time;

	if (note_parse(data, size, &n, NULL) < 0)
		return;
	assert(n.text_len > 0 && n.text[n.text_len - 1] == '\n');
	assert(n.text + n.text_len < n.signatures);
	assert(n.signatures + n.signatures_len == (const char *)data + size);
	(void)!note_verify(&n, k, &time, NULL);

	/* A line that we add verifies, whatever the others are. */
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf more = {0};
	struct note_key ours;
	unsigned char pub[32];
	if (ed25519_public(seed, pub, NULL) < 0 ||
	    note_key_make("fuzz.example", NOTE_COSIGNATURE, pub, &ours, NULL) < 0 ||
	    buf_add(&more, data, size, NULL) < 0 || buf_add(&text, n.text, n.text_len, NULL) < 0 ||
	    note_sign_line(&ours, seed, &text, 5, &more, NULL) < 0)
		return;
	if (note_parse(more.data, more.len, &n, NULL) == 0)
		assert(note_verify(&n, &ours, &time, NULL) == 1 && time == 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end ? (size_t)(end - data) : size;
	CLEANUP(buf_clear) struct buf back = {0};
	char vkey[VKEY_MAX];
	struct note_key k;

	if (len >= sizeof(vkey))
		return 0;
	memcpy(vkey, data, len);
	vkey[len] = '\0';
	if (note_key_parse(vkey, &k, NULL) == 0 &&
	    (k.type == NOTE_ED25519 || k.type == NOTE_COSIGNATURE)) {
		if (note_key_format(&k, &back, NULL) < 0 || strcmp(back.data, vkey) != 0)
			abort();
	} else {
		k = (struct note_key){.name = "x", .type = NOTE_ED25519};
	}
	if (end)
		try_note(&k, end + 1, size - len - 1);
	return 0;
}
