/* SPDX-License-Identifier: Apache-2.0 */
/* confirm, rollback: after a boot into a new slot. */
#include <stdio.h>

#include "client/health.h"
#include "client/verbs.h"
#include "lib/base/error.h"
#include "lib/json/print.h"

int verb_print_slot(const struct cli_call *call, const struct device *d, const char *what,
		    enum slot s, struct error *err)
{
	const struct slot_record *r = &d->st.slot[s];
	char slot[2] = {slot_letter(s), '\0'};

	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "state", what, "slot",
					    slot, "version", r->version),
				  err);
	(void)printf("slot %c, version %s: %s\n", slot[0], r->version[0] ? r->version : "unknown",
		     what);
	return 0;
}

static int confirm(const struct cli_call *call, struct device *d, struct error *err)
{
	enum slot s = d->boot.running;
	struct slot_record *now = &d->st.slot[s];
	bool first = now->status == SLOT_READY;
	int r = 0;

	if (d->conf.health)
		r = health_check(d->conf.health, d->conf.folder, d->conf.health_timeout_s, err);
	if (r < 0)
		return error_prefix(err, r, "slot %c is not confirmed", slot_letter(s));
	r = backend_confirm(d->backend, err);
	if (r == 0 && now->status != SLOT_GOOD) {
		now->status = SLOT_GOOD;
		if (d->st.waiting.kind == WAITING_UPDATE)
			state_wait(&d->st, WAITING_NOTHING, "", "%s", "");
		r = device_save(d, err);
	}
	if (r == 0 && first)
		r = device_note(d, "confirmed", err, "%s in slot %c", now->version, slot_letter(s));
	return r == 0 ? verb_print_slot(call, d, "confirmed", s, err) : r;
}

int verb_confirm(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	r = confirm(call, &d, err);
	return verb_end(&d, "confirm", r, err);
}

/* What is set aside is not installed again by itself. */
static int go_back(struct device *d, enum slot to, struct error *err)
{
	enum slot aside = slot_other(to);
	struct slot_record *r = &d->st.slot[aside];
	bool untried = r->status == SLOT_READY;
	int e;

	state_fail(&d->st, r);
	if (untried)
		r->status = SLOT_FAILED;
	if (d->st.waiting.kind == WAITING_UPDATE)
		state_wait(&d->st, WAITING_NOTHING, "", "%s", "");
	e = device_save(d, err);
	if (e == 0)
		e = device_note(d, "rollback", err, "to slot %c, %s", slot_letter(to),
				d->st.slot[to].version[0] ? d->st.slot[to].version : "unknown");
	if (e == 0)
		e = backend_start(d->backend, to, untried, err);
	return e;
}

static int rollback(const struct cli_call *call, struct device *d, struct error *err)
{
	enum slot running = d->boot.running, other = slot_other(running);
	enum slot to = other;
	int r;

	/* An image that was never started: back means to stay. */
	if (d->st.slot[other].status == SLOT_READY)
		to = running;
	else if (d->st.slot[other].status != SLOT_GOOD)
		return error_set(err, E_NOTYET, "slot %c: holds nothing that is known to be good",
				 slot_letter(other));
	r = go_back(d, to, err);
	return r == 0 ? verb_print_slot(call, d, "starts at the next boot", to, err) : r;
}

int verb_rollback(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	r = rollback(call, &d, err);
	return verb_end(&d, "rollback", r, err);
}
