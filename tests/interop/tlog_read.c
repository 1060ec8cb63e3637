/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlog_read DIR N - read with lib/tlog what `sumdb write DIR N` wrote
 *
 * Exit status 0 only if every note, proof of inclusion and proof of consistency
 * holds, and none does for a neighbour.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tlog/checkpoint.h"

enum { FILE_MAX = 64 * 1024, NAME_SIZE = 64, BASE64_HASH = 44 };

static void must(int r, const struct error *err)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "tlog_read: %s\n", err->text);
	exit(1);
}

static void must_not(int r, const char *what)
{
	if (r == E_UNTRUSTED)
		return;
	(void)fprintf(stderr, "tlog_read: %s: was taken\n", what);
	exit(1);
}

static void read_text(int dir, const char *name, struct buf *out)
{
	struct error err = {0};

	must(file_read(dir, name, FILE_MAX, out, &err), &err);
}

/* Standard base64 of one hash; the file is a test's own. */
static void decode(const char *text, struct hash *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (const char *p = text; p < text + BASE64_HASH && n < sizeof(out->b); p++) {
		const char *at = strchr(letters, *p);

		bits = bits << 6 | (unsigned)(at ? at - letters : 0);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out->b[n++] = (unsigned char)(bits >> have);
		}
	}
}

static void check_inclusion(int dir, long n, const struct log_policy *policy)
{
	for (long i = 0; i < n; i++) {
		CLEANUP(buf_clear) struct buf leaf = {0};
		CLEANUP(buf_clear) struct buf text = {0};
		struct tlog_proof proof;
		struct hash hash, other;
		struct error err = {0};
		char name[NAME_SIZE];

		(void)snprintf(name, sizeof(name), "leaf-%ld", i);
		read_text(dir, name, &leaf);
		(void)snprintf(name, sizeof(name), "proof-%ld", i);
		read_text(dir, name, &text);
		merkle_leaf(leaf.data, leaf.len, &hash);
		merkle_leaf(leaf.data, leaf.len - 1, &other);
		must(tlog_proof_parse(text.data, text.len, &proof, &err), &err);
		must(tlog_proof_verify(&proof, &hash, policy, NULL, &err), &err);
		must_not(tlog_proof_verify(&proof, &other, policy, NULL, &err), name);
		if (n > 1) {
			proof.index = (proof.index + 1) % (uint64_t)n;
			must_not(tlog_proof_verify(&proof, &hash, policy, NULL, &err), name);
		}
	}
}

static void check_consistency(int dir, long n, const struct checkpoint *newest,
			      const struct log_policy *policy)
{
	for (long size = 1; size <= n; size++) {
		CLEANUP(buf_clear) struct buf note = {0};
		CLEANUP(buf_clear) struct buf text = {0};
		struct merkle_proof proof = {0};
		struct checkpoint old;
		struct error err = {0};
		char name[NAME_SIZE];

		(void)snprintf(name, sizeof(name), "checkpoint-%ld", size);
		read_text(dir, name, &note);
		must(checkpoint_parse(note.data, note.len, &old, &err), &err);
		must(checkpoint_verify(&old, policy, NULL, &err), &err);
		(void)snprintf(name, sizeof(name), "consistency-%ld", size);
		read_text(dir, name, &text);
		for (size_t at = 0; at + BASE64_HASH < text.len; at += BASE64_HASH + 1)
			decode(text.data + at, &proof.hash[proof.n++]);
		must(merkle_check_consistency(old.size, &old.root, newest->size, &newest->root,
					      &proof, &err),
		     &err);
		old.root.b[0] ^= 1;
		must_not(merkle_check_consistency(old.size, &old.root, newest->size, &newest->root,
						  &proof, &err),
			 name);
	}
}

int main(int argc, char *argv[])
{
	CLEANUP(buf_clear) struct buf vkey = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct log_policy policy = {0};
	struct checkpoint newest;
	struct error err = {0};
	int dir = -1;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: tlog_read DIR N\n");
		return 2;
	}
	must(file_open_dir(AT_FDCWD, argv[1], false, &dir, &err), &err);
	read_text(dir, "vkey", &vkey);
	must(note_key_parse(vkey.data, &policy.log, &err), &err);
	read_text(dir, "checkpoint", &note);
	must(checkpoint_parse(note.data, note.len, &newest, &err), &err);
	must(checkpoint_verify(&newest, &policy, NULL, &err), &err);

	long n = strtol(argv[2], NULL, 10);
	check_inclusion(dir, n, &policy);
	check_consistency(dir, n, &newest, &policy);
	closep(&dir);
	(void)printf("%ld leaves of %s\n", n, newest.origin);
	return 0;
}
