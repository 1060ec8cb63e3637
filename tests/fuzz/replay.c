/* SPDX-License-Identifier: Apache-2.0 */
/* Without libFuzzer: run the corpus once, so that it is a regression test everywhere. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/compiler.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

int main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		CLEANUP(freep) uint8_t *data = malloc(INPUT_MAX);
		FILE *f = fopen(argv[i], "rb");

		if (!data || !f) {
			perror(argv[i]);
			return 1;
		}
		size_t n = fread(data, 1, INPUT_MAX, f);
		(void)fclose(f);
		(void)LLVMFuzzerTestOneInput(data, n);
	}
	return 0;
}
