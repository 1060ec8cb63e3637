/* SPDX-License-Identifier: Apache-2.0 */
#include "client/device.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "client/history.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "policies/publisher.h"

#define ROOT_FILE "root.json"
#define ANCHOR_FILE "anchor.json"
#define LOCK_FILE "lock"
#define JOURNAL_FILE "journal"
#define METADATA_DIR "metadata"
enum { TRUST_MODE = 0644, NOTE_SIZE = 400 };

/* --- roots -------------------------------------------------------------------- */

/* A root that may stand at the beginning: whole, of our product, naming its publisher. */
static int read_root(int dir, const char *path, const char *product, struct tuf_root **out,
		     struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct publisher who;
	int r = file_read(dir, path, TUF_ROOT_MAX, &bytes, err);

	if (r == 0)
		r = tuf_root_parse(bytes.data, bytes.len, path, &root, err);
	if (r == 0)
		r = tuf_root_self_signed(root, err);
	if (r != 0)
		return r;
	if (!root->product || strcmp(root->product, product) != 0)
		return error_set(err, E_UNTRUSTED, "%s: signed.product: want %s, got %s", path,
				 product, root->product ? root->product : "nothing");
	r = publisher_read(root, path, &who, err);
	if (r == 0)
		*out = steal(root);
	return r;
}

static int write_root(int dir, const char *path, const struct tuf_root *root, struct error *err)
{
	const struct buf *bytes = envelope_bytes(root->doc);

	return file_write(dir, path, bytes->data, bytes->len, TRUST_MODE, err);
}

static void replace(struct tuf_root **at, struct tuf_root *by_take)
{
	tuf_root_free(*at);
	*at = by_take;
}

static int copy_root(const struct tuf_root *from, struct tuf_root **out, struct error *err)
{
	const struct buf *bytes;

	assert(from);
	bytes = envelope_bytes(from->doc);
	return tuf_root_parse(bytes->data, bytes->len, ROOT_FILE, out, err);
}

/* Is what could not be read simply gone or spoilt, rather than out of reach? */
static bool lost(int r)
{
	return r == E_NOTFOUND || r == E_INVALID || r == E_UNTRUSTED;
}

int device_factory_root(const struct device *d, struct tuf_root **out, struct error *err)
{
	return read_root(d->conf.dir, d->conf.factory_root, d->conf.product, out, err);
}

/* --- recovery ----------------------------------------------------------------- */

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Remove every file of a folder but `keep` (NULL: none); with `temp`, only temporary ones. */
static int sweep(int dir, const char *keep, bool temp, struct error *err)
{
	CLEANUP(closep) int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedirp) DIR *d = again < 0 ? NULL : fdopendir(again);
	const struct dirent *e;

	if (!d)
		return error_errno(err, errno, "state folder");
	(void)steal_fd(&again); /* the stream has it */
	while ((errno = 0, e = readdir(d))) {
		bool is_temp = strncmp(e->d_name, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    (temp && !is_temp) || (keep && strcmp(e->d_name, keep) == 0))
			continue;

		int r = file_remove_tree(dir, e->d_name, err);
		if (r < 0)
			return r;
	}
	return errno ? error_errno(err, errno, "state folder") : 0;
}

int device_reset(struct device *d, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	int r = device_factory_root(d, &root, err);

	if (r == 0)
		r = copy_root(root, &anchor, err);
	if (r == 0 && !d->st.device[0])
		r = state_new(&d->st, err);
	if (r != 0)
		return r;
	/* What is in the slots stays true; what was agreed to does not. */
	d->st.since = d->clock;
	d->st.offer = (struct offer){0};
	d->st.refused = (struct offer){0};
	d->st.consent = (struct consent){0};
	state_wait(&d->st, WAITING_NOTHING, "", "%s", "");
	/* state.json comes last: without it, all this is done again. */
	if (d->changing) {
		r = file_remove(d->dir, "state.json", err);
		if (r == 0)
			r = sweep(d->metadata, NULL, false, err);
		if (r == 0)
			r = write_root(d->dir, ANCHOR_FILE, root, err);
		if (r == 0)
			r = write_root(d->metadata, ROOT_FILE, root, err);
		if (r == 0)
			r = device_save(d, err);
	}
	if (r < 0)
		return r;
	replace(&d->root, steal(root));
	replace(&d->anchor, steal(anchor));
	return 0;
}

/*
 * Another publisher counts its versions from 1 again, with online keys of its own.
 * One that re-keys itself does not, and must not be rolled back on this occasion.
 */
static int drop_metadata(const struct device *d, const struct publisher *who, struct error *err)
{
	CLEANUP(freep) struct publisher *was = calloc(1, sizeof(*was));
	int r = was ? publisher_read(d->anchor, ANCHOR_FILE, was, err) : error_nomem(err);

	if (r < 0 || (strcmp(was->id, who->id) == 0 && was->kind == who->kind))
		return r;
	return sweep(d->metadata, ROOT_FILE, false, err);
}

/* root.json is what consent was given to: do what follows from it, as often as it takes. */
static int finish_switch(struct device *d, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	struct publisher who;
	int r = copy_root(d->root, &anchor, err);

	if (r == 0)
		r = publisher_read(d->root, ROOT_FILE, &who, err);
	if (r != 0)
		return r;
	if (d->changing) {
		r = drop_metadata(d, &who, err);
		if (r == 0)
			r = write_root(d->dir, ANCHOR_FILE, d->root, err);
		if (r == 0)
			r = device_note(d, "handover", err, "%s is trusted now, root %lld, by %s",
					who.id, (long long)d->root->version, d->st.consent.by);
	}
	if (r < 0)
		return r;
	replace(&d->anchor, steal(anchor));
	d->st.since = d->st.consent.at;
	d->st.consent = (struct consent){0};
	d->st.offer = (struct offer){0};
	d->st.refused = (struct offer){0};
	if (d->st.waiting.kind == WAITING_HANDOVER)
		state_wait(&d->st, WAITING_NOTHING, "", "%s", "");
	return d->changing ? device_save(d, err) : 0;
}

