/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cosign.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/sign/ed25519.h"

static void check(int r, const struct error *err)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "cosign: %s\n", err->text);
	abort();
}

void witness_make(struct witness *w, const char *name)
{
	unsigned char pub[32];
	struct error err = {0};

	sha256(name, strlen(name), w->seed);
	check(ed25519_public(w->seed, pub, &err), &err);
	check(note_key_make(name, NOTE_COSIGNATURE, pub, &w->key, &err), &err);
}

json_t *witness_vkey(const struct witness *w)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	check(note_key_format(&w->key, &text, &err), &err);
	return json_string(text.data);
}

/* Whatever a witness said before: a second word by the same key would not count. */
static void forget(const struct witness *w, struct buf *note)
{
	char mark[NOTE_NAME_MAX + 8];
	char *line;

	(void)snprintf(mark, sizeof(mark), "\n\u2014 %s ", w->key.name);
	while ((line = strstr(note->data, mark))) {
		const char *next = strchr(line + 1, '\n');

		memmove(line + 1, next + 1, (size_t)(note->data + note->len - next));
		note->len -= (size_t)(next - line);
	}
}

void witness_cosign(const struct witness *w, int64_t at, struct buf *note)
{
	static const char proof[] = "c2sp.org/tlog-proof";
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};
	forget(w, note);
	const char *start = note->data;
	if (strncmp(start, proof, strlen(proof)) == 0) {
		start = strstr(start, "\n\n");
		if (!start)
			abort();
		start += 2;
	}
	const char *end = strstr(start, "\n\n");
	if (!end)
		abort();
	check(buf_add(&text, start, (size_t)(end + 1 - start), &err), &err);
	check(note_sign_line(&w->key, w->seed, &text, at, note, &err), &err);
}

void witness_cosign_file(const struct witness *w, int64_t at, const char *path)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct error err = {0};

	check(file_read(AT_FDCWD, path, NOTE_MAX * 2, &note, &err), &err);
	witness_cosign(w, at, &note);
	check(file_write(AT_FDCWD, path, note.data, note.len, 0644, &err), &err);
}
