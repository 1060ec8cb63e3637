/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/packscan.h"

#include <inttypes.h>
#include <zlib.h>

#include "lib/base/error.h"

enum {
	CHUNK = 64 * 1024,
	HEADER = 12,  /* "PACK", version, number of objects */
	TRAILER = 20, /* SHA-1 of all before it */
	ID = 20,
	DELTA_DEPTH = 4096, /* what git itself allows at most */
	DELTA_HEAD = 20,    /* two sizes of at most 10 bytes each */
	TYPE_TAG = 4,       /* 1 to 4: commit, tree, blob, tag */
	TYPE_OFFSET_DELTA = 6,
	TYPE_ID_DELTA = 7,
};

/* Where each object began, and how long its chain of deltas is. */
struct seen {
	uint64_t at;
	uint32_t depth;
};

struct scan {
	int fd;
	const char *name;
	const struct sources_limits *limits;
	struct error *err;
	uint64_t at;       /* in the file, of the next byte */
	size_t have, next; /* in `in` */
	uint64_t total;    /* bytes, unpacked */
	z_stream z;
	struct seen *seen;
	uint32_t n, count;
	unsigned char in[CHUNK], out[CHUNK];
};

static void scan_free(struct scan *s)
{
	if (!s)
		return;
	(void)inflateEnd(&s->z);
	free(s->seen);
	free(s);
}
DEFINE_CLEANUP(struct scan *, scan_free)

static int broken(const struct scan *s, const char *what)
{
	return error_set(s->err, E_INVALID, "%s: object %" PRIu32 " of the pack: %s", s->name,
			 s->n + 1, what);
}

