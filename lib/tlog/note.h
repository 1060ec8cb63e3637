/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note - signed notes and their keys (C2SP signed-note 1.0.0)
 *
 * Text that ends in a newline, an empty line, and lines of signatures. Ed25519
 * (type 01) signs logs, Ed25519 cosignatures (type 04, C2SP tlog-cosignature
 * v1) sign for witnesses; other types are ignored.
 */
#ifndef LIB_TLOG_NOTE_H
#define LIB_TLOG_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct error;

enum { NOTE_MAX = 64 * 1024, NOTE_SIGNATURES_MAX = 64, NOTE_NAME_MAX = 255 };
enum note_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* A verifier key, "name+hex8(id)+base64(type || key)". */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	unsigned char id[4];
	int type; /* enum note_type, or another type that verifies nothing */
	unsigned char pub[32];
};

/*
 * E_INVALID, also when the id does not fit name and key, or the key is one that
 * anybody can sign for. A key of another type is read and verifies nothing.
 */
MUSTCHECK int note_key_parse(const char *vkey, struct note_key *out, struct error *err);

/* `type` is an enum note_type. */
MUSTCHECK int note_key_make(const char *name, int type, const unsigned char pub[32],
			    struct note_key *out, struct error *err);
MUSTCHECK int note_key_format(const struct note_key *k, struct buf *out, struct error *err);

/* A note taken apart; everything is borrowed from the bytes that were parsed. */
struct note {
	const char *text; /* ends in '\n' */
	size_t text_len;
	const char *signatures; /* the lines after the empty line */
	size_t signatures_len;
};

/*
 * Take apart and check the form: UTF-8 without control characters, every
 * signature line a name, a space and strict base64. E_INVALID.
 */
MUSTCHECK int note_parse(const void *data, size_t len, struct note *out, struct error *err);

/*
 * Did `k` sign? 1: yes (for a cosignature, *time gets its instant; may be
 * NULL). 0: there is no line by this name and id. E_UNTRUSTED: there is, and it
 * is wrong. If a key signed twice, both must be right, and the first counts.
 */
MUSTCHECK int note_verify(const struct note *n, const struct note_key *k, int64_t *time,
			  struct error *err);

/* Append the lines by this name and id as they are, newlines included; whether they hold is
 * note_verify()'s to say. */
MUSTCHECK int note_lines_of(const struct note *n, const struct note_key *k, struct buf *out,
			    struct error *err);

/*
 * Append a signature line by an Ed25519 private key (32-byte seed) to `out`.
 * For NOTE_COSIGNATURE `time` is signed with it.
 */
MUSTCHECK int note_sign_line(const struct note_key *k, const unsigned char seed[32],
			     const struct buf *text, int64_t time, struct buf *out,
			     struct error *err);

#endif
