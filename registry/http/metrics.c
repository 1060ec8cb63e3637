/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/metrics.h"

#include <inttypes.h>

void metrics_count(struct metrics *m, unsigned status)
{
	if (status >= METRICS_STATUS_MIN && status <= METRICS_STATUS_MAX)
		(void)atomic_fetch_add_explicit(&m->status[status - METRICS_STATUS_MIN], 1,
						memory_order_relaxed);
}

static int write_one(struct buf *out, const char *name, const char *type, const char *help,
		     uint64_t value, struct error *err)
{
	return buf_printf(out, err,
			  "# HELP bequest_%s %s\n# TYPE bequest_%s %s\nbequest_%s %" PRIu64 "\n",
			  name, help, name, type, name, value);
}

static int write_statuses(struct metrics *m, struct buf *out, struct error *err)
{
	int r = buf_puts(out,
			 "# HELP bequest_http_requests_total Requests answered, by status.\n"
			 "# TYPE bequest_http_requests_total counter\n",
			 err);

	for (unsigned i = 0; r == 0 && i <= METRICS_STATUS_MAX - METRICS_STATUS_MIN; i++) {
		uint64_t n = atomic_load(&m->status[i]);

		if (n)
			r = buf_printf(out, err,
				       "bequest_http_requests_total{status=\"%u\"} %" PRIu64 "\n",
				       i + METRICS_STATUS_MIN, n);
	}
	return r;
}

int metrics_write(struct metrics *m, const struct metrics_now *now, struct buf *out,
		  struct error *err)
{
	int64_t up = now->now > m->started ? now->now - m->started : 0;
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{"uptime_seconds", "gauge", "Since the server started.", (uint64_t)up},
		{"http_connections", "gauge", "Open now.", now->connections},
		{"http_timeouts_total", "counter", "Connections ended for being late.",
		 atomic_load(&m->timeouts)},
		{"http_refused_total", "counter", "Connections beyond the bound of their address.",
		 atomic_load(&m->refused)},
		{"http_received_bytes_total", "counter", "Of request bodies.",
		 atomic_load(&m->received)},
		{"documents_total", "counter", "Documents taken since the server started.",
		 atomic_load(&m->documents)},
		{"log_size", "gauge", "Leaves of the log, one for each published document.",
		 now->log_size},
	};
	int r = write_statuses(m, out, err);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = write_one(out, rows[i].name, rows[i].type, rows[i].help, rows[i].value, err);
	return r;
}
