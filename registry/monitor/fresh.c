/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices are given now: nothing but what is logged, not older than that, and good for
 * a while yet. And whether the deposit still fits the product.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "registry/monitor/eye.h"

enum { PRODUCTS_A_LOOK = 1000 };

static void eye_clear(struct eye *e)
{
	tuf_root_free(e->root);
	free(e->who);
}

/* --- what is served --------------------------------------------------------------------- */

/* Is there a root that the log does not have? */
static int check_unlogged(struct eye *e, struct error *err)
{
	struct happening h = eye_about(e, LEVEL_ALARM, "unlogged", "root");
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error why = {0};
	char name[64];
	int r;

	(void)snprintf(name, sizeof(name), "%" PRId64 ".root.json", e->w.root + 1);
	r = eye_read(e, name, TUF_ROOT_MAX, &bytes, &why);
	if (r == 1)
		return monitor_fine(e->m, "unlogged", h.scope, err);
	if (r == 2)
		return 0;
	if (r < 0 && r != E_INVALID)
		return error_set(err, r, "%s", why.text);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err,
			       "metadata/%s is served, but root %" PRId64
			       " is the last one in the log",
			       name, e->w.root);
}

/* --- the rest --------------------------------------------------------------------------- */

/* A device follows this root only by proofs that the root's own witnesses cosigned. */
static int check_quorum(struct eye *e, struct error *err)
{
	struct happening h = eye_about(e, LEVEL_ALARM, "quorum", "root");
	const struct log_policy p = {e->m->log, e->who->witnesses, e->who->nwitnesses,
				     e->who->witness_threshold};
	struct error why = {0};

	if (checkpoint_verify(&e->m->lead->head, &p, NULL, &why) == 0)
		return monitor_fine(e->m, "quorum", h.scope, err);
	h.patience = e->m->limits.grace;
	return monitor_trouble(e->m, &h, err, "the witnesses of root %" PRId64 ": %s", e->w.root,
			       why.text);
}

/* Does what was deposited still fit? A product that stewards keep needs none. */
static int check_escrow(struct eye *e, struct error *err)
{
	const struct happening h = eye_about(e, LEVEL_WARNING, "stale-escrow", "deposit");
	char at[UTC_SIZE];

	if (!e->w.deposit[0] || e->who->kind != PUBLISHER_VENDOR)
		return monitor_fine(e->m, "stale-escrow", h.scope, err);
	if (strcmp(e->w.follows, e->w.root_id) != 0)
		return monitor_trouble(e->m, &h, err,
				       "the deposit does not follow root %" PRId64
				       ": it could never be used; it takes a new one",
				       e->w.root);
	if (!e->w.refresh_by || e->w.refresh_by > e->m->now)
		return monitor_fine(e->m, "stale-escrow", h.scope, err);
	utc_format(e->w.refresh_by, at);
	return monitor_trouble(e->m, &h, err, "the deposit was to be refreshed by %s", at);
}

/* Was anything ever published that devices would fetch? */
static int has_targets(struct eye *e, bool *out, struct error *err)
{
	char of[MEMORY_NAME_SIZE];
	int64_t last = 0;
	int r;

	(void)snprintf(of, sizeof(of), "%s/targets/targets/%" PRId64, e->w.id, e->w.tenure);
	r = version_last(e->m, of, &last, err);
	*out = last > 0;
	return r;
}

static int look_at(struct monitor *m, const char *product, struct error *err)
{
	CLEANUP(eye_clear) struct eye e = {.m = m};
	bool targets = false;
	struct error why = {0};
	int r = watched_load(m, product, &e.w, err);

	/* Not before all of its roots are known: what they signed would look wrong. */
	if (r < 0 || !e.w.root || e.w.root != e.w.top_root)
		return r;
	e.who = calloc(1, sizeof(*e.who));
	if (!e.who)
		return error_nomem(err);
	r = watched_root(m, product, e.w.root_id, &e.root, err);
	if (r == 0 && publisher_read(e.root, "root.json", e.who, &why) < 0)
		return 0; /* told when it was logged */
	if (r == 0)
		r = eye_expiry(&e,
			       &(struct validity){"root", "root", e.root->expires, m->limits.root},
			       err);
	if (r == 0)
		r = check_unlogged(&e, err);
	if (r == 0)
		r = check_quorum(&e, err);
	if (r == 0)
		r = check_escrow(&e, err);
	if (r == 0)
		r = has_targets(&e, &targets, err);
	if (r == 0 && targets)
		r = eye_served(&e, err);
	e.w.looked = m->now;
	return r < 0 ? r : watched_save(m, &e.w, err);
}

/* Of very many products each has its turn. */
int monitor_fresh(struct monitor *m, struct error *err)
{
	CLEANUP(buf_clear) struct buf last = {0};
	char name[MEMORY_NAME_SIZE] = "p/", first[MEMORY_NAME_SIZE] = "";
	int r = memory_get(m->memory, "turn", &last, err);

	if (r == 0)
		(void)snprintf(name, sizeof(name), "%s", last.data ? last.data : "p/");
	for (size_t n = 0; r >= 0 && n < PRODUCTS_A_LOOK; n++) {
		r = memory_next(m->memory, "p/", name, err);
		if (r == 1) {
			(void)snprintf(name, sizeof(name), "p/");
			r = memory_next(m->memory, "p/", name, err);
		}
		if (r != 0 || strcmp(name, first) == 0)
			break;
		if (!first[0])
			(void)snprintf(first, sizeof(first), "%s", name);
		if (monitor_watches(m, name + 2))
			r = look_at(m, name + 2, err);
	}
	return r < 0 ? r : memory_put(m->memory, "turn", name, strlen(name), err);
}
