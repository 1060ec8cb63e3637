/* SPDX-License-Identifier: Apache-2.0 */
/* status, why, history, time reset: what there is to know. */
#include <inttypes.h>
#include <stdio.h>

#include "client/history.h"
#include "client/verbs.h"
#include "client/why.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"

static void unref(json_t **j)
{
	json_decref(*j);
}

/* --- status ------------------------------------------------------------------- */

/* An instant as text, or null for 0. */
static json_t *time_json(int64_t at)
{
	char text[UTC_SIZE];

	if (!at)
		return json_null();
	utc_format(at, text);
	return json_string(text);
}

static json_t *waiting_json(const struct state *st)
{
	if (st->waiting.kind == WAITING_NOTHING)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "kind", waiting_name(st->waiting.kind), "id",
			 st->waiting.id, "reason", st->waiting.reason);
}

static json_t *last_json(const struct state *st)
{
	if (!st->last.verb[0])
		return json_null();
	return json_pack("{s:s, s:I, s:o}", "verb", st->last.verb, "exit",
			 (json_int_t)st->last.exit, "at", time_json(st->last.at));
}

static json_t *time_status(const struct device *d)
{
	const struct clock_view clock = device_clock(d);
	const char *source;
	int64_t now = clock_now(&clock, &source);
	int64_t age = clock_age(&clock);

	return json_pack("{s:o, s:s, s:o, s:o}", "now", time_json(now), "source", source,
			 "witnessed", time_json(clock.witnessed), "age",
			 age < 0 ? json_null() : json_integer((json_int_t)age));
}

static int status_json(const struct device *d, const struct publisher *who, struct error *err)
{
	const struct slot_record *r = device_installed(d);
	char slot[2] = {slot_letter(d->boot.running), '\0'};

	return json_print(
		json_pack(
			"{s:s, s:{s:s, s:s}, s:I, s:{s:s?, s:s?, s:s}, s:o, s:s?, s:s?, s:o, s:o}",
			"product", d->conf.product, "publisher", "id", who->id, "kind",
			publisher_kind_name(who->kind), "root_version",
			(json_int_t)d->root->version, "installed", "version",
			r->version[0] ? r->version : NULL, "sha256",
			r->sha256[0] ? r->sha256 : NULL, "slot", slot, "waiting",
			waiting_json(&d->st), "stale", d->st.stale[0] ? d->st.stale : NULL, "log",
			d->st.log[0] ? d->st.log : NULL, "time", time_status(d), "last",
			last_json(&d->st)),
		err);
}

static void print_slot(const struct device *d, const char *title, enum slot s)
{
	const struct slot_record *r = &d->st.slot[s];

	(void)printf("%s slot %c, version %s, %s\n", title, slot_letter(s),
		     r->version[0] ? r->version : "unknown", slot_status_name(r->status));
}

/* What time it is, who says so, and how old that can be. */
static void print_time(const struct device *d)
{
	const struct clock_view clock = device_clock(d);
	char text[UTC_SIZE], vouched[UTC_SIZE];
	const char *source;
	int64_t now = clock_now(&clock, &source);
	int64_t age = clock_age(&clock);

	utc_format(now, text);
	utc_format(clock.witnessed, vouched);
	if (strcmp(source, "none") == 0)
		(void)puts("time        unknown");
	else if (strcmp(source, "clock") == 0)
		(void)printf("time        %s, by the clock of this device\n", text);
	else
		(void)printf("time        not before %s, %s; nothing here tells how much later\n",
			     text,
			     strcmp(source, "build") == 0 ? "when this program was made"
							  : "by the witnesses of the log");
	if (clock.trusted && !clock_plausible(&clock))
		(void)puts("            the clock of this device cannot be right: set it");
	if (age >= 0)
		(void)printf("            the witnesses of the log vouched for %s, %" PRId64
			     " days before\n",
			     vouched, age / DAY_S);
}

