/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/clone.h"

#include "lib/base/compiler.h"

json_t *json_clone(const json_t *from)
{
	CLEANUP(json_decrefp) json_t *copy = json_deep_copy(from);

	return json_equal(copy, from) ? steal(copy) : NULL;
}
