/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"

#define VERSION_JUMP_MAX (INT64_C(1) << 31)
#define STALE_FOREVER_S (INT64_C(1) << 40) /* what it means is for the policy to say */
enum { METADATA_MODE = 0644 };

static int fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct session *s = ctx;
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "%s%s", s->io.folder, name);

	if (r == 0)
		r = source_get(s->io.from, path.data, max, out, err);
	if (r == E_NOTFOUND && strcmp(name, "timestamp.json") == 0)
		s->io.missing = true;
	return r;
}

static int load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	const struct session *s = ctx;

	return file_read(s->io.metadata, name, max, out, err);
}

static int save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	const struct session *s = ctx;

	return file_write(s->io.metadata, name, data, len, METADATA_MODE, err);
}

/* A clock that is ahead makes everything look old: the owner should know who says so. */
static const char *doubt(const struct clock_view *clock, int64_t expires)
{
	if (clock_plausible(clock) && clock->witnessed && clock->witnessed < expires)
		return " (by this device's clock)";
	return "";
}

/* Past its expiry: say which, since when, and who can do something about it. */
static void judge(struct session *s, const struct clock_view *clock, const char *file,
		  int64_t expires, const char *remedy)
{
	const char *source;
	int64_t now = clock_now(clock, &source);
	int64_t days = (now - expires + DAY_S) / DAY_S;
	char since[UTC_SIZE];

	if (expires > now || days <= s->stale_days)
		return;
	s->stale_days = days;
	utc_format(expires, since);
	(void)snprintf(s->stale, sizeof(s->stale),
		       "%s: expired at %s%s, and there is nothing newer: %s", file, since,
		       doubt(clock, expires), remedy);
}

void session_judge(struct session *s, const struct device *d)
{
	static const struct {
		enum tuf_type type;
		const char *file, *remedy;
	} roles[] = {
		{TUF_TIMESTAMP, "timestamp.json", "the registry has to renew it"},
		{TUF_SNAPSHOT, "snapshot.json", "the registry has to renew it"},
		{TUF_TARGETS, "targets.json", "its publisher has to sign it anew"},
	};
	const struct clock_view clock = device_clock(d);

	judge(s, &clock, "root.json", d->root->expires,
	      "its publisher has to publish the next one");
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		const struct tuf_role *role = tuf_trusted(s->tuf, roles[i].type);

		if (role)
			judge(s, &clock, roles[i].file, role->expires, roles[i].remedy);
	}
	if (tuf_is_stale(s->tuf))
		judge(s, &clock, "the channel's role", tuf_stale_since(s->tuf),
		      "its holder has to sign it anew");
}

int session_open(const struct device *d, const struct source *from, bool held, struct session *out,
		 struct error *err)
{
	const struct tuf_io io = {.ctx = out, .fetch = fetch, .load = load, .save = save};
	const struct clock_view clock = device_clock(d);
	const char *source;
	int64_t now = clock_now(&clock, &source);
	const struct tuf_options options = {
		.now = now,
		.product = d->conf.product,
		.keep_root = true,
		.stale_s = STALE_FOREVER_S,
		.version_jump_max = VERSION_JUMP_MAX,
		.text_max = (size_t)d->conf.metadata_max,
	};
	int r;

	*out = (struct session){.io = {.from = from, .metadata = d->metadata}};
	(void)snprintf(out->io.folder, sizeof(out->io.folder), "metadata/");
	if (held)
		(void)snprintf(out->io.folder, sizeof(out->io.folder), "metadata/held/%" PRId64 "/",
			       d->root->version);
	r = tuf_open(&io, &options, &out->tuf, err);
	if (r < 0)
		return r;

	bool known = tuf_trusted(out->tuf, TUF_TIMESTAMP) != NULL;
	r = tuf_refresh(out->tuf, err);
	if (r == 0)
		session_judge(out, d);
	else
		session_close(out);
	/* Not published yet is no failure; gone is one, but for what is held for those who wait. */
	return r < 0 && out->io.missing && (held || !known) ? 0 : r;
}

void session_close(struct session *s)
{
	tuf_close(s->tuf);
	s->tuf = NULL;
}
