/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/note.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/sign/ed25519.h"
#include "lib/tlog/lines.h"

enum {
	ID_LEN = 4,
	STAMP_LEN = 8,
	VKEY_RAW_MAX = 4096, /* of keys that are ignored; ML-DSA-44 has 1312 bytes */
	SIGNED_LEN = ID_LEN + ED25519_SIG_LEN,
	COSIGNED_LEN = ID_LEN + STAMP_LEN + ED25519_SIG_LEN,
};

#define DASH "\xe2\x80\x94 "             /* U+2014 and a space begin a signature line */
#define TIME_MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* --- text ------------------------------------------------------------------ */

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
	static const uint32_t lone[] = {0x20,   0x85,   0xa0,   0x1680, 0x2028,
					0x2029, 0x202f, 0x205f, 0x3000};

	if ((c >= 0x09 && c <= 0x0d) || (c >= 0x2000 && c <= 0x200a))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(lone); i++)
		if (c == lone[i])
			return true;
	return false;
}

static bool name_ok(const char *name, size_t len)
{
	const unsigned char *p = (const unsigned char *)name;
	uint32_t c;

	if (len < 1 || len > NOTE_NAME_MAX)
		return false;
	for (size_t at = 0, n; at < len; at += n) {
		n = text_code_point(p + at, len - at, &c);
		if (n == 0 || c < 0x20 || c == '+' || is_space(c))
			return false;
	}
	return true;
}

/* --- keys ------------------------------------------------------------------ */

static int key_id(const char *name, int type, const void *pub, size_t len, unsigned char id[ID_LEN],
		  struct error *err)
{
	CLEANUP(buf_clear) struct buf all = {0};
	unsigned char sum[SHA256_LEN];
	unsigned char t = (unsigned char)type;
	int r = buf_printf(&all, err, "%s\n", name);

	if (r == 0)
		r = buf_add(&all, &t, 1, err);
	if (r == 0)
		r = buf_add(&all, pub, len, err);
	if (r < 0)
		return r;
	sha256(all.data, all.len, sum);
	memcpy(id, sum, ID_LEN);
	return 0;
}

static bool verifies(int type)
{
	return type == NOTE_ED25519 || type == NOTE_COSIGNATURE;
}

/* Split "name+id+base64"; the last two have no '+' before the base64 begins. */
static int split_vkey(const char *vkey, struct note_key *k, struct buf *raw, struct error *err)
{
	const char *id = strchr(vkey, '+');
	const char *key = id ? strchr(id + 1, '+') : NULL;
	char hex[HEX_LEN(ID_LEN) + 1];

	if (!key || (size_t)(key - id - 1) != HEX_LEN(ID_LEN) ||
	    !name_ok(vkey, (size_t)(id - vkey)) || strlen(key + 1) > BASE64_LEN(VKEY_RAW_MAX))
		return error_set(err, E_INVALID, "verifier key: want name+id+key");
	memcpy(k->name, vkey, (size_t)(id - vkey));
	memcpy(hex, id + 1, HEX_LEN(ID_LEN));
	hex[HEX_LEN(ID_LEN)] = '\0';
	if (!hex_decode(hex, k->id, ID_LEN))
		return error_set(err, E_INVALID,
				 "verifier key %s: id is not 8 lower-case hex digits", k->name);
	return base64_decode(key + 1, strlen(key + 1), raw, err);
}

int note_key_parse(const char *vkey, struct note_key *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf raw = {0};
	struct note_key k = {.type = 0};
	unsigned char id[ID_LEN];
	int r = split_vkey(vkey, &k, &raw, err);

	if (r < 0)
		return r;
	if (raw.len < 2)
		return error_set(err, E_INVALID, "verifier key %s: no key in it", k.name);
	k.type = (unsigned char)raw.data[0];
	r = key_id(k.name, k.type, raw.data + 1, raw.len - 1, id, err);
	if (r < 0)
		return r;
	if (memcmp(id, k.id, ID_LEN) != 0)
		return error_set(err, E_INVALID, "verifier key %s: its id is of another key",
				 k.name);
	if (verifies(k.type)) {
		if (raw.len != 1 + ED25519_LEN)
			return error_set(err, E_INVALID, "verifier key %s: want %d bytes, got %zu",
					 k.name, ED25519_LEN, raw.len - 1);
		memcpy(k.pub, raw.data + 1, ED25519_LEN);
		if (!ed25519_usable(k.pub))
			return error_set(err, E_INVALID, "verifier key %s: an unusable key",
					 k.name);
	}
	*out = k;
	return 0;
}

