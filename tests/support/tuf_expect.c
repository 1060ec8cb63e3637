/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tuf_expect.h"

#include <string.h>

#include "tests/unit/unit.h"

void assert_refreshes(struct tuf_sim *s)
{
	struct error err = {0};
	int r = sim_refresh(s, &err);

	if (r < 0)
		print_error("refresh: %s\n", err.text);
	assert_int_equal(r, 0);
}

void assert_refuses(struct tuf_sim *s, int code, const char *part)
{
	struct error err = {0};
	int r = sim_refresh(s, &err);

	if (r != code || !strstr(err.text, part))
		print_error("refresh: %d: %s\n", r, err.text);
	assert_error(r, code, &err, part);
}

void assert_trusts(struct tuf_sim *s, int root, int timestamp, int snapshot, int targets)
{
	assert_int_equal(sim_trusts(s, "root"), root);
	assert_int_equal(sim_trusts(s, "timestamp"), timestamp);
	assert_int_equal(sim_trusts(s, "snapshot"), snapshot);
	assert_int_equal(sim_trusts(s, "targets"), targets);
}

void assert_finds(struct tuf_sim *s, const char *path, const char *where)
{
	struct error err = {0};
	char role[SIM_ROLE_SIZE] = "";
	int r = sim_find(s, path, role, &err);

	if (r < 0)
		print_error("%s: %s\n", path, err.text);
	assert_int_equal(r, 0);
	assert_string_equal(role, where);
}

void assert_misses(struct tuf_sim *s, const char *path, int code, const char *part)
{
	struct error err = {0};
	char role[SIM_ROLE_SIZE];
	int r = sim_find(s, path, role, &err);

	if (r != code || !strstr(err.text, part))
		print_error("%s: %d: %s\n", path, r, err.text);
	assert_error(r, code, &err, part);
}
