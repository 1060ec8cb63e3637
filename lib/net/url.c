/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/url.h"

#include <string.h>

#include "lib/base/compiler.h"

bool url_ok(const char *url)
{
	static const char *const starts[] = {"https://", "http://", "file:///"};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		size_t len = strlen(starts[i]);

		if (strncmp(url, starts[i], len) == 0 && (i == 2 || url[len]))
			return true;
	}
	return false;
}
