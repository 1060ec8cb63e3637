/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/texts.h"

#include "lib/base/compiler.h"

json_t *json_texts(const char *const *items, size_t n)
{
	json_auto_t *out = json_array();

	for (size_t i = 0; out && i < n; i++)
		if (json_array_append_new(out, json_string(items[i])) < 0)
			return NULL;
	return steal(out);
}

bool json_text_ok(const char *text)
{
	json_auto_t *v = json_string(text);

	return v != NULL;
}
