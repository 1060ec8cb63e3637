/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/lines.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

enum { DECIMAL_MAX = 19 }; /* digits of INT64_MAX */

bool lines_next(struct lines *l, struct text *out)
{
	const char *stop = l->at < l->end ? memchr(l->at, '\n', (size_t)(l->end - l->at)) : NULL;

	if (!stop)
		return false;
	*out = (struct text){l->at, (size_t)(stop - l->at)};
	l->at = stop + 1;
	return true;
}

bool text_strip(struct text *t, const char *prefix)
{
	size_t n = strlen(prefix);

	if (t->len < n || memcmp(t->data, prefix, n) != 0)
		return false;
	t->data += n;
	t->len -= n;
	return true;
}

bool text_is(const struct text *t, const char *what)
{
	return t->len == strlen(what) && memcmp(t->data, what, t->len) == 0;
}

bool text_decimal(const struct text *t, uint64_t *out)
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

int text_hash(const struct text *t, struct hash *out, struct error *err)
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

int text_add_hash(const struct hash *h, struct buf *out, struct error *err)
{
	int r = base64_encode(h->b, SHA256_LEN, out, err);

	return r < 0 ? r : buf_puts(out, "\n", err);
}

size_t text_code_point(const unsigned char *p, size_t left, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);

	if (n == 0 || n > left || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

bool text_plain(const char *data, size_t len, const char *allowed)
{
	const unsigned char *p = (const unsigned char *)data;
	uint32_t c;

	for (size_t at = 0, n; at < len; at += n) {
		n = text_code_point(p + at, len - at, &c);
		if (n == 0 || (c < 0x20 && (c == 0 || !strchr(allowed, (int)c))))
			return false;
	}
	return true;
}

int lines_hashes(struct lines *l, struct merkle_proof *out, struct error *err)
{
	struct text line;

	for (out->n = 0; lines_next(l, &line); out->n++) {
		int r;

		if (line.len == 0)
			return 0;
		if (out->n == MERKLE_PROOF_MAX)
			return error_set(err, E_INVALID, "more than %d hashes", MERKLE_PROOF_MAX);
		r = text_hash(&line, &out->hash[out->n], err);
		if (r < 0)
			return error_prefix(err, r, "hash %zu", out->n);
	}
	return error_set(err, E_INVALID, "no empty line before the checkpoint");
}

int text_add_hashes(const struct merkle_proof *p, struct buf *out, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < p->n && r == 0; i++)
		r = text_add_hash(&p->hash[i], out, err);
	return r < 0 ? r : buf_puts(out, "\n", err);
}
