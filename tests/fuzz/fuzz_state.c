/* SPDX-License-Identifier: Apache-2.0 */
/* covers: client/state.c */
#include "client/state.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s;

	if (state_parse(data, size, &s, NULL) == 0)
		(void)consent_holds(&s, "a", &s.offer);
	return 0;
}
