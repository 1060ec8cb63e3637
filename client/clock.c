/* SPDX-License-Identifier: Apache-2.0 */
#include "client/clock.h"

#include "lib/base/utc.h"

#ifndef BUILD_DATE /* set by the Makefile for this file alone */
#define BUILD_DATE 0
#endif

/* Longer than a device runs what it was sold with; a clock beyond that was never set. */
#define PLAUSIBLE_S (INT64_C(30) * 366 * DAY_S)

int64_t clock_built(void)
{
	return BUILD_DATE;
}

bool clock_plausible(const struct clock_view *v)
{
	if (!v->trusted || v->system <= 0)
		return false;
	return !v->built || (v->system >= v->built && v->system - v->built <= PLAUSIBLE_S);
}

int64_t clock_now(const struct clock_view *v, const char **source)
{
	int64_t now = 0;

	*source = "none";
	if (v->built > now) {
		now = v->built;
		*source = "build";
	}
	if (v->witnessed > now) {
		now = v->witnessed;
		*source = "witnesses";
	}
	if (clock_plausible(v) && v->system >= now) {
		now = v->system;
		*source = "clock";
	}
	return now;
}

int64_t clock_age(const struct clock_view *v)
{
	if (!v->witnessed || !clock_plausible(v) || v->system < v->witnessed)
		return -1;
	return v->system - v->witnessed;
}