static int load_trust(struct device *d, struct error *err)
{
	struct error why = {0};
	int r = d->dir < 0 ? E_NOTFOUND : state_load(d->dir, &d->st, &why);

	if (r == 0)
		r = read_root(d->metadata, ROOT_FILE, d->conf.product, &d->root, &why);
	if (lost(r)) {
		/* Before the first init there is nothing to tell of. */
		bool first = d->dir < 0 || !file_exists(d->dir, ANCHOR_FILE);

		r = device_reset(d, err);
		if (r == 0 && d->changing && !first)
			r = device_note(d, "reset", err,
					"back to the factory root, because of %.200s", why.text);
		return r;
	}
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	r = read_root(d->dir, ANCHOR_FILE, d->conf.product, &d->anchor, err);
	if (lost(r)) /* the factory's is the strictest there is */
		r = device_factory_root(d, &d->anchor, err);
	if (r == 0 && d->st.consent.to.after[0] &&
	    strcmp(d->st.consent.to.after, envelope_id(d->root->doc)) == 0)
		r = finish_switch(d, err);
	return r;
}

/* Did the slot that was to be tried come to nothing? */
static int settle_slots(struct device *d, struct error *err)
{
	enum slot other = slot_other(d->boot.running);
	struct slot_record *tried = &d->st.slot[other];
	int r = 0;

	if (tried->status != SLOT_READY || !d->boot.listed[other] || d->boot.left[other] > 0)
		return 0;
	state_fail(&d->st, tried);
	tried->status = SLOT_FAILED;
	d->boot.listed[other] = false;
	if (!d->changing)
		return 0;
	r = device_note(d, "fell-back", err,
			"%s in slot %c was not confirmed in time; slot %c runs again",
			tried->version, slot_letter(other), slot_letter(d->boot.running));
	if (r == 0)
		r = device_save(d, err);
	if (r == 0)
		r = backend_start(d->backend, d->boot.running, true, err);
	return r;
}

/* --- opening ------------------------------------------------------------------ */

static int open_folders(struct device *d, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "%s/" METADATA_DIR, d->conf.state);

	if (r == 0)
		r = file_open_dir(d->conf.dir, d->conf.state, d->changing, &d->dir, err);
	if (r == 0 && d->changing)
		r = file_lock(d->dir, LOCK_FILE, false, &d->lock, err);
	if (r == 0)
		r = file_open_dir(d->conf.dir, path.data, d->changing, &d->metadata, err);
	if (r == 0 && d->changing)
		r = sweep(d->dir, NULL, true, err);
	if (r == 0 && d->changing)
		r = sweep(d->metadata, NULL, true, err);
	if (r == 0 && d->changing)
		r = journal_open(d->dir, JOURNAL_FILE, &d->journal, err);
	if (r == E_NOTFOUND && !d->changing) { /* looking at a device before its init */
		closep(&d->dir);
		d->dir = -1;
		r = 0;
	}
	return r;
}

int device_open(const char *conf, enum device_mode mode, struct device *out, struct error *err)
{
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = conf_load(conf ? conf : CONF_DEFAULT_FILE, &d.conf, err);

	d.changing = mode == DEVICE_CHANGE;
	d.clock = utc_now();
	if (r == 0)
		r = open_folders(&d, err);
	if (r < 0)
		return r;
	/* The backend borrows the configuration, which must not move any more. */
	*out = d;
	d = DEVICE_NONE;
	r = backend_open(&out->conf, &out->backend, err);
	if (r == 0)
		r = backend_state(out->backend, &out->boot, err);
	if (r == 0)
		r = load_trust(out, err);
	if (r == 0)
		r = settle_slots(out, err);
	if (r < 0)
		device_close(out);
	return r;
}

void device_close(struct device *d)
{
	tuf_root_free(d->root);
	tuf_root_free(d->anchor);
	backend_close(d->backend);
	journal_close(&d->journal);
	closep(&d->metadata);
	closep(&d->dir);
	closep(&d->lock);
	conf_clear(&d->conf);
	*d = DEVICE_NONE;
}

/* --- changing ----------------------------------------------------------------- */

int device_save(const struct device *d, struct error *err)
{
	assert(d->changing);
	return state_save(&d->st, d->dir, err);
}

int device_note(const struct device *d, const char *event, struct error *err, const char *fmt, ...)
{
	char text[NOTE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return history_add(d->dir, d->clock, event, err, "%s", text);
}

int device_advance(struct device *d, struct tuf_root *to_take, struct error *err)
{
	int r = write_root(d->metadata, ROOT_FILE, to_take, err);

	if (r < 0)
		tuf_root_free(to_take);
	else
		replace(&d->root, to_take);
	return r;
}

int device_switch(struct device *d, const struct consent *consent, struct tuf_root *to_take,
		  struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *to = to_take;
	int r;

	assert(strcmp(consent->to.after, envelope_id(to->doc)) == 0);
	d->st.consent = *consent;
	r = device_save(d, err);
	if (r == 0)
		r = device_advance(d, steal(to), err);
	if (r == 0)
		r = finish_switch(d, err);
	return r;
}

const struct slot_record *device_installed(const struct device *d)
{
	return &d->st.slot[d->boot.running];
}

struct clock_view device_clock(const struct device *d)
{
	return (struct clock_view){.system = d->clock,
				   .trusted = d->conf.clock_trusted,
				   .built = clock_built(),
				   .witnessed = d->st.witnessed};
}
