/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/hex.h"

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"

static const char digits16[] = "0123456789abcdef";
static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_encode(const void *data, size_t len, char *out)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits16[p[i] >> 4];
		out[2 * i + 1] = digits16[p[i] & 15];
	}
	out[2 * len] = '\0';
}

/* The value of a digit, or -1. */
static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_is(const char *text, size_t digits)
{
	if (!text)
		return false;
	for (size_t i = 0; i < digits; i++)
		if (nibble(text[i]) < 0)
			return false;
	return text[digits] == '\0';
}

bool hex_decode(const char *text, void *out, size_t len)
{
	unsigned char *p = out;

	if (!hex_is(text, 2 * len))
		return false;
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((unsigned)nibble(text[2 * i]) << 4 |
				       (unsigned)nibble(text[2 * i + 1]));
	return true;
}

int base64_encode(const void *data, size_t len, struct buf *out, struct error *err)
{
	const unsigned char *p = data;
	int r = buf_reserve(out, BASE64_LEN(len), err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)p[i] << 16;
		char *o = out->data + out->len;

		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		o[0] = digits64[v >> 18];
		o[1] = digits64[v >> 12 & 63];
		o[2] = (char)(left > 1 ? digits64[v >> 6 & 63] : '=');
		o[3] = (char)(left > 2 ? digits64[v & 63] : '=');
		out->len += 4;
	}
	out->data[out->len] = '\0';
	return 0;
}

/* The value of a digit, or -1. */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* One group of four characters; returns how many bytes it gives, or -1. */
static int decode_group(const char *in, bool last, unsigned char out[3])
{
	int a = sextet(in[0]), b = sextet(in[1]), c = sextet(in[2]), d = sextet(in[3]);
	int n = 3;

	if (last && in[3] == '=') {
		n = in[2] == '=' ? 1 : 2;
		d = 0;
		if (n == 1)
			c = 0;
	}
	if (a < 0 || b < 0 || c < 0 || d < 0)
		return -1;
	if ((n == 1 && (b & 15)) || (n == 2 && (c & 3)))
		return -1;
	out[0] = (unsigned char)(a << 2 | b >> 4);
	out[1] = (unsigned char)((b & 15) << 4 | c >> 2);
	out[2] = (unsigned char)((c & 3) << 6 | d);
	return n;
}

int base64_decode(const char *text, size_t len, struct buf *out, struct error *err)
{
	size_t start = out->len;
	int r;

	if (len % 4)
		return error_set(err, E_INVALID, "base64: length %zu is no multiple of 4", len);
	r = buf_reserve(out, len / 4 * 3, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i += 4) {
		unsigned char *group = (unsigned char *)out->data + out->len;
		int n = decode_group(text + i, i + 4 == len, group);

		if (n < 0) {
			buf_cut(out, start);
			return error_set(err, E_INVALID, "base64: bad text at offset %zu", i);
		}
		out->len += (size_t)n;
	}
	if (out->data)
		out->data[out->len] = '\0';
	return 0;
}
