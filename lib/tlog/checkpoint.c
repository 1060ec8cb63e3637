/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/tlog/lines.h"

#define PROOF_HEAD "c2sp.org/tlog-proof@v1"

/* --- checkpoint ------------------------------------------------------------ */

int checkpoint_parse(const void *data, size_t len, struct checkpoint *out, struct error *err)
{
	struct checkpoint c;
	struct lines at;
	struct text line;
	int r = note_parse(data, len, &c.note, err);

	if (r < 0)
		return error_prefix(err, r, "checkpoint");
	at = (struct lines){c.note.text, c.note.text + c.note.text_len};
	if (!lines_next(&at, &line) || line.len < 1 || line.len > NOTE_NAME_MAX)
		return error_set(err, E_INVALID, "checkpoint: origin: want 1 to %d bytes",
				 NOTE_NAME_MAX);
	memcpy(c.origin, line.data, line.len);
	c.origin[line.len] = '\0';
	if (!lines_next(&at, &line) || !text_decimal(&line, &c.size))
		return error_set(err, E_INVALID, "checkpoint: size: want a number up to 2^63 - 1");
	if (!lines_next(&at, &line))
		return error_set(err, E_INVALID, "checkpoint: no root");
	r = text_hash(&line, &c.root, err);
	if (r < 0)
		return error_prefix(err, r, "checkpoint: root");
	while (lines_next(&at, &line))
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
		r = text_add_hash(root, out, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}

/* --- proof ----------------------------------------------------------------- */

/* Lines before the siblings: what it is, the extra, the index. */
static int read_head(struct lines *at, struct tlog_proof *p, struct error *err)
{
	CLEANUP(buf_clear) struct buf extra = {0};
	struct text line;

	if (!lines_next(at, &line) || !text_strip(&line, PROOF_HEAD) || line.len)
		return error_set(err, E_INVALID, "first line: want %s", PROOF_HEAD);
	if (!lines_next(at, &line))
		return error_set(err, E_INVALID, "no index");
	p->extra = NULL;
	p->extra_len = 0;
	if (text_strip(&line, "extra ")) {
		int r = base64_decode(line.data, line.len, &extra, err);

		if (r < 0)
			return error_prefix(err, r, "extra");
		p->extra = line.data;
		p->extra_len = line.len;
		if (!lines_next(at, &line))
			return error_set(err, E_INVALID, "no index");
	}
	if (!text_strip(&line, "index ") || !text_decimal(&line, &p->index))
		return error_set(err, E_INVALID, "index: want a number up to 2^63 - 1");
	return 0;
}

int tlog_proof_parse(const void *data, size_t len, struct tlog_proof *out, struct error *err)
{
	const char *start = len ? data : ""; /* of nothing, data may be NULL */
	struct lines at = {start, start + len};
	struct tlog_proof p;
	int r;

	if (len > TLOG_PROOF_MAX)
		return error_set(err, E_INVALID, "log proof: longer than %d bytes", TLOG_PROOF_MAX);
	r = read_head(&at, &p, err);
	if (r == 0)
		r = lines_hashes(&at, &p.siblings, err);
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

int tlog_proof_write(const struct tlog_proof *p, struct buf *out, struct error *err)
{
	const struct note *n = &p->checkpoint.note;
	size_t start = out->len;
	int r = buf_puts(out, PROOF_HEAD "\n", err);

	if (r == 0 && p->extra) {
		r = buf_puts(out, "extra ", err);
		if (r == 0)
			r = buf_add(out, p->extra, p->extra_len, err);
		if (r == 0)
			r = buf_puts(out, "\n", err);
	}
	if (r == 0)
		r = buf_printf(out, err, "index %" PRIu64 "\n", p->index);
	if (r == 0)
		r = text_add_hashes(&p->siblings, out, err);
	if (r == 0)
		r = buf_add(out, n->text, n->text_len, err);
	if (r == 0)
		r = buf_puts(out, "\n", err);
	if (r == 0)
		r = buf_add(out, n->signatures, n->signatures_len, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}

int tlog_proof_format(uint64_t index, const struct merkle_proof *siblings, const void *checkpoint,
		      size_t len, struct buf *out, struct error *err)
{
	size_t start = out->len;
	int r = buf_printf(out, err, PROOF_HEAD "\nindex %" PRIu64 "\n", index);

	if (r == 0)
		r = text_add_hashes(siblings, out, err);
	if (r == 0)
		r = buf_add(out, checkpoint, len, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}
