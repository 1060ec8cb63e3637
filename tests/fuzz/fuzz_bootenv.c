/* SPDX-License-Identifier: Apache-2.0 */
/* covers: client/bootenv.c */
#include "client/bootenv.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootenv e = {0};

	if (bootenv_parse((const char *)data, size, "boot.env", &e, NULL) == 0) {
		(void)bootenv_boot(&e, 3);
		bootenv_clear(&e);
	}
	return 0;
}
