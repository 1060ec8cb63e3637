/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - what time it is, as far as a device without a good clock can know
 *
 * Now is the latest of the system's clock, if that can be true, of when this program
 * was built, and of what the witnesses said. The last alone is ever kept; the
 * others serve the expiry checks of one run. So a wrong clock closes nothing for
 * ever, and no clock at all still expires what was old when the program was made.
 */
#ifndef CLIENT_CLOCK_H
#define CLIENT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What there is to go by; seconds since the Unix epoch. */
struct clock_view {
	int64_t system;    /* the system's clock */
	bool trusted;      /* the owner says that it can be right */
	int64_t built;     /* 0: not known */
	int64_t witnessed; /* 0: nothing yet */
};

/* When this program was built: SOURCE_DATE_EPOCH, or the date of its last change; 0: not known. */
int64_t clock_built(void);

/* Can the system's clock be true: neither before the build nor decades after it? */
bool clock_plausible(const struct clock_view *v);

/* *source: "clock", "witnesses", "build", or "none" (then it is 0). */
int64_t clock_now(const struct clock_view *v, const char **source);

/*
 * How much time went by since the witnesses vouched for one, in seconds by the system's
 * clock; -1 where nothing tells: they did not, or the clock cannot be true.
 */
int64_t clock_age(const struct clock_view *v);

#endif
