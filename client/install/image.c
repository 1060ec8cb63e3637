/* SPDX-License-Identifier: Apache-2.0 */
#include "client/install/image.h"

#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/file.h"

enum {
	READ_STEP = 256 * 1024,
	/* Bytes between two flushes: what a power cut may cost, against what a flush costs. */
	FLUSH_STEP = 16 * 1024 * 1024,
};

/* One installation under way. */
struct writing {
	struct device *d;
	const struct image *image;
	struct digest *digest; /* of the first `at` bytes */
	enum slot slot;
	uint64_t at, flushed;
	const struct image_feed *feed;
};

/* Feed `size` bytes of a slot to a digest. */
static int hash_slot(struct backend *b, enum slot s, uint64_t size, struct digest *to,
		     struct error *err)
{
	CLEANUP(freep) char *chunk = malloc(READ_STEP);

	if (!chunk)
		return error_nomem(err);
	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < READ_STEP ? (size_t)(size - at) : READ_STEP;
		int r = backend_read(b, s, at, chunk, n, err);

		if (r < 0)
			return r;
		digest_add(to, chunk, n);
		at += n;
	}
	return 0;
}

int image_digest(struct backend *b, enum slot s, uint64_t size, char out[SHA256_HEX_SIZE],
		 struct error *err)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	int r = digest_new(&d, err);

	if (r == 0)
		r = hash_slot(b, s, size, d, err);
	if (r == 0)
		digest_finish_hex(d, out);
	return r;
}

/* --- the journal -------------------------------------------------------------- */

static int put_journal(struct writing *w, uint64_t done, struct error *err)
{
	struct journal_record r = {
		.phase = JOURNAL_WRITING,
		.slot = w->slot,
		.size = w->image->size,
		.done = done,
	};

	memcpy(r.sha256, w->image->record.sha256, sizeof(r.sha256));
	return journal_put(&w->d->journal, &r, err);
}

static int clear_journal(struct device *d, struct error *err)
{
	const struct journal_record idle = {.phase = JOURNAL_IDLE, .slot = SLOT_NONE};

	return d->journal.now.phase == JOURNAL_IDLE ? 0 : journal_put(&d->journal, &idle, err);
}

/* How many bytes of this image the slot holds already, by the journal. */
static uint64_t journalled(const struct writing *w)
{
	const struct journal_record *r = &w->d->journal.now;

	if (r->phase != JOURNAL_WRITING || r->slot != w->slot || r->size != w->image->size ||
	    strcmp(r->sha256, w->image->record.sha256) != 0)
		return 0;
	return r->done;
}

/* --- writing ------------------------------------------------------------------ */

static int flush(struct writing *w, struct error *err)
{
	int r = backend_flush(w->d->backend, err);

	if (r == 0)
		r = put_journal(w, w->at, err);
	if (r == 0)
		w->flushed = w->at;
	return r;
}

static int take(void *ctx, const void *data, size_t len, struct error *err)
{
	struct writing *w = ctx;
	int r = backend_write(w->d->backend, w->at, data, len, err);

	if (r < 0)
		return r;
	digest_add(w->digest, data, len);
	w->at += len;
	if (w->feed->progress)
		w->feed->progress(w->feed->ctx, w->at, w->image->size);
	return w->at - w->flushed >= FLUSH_STEP ? flush(w, err) : 0;
}

/* Does it make sense to ask another mirror after this? What is wrong here stays wrong there. */
static bool mirror_failed(int r)
{
	return r == E_NET || r == E_BUSY || r == E_NOTFOUND || r == E_INVALID || r == E_UNTRUSTED;
}

/* Begin at what the slot holds by the journal, or at its start. */
static int begin(struct writing *w, bool resume, struct error *err)
{
	char ignored[SHA256_HEX_SIZE];
	int r;

	digest_finish_hex(w->digest, ignored); /* starts it again */
	w->at = w->flushed = resume ? journalled(w) : 0;
	r = hash_slot(w->d->backend, w->slot, w->at, w->digest, err);
	if (r == 0 && w->d->journal.now.done != w->at)
		r = put_journal(w, w->at, err);
	return r;
}

/* Get the rest from one mirror, and judge the whole. */
static int fetch(struct writing *w, const struct source *from, struct error *err)
{
	const struct http_sink sink = {take, w};
	char got[SHA256_HEX_SIZE];
	int r = 0;

	if (w->at < w->image->size)
		r = source_stream(from, w->image->path, w->at, w->image->size, &sink, err);
	if (r == E_NOTFOUND) /* it is signed, so it is somewhere, or soon here */
		return error_set(err, E_NET, "%s: the repository does not have it", w->image->path);
	if (r < 0)
		return r;
	if (w->at != w->image->size)
		return error_set(err, E_UNTRUSTED, "%s: want %" PRIu64 " bytes, got %" PRIu64,
				 w->image->path, w->image->size, w->at);
	digest_finish_hex(w->digest, got);
	if (strcmp(got, w->image->record.sha256) != 0)
		return error_set(err, E_UNTRUSTED, "%s: want sha256 %s, got %s", w->image->path,
				 w->image->record.sha256, got);
	return 0;
}

