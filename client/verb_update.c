/* SPDX-License-Identifier: Apache-2.0 */
/* check, update, install: look for news and act on it. */
#include <inttypes.h>
#include <stdio.h>

#include "client/handover.h"
#include "client/verbs.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/json/print.h"

const struct cli_option verb_config_options[] = {
	CLI_OPT(struct verb_options, config, CLI_TEXT, "config", "FILE",
		"configuration (default " CONF_DEFAULT_FILE ")"),
	{0},
};

const struct cli_option verb_look_options[] = {
	CLI_OPT(struct verb_options, config, CLI_TEXT, "config", "FILE",
		"configuration (default " CONF_DEFAULT_FILE ")"),
	CLI_OPT(struct verb_options, from, CLI_TEXT, "from", "FOLDER",
		"read a mirror of the tree there, and ask no network"),
	{0},
};

const struct cli_option verb_update_options[] = {
	CLI_OPT(struct verb_options, config, CLI_TEXT, "config", "FILE",
		"configuration (default " CONF_DEFAULT_FILE ")"),
	CLI_OPT(struct verb_options, yes, CLI_FLAG, "yes", NULL,
		"install even from metadata that is past its expiry"),
	{0},
};

const struct cli_option verb_install_options[] = {
	CLI_OPT(struct verb_options, config, CLI_TEXT, "config", "FILE",
		"configuration (default " CONF_DEFAULT_FILE ")"),
	CLI_NEED(struct verb_options, from, CLI_TEXT, "from", "FOLDER",
		 "a mirror of the product's tree, such as a memory stick"),
	CLI_OPT(struct verb_options, yes, CLI_FLAG, "yes", NULL,
		"install even from metadata that is past its expiry"),
	{0},
};

int verb_end(struct device *d, const char *verb, int r, struct error *err)
{
	struct error why = {0};
	int e;

	(void)snprintf(d->st.last.verb, sizeof(d->st.last.verb), "%s", verb);
	d->st.last.exit = r < 0 ? cli_exit_status(r) : r;
	d->st.last.at = d->clock;
	e = device_save(d, &why);
	if (e == 0 || r != 0)
		return r;
	if (err)
		*err = why;
	return e;
}

/* --- reporting ---------------------------------------------------------------- */

static const char *update_state(const struct check *c)
{
	if (c->installed)
		return "installed";
	if (c->next)
		return "next";
	return c->pick.found ? "available" : "postponed";
}

static json_t *update_json(const struct device *d, const struct check *c)
{
	const struct pick *p = &c->pick;
	const struct slot_record *r = p->found ? &p->image.record : &p->later_record;
	char slot[2] = {slot_letter(slot_other(d->boot.running)), '\0'};

	if (!p->found && !p->postponed)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s*}", "version", r->version, "sha256",
			 r->sha256, "size", (json_int_t)r->size, "state", update_state(c), "slot",
			 slot, "reason", p->found ? NULL : p->later);
}

static int report_json(const struct device *d, const struct check *c, struct error *err)
{
	json_t *handover = json_null();
	int r = 0;

	if (c->trust.handover.present)
		r = handover_describe(d, &c->trust.handover, &handover, err);
	if (r < 0)
		return r;
	return json_print(json_pack("{s:b, s:s, s:I, s:o, s:o, s:s, s:s}", "ok", 1, "product",
				    d->conf.product, "root_version", (json_int_t)d->root->version,
				    "handover", handover, "update", update_json(d, c), "stale",
				    c->stale, "log", d->st.log),
			  err);
}

static void print_update(const struct device *d, const struct check *c)
{
	const struct pick *p = &c->pick;
	const struct slot_record *r = &p->image.record;
	char slot = slot_letter(slot_other(d->boot.running));

	if (c->installed)
		(void)printf("%s is installed in slot %c: restart the device to try it\n",
			     r->version, slot);
	else if (c->next)
		(void)printf("%s is in slot %c and starts at the next boot\n", r->version, slot);
	else if (p->found)
		(void)printf("%s can be installed (%" PRId64 " bytes): `bequest-client update`\n",
			     r->version, r->size);
	else if (p->postponed)
		(void)printf("%s\n", p->later);
	else if (!c->published)
		(void)puts("no updates have been published");
	else
		(void)puts("nothing newer than what is installed");
}

static int report(const struct device *d, const struct check *c, struct error *err)
{
	int r = 0;

	if (d->root->version != c->root_before)
		(void)printf("root %" PRId64 " is trusted now\n", d->root->version);
	if (c->trust.handover.present)
		r = handover_print(d, &c->trust.handover, err);
	if (c->stale[0])
		log_line(LOG_WARNING, "%s", c->stale);
	if (c->trust.log.code)
		log_line(LOG_WARNING, "%s", c->trust.log.text);
	if (r == 0)
		print_update(d, c);
	return r;
}

/* --- the verbs ---------------------------------------------------------------- */

static int run(const struct cli_call *call, const char *verb, const char *config,
	       const struct check_options *o, struct error *err)
{
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	CLEANUP(check_clear) struct check c = {0};
	int r = device_open(config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	r = check_run(&d, o, &c, err);
	if (o->ctx)
		progress_end(o->ctx);
	if (r == 0)
		r = call->json ? report_json(&d, &c, err) : report(&d, &c, err);
	if (r == 0 && c.trust.log.code)
		r = cli_exit_status(c.trust.log.code);
	if (r == 0 && c.trust.handover.present)
		r = EXIT_DENIED;
	return verb_end(&d, verb, r, err);
}

int verb_check(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	const struct check_options o = {.from = v->from};

	return run(call, "check", v->config, &o, err);
}

int verb_update(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	struct progress p;
	const struct check_options o = {
		.install = true, .yes = v->yes, .progress = progress_draw, .ctx = &p};

	progress_init(&p, "installing", call->json);
	return run(call, "update", v->config, &o, err);
}

int verb_install(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	struct progress p;
	const struct check_options o = {.install = true,
					.yes = v->yes,
					.from = v->from,
					.progress = progress_draw,
					.ctx = &p};

	progress_init(&p, "installing", call->json);
	return run(call, "install", v->config, &o, err);
}
