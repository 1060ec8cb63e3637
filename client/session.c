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

/* Past its expiry: say which, since when, and who can do something about it. */
static void judge(struct session *s, const char *file, int64_t expires, int64_t now,
		  const char *remedy)
{
	int64_t days = (now - expires + DAY_S) / DAY_S;
	char since[UTC_SIZE];

	if (expires > now || days <= s->stale_days)
		return;
	s->stale_days = days;
	utc_format(expires, since);
	(void)snprintf(s->stale, sizeof(s->stale),
		       "%s: expired at %s, and there is nothing newer: %s", file, since, remedy);
}

static void judge_all(struct session *s, const struct tuf_root *root, int64_t now)
{
	static const struct {
		enum tuf_type type;
		const char *file, *remedy;
	} roles[] = {
		{TUF_TIMESTAMP, "timestamp.json", "the registry has to renew it"},
		{TUF_SNAPSHOT, "snapshot.json", "the registry has to renew it"},
		{TUF_TARGETS, "targets.json", "its publisher has to sign it anew"},
	};

	judge(s, "root.json", root->expires, now, "its publisher has to publish the next one");
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		const struct tuf_role *role = tuf_trusted(s->tuf, roles[i].type);

		if (role)
			judge(s, roles[i].file, role->expires, now, roles[i].remedy);
	}
	if (tuf_is_stale(s->tuf) && !s->stale_days) {
		s->stale_days = 1;
		(void)snprintf(s->stale, sizeof(s->stale),
			       "a delegated role: is expired: its holder has to sign it anew");
	}
}

int session_open(const struct device *d, const struct source *from, bool held, struct session *out,
		 struct error *err)
{
	const struct tuf_io io = {.ctx = out, .fetch = fetch, .load = load, .save = save};
	const char *clock;
	int64_t now = device_now(d, &clock);
	const struct tuf_options options = {
		.now = now,
		.product = d->conf.product,
		.keep_root = true,
		.stale_s = STALE_FOREVER_S,
		.version_jump_max = VERSION_JUMP_MAX,
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
		judge_all(out, d->root, now);
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