/* Try the mirrors in order. Bytes that turn out wrong are never resumed on. */
static int fetch_any(struct writing *w, struct error *err)
{
	bool resumed;
	int r = begin(w, true, err);

	resumed = w->at > 0;
	for (size_t i = 0; r == 0 && i < w->feed->n;) {
		r = fetch(w, &w->feed->from[i], err);
		if (r == 0)
			return flush(w, err);
		if (r == E_UNTRUSTED || r == E_INVALID) {
			struct error ignored = {0};

			if (begin(w, false, &ignored) < 0)
				return r;
			if (resumed) { /* perhaps the slot's bytes were wrong, not the mirror's */
				resumed = false;
				r = 0;
				continue;
			}
		}
		if (!mirror_failed(r) || ++i == w->feed->n)
			return r;
		r = 0;
	}
	return r;
}

static bool same_publisher(const struct slot_record *a, const struct slot_record *b)
{
	return strcmp(a->publisher, b->publisher) == 0;
}

/*
 * Keep another publisher's last image before the slot that holds it is overwritten. Its last is
 * the one that ran when the first image of the new one was installed, so while that runs there is
 * nothing to keep: the other slot has an older one. What is kept already stays, unless that is an
 * earlier image of the same publisher, to whom the product had gone back.
 */
static int keep_old(struct device *d, enum slot s, const struct image *im, struct error *err)
{
	const struct slot_record *old = &d->st.slot[s], *runs = &d->st.slot[slot_other(s)];
	const struct slot_record *kept = &d->st.kept;

	if (!d->conf.keep_image || old->status != SLOT_GOOD || same_publisher(old, &im->record) ||
	    !same_publisher(runs, &im->record))
		return 0;
	if (kept->size && (!same_publisher(kept, old) || strcmp(kept->sha256, old->sha256) == 0))
		return 0;
	return image_keep(d, s, err);
}

static int mark(struct device *d, enum slot s, const struct image *im, enum slot_status status,
		struct error *err)
{
	d->st.slot[s] = im->record;
	d->st.slot[s].status = status;
	return device_save(d, err);
}

static int write_slot(struct writing *w, struct error *err)
{
	struct device *d = w->d;
	int r = keep_old(d, w->slot, w->image, err);

	if (r == 0)
		r = backend_prepare(d->backend, w->slot, w->image->size, err);
	if (r == 0 && (d->st.slot[w->slot].status != SLOT_WRITING ||
		       strcmp(d->st.slot[w->slot].sha256, w->image->record.sha256) != 0))
		r = mark(d, w->slot, w->image, SLOT_WRITING, err);
	if (r == 0)
		r = fetch_any(w, err);
	return r;
}

/* Whatever way the bytes came there: does the slot hold the image? */
static int read_back(struct writing *w, struct error *err)
{
	char got[SHA256_HEX_SIZE];
	int r = image_digest(w->d->backend, w->slot, w->image->size, got, err);

	if (r < 0 || strcmp(got, w->image->record.sha256) == 0)
		return r;
	return error_set(err, E_SYS, "slot %c: what was written does not read back: bad medium",
			 slot_letter(w->slot));
}

bool image_is_next(const struct device *d, const struct slot_record *r)
{
	enum slot other = slot_other(d->boot.running);
	const struct slot_record *there = &d->st.slot[other];

	return there->status == SLOT_READY && strcmp(there->sha256, r->sha256) == 0 &&
	       d->boot.next == other;
}

int image_install(struct device *d, const struct image *im, const struct image_feed *feed,
		  struct error *err)
{
	CLEANUP(digest_freep) struct digest *digest = NULL;
	struct writing w = {.d = d, .image = im, .feed = feed};
	const struct slot_record *there;
	int r;

	if (d->st.slot[d->boot.running].status == SLOT_READY)
		return error_set(
			err, E_NOTYET, "slot %c: is not confirmed yet, and slot %c is the way back",
			slot_letter(d->boot.running), slot_letter(slot_other(d->boot.running)));
	/* What runs while it installs its successor is what one can go back to. */
	if (d->st.slot[d->boot.running].status == SLOT_UNKNOWN)
		d->st.slot[d->boot.running].status = SLOT_GOOD;
	w.slot = slot_other(d->boot.running);
	there = &d->st.slot[w.slot];
	r = digest_new(&digest, err);
	w.digest = digest;
	if (r < 0)
		return r;
	/* Cut short between "ready" and the boot order: only the check and the switch are left. */
	if (there->status == SLOT_READY && strcmp(there->sha256, im->record.sha256) == 0) {
		r = backend_prepare(d->backend, w.slot, im->size, err);
		if (r == 0 && read_back(&w, NULL) < 0)
			r = write_slot(&w, err);
	} else {
		r = write_slot(&w, err);
	}
	if (r == 0)
		r = read_back(&w, err);
	if (r == 0)
		r = mark(d, w.slot, im, SLOT_READY, err);
	if (r == 0)
		r = backend_activate(d->backend, err);
	if (r == 0)
		r = clear_journal(d, err);
	return r == 0 ? backend_state(d->backend, &d->boot, err) : r;
}
