/* SPDX-License-Identifier: Apache-2.0 */
#include "client/journal.h"

#include <fcntl.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

enum { COPIES = 2, JOURNAL_MODE = 0644 };

/* Each copy begins a sector of its own, so that no write of one can touch the other. */
#define COPY_STRIDE ((off_t)4096)

/* A copy, byte by byte; numbers are big-endian. */
enum {
	AT_TITLE = 0,
	AT_NUMBER = 8,
	AT_PHASE = 16,
	AT_SLOT = 17,
	AT_IMAGE = 24,
	AT_SIZE = AT_IMAGE + SHA256_LEN,
	AT_DONE = AT_SIZE + 8,
	AT_DIGEST = AT_DONE + 8, /* of all before */
	COPY_SIZE = AT_DIGEST + SHA256_LEN,
};
static const unsigned char title[] = {'b', 'q', 'j', 'r', 'n', 'l', '0', '1'};

static void put_number(unsigned char *at, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		at[i] = (unsigned char)(v & 0xff);
}

static uint64_t get_number(const unsigned char *at)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | at[i];
	return v;
}

static void format(const struct journal_record *r, uint64_t number, unsigned char out[COPY_SIZE])
{
	memset(out, 0, COPY_SIZE);
	memcpy(out + AT_TITLE, title, sizeof(title));
	put_number(out + AT_NUMBER, number);
	out[AT_PHASE] = (unsigned char)r->phase;
	out[AT_SLOT] = (unsigned char)r->slot;
	(void)hex_decode(r->sha256, out + AT_IMAGE, SHA256_LEN); /* zeros when idle */
	put_number(out + AT_SIZE, r->size);
	put_number(out + AT_DONE, r->done);
	sha256(out, AT_DIGEST, out + AT_DIGEST);
}

static bool parse(const unsigned char copy[COPY_SIZE], uint64_t *number, struct journal_record *out)
{
	struct journal_record r = {0};
	unsigned char digest[SHA256_LEN];

	sha256(copy, AT_DIGEST, digest);
	if (memcmp(copy, title, sizeof(title)) != 0 ||
	    memcmp(copy + AT_DIGEST, digest, SHA256_LEN) != 0)
		return false;
	if (copy[AT_PHASE] >= JOURNAL_PHASES || copy[AT_SLOT] > SLOT_NONE)
		return false;
	r.phase = (enum journal_phase)copy[AT_PHASE];
	r.slot = (enum slot)copy[AT_SLOT];
	r.size = get_number(copy + AT_SIZE);
	r.done = get_number(copy + AT_DONE);
	if (r.done > r.size || (r.phase == JOURNAL_WRITING && r.slot == SLOT_NONE))
		return false;
	if (r.phase == JOURNAL_WRITING)
		hex_encode(copy + AT_IMAGE, SHA256_LEN, r.sha256);
	*number = get_number(copy + AT_NUMBER);
	*out = r;
	return true;
}

int journal_open(int dir, const char *name, struct journal *out, struct error *err)
{
	CLEANUP(closep) int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, JOURNAL_MODE);
	struct journal j = {.now = {.slot = SLOT_NONE}};

	if (fd < 0)
		return error_errno(err, errno, "%s", name);
	for (int i = 0; i < COPIES; i++) {
		unsigned char copy[COPY_SIZE] = {0};
		struct journal_record r;
		uint64_t number;

		if (pread(fd, copy, COPY_SIZE, i * COPY_STRIDE) < 0)
			return error_errno(err, errno, "%s", name);
		if (parse(copy, &number, &r) && number > j.number) {
			j.number = number;
			j.now = r;
		}
	}
	j.fd = steal_fd(&fd);
	*out = j;
	return 0;
}

int journal_put(struct journal *j, const struct journal_record *r, struct error *err)
{
	unsigned char copy[COPY_SIZE];
	uint64_t number = j->number + 1;
	off_t at = (off_t)(number % COPIES) * COPY_STRIDE;

	format(r, number, copy);
	errno = ENOSPC; /* what a short write means */
	if (pwrite(j->fd, copy, COPY_SIZE, at) != COPY_SIZE || fdatasync(j->fd) < 0)
		return error_errno(err, errno, "journal");
	j->number = number;
	j->now = *r;
	return 0;
}

void journal_close(struct journal *j)
{
	closep(&j->fd);
	*j = JOURNAL_NONE;
}
