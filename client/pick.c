/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pick.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "policies/publisher.h"

enum { PERCENT = 100, TEXT_SIZE = 256, HARDWARE_MAX = 256, RECOGNISE_MAX = 32 };

static const char *const kinds[] = {"image", "delta", "bundle", NULL};

/* One target that says that it can be installed. */
struct offer_read {
	const char *version, *requires, *backend;
	int kind;
	json_t *hardware, *rollout;
	bool recall;
	const char *sha256;
	int64_t percent;
};

static int read_custom(const struct tuf_target *t, struct offer_read *o, struct error *err)
{
	static const struct field fields[] = {
		{.key = "version",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct offer_read, version),
		 .min = 1,
		 .max = VERSION_MAX},
		{.key = "hardware",
		 .kind = FIELD_ARRAY,
		 .offset = offsetof(struct offer_read, hardware),
		 .min = 1,
		 .max = HARDWARE_MAX},
		{.key = "kind",
		 .kind = FIELD_NAME,
		 .offset = offsetof(struct offer_read, kind),
		 .optional = true,
		 .names = kinds},
		{.key = "backend",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct offer_read, backend),
		 .optional = true},
		{.key = "requires",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct offer_read, requires),
		 .optional = true},
		{.key = "recall",
		 .kind = FIELD_BOOL,
		 .offset = offsetof(struct offer_read, recall),
		 .optional = true},
		{.key = "rollout",
		 .kind = FIELD_OBJECT,
		 .offset = offsetof(struct offer_read, rollout),
		 .optional = true},
	};
	static const struct field rollout[] = {
		{.key = "percent",
		 .kind = FIELD_INT,
		 .offset = offsetof(struct offer_read, percent),
		 .max = PERCENT},
	};
	const json_t *custom = json_object_get(t->object, "custom");
	int r = strict_read(json_object_get(custom, "bequest"), "custom.bequest", fields,
			    ARRAY_LEN(fields), STRICT_OPEN, o, err);

	if (r == 0 && o->rollout)
		r = strict_read(o->rollout, "custom.bequest.rollout", rollout, ARRAY_LEN(rollout),
				STRICT_OPEN, o, err);
	if (r < 0)
		return r;
	if (!version_ok(o->version))
		return error_set(err, E_INVALID, "custom.bequest.version: is none");
	/* It becomes a part of a URL, and on a memory stick of a path. */
	if (!file_path_ok(t->path))
		return error_set(err, E_INVALID, "path: leads out of targets/");
	o->sha256 =
		json_string_value(json_object_get(json_object_get(t->object, "hashes"), "sha256"));
	if (!hex_is(o->sha256, SHA256_HEX))
		return error_set(err, E_INVALID, "hashes.sha256: is missing");
	return 0;
}

static bool for_hardware(const struct offer_read *o, const char *ours)
{
	const json_t *one;
	size_t i;

	json_array_foreach(o->hardware, i, one)
	{
		const char *text = json_string_value(one);

		if (text && strcmp(text, ours) == 0)
			return true;
	}
	return false;
}

/* Which of the hundred shares of all devices is ours, for this target. No identity leaves. */
static int64_t share_of(const struct state *st, const char *image)
{
	unsigned char digest[SHA256_LEN];
	char text[2 * SHA256_HEX + 1];

	(void)snprintf(text, sizeof(text), "%s%s", st->device, image);
	sha256(text, strlen(text), digest);
	return ((int64_t)digest[0] << 8 | digest[1]) % PERCENT;
}

/* Digest of the target's whole entry: it changes when its publisher touches it. */
static int entry_digest(const struct tuf_target *t, char out[SHA256_HEX_SIZE], struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = buf_printf(&text, err, "%s\n", t->path);

	if (r == 0)
		r = canon_write(t->object, &text, err);
	if (r == 0)
		sha256_hex(text.data, text.len, out);
	return r;
}

static int fill_record(const struct device *d, const struct tuf_target *t,
		       const struct offer_read *o, struct slot_record *out, struct error *err)
{
	struct publisher who;
	int r = publisher_read(d->root, "root.json", &who, err);

	*out = (struct slot_record){.size = t->length};
	if (r == 0)
		r = entry_digest(t, out->entry, err);
	if (r < 0)
		return r;
	memcpy(out->sha256, o->sha256, SHA256_HEX_SIZE);
	(void)snprintf(out->version, sizeof(out->version), "%s", o->version);
	(void)snprintf(out->publisher, sizeof(out->publisher), "%s", who.id);
	return 0;
}

/* --- choosing ----------------------------------------------------------------- */

struct choice {
	const struct device *d;
	const struct session *s;
	struct pick *out;
	bool recalled;          /* what is installed was recalled: a lower version will do */
	struct tuf_target best; /* borrowed from the session */
};

