/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

enum { DECIMAL_MAX = 19 }; /* digits of INT64_MAX */

#define PROOF_HEAD "c2sp.org/tlog-proof@v1"

/* --- lines ----------------------------------------------------------------- */

struct cursor {
	const char *at, *end;
};

struct text {
	const char *data;
	size_t len;
};

/* Take a line without its newline; false: none is left, or it does not end. */
static bool next_line(struct cursor *c, struct text *out)
{
	const char *stop = c->at < c->end ? memchr(c->at, '\n', (size_t)(c->end - c->at)) : NULL;

	if (!stop)
		return false;
	*out = (struct text){c->at, (size_t)(stop - c->at)};
	c->at = stop + 1;
	return true;
}

/* Take `prefix` off a line; false: it does not begin so. */
static bool strip(struct text *line, const char *prefix)
{
	size_t n = strlen(prefix);

	if (line->len < n || memcmp(line->data, prefix, n) != 0)
		return false;
	line->data += n;
	line->len -= n;
	return true;
}

/* 0 to INT64_MAX, as it is written and no other way. */
static bool decimal(const struct text *t, uint64_t *out)
{
	uint64_t v = 0;

	if (t->len < 1 || t->len > DECIMAL_MAX || (t->len > 1 && t->data[0] == '0'))
		return false;
	for (size_t i = 0; i < t->len; i++) {
		if (t->data[i] < '0' || t->data[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(t->data[i] - '0');
	}
	if (v > INT64_MAX)
		return false;
	*out = v;
	return true;
}

static int read_hash(const struct text *t, struct hash *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf raw = {0};
	int r;

	if (t->len != BASE64_LEN(SHA256_LEN))
		return error_set(err, E_INVALID, "not a hash");
	r = base64_decode(t->data, t->len, &raw, err);
	if (r < 0)
		return r;
	if (raw.len != SHA256_LEN)
		return error_set(err, E_INVALID, "not a hash");
	memcpy(out->b, raw.data, SHA256_LEN);
	return 0;
}

/* --- checkpoint ------------------------------------------------------------ */

int checkpoint_parse(const void *data, size_t len, struct checkpoint *out, struct error *err)
{
	struct checkpoint c;
	struct cursor at;
	struct text line;
	int r = note_parse(data, len, &c.note, err);

	if (r < 0)
		return error_prefix(err, r, "checkpoint");
	at = (struct cursor){c.note.text, c.note.text + c.note.text_len};
	if (!next_line(&at, &line) || line.len < 1 || line.len > NOTE_NAME_MAX)
		return error_set(err, E_INVALID, "checkpoint: origin: want 1 to %d bytes",
				 NOTE_NAME_MAX);
	memcpy(c.origin, line.data, line.len);
	c.origin[line.len] = '\0';
	if (!next_line(&at, &line) || !decimal(&line, &c.size))
		return error_set(err, E_INVALID, "checkpoint: size: want a number up to 2^63 - 1");
	if (!next_line(&at, &line))
		return error_set(err, E_INVALID, "checkpoint: no root");
	r = read_hash(&line, &c.root, err);
	if (r < 0)
		return error_prefix(err, r, "checkpoint: root");
	while (next_line(&at, &line))
		if (line.len == 0)
			return error_set(err, E_INVALID, "checkpoint: an empty line in it");
	*out = c;
	return 0;
}

/* Cosignatures that count, by key. */
struct count {
	const struct note_key *by[NOTE_SIGNATURES_MAX];
	int64_t at[NOTE_SIGNATURES_MAX];
	size_t n;
};

static bool same_key(const struct note_key *a, const struct note_key *b)
{
	return memcmp(a->pub, b->pub, sizeof(a->pub)) == 0;
}

/* Add a cosignature, times rising. */
static void add(struct count *c, const struct note_key *k, int64_t at)
{
	size_t i = c->n;

	for (size_t j = 0; j < c->n; j++)
		if (same_key(c->by[j], k))
			return;
	if (c->n == NOTE_SIGNATURES_MAX)
		return;
	for (; i > 0 && c->at[i - 1] > at; i--) {
		c->at[i] = c->at[i - 1];
		c->by[i] = c->by[i - 1];
	}
	c->at[i] = at;
	c->by[i] = k;
	c->n++;
}

static int count_witnesses(const struct checkpoint *c, const struct log_policy *p,
			   struct count *out, struct error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct note_key *k = &p->witnesses[i];
		int64_t at = 0;
		int r = note_verify(&c->note, k, &at, err);

		if (r < 0)
			return r;
		if (r == 1 && k->type == NOTE_COSIGNATURE && !same_key(k, &p->log))
			add(out, k, at);
	}
	return 0;
}

int checkpoint_verify(const struct checkpoint *c, const struct log_policy *p,
		      struct witnessed *when, struct error *err)
{
	struct count count = {.n = 0};
	struct hash empty;
	int r;

	if (strcmp(c->origin, p->log.name) != 0)
		return error_set(err, E_UNTRUSTED, "checkpoint: of log %s, not %s", c->origin,
				 p->log.name);
	r = p->log.type == NOTE_ED25519 ? note_verify(&c->note, &p->log, NULL, err) : 0;
	if (r == 0)
		r = error_set(err, E_UNTRUSTED, "not signed by log %s", p->log.name);
	if (r > 0)
		r = count_witnesses(c, p, &count, err);
	if (r < 0)
		return error_prefix(err, r, "checkpoint");
	merkle_empty(&empty);
	if (c->size == 0 && memcmp(c->root.b, empty.b, SHA256_LEN) != 0)
		return error_set(err, E_UNTRUSTED, "checkpoint: wrong root of size 0");
	if (count.n < p->threshold)
		return error_set(err, E_UNTRUSTED, "checkpoint: %zu of %zu witnesses", count.n,
				 p->threshold);
	if (when)
		*when = (struct witnessed){.known = false};
	if (when && p->threshold) {
		when->known = true;
		when->low = count.at[p->threshold - 1];
		when->high = count.at[count.n - p->threshold];
	}
	return 0;
}

int checkpoint_format(const char *origin, uint64_t size, const struct hash *root, struct buf *out,
		      struct error *err)
{
	size_t start = out->len;
	int r;

	if (!*origin || strlen(origin) > NOTE_NAME_MAX || strchr(origin, '\n') || size > INT64_MAX)
		return error_set(err, E_INVALID, "checkpoint: want an origin of one line");
	r = buf_printf(out, err, "%s\n%" PRIu64 "\n", origin, size);
	if (r == 0)
		r = base64_encode(root->b, SHA256_LEN, out, err);
	if (r == 0)
		r = buf_puts(out, "\n", err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}

/* --- proof ----------------------------------------------------------------- */

/* Lines before the siblings: what it is, the extra, the index. */
static int read_head(struct cursor *at, struct tlog_proof *p, struct error *err)
{
	CLEANUP(buf_clear) struct buf extra = {0};
	struct text line;

	if (!next_line(at, &line) || !strip(&line, PROOF_HEAD) || line.len)
		return error_set(err, E_INVALID, "first line: want %s", PROOF_HEAD);
	if (!next_line(at, &line))
		return error_set(err, E_INVALID, "no index");
	if (strip(&line, "extra ")) {
		int r = base64_decode(line.data, line.len, &extra, err);

		if (r < 0)
			return error_prefix(err, r, "extra");
		if (!next_line(at, &line))
			return error_set(err, E_INVALID, "no index");
	}
	if (!strip(&line, "index ") || !decimal(&line, &p->index))
		return error_set(err, E_INVALID, "index: want a number up to 2^63 - 1");
	return 0;
}

/* Siblings up to the empty line. */
static int read_siblings(struct cursor *at, struct merkle_proof *p, struct error *err)
{
	struct text line;

	for (p->n = 0; next_line(at, &line); p->n++) {
		int r;

		if (line.len == 0)
			return 0;
		if (p->n == MERKLE_PROOF_MAX)
			return error_set(err, E_INVALID, "more than %d hashes", MERKLE_PROOF_MAX);
		r = read_hash(&line, &p->hash[p->n], err);
		if (r < 0)
			return error_prefix(err, r, "hash %zu", p->n);
	}
	return error_set(err, E_INVALID, "no empty line before the checkpoint");
}

int tlog_proof_parse(const void *data, size_t len, struct tlog_proof *out, struct error *err)
{
	const char *start = len ? data : ""; /* of nothing, data may be NULL */
	struct cursor at = {start, start + len};
	struct tlog_proof p;
	int r;

	if (len > TLOG_PROOF_MAX)
		return error_set(err, E_INVALID, "log proof: longer than %d bytes", TLOG_PROOF_MAX);
	r = read_head(&at, &p, err);
	if (r == 0)
		r = read_siblings(&at, &p.siblings, err);
	if (r == 0)
		r = checkpoint_parse(at.at, (size_t)(at.end - at.at), &p.checkpoint, err);
	if (r < 0)
		return error_prefix(err, r, "log proof");
	*out = p;
	return 0;
}

int tlog_proof_verify(const struct tlog_proof *p, const struct hash *leaf,
		      const struct log_policy *policy, struct witnessed *when, struct error *err)
{
	struct witnessed at;
	int r = checkpoint_verify(&p->checkpoint, policy, &at, err);

	if (r == 0)
		r = merkle_check_inclusion(leaf, p->index, p->checkpoint.size, &p->siblings,
					   &p->checkpoint.root, err);
	if (r < 0)
		return error_prefix(err, r, "log proof");
	if (when)
		*when = at;
	return 0;
}

int tlog_proof_format(uint64_t index, const struct merkle_proof *siblings, const void *checkpoint,
		      size_t len, struct buf *out, struct error *err)
{
	size_t start = out->len;
	int r = buf_printf(out, err, PROOF_HEAD "\nindex %" PRIu64 "\n", index);

	for (size_t i = 0; i < siblings->n && r == 0; i++) {
		r = base64_encode(siblings->hash[i].b, SHA256_LEN, out, err);
		if (r == 0)
			r = buf_puts(out, "\n", err);
	}
	if (r == 0)
		r = buf_puts(out, "\n", err);
	if (r == 0)
		r = buf_add(out, checkpoint, len, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}
