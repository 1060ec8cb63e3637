/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/monitor/monitor.h"

#include "lib/base/utc.h"

enum { HOUR_S = 3600 };

/* Online roles are renewed at half of their time: so what is left is never less, while all is well.
 */
const struct monitor_limits monitor_defaults = {
	.root = 60 * (int64_t)DAY_S,
	.targets = 14 * (int64_t)DAY_S,
	.snapshot = 3 * (int64_t)DAY_S,
	.timestamp = 6 * (int64_t)HOUR_S,
	.grace = HOUR_S,
	.remind = DAY_S,
	.leaves = 1000000,
};

void monitor_clear(struct monitor *m)
{
	for (size_t i = 0; i < m->n; i++) {
		buf_clear(&m->vantage[i].note);
		m->vantage[i].reached = false;
	}
	json_decref(m->online);
	free(m->tiles);
	m->online = NULL;
	m->tiles = NULL;
	m->lead = NULL;
}

int monitor_look(struct monitor *m, struct error *err)
{
	int r;

	monitor_clear(m);
	m->incomplete = false;
	r = monitor_heads(m, err);
	if (r < 0 || !m->lead)
		return r;
	r = monitor_walk(m, err);
	if (r == 0)
		r = monitor_documents(m, err);
	return r < 0 ? r : monitor_fresh(m, err);
}