static int note(struct choice *c, const struct tuf_target *t, const char *version, bool yes,
		const char *text, struct error *err)
{
	if (json_array_size(c->out->why) >= PICK_REASONS_MAX)
		return 0;
	if (json_array_append_new(c->out->why, json_pack("{s:s, s:s, s:s, s:s}", "target", t->path,
							 "version", version, "answer",
							 yes ? "yes" : "no", "text", text)) < 0)
		return error_nomem(err);
	return 0;
}

/* Why it cannot be installed on this device at all; "" if it can. */
static int unfit(const struct choice *c, const struct offer_read *o, char text[TEXT_SIZE],
		 struct error *err)
{
	const struct slot_record *now = device_installed(c->d);
	bool fits = true;

	text[0] = '\0';
	if (!for_hardware(o, c->d->conf.hardware))
		(void)snprintf(text, TEXT_SIZE, "not for %.100s", c->d->conf.hardware);
	else if (o->kind != 0)
		(void)snprintf(text, TEXT_SIZE, "is a %s, not an image", kinds[o->kind]);
	else if (o->backend && strcmp(o->backend, c->d->conf.backend) != 0)
		(void)snprintf(text, TEXT_SIZE, "for the backend %.100s", o->backend);
	else if (o->recall)
		(void)snprintf(text, TEXT_SIZE, "recalled by its publisher");
	if (text[0] || !o->requires)
		return 0;
	if (version_fits(now->version[0] ? now->version : "0", o->requires, &fits, err) < 0)
		(void)snprintf(text, TEXT_SIZE, "requires: cannot be read");
	else if (!fits)
		(void)snprintf(text, TEXT_SIZE, "requires %.60s, and %.64s is installed",
			       o->requires, now->version[0] ? now->version : "nothing known");
	return 0;
}

/* Is it no step forward? */
static bool not_newer(const struct choice *c, const struct offer_read *o)
{
	const struct slot_record *now = device_installed(c->d);

	if (strcmp(now->sha256, o->sha256) == 0)
		return true;
	if (c->recalled || !now->version[0])
		return false;
	return version_compare(o->version, now->version) <= 0;
}

/* Did the owner go back from this version, or a later one, to the image that was kept? */
static bool left_behind(const struct state *st, const char *running, const char *version)
{
	return st->left[0] && strcmp(running, st->kept.sha256) == 0 &&
	       version_compare(version, st->left) <= 0;
}

/* A newer one that fits, but not for now. */
static bool later(const struct choice *c, const struct tuf_target *t, const struct offer_read *o,
		  const char *entry, char text[TEXT_SIZE])
{
	text[0] = '\0';
	if (state_has_failed(&c->d->st, entry))
		(void)snprintf(text, TEXT_SIZE,
			       "%s did not work on this device; it is not tried again until its "
			       "publisher changes it",
			       o->version);
	else if (left_behind(&c->d->st, device_installed(c->d)->sha256, o->version))
		(void)snprintf(text, TEXT_SIZE,
			       "%s is not newer than %s, from which the owner went back",
			       o->version, c->d->st.left);
	else if (o->rollout && share_of(&c->d->st, o->sha256) >= o->percent)
		(void)snprintf(text, TEXT_SIZE,
			       "%s is rolled out to %" PRId64
			       " of 100 devices, and not to this one yet",
			       o->version, o->percent);
	else if (c->d->conf.byte_budget && t->length > c->d->conf.byte_budget)
		(void)snprintf(text, TEXT_SIZE,
			       "%s has %" PRId64 " bytes, more than the byte-budget of %" PRId64,
			       o->version, t->length, c->d->conf.byte_budget);
	return text[0] != '\0';
}

static int consider(void *ctx, const struct tuf_target *t)
{
	struct choice *c = ctx;
	struct pick *p = c->out;
	struct offer_read o = {0};
	struct slot_record record;
	char text[TEXT_SIZE];
	struct error err = {0};

	if (read_custom(t, &o, &err) < 0)
		return 0; /* a file that is no image; or none that we could use */
	int r = unfit(c, &o, text, &err);
	if (r < 0 || text[0])
		return r < 0 ? r : note(c, t, o.version, false, text, &err);
	if (not_newer(c, &o))
		return note(c, t, o.version, false, "not newer than what is installed", &err);
	r = fill_record(c->d, t, &o, &record, &err);
	if (r < 0)
		return r;
	if (later(c, t, &o, record.entry, text)) {
		if (!p->postponed || version_compare(o.version, p->later_record.version) > 0) {
			p->postponed = true;
			p->later_record = record;
			(void)snprintf(p->later, sizeof(p->later), "%s", text);
		}
		return note(c, t, o.version, false, text, &err);
	}
	if (p->found && version_compare(o.version, p->image.record.version) <= 0)
		return note(c, t, o.version, false, "there is a higher one", &err);
	p->found = true;
	p->image.record = record;
	p->image.size = (uint64_t)t->length;
	c->best = *t;
	return note(c, t, o.version, true, "the highest so far", &err);
}

