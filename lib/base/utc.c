/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/utc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define UTC_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

enum { HOUR_S = 3600, MINUTE_S = 60, YEAR_MIN = 1970 };

/* Days since 1970-01-01 of a proleptic Gregorian date (years counted from March). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

static bool number(const char *text, int len, int *out)
{
	int v = 0;

	for (int i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
	}
	*out = v;
	return true;
}

bool utc_parse(const char *text, int64_t *out)
{
	int year, month, day, hour, minute, second;
	int y, m, d;

	if (!text || strlen(text) != UTC_LEN || text[4] != '-' || text[7] != '-' ||
	    text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z')
		return false;
	if (!number(text, 4, &year) || !number(text + 5, 2, &month) || !number(text + 8, 2, &day) ||
	    !number(text + 11, 2, &hour) || !number(text + 14, 2, &minute) ||
	    !number(text + 17, 2, &second))
		return false;
	if (year < YEAR_MIN || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    minute > 59 || second > 59)
		return false;

	int64_t days = days_from_civil(year, month, day);
	civil_from_days(days, &y, &m, &d);
	if (y != year || m != month || d != day) /* such as 30 February */
		return false;
	*out = days * DAY_S + hour * HOUR_S + minute * MINUTE_S + second;
	return true;
}

void utc_format(int64_t at, char out[UTC_SIZE])
{
	int64_t t = at < 0 ? 0 : at > UTC_MAX ? UTC_MAX : at;
	int s = (int)(t % DAY_S);
	int year, month, day;
	char text[80];

	civil_from_days(t / DAY_S, &year, &month, &day);
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day,
		       s / HOUR_S, s % HOUR_S / MINUTE_S, s % MINUTE_S);
	memcpy(out, text, UTC_LEN);
	out[UTC_LEN] = '\0';
}

int64_t utc_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec;
}
