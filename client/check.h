/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - look for news, and install what the owner's policy allows
 *
 * One mirror after the other: a mirror that is slow, stale or lying costs one
 * attempt. First the configured ones in order, then those that the trusted root
 * names; then once more those that showed less of the log than they should, and last the one
 * whose metadata is past its expiry by the fewest days. What a mirror said is forgotten before
 * the next one is asked, but for what was verified.
 */
#ifndef CLIENT_CHECK_H
#define CLIENT_CHECK_H

#include "client/pick.h"
#include "client/trust.h"

struct error;

struct check_options {
	bool trust_only; /* follow the root chain, and look for no updates */
	bool install;
	bool yes;         /* the owner says yes to what the policy asks about updates */
	const char *from; /* a folder to read instead of the mirrors; NULL: the mirrors */
	progress_fn progress;
	void *ctx;
};

struct check {
	struct trust trust;
	struct pick pick;
	int64_t root_before; /* version of the trusted root at the start */
	bool published;      /* there are targets at all */
	bool allowed;        /* the policy allows installing now */
	bool next;           /* the picked image is in the other slot and starts next */
	bool installed;      /* it was put there just now */
	/* The metadata is past its expiry, and no mirror has fresher: what, since when; or "". */
	char stale[STATE_STALE_MAX + 1];
};

/*
 * What was found; release with check_clear(). What was learned on the way is in
 * d->st, on failure too, for the caller to save. E_DENIED: the policy refuses an
 * update. E_NOTYET: the metadata is stale and nobody said that this is fine.
 * Success with out->trust.log set: no mirror shows the log as it should be, and updates were
 * looked for all the same; with `trust_only` that is a failure.
 */
MUSTCHECK int check_run(struct device *d, const struct check_options *o, struct check *out,
			struct error *err);
void check_clear(struct check *c); /* all but root_before */

#endif
