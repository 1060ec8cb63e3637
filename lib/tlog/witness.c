/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/witness.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/tlog/lines.h"

void witness_path(const char *origin, char out[WITNESS_PATH_SIZE])
{
	sha256_hex(origin, strlen(origin), out);
	memcpy(out + SHA256_HEX_SIZE - 1, "/checkpoint", sizeof("/checkpoint"));
}

int witness_request_parse(const void *data, size_t len, struct witness_request *out,
			  struct error *err)
{
	const char *start = len ? data : ""; /* of nothing, data may be NULL */
	struct lines at = {start, start + len};
	struct witness_request q;
	struct text line;
	int r;

	if (len > WITNESS_REQUEST_MAX)
		return error_set(err, E_INVALID, "request: longer than %d bytes",
				 WITNESS_REQUEST_MAX);
	if (!lines_next(&at, &line) || !text_strip(&line, "old ") || !text_decimal(&line, &q.old))
		return error_set(err, E_INVALID,
				 "request: first line: want old and a number up to 2^63 - 1");
	r = lines_hashes(&at, &q.proof, err);
	if (r == 0)
		r = checkpoint_parse(at.at, (size_t)(at.end - at.at), &q.checkpoint, err);
	if (r < 0)
		return error_prefix(err, r, "request");
	*out = q;
	return 0;
}

int witness_request_format(uint64_t old, const struct merkle_proof *proof, const void *checkpoint,
			   size_t len, struct buf *out, struct error *err)
{
	size_t start = out->len;
	int r = buf_printf(out, err, "old %" PRIu64 "\n", old);

	if (r == 0)
		r = text_add_hashes(proof, out, err);
	if (r == 0)
		r = buf_add(out, checkpoint, len, err);
	if (r < 0)
		buf_cut(out, start);
	return r;
}

/* 1: one of them signed, and none wrongly. 0: `err` says what is missing. */
static int is_signed(const struct checkpoint *c, const struct note_key *keys, size_t n,
		     struct error *err)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		int r;

		if (keys[i].type != NOTE_ED25519)
			continue;
		r = note_verify(&c->note, &keys[i], NULL, err);
		if (r < 0)
			return r == E_UNTRUSTED ? 0 : r;
		any |= r == 1;
	}
	if (!any)
		(void)error_set(err, E_UNTRUSTED, "not signed by a key of log %s", c->origin);
	return any;
}

int witness_judge(const struct witness_request *q, const struct note_key *keys, size_t n,
		  const struct witness_head *last, struct error *err)
{
	const struct checkpoint *c = &q->checkpoint;
	struct hash root = last->root;
	int r;

	if (!n) {
		(void)error_set(err, E_NOTFOUND, "log %s: not known here", c->origin);
		return WITNESS_UNKNOWN;
	}
	r = is_signed(c, keys, n, err);
	if (r < 0)
		return r;
	if (r == 0)
		return WITNESS_UNSIGNED;
	if (q->old > c->size) {
		(void)error_set(err, E_INVALID, "old %" PRIu64 ": more than %" PRIu64, q->old,
				c->size);
		return WITNESS_MALFORMED;
	}
	if (q->old != last->size) {
		(void)error_set(err, E_EXISTS, "old %" PRIu64 ": cosigned last was %" PRIu64,
				q->old, last->size);
		return WITNESS_CONFLICT;
	}
	if (last->size == 0)
		merkle_empty(&root);
	r = merkle_check_consistency(q->old, &root, c->size, &c->root, &q->proof, err);
	return r == E_UNTRUSTED ? WITNESS_UNPROVEN : r < 0 ? r : WITNESS_COSIGN;
}