/* Have at least one byte in `in`, unless the file ends. */
static int fill(struct scan *s)
{
	ssize_t n;

	if (s->next < s->have)
		return 0;
	do
		n = pread(s->fd, s->in, CHUNK, (off_t)s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(s->err, errno, "%s", s->name);
	s->have = (size_t)n;
	s->next = 0;
	return 0;
}

static int byte(struct scan *s, unsigned *out)
{
	int r = fill(s);

	if (r < 0)
		return r;
	if (s->next == s->have)
		return broken(s, "cut off");
	*out = s->in[s->next++];
	s->at++;
	return 0;
}

/* Type and unpacked size: 3 and 4 bits, then 7 bits a byte, low ones first. */
static int read_head(struct scan *s, unsigned *type, uint64_t *size)
{
	unsigned c = 0, shift = 4;
	int r = byte(s, &c);

	if (r < 0)
		return r;
	*type = c >> 4 & 7;
	*size = c & 15;
	while (c & 0x80) {
		r = byte(s, &c);
		if (r < 0)
			return r;
		if (shift > 53)
			return broken(s, "its size is no size");
		*size |= (uint64_t)(c & 0x7f) << shift;
		shift += 7;
	}
	if (*size > s->limits->object_bytes)
		return error_set(s->err, E_INVALID,
				 "%s: an object of %" PRIu64 " bytes, more than %" PRIu64, s->name,
				 *size, s->limits->object_bytes);
	return 0;
}

static const struct seen *find(const struct scan *s, uint64_t at)
{
	uint32_t low = 0, high = s->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (s->seen[mid].at == at)
			return &s->seen[mid];
		if (s->seen[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* What a delta builds on: an object before it, or one named by id. */
static int read_base(struct scan *s, unsigned type, uint64_t start, uint32_t *depth)
{
	const struct seen *base;
	uint64_t back;
	unsigned c = 0;
	int r = 0;

	*depth = 1;
	if (type == TYPE_ID_DELTA) {
		for (int i = 0; r == 0 && i < ID; i++)
			r = byte(s, &c);
		return r;
	}
	r = byte(s, &c);
	if (r < 0)
		return r;
	back = c & 0x7f;
	while (c & 0x80) {
		r = byte(s, &c);
		if (r < 0)
			return r;
		if (back >= UINT64_C(1) << 48)
			return broken(s, "its base is nowhere");
		back = (back + 1) << 7 | (c & 0x7f);
	}
	base = back < start ? find(s, start - back) : NULL;
	if (!base)
		return broken(s, "its base is nowhere");
	*depth = base->depth + 1;
	return *depth > DELTA_DEPTH ? broken(s, "too long a chain of deltas") : 0;
}

/* 7 bits a byte, low ones first; NULL: not within the bytes there are. */
static const unsigned char *delta_size(const unsigned char *p, const unsigned char *end,
				       uint64_t *out)
{
	unsigned shift = 0;

	*out = 0;
	while (p < end && shift < 63) {
		*out |= (uint64_t)(*p & 0x7f) << shift;
		shift += 7;
		if (!(*p++ & 0x80))
			return p;
	}
	return NULL;
}

/* The size of what a delta makes, from the delta's first bytes. */
static int check_result(struct scan *s, const unsigned char *head, size_t len, uint64_t *size)
{
	const unsigned char *p = delta_size(head, head + len, size);

	p = p ? delta_size(p, head + len, size) : NULL;
	if (!p)
		return broken(s, "a delta without sizes");
	if (*size > s->limits->object_bytes)
		return error_set(s->err, E_INVALID,
				 "%s: a delta makes %" PRIu64 " bytes, more than %" PRIu64, s->name,
				 *size, s->limits->object_bytes);
	return 0;
}

/* Unpack to nowhere; exactly `size` bytes must come. `head` gets the first ones. */
static int inflate_object(struct scan *s, uint64_t size, unsigned char head[DELTA_HEAD],
			  size_t *head_len)
{
	uint64_t total = 0;
	int state = Z_OK;

	*head_len = 0;
	if (inflateReset(&s->z) != Z_OK)
		return error_nomem(s->err);
	while (state != Z_STREAM_END) {
		int r = fill(s);
		size_t before, got;

		if (r < 0)
			return r;
		before = s->have - s->next;
		if (!before)
			return broken(s, "cut off");
		s->z.next_in = s->in + s->next;
		s->z.avail_in = (unsigned)before;
		s->z.next_out = s->out;
		s->z.avail_out = CHUNK;
		state = inflate(&s->z, Z_NO_FLUSH);
		s->next += before - s->z.avail_in;
		s->at += before - s->z.avail_in;
		got = CHUNK - s->z.avail_out;
		if (state != Z_OK && state != Z_STREAM_END)
			return broken(s, "no zlib stream");
		if (!*head_len && got) {
			*head_len = got < DELTA_HEAD ? got : DELTA_HEAD;
			memcpy(head, s->out, *head_len);
		}
		total += got;
		if (total > size)
			return broken(s, "longer than it says");
	}
	return total == size ? 0 : broken(s, "shorter than it says");
}

static int scan_object(struct scan *s)
{
	unsigned char head[DELTA_HEAD];
	uint64_t start = s->at, size;
	uint32_t depth = 0;
	size_t head_len;
	unsigned type;
	int r = read_head(s, &type, &size);

	if (r < 0)
		return r;
	if (type == TYPE_OFFSET_DELTA || type == TYPE_ID_DELTA)
		r = read_base(s, type, start, &depth);
	else if (type == 0 || type > TYPE_TAG)
		r = broken(s, "of no known type");
	if (r == 0)
		r = inflate_object(s, size, head, &head_len);
	if (r == 0 && depth)
		r = check_result(s, head, head_len, &size);
	if (r < 0)
		return r;
	s->total += size;
	if (s->total > s->limits->total_bytes)
		return error_set(s->err, E_INVALID, "%s: unpacks to more than %" PRIu64 " bytes",
				 s->name, s->limits->total_bytes);
	s->seen[s->n++] = (struct seen){start, depth};
	return 0;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Magic, version (2 and 3 are read alike), number of objects. */
static int scan_start(struct scan *s)
{
	unsigned char head[HEADER];

	for (size_t i = 0; i < HEADER; i++) {
		unsigned c = 0;
		int r = byte(s, &c);

		if (r < 0)
			return error_set(s->err, E_INVALID, "%s: no pack in it", s->name);
		head[i] = (unsigned char)c;
	}
	if (memcmp(head, "PACK", 4) != 0 || be32(head + 4) < 2 || be32(head + 4) > 3)
		return error_set(s->err, E_INVALID, "%s: no pack in it", s->name);
	s->count = be32(head + 8);
	if (s->count > s->limits->objects)
		return error_set(s->err, E_INVALID, "%s: %" PRIu32 " objects, more than %" PRIu32,
				 s->name, s->count, s->limits->objects);
	s->seen = calloc((size_t)s->count + 1, sizeof(*s->seen));
	return s->seen ? 0 : error_nomem(s->err);
}

int packscan(int fd, uint64_t start, const char *name, const struct sources_limits *limits,
	     uint32_t *objects, struct error *err)
{
	CLEANUP(scan_freep) struct scan *s = calloc(1, sizeof(*s));
	int r;

	if (!s || inflateInit(&s->z) != Z_OK)
		return error_nomem(err);
	s->fd = fd;
	s->name = name;
	s->limits = limits;
	s->err = err;
	s->at = start;
	r = scan_start(s);
	while (r == 0 && s->n < s->count)
		r = scan_object(s);
	for (int i = 0; r == 0 && i < TRAILER; i++) {
		unsigned unused;

		r = byte(s, &unused);
	}
	if (r == 0)
		r = fill(s);
	if (r == 0 && s->next < s->have)
		r = error_set(err, E_INVALID, "%s: something follows the pack", name);
	if (r == 0)
		*objects = s->count;
	return r;
}