/* Is what is installed in the metadata, and recalled there? */
static int look_up_installed(void *ctx, const struct tuf_target *t)
{
	struct choice *c = ctx;
	struct offer_read o = {0};
	struct error ignored = {0};

	if (read_custom(t, &o, &ignored) < 0 ||
	    strcmp(device_installed(c->d)->sha256, o.sha256) != 0)
		return 0;
	c->out->listed = true;
	c->recalled = c->recalled || o.recall;
	return 0;
}

static const char *role_of(const struct device *d)
{
	return d->conf.channel ? d->conf.channel : "targets";
}

static const char *commit_of(const struct tuf_target *t)
{
	const json_t *part = json_object_get(json_object_get(t->object, "custom"), "bequest");

	return json_string_value(json_object_get(json_object_get(part, "source"), "commit"));
}

static int finish(struct choice *c, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	struct pick *p = c->out;
	CLEANUP(freep) char *url = NULL;
	int r = tuf_target_url(c->s->tuf, &c->best, &url, err);

	if (r == 0)
		r = buf_printf(&path, err, "targets/%s", url);
	if (r < 0)
		return r;
	p->url = buf_steal(&path);
	p->image.path = p->url;
	(void)snprintf(p->name, sizeof(p->name), "%s", c->best.path);
	const char *commit = commit_of(&c->best);
	(void)snprintf(p->commit, sizeof(p->commit), "%s", commit ? commit : "");
	return 0;
}

/* What was delegated for a while gives nothing new after that. */
static int check_channel(const struct device *d, const struct session *s, struct error *err)
{
	const struct clock_view clock = device_clock(d);
	struct tuf_delegated role;
	char text[UTC_SIZE];
	const char *source;
	int r;

	if (!d->conf.channel)
		return 0;
	r = tuf_delegated(s->tuf, d->conf.channel, &role, err);
	if (r < 0 || clock_now(&clock, &source) < role.until)
		return r;
	utc_format(role.until, text);
	return error_set(err, E_NOTYET,
			 "channel %s: what the publisher delegates to it ended on %s; set another "
			 "channel, or none",
			 d->conf.channel, text);
}

int pick_image(const struct device *d, struct session *s, struct pick *out, struct error *err)
{
	CLEANUP(pick_clear) struct pick p = {0};
	struct choice c = {.d = d, .s = s, .out = &p};
	int r;

	p.why = json_array();
	if (!p.why)
		return error_nomem(err);
	r = check_channel(d, s, err);
	if (r == 0)
		r = tuf_each_target(s->tuf, role_of(d), look_up_installed, &c, err);
	session_judge(s, d);
	c.recalled = c.recalled && !s->stale_days;
	if (r == 0)
		r = tuf_each_target(s->tuf, role_of(d), consider, &c, err);
	if (r == E_NOTFOUND && d->conf.channel)
		r = error_set(err, E_NOTYET, "channel %s: the publisher delegates to no such role",
			      d->conf.channel);
	if (r == 0 && p.found)
		r = finish(&c, err);
	if (r < 0)
		return err && err->code ? r : error_set(err, r, "targets: cannot be read");
	/* Something newer that can be installed now makes what cannot uninteresting. */
	if (p.found && p.postponed &&
	    version_compare(p.later_record.version, p.image.record.version) < 0)
		p.postponed = false;
	*out = p;
	out->image.path = out->url;
	p = (struct pick){0};
	return 0;
}

void pick_clear(struct pick *p)
{
	free(p->url);
	json_decref(p->why);
	*p = (struct pick){0};
}

/* --- recognising -------------------------------------------------------------- */

struct recognition {
	struct device *d;
	bool found;
	unsigned tried;
	struct error *err;
};

static int recognise(void *ctx, const struct tuf_target *t)
{
	struct recognition *g = ctx;
	struct offer_read o = {0};
	struct error ignored = {0};
	enum slot s = g->d->boot.running;
	char digest[SHA256_HEX_SIZE];
	uint64_t room;
	int r;

	if (g->tried == RECOGNISE_MAX || read_custom(t, &o, &ignored) < 0 ||
	    !for_hardware(&o, g->d->conf.hardware) || o.kind != 0)
		return 0;
	r = backend_size(g->d->backend, s, &room, g->err);
	if (r < 0 || (uint64_t)t->length > room)
		return r;
	g->tried++;
	r = image_digest(g->d->backend, s, (uint64_t)t->length, digest, g->err);
	if (r < 0 || strcmp(digest, o.sha256) != 0)
		return r;
	r = fill_record(g->d, t, &o, &g->d->st.slot[s], g->err);
	g->d->st.slot[s].status = SLOT_GOOD;
	g->found = true;
	return r < 0 ? r : 1; /* enough */
}

int pick_recognise(struct device *d, const struct session *s, bool *found, struct error *err)
{
	struct recognition g = {.d = d, .err = err};
	int r = 0;

	if (!device_installed(d)->version[0])
		r = tuf_each_target(s->tuf, role_of(d), recognise, &g, err);
	if (r < 0 && r != E_NOTFOUND)
		return r;
	*found = g.found;
	return 0;
}
