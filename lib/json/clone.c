/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/clone.h"

#include "lib/base/error.h"

int json_clone(const json_t *from, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *copy = json_deep_copy(from);

	if (!copy || !json_equal(copy, from))
		return error_nomem(err);
	*out = steal(copy);
	return 0;
}