int note_key_make(const char *name, int type, const unsigned char pub[32], struct note_key *out,
		  struct error *err)
{
	struct note_key k = {.type = type};
	int r;

	if (!name_ok(name, strlen(name)))
		return error_set(err, E_INVALID,
				 "key name: want 1 to %d bytes without space or '+'",
				 NOTE_NAME_MAX);
	if (!verifies(type) || !ed25519_usable(pub))
		return error_set(err, E_INVALID, "key %s: unusable", name);
	memcpy(k.name, name, strlen(name));
	memcpy(k.pub, pub, ED25519_LEN);
	r = key_id(name, type, pub, ED25519_LEN, k.id, err);
	if (r == 0)
		*out = k;
	return r;
}

int note_key_format(const struct note_key *k, struct buf *out, struct error *err)
{
	unsigned char raw[1 + ED25519_LEN] = {(unsigned char)k->type};
	char id[HEX_LEN(ID_LEN) + 1];
	size_t start = out->len;
	int r;

	if (!verifies(k->type))
		return error_set(err, E_INVALID, "key %s: of type %d", k->name, k->type);
	memcpy(raw + 1, k->pub, ED25519_LEN);
	hex_encode(k->id, ID_LEN, id);
	r = buf_printf(out, err, "%s+%s+", k->name, id);
	if (r == 0)
		r = base64_encode(raw, sizeof(raw), out, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}

/* --- notes ----------------------------------------------------------------- */

/* One signature line, borrowed. */
struct line {
	const char *name;
	size_t name_len;
	const char *base64;
	size_t base64_len;
};

/* Take the line at *at and move on; false: it is malformed. */
static bool next_line(const char **at, const char *end, struct line *out)
{
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));
	const char *name = *at + strlen(DASH);
	const char *space;

	if (!stop || stop - *at < (ptrdiff_t)strlen(DASH) || memcmp(*at, DASH, strlen(DASH)) != 0)
		return false;
	space = memchr(name, ' ', (size_t)(stop - name));
	if (!space || !name_ok(name, (size_t)(space - name)))
		return false;
	*out = (struct line){name, (size_t)(space - name), space + 1, (size_t)(stop - space - 1)};
	*at = stop + 1;
	return true;
}

/* Strictly decoded; a signature has more than its key id. */
static int decode(const struct line *l, struct buf *out, struct error *err)
{
	int r = base64_decode(l->base64, l->base64_len, out, err);

	if (r == 0 && out->len <= ID_LEN)
		r = error_set(err, E_INVALID, "too short");
	return r < 0 ? error_prefix(err, r, "note: signature of %.*s", (int)l->name_len, l->name)
		     : 0;
}

static int check_lines(const struct note *n, struct error *err)
{
	const char *at = n->signatures, *end = at + n->signatures_len;
	size_t count = 0;

	while (at < end) {
		CLEANUP(buf_clear) struct buf sig = {0};
		struct line l;
		int r;

		if (!next_line(&at, end, &l))
			return error_set(err, E_INVALID, "note: signature line %zu is malformed",
					 count + 1);
		r = decode(&l, &sig, err);
		if (r < 0)
			return r;
		if (++count > NOTE_SIGNATURES_MAX)
			return error_set(err, E_INVALID, "note: more than %d signatures",
					 NOTE_SIGNATURES_MAX);
	}
	return count ? 0 : error_set(err, E_INVALID, "note: no signature");
}

int note_parse(const void *data, size_t len, struct note *out, struct error *err)
{
	const char *text = data, *split = NULL;
	struct note n;
	int r;

	if (len > NOTE_MAX)
		return error_set(err, E_INVALID, "note: longer than %d bytes", NOTE_MAX);
	if (!text_plain(text, len, "\n"))
		return error_set(err, E_INVALID, "note: not UTF-8, or with control characters");
	for (size_t i = len; i-- > 1 && !split;)
		if (text[i] == '\n' && text[i - 1] == '\n')
			split = text + i;
	if (!split)
		return error_set(err, E_INVALID, "note: no empty line before the signatures");
	n.text = text;
	n.text_len = (size_t)(split - text);
	n.signatures = split + 1;
	n.signatures_len = len - n.text_len - 1;
	r = check_lines(&n, err);
	if (r == 0)
		*out = n;
	return r;
}

/* What a cosignature is over. */
static int cosigned(int64_t time, const char *text, size_t len, struct buf *out, struct error *err)
{
	int r = buf_printf(out, err, "cosignature/v1\ntime %" PRId64 "\n", time);

	return r == 0 ? buf_add(out, text, len, err) : r;
}

