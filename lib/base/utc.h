/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utc - instants as signed documents write them: YYYY-MM-DDTHH:MM:SSZ, no other form
 *
 * In memory an instant is int64_t seconds since the Unix epoch, also where time_t has 32 bits.
 */
#ifndef LIB_BASE_UTC_H
#define LIB_BASE_UTC_H

#include <stdbool.h>
#include <stdint.h>

enum { UTC_LEN = 20, UTC_SIZE = 21, DAY_S = 86400 };

/* Years 1970 to 9999, real dates only, seconds 0 to 59. */
bool utc_parse(const char *text, int64_t *out);

/* Write an instant of that range; outside of it the nearest end is written. */
void utc_format(int64_t at, char out[UTC_SIZE]);

/*
 * The system's clock. Callers near main() read it once and pass it down: the small library of
 * verification does not have this function.
 */
int64_t utc_now(void);

#endif
