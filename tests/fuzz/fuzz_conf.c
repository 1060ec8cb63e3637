/* SPDX-License-Identifier: Apache-2.0 */
/* covers: client/conf.c */
#include "client/conf.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c = {.dir = -1};

	if (conf_parse((const char *)data, size, "client.conf", &c, NULL) == 0)
		conf_clear(&c);
	return 0;
}
