/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - give a program another time of day
 *
 * Preloaded. $CLOCK_AT is what the system's clock says, in seconds since 1970; other clocks are
 * left alone. Without $CLOCK_AT nothing happens.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *out)
{
	int (*next)(clockid_t, struct timespec *);
	void *p = dlsym(RTLD_NEXT, "clock_gettime");
	const char *at = getenv("CLOCK_AT");

	memcpy(&next, &p, sizeof(p));
	if (id != CLOCK_REALTIME || !at)
		return next(id, out);
	*out = (struct timespec){.tv_sec = (time_t)strtoll(at, NULL, 10)};
	return 0;
}
