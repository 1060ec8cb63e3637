/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "lib/base/utc.h"

int64_t utc_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec;
}
