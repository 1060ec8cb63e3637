/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/print.h"

#include <stdio.h>

#include "lib/base/error.h"

int json_print(json_t *o_take, struct error *err)
{
	json_auto_t *o = o_take;

	if (!o)
		return error_nomem(err);
	if (json_dumpf(o, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF)
		return error_errno(err, errno, "standard output");
	return 0;
}
