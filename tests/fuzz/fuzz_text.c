/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small texts inside documents, two lines of input: versions and rules, times, hex
 * and base64, addresses, names in trees. What has one meaning has one form.
 *
 * covers: lib/base/version.c lib/base/utc.c lib/base/hex.c lib/net/url.c
 * registry/sources/treename.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/base/version.h"
#include "lib/net/url.h"
#include "registry/sources/treename.h"
#include "tests/fuzz/fuzz.h"

static void versions(const char *a, const char *b)
{
	struct error err;
	bool fits = false;

	if (!version_ok(a))
		return;
	assert(version_compare(a, a) == 0);
	(void)!version_fits(a, b, &fits, &err);
	if (!version_ok(b))
		return;
	/* Order is the same from both sides, and a rule says what the order says. */
	int ab = version_compare(a, b), ba = version_compare(b, a);
	assert((ab < 0) == (ba > 0) && (ab == 0) == (ba == 0));

	char rule[VERSION_MAX + 3] = ">=";
	memcpy(rule + 2, b, strlen(b) + 1);
	if (version_fits(a, rule, &fits, &err) == 0)
		assert(fits == (ab >= 0));
}

static void codes(const char *text, size_t len)
{
	CLEANUP(buf_clear) struct buf raw = {0};
	CLEANUP(buf_clear) struct buf back = {0};
	char at[UTC_SIZE];
	int64_t when;

	if (utc_parse(text, &when)) {
		utc_format(when, at);
		assert(strcmp(at, text) == 0);
	}
	if (base64_decode(text, len, &raw, NULL) == 0) {
		assert(base64_encode(raw.data ? raw.data : "", raw.len, &back, NULL) == 0);
		assert(back.len == len && memcmp(back.data, text, len) == 0);
	}
	if (len % 2 == 0 && hex_is(text, len)) {
		CLEANUP(freep) char *bytes = malloc(len / 2 + 1);
		CLEANUP(freep) char *again = malloc(len + 1);

		assert(bytes && again && hex_decode(text, bytes, len / 2));
		hex_encode(bytes, len / 2, again);
		assert(strcmp(again, text) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *a = strndup((const char *)data, size);
	char *b = a ? strchr(a, '\n') : NULL;

	if (!a)
		return 0;
	if (b)
		*b++ = '\0';
	versions(a, b ? b : "");
	codes(a, strlen(a));
	(void)url_ok(a);
	if (!treename_fault((const char *)data, size))
		assert(size > 0 && !memchr(data, '/', size));
	if (file_path_ok(a))
		assert(*a && *a != '/' && !strstr(a, "/../"));
	return 0;
}
