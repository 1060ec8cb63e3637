/* SPDX-License-Identifier: Apache-2.0 */
/* handover show, accept, refuse: the evidence, and the owner's word. */
#include <inttypes.h>
#include <stdio.h>

#include "client/handover.h"
#include "client/verbs.h"
#include "lib/base/error.h"
#include "lib/json/print.h"

static int print_json(const struct device *d, const struct handover *h, struct error *err)
{
	json_t *j = json_null();
	int r = h->present ? handover_describe(d, h, &j, err) : 0;

	if (r < 0)
		return r;
	return json_print(json_pack("{s:b, s:I, s:o}", "ok", 1, "root_version",
				    (json_int_t)d->root->version, "handover", j),
			  err);
}

static int print(const struct cli_call *call, const struct device *d, const struct handover *h,
		 struct error *err)
{
	if (call->json)
		return print_json(d, h, err);
	if (h->present)
		return handover_print(d, h, err);
	(void)puts("no change of publisher is offered");
	return 0;
}

int verb_handover_show(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	CLEANUP(check_clear) struct check c = {0};
	const struct check_options o = {.trust_only = true, .from = v->from};
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r == 0)
		r = check_run(&d, &o, &c, err);
	if (r == 0)
		r = device_save(&d, err);
	return r == 0 ? print(call, &d, &c.trust.handover, err) : r;
}

/* Consent is durable before the network is asked, so that a failure there costs nothing. */
static int consent(struct device *d, struct error *err)
{
	struct consent *c = &d->st.consent;

	*c = (struct consent){.to = d->st.offer, .at = d->clock};
	(void)snprintf(c->product, sizeof(c->product), "%s", d->conf.product);
	(void)snprintf(c->by, sizeof(c->by), "owner");
	d->st.refused = (struct offer){0};
	return device_save(d, err);
}

static int accepted(const struct cli_call *call, const struct device *d, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r = who ? publisher_read(d->root, "root.json", who, err) : error_nomem(err);

	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:{s:s, s:s}, s:I}", "ok", 1, "publisher", "id",
					    who->id, "kind", publisher_kind_name(who->kind),
					    "root_version", (json_int_t)d->root->version),
				  err);
	(void)printf("%s is trusted now, by root %" PRId64 "\n", who->id, d->root->version);
	return 0;
}

static int accept(const struct cli_call *call, struct device *d, struct error *err)
{
	const struct verb_options *v = call->opt;
	const struct check_options o = {.trust_only = true, .from = v->from};
	CLEANUP(check_clear) struct check c = {0};
	struct offer agreed = d->st.offer;
	int r;

	if (!agreed.bridge[0])
		return error_set(err, E_NOTYET,
				 "no change of publisher was shown on this device: "
				 "see `handover show`");
	r = consent(d, err);
	if (r == 0)
		r = check_run(d, &o, &c, err);
	if (r < 0)
		return r;
	if (!c.trust.handover.present)
		return accepted(call, d, err);
	r = print(call, d, &c.trust.handover, err);
	if (r < 0)
		return r;
	if (!offer_same(&agreed, &c.trust.handover.offer))
		(void)fputs("bequest-client: what is offered now differs from what was shown: "
			    "read it, then accept again\n",
			    stderr);
	return EXIT_DENIED;
}

int verb_handover_accept(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	r = accept(call, &d, err);
	return verb_end(&d, "handover accept", r, err);
}

static int refuse(const struct cli_call *call, struct device *d, struct error *err)
{
	int r;

	if (!d->st.offer.bridge[0])
		return error_set(err, E_NOTYET,
				 "no change of publisher was shown on this device: "
				 "see `handover show`");
	d->st.refused = d->st.offer;
	d->st.consent = (struct consent){0};
	state_wait(&d->st, WAITING_HANDOVER, d->st.offer.bridge,
		   "the owner refused it: `handover accept` takes that back");
	r = device_note(d, "refused", err, "the change of publisher by bridge root %.16s...",
			d->st.offer.bridge);
	if (r == 0)
		r = device_save(d, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s}", "ok", 1, "refused", d->st.offer.bridge),
				  err);
	(void)puts("refused; the present publisher stays, and so do its updates");
	return 0;
}

int verb_handover_refuse(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	r = refuse(call, &d, err);
	return verb_end(&d, "handover refuse", r, err);
}
