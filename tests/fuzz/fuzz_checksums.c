/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MANIFEST.sha256 of a restricted compartment, which nobody checked item by item.
 *
 * covers: escrow/items.c
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "escrow/items.h"
#include "lib/base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(items_clear) struct items items = {0};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf back = {0};
	struct error err = {0};

	if (buf_add(&text, data, size, &err) < 0 || items_add_text(&items, &text, &err) < 0)
		return 0;
	/* What was taken is what sha256sum would read: it comes out as it went in. */
	if (items_text(&items, &back, &err) == 0 &&
	    (back.len != text.len || (text.len && memcmp(back.data, text.data, text.len) != 0)))
		abort();
	(void)!items_sort(&items, &err);
	return 0;
}
