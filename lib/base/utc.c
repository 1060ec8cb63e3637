/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/utc.h"

#include <stdio.h>
#include <string.h>

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

/* An instant as it is written. */
struct written {
	int year, month, day, hour, minute, second;
};

/* Digits and punctuation in their places? */
static bool take_apart(const char *text, struct written *w)
{
	if (strlen(text) != UTC_LEN || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
	    text[13] != ':' || text[16] != ':' || text[19] != 'Z')
		return false;
	return number(text, 4, &w->year) && number(text + 5, 2, &w->month) &&
	       number(text + 8, 2, &w->day) && number(text + 11, 2, &w->hour) &&
	       number(text + 14, 2, &w->minute) && number(text + 17, 2, &w->second);
}

/* The day of a date that the calendar has; there is no 30 February. */
static bool real_date(const struct written *w, int64_t *days)
{
	int year, month, day;

	if (w->year < YEAR_MIN || w->month < 1 || w->month > 12 || w->day < 1)
		return false;
	*days = days_from_civil(w->year, w->month, w->day);
	civil_from_days(*days, &year, &month, &day);
	return year == w->year && month == w->month && day == w->day;
}

bool utc_parse(const char *text, int64_t *out)
{
	struct written w;
	int64_t days;

	if (!text || !take_apart(text, &w) || !real_date(&w, &days))
		return false;
	if (w.hour > 23 || w.minute > 59 || w.second > 59)
		return false;
	*out = days * DAY_S + (int64_t)w.hour * HOUR_S + (int64_t)w.minute * MINUTE_S + w.second;
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
