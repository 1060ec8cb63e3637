/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - how far an installation had come when the power went
 *
 * One small record in two checksummed copies in one file. A write replaces the
 * older copy in place and is flushed before the next may begin, so a write that
 * is torn at any byte leaves the copy before it. No valid copy reads as "nothing
 * is under way", which is always safe: the slot is written anew.
 */
#ifndef CLIENT_JOURNAL_H
#define CLIENT_JOURNAL_H

#include <stdint.h>

#include "client/bootenv.h"
#include "lib/base/compiler.h"
#include "lib/base/digest.h"

struct error;

enum journal_phase {
	JOURNAL_IDLE,    /* nothing is under way */
	JOURNAL_WRITING, /* the slot holds `done` good bytes of the image */
	JOURNAL_PHASES,
};

struct journal_record {
	enum journal_phase phase;
	enum slot slot;
	char sha256[SHA256_HEX_SIZE]; /* of the whole image; "" when idle */
	uint64_t size;                /* of the image, bytes */
	uint64_t done;                /* bytes flushed to the slot */
};

struct journal {
	int fd;
	uint64_t number; /* of the newest valid copy; 0: there is none */
	struct journal_record now;
};
#define JOURNAL_NONE ((struct journal){.fd = -1})

/* Open or make the file `name` in the folder. */
MUSTCHECK int journal_open(int dir, const char *name, struct journal *out, struct error *err);

/* Durable when it returns; journal->now is the new record then. */
MUSTCHECK int journal_put(struct journal *j, const struct journal_record *r, struct error *err);
void journal_close(struct journal *j);

#endif