static uint64_t read_stamp(const unsigned char *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < STAMP_LEN; i++)
		v = v << 8 | p[i];
	return v;
}

/* Does one line's signature, with its id before it, hold? 1, 0 or an error of ours. */
static int holds(const struct note *n, const struct note_key *k, const struct buf *sig,
		 int64_t *time, struct error *err)
{
	const unsigned char *p = (const unsigned char *)sig->data + ID_LEN;
	CLEANUP(buf_clear) struct buf message = {0};
	uint64_t stamp;
	int r;

	if (k->type == NOTE_ED25519)
		return sig->len == SIGNED_LEN && ed25519_verify(k->pub, n->text, n->text_len, p);
	if (sig->len != COSIGNED_LEN)
		return 0;
	stamp = read_stamp(p);
	if (stamp > TIME_MAX_S)
		return 0;
	r = cosigned((int64_t)stamp, n->text, n->text_len, &message, err);
	if (r < 0)
		return r;
	*time = (int64_t)stamp;
	return ed25519_verify(k->pub, message.data, message.len, p + STAMP_LEN);
}

/* Take the next line by this key, with its bytes decoded. 1: there is one; 0: no more. */
static int next_of(const char **at, const char *end, const struct note_key *k, struct buf *sig,
		   struct error *err)
{
	struct line l;

	while (*at < end && next_line(at, end, &l)) {
		int r;

		if (l.name_len != strlen(k->name) || memcmp(l.name, k->name, l.name_len) != 0)
			continue;
		buf_cut(sig, 0);
		r = decode(&l, sig, err);
		if (r < 0)
			return r;
		if (memcmp(sig->data, k->id, ID_LEN) == 0)
			return 1;
	}
	return 0;
}

int note_verify(const struct note *n, const struct note_key *k, int64_t *time, struct error *err)
{
	const char *at = n->signatures, *end = at + n->signatures_len;
	CLEANUP(buf_clear) struct buf sig = {0};
	int64_t first = 0;
	int found = 0, r;

	if (!verifies(k->type))
		return 0;
	while ((r = next_of(&at, end, k, &sig, err)) > 0) {
		int64_t when = 0;

		r = holds(n, k, &sig, &when, err);
		if (r < 0)
			return r;
		if (r == 0)
			return error_set(err, E_UNTRUSTED, "note: signature of %s is wrong",
					 k->name);
		if (!found)
			first = when;
		found = 1;
	}
	if (r < 0)
		return r;
	if (found && time)
		*time = first;
	return found;
}

int note_lines_of(const struct note *n, const struct note_key *k, struct buf *out,
		  struct error *err)
{
	const char *at = n->signatures, *end = at + n->signatures_len;
	CLEANUP(buf_clear) struct buf sig = {0};
	size_t start = out->len;
	int r;

	while ((r = next_of(&at, end, k, &sig, err)) > 0) {
		const char *line = at - 1;

		while (line > n->signatures && line[-1] != '\n')
			line--;
		r = buf_add(out, line, (size_t)(at - line), err);
		if (r < 0)
			break;
	}
	if (r < 0)
		buf_cut(out, start);
	return r;
}

int note_sign_line(const struct note_key *k, const unsigned char seed[32], const struct buf *text,
		   int64_t time, struct buf *out, struct error *err)
{
	unsigned char raw[COSIGNED_LEN];
	CLEANUP(buf_clear) struct buf message = {0};
	size_t at = ID_LEN, start = out->len;
	int r;

	if (!verifies(k->type) || time < 0 || time > TIME_MAX_S)
		return error_set(err, E_INVALID, "key %s: of type %d, or no such time", k->name,
				 k->type);
	memcpy(raw, k->id, ID_LEN);
	if (k->type == NOTE_COSIGNATURE) {
		for (size_t i = 0; i < STAMP_LEN; i++)
			raw[at++] = (unsigned char)((uint64_t)time >> (8 * (STAMP_LEN - 1 - i)));
		r = cosigned(time, text->data, text->len, &message, err);
	} else {
		r = buf_add(&message, text->data, text->len, err);
	}
	if (r == 0)
		r = ed25519_sign(seed, message.data, message.len, raw + at, err);
	if (r == 0)
		r = buf_printf(out, err, DASH "%s ", k->name);
	if (r == 0)
		r = base64_encode(raw, at + ED25519_SIG_LEN, out, err);
	if (r == 0)
		r = buf_puts(out, "\n", err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}