static void print_status(const struct device *d, const struct publisher *who)
{
	char text[UTC_SIZE];

	(void)printf("product     %s\npublisher   ", d->conf.product);
	log_escaped(stdout, who->name);
	utc_format(d->st.since, text);
	(void)printf(" (%s, %s), root %" PRId64 ", trusted since %s\n", who->id,
		     publisher_kind_name(who->kind), d->root->version, text);
	print_slot(d, "runs       ", d->boot.running);
	print_slot(d, "other      ", slot_other(d->boot.running));
	if (d->boot.next != d->boot.running)
		(void)printf("next boot   slot %c\n", slot_letter(d->boot.next));
	if (d->st.waiting.kind != WAITING_NOTHING)
		(void)printf("waiting     %s: %s\n", waiting_name(d->st.waiting.kind),
			     d->st.waiting.reason);
	if (d->st.stale[0])
		(void)printf("stale       %s\n", d->st.stale);
	if (d->st.log[0])
		(void)printf("log         %s\n            updates of the present publisher go on; "
			     "no other root is followed on the word of this log\n",
			     d->st.log);
	print_time(d);
	utc_format(d->st.last.at, text);
	if (d->st.last.verb[0])
		(void)printf("last        %s, exit %" PRId64 ", %s\n", d->st.last.verb,
			     d->st.last.exit, text);
}

int verb_status(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r = who ? device_open(v->config, DEVICE_LOOK, &d, err) : error_nomem(err);

	if (r == 0)
		r = publisher_read(d.root, "root.json", who, err);
	if (r < 0)
		return r;
	if (call->json)
		return status_json(&d, who, err);
	print_status(&d, who);
	return 0;
}

/* --- why ---------------------------------------------------------------------- */

static int explain(const char *title, const json_t *tree, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r;

	if (!json_is_object(tree))
		return 0;
	r = policy_explain(tree, false, &text, err);
	if (r < 0)
		return r;
	(void)printf("%s\n%s", title, text.data ? text.data : "");
	return 0;
}

static void print_targets(const json_t *targets)
{
	static const char *const parts[] = {"target", "version", "answer", "text"};
	const json_t *one;
	size_t i;

	if (json_array_size(targets))
		(void)puts("images:");
	json_array_foreach(targets, i, one)
	{
		for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
			const char *text = json_string_value(json_object_get(one, parts[p]));

			(void)fputs(p ? ", " : "  ", stdout);
			log_escaped(stdout, text ? text : "?");
		}
		(void)putchar('\n');
	}
}

int verb_why(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	CLEANUP(unref) json_t *why = NULL;
	const json_t *handover, *update;
	int r = device_open(v->config, DEVICE_LOOK, &d, err);

	if (r == 0)
		r = why_read(&d, &why, err);
	if (r < 0)
		return r;
	if (call->json) {
		if (json_object_set_new(why, "stale",
					d.st.stale[0] ? json_string(d.st.stale) : json_null()) < 0)
			return error_nomem(err);
		return json_print(steal(why), err);
	}
	handover = json_object_get(why, "handover");
	update = json_object_get(why, "update");
	if (json_is_null(handover) && json_is_null(update))
		(void)puts("nothing was decided on this device yet");
	r = explain("change of publisher, by the deposit's release policy:",
		    json_object_get(handover, "release"), err);
	if (r == 0)
		r = explain("change of publisher, by the policy of this device:",
			    json_object_get(handover, "owner"), err);
	if (r == 0)
		r = explain("update, by the policy of this device:",
			    json_object_get(update, "policy"), err);
	if (r == 0)
		print_targets(json_object_get(update, "targets"));
	if (d.st.stale[0])
		(void)printf("metadata:\n  %s\n", d.st.stale);
	return r;
}

/* --- history ------------------------------------------------------------------ */

int verb_history(const struct cli_call *call, struct error *err)
{
	static const char *const parts[] = {"at", "event", "text"};
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	CLEANUP(unref) json_t *all = NULL;
	const json_t *one;
	size_t i;
	int r = device_open(v->config, DEVICE_LOOK, &d, err);

	if (r == 0 && d.dir >= 0)
		r = history_read(d.dir, &all, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:O?}", "history", all), err);
	json_array_foreach(all, i, one)
	{
		for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
			const char *text = json_string_value(json_object_get(one, parts[p]));

			(void)fputs(p ? "  " : "", stdout);
			log_escaped(stdout, text ? text : "?");
		}
		(void)putchar('\n');
	}
	return 0;
}

/* --- time reset --------------------------------------------------------------- */

int verb_time_reset(const struct cli_call *call, struct error *err)
{
	const struct verb_options *v = call->opt;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = device_open(v->config, DEVICE_CHANGE, &d, err);

	if (r < 0)
		return r;
	d.st.witnessed = 0;
	r = device_note(&d, "time-reset", err, "what witnesses said of the time is forgotten");
	if (r == 0 && call->json)
		r = json_print(json_pack("{s:b}", "ok", 1), err);
	return verb_end(&d, "time reset", r, err);
}
