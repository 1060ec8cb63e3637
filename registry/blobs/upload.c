/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: hashed as they stream in, resumed where they stopped, kept only when right. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "registry/blobs/blobs.h"
#include "registry/documents/submit.h"
#include "registry/internal.h"

enum { READ_STEP = 64 * 1024, READY_MAX = 64 };

struct upload {
	struct registry *r;
	char sha256[SHA256_HEX_SIZE];
	uint64_t size, have; /* in all; so far */
	int fd;              /* the part, locked */
	struct digest *digest;
	bool broken; /* a write failed: nothing is judged, the part stays for a resume */
};

struct lookup {
	const char *sha256;
	int64_t size;
	bool here;
};

static int look_up(struct work *w, void *arg, struct error *err)
{
	struct lookup *l = arg;
	struct error none;
	int r = store_blob(w->store, l->sha256, &l->size, &none);

	l->here = r == 0;
	if (r == E_NOTFOUND)
		r = store_blob_wanted(w->store, l->sha256, &l->size, &none);
	return r < 0 ? error_set(err, r, "%s: %s", l->sha256, none.text) : 0;
}

static int find_blob(struct registry *r, const char *sha256, struct lookup *out, struct error *err)
{
	if (!hex_is(sha256, SHA256_HEX))
		return error_set(err, E_INVALID, "blob: want %d lower-case hex digits", SHA256_HEX);
	*out = (struct lookup){.sha256 = sha256};
	return registry_read(r, look_up, out, err);
}

static void upload_free(struct upload *u)
{
	if (!u)
		return;
	closep(&u->fd);
	digest_free(u->digest);
	free(u);
}
DEFINE_CLEANUP(struct upload *, upload_free)

/* One request at a time for one blob. */
static int open_part(struct upload *u, struct error *err)
{
	char part[BLOB_PATH_SIZE];
	int e;

	blob_part_path(u->sha256, part);
	e = file_mkdir_parent(u->r->data, part, err);
	if (e < 0)
		return e;
	u->fd = openat(u->r->data, part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (u->fd < 0)
		return error_errno(err, errno, "%s", part);
	if (flock(u->fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, E_BUSY, "%s: is being uploaded", u->sha256);
	return 0;
}

/* Start at `offset`: what is there before it is hashed again, what is behind it is dropped. */
static int seek_part(struct upload *u, uint64_t offset, struct error *err)
{
	CLEANUP(freep) char *chunk = malloc(READ_STEP);
	int64_t have = 0;
	int e = chunk ? file_size(u->fd, u->sha256, &have, err) : error_nomem(err);

	if (e < 0)
		return e;
	if (offset != 0 && offset != (uint64_t)have)
		return error_set(err, E_INVALID, "%s: offset: want 0 or %" PRId64 ", got %" PRIu64,
				 u->sha256, have, offset);
	if (ftruncate(u->fd, (off_t)offset) < 0)
		return error_errno(err, errno, "%s", u->sha256);
	while (u->have < offset) {
		ssize_t n = read(u->fd, chunk, READ_STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, n < 0 ? errno : EIO, "%s", u->sha256);
		digest_add(u->digest, chunk, (size_t)n);
		u->have += (uint64_t)n;
	}
	return 0;
}

int registry_blob_begin(struct registry *r, const char *sha256, uint64_t offset,
			struct upload **out, struct error *err)
{
	CLEANUP(upload_freep) struct upload *u = calloc(1, sizeof(*u));
	struct lookup l;
	int e;

	if (!u)
		return error_nomem(err);
	u->r = r;
	u->fd = -1;
	e = find_blob(r, sha256, &l, err);
	if (e < 0)
		return e;
	u->size = (uint64_t)l.size;
	memcpy(u->sha256, sha256, sizeof(u->sha256));
	e = digest_new(&u->digest, err);
	if (e == 0)
		e = open_part(u, err);
	if (e == 0)
		e = seek_part(u, offset, err);
	if (e < 0)
		return e;
	*out = steal(u);
	return 0;
}

int registry_blob_write(struct upload *u, const void *data, size_t len, struct error *err)
{
	char part[BLOB_PATH_SIZE];
	int e;

	if (len > u->size - u->have) {
		u->broken = true;
		blob_part_path(u->sha256, part);
		e = file_remove(u->r->data, part, err);
		if (e < 0)
			return e;
		return error_set(err, E_INVALID,
				 "%s: longer than the %" PRIu64 " bytes it is listed with",
				 u->sha256, u->size);
	}
	e = file_write_all(u->fd, data, len, u->sha256, err);
	if (e < 0) {
		u->broken = true;
		return e;
	}
	digest_add(u->digest, data, len);
	u->have += len;
	return 0;
}

/* --- the last byte is here --- */

struct arrival {
	const char *sha256;
	uint64_t size;
	int64_t after;            /* only those behind this one are asked for */
	int64_t ready[READY_MAX]; /* batches that have all their blobs now, in order */
	size_t n;
};

static int note_ready(void *ctx, int64_t n, struct error *err)
{
	struct arrival *a = ctx;

	(void)err;
	if (n > a->after && a->n < READY_MAX)
		a->ready[a->n++] = n;
	return 0;
}

static int arrive(struct work *w, void *arg, struct error *err)
{
	struct arrival *a = arg;
	int r = store_blob_add(w->store, a->sha256, (int64_t)a->size, w->now, err);

	a->n = 0;
	return r < 0 ? r : store_batches_ready(w->store, a->sha256, note_ready, a, err);
}

/* The blob has its name: record it, and publish what waited for nothing else. */
static int announce(struct registry *r, const char *sha256, uint64_t size, struct error *err)
{
	struct arrival a = {.sha256 = sha256, .size = size};
	int e;

	do {
		e = registry_work(r, arrive, &a, err);
		for (size_t i = 0; e == 0 && i < a.n; i++) {
			a.after = a.ready[i];
			e = registry_work(r, submit_again, &a.ready[i], err);
		}
	} while (e == 0 && a.n == READY_MAX);
	return e;
}

static int finish(struct upload *u, struct error *err)
{
	char digest[SHA256_HEX_SIZE], part[BLOB_PATH_SIZE];
	int e;

	digest_finish_hex(u->digest, digest);
	blob_part_path(u->sha256, part);
	if (strcmp(digest, u->sha256) != 0) {
		e = file_remove(u->r->data, part, err);
		return e < 0 ? e
			     : error_set(err, E_UNTRUSTED, "%s: what came has digest %s", u->sha256,
					 digest);
	}
	if (fsync(u->fd) < 0)
		return error_errno(err, errno, "%s", part);
	/* Served as it is, by whoever serves the tree. */
	if (fchmod(u->fd, 0644) < 0)
		return error_errno(err, errno, "%s", part);
	e = blob_keep(u->r->data, u->sha256, err);
	return e < 0 ? e : announce(u->r, u->sha256, u->size, err);
}

int registry_blob_end(struct upload *u_take, bool *complete, struct error *err)
{
	CLEANUP(upload_freep) struct upload *u = u_take;

	*complete = false;
	if (u->broken || u->have < u->size)
		return 0;
	int e = finish(u, err);
	if (e == 0)
		*complete = true;
	return e;
}

/* --- what a crash left between the last byte and the record --- */

static int list_blob(void *ctx, const char *sha256, int64_t size, struct error *err)
{
	if (json_array_append_new(ctx, json_pack("[s, I]", sha256, (json_int_t)size)) < 0)
		return error_nomem(err);
	return 0;
}

static int list_wanted(struct work *w, void *arg, struct error *err)
{
	return store_blobs_wanted(w->store, list_blob, arg, err);
}

static int recover(struct registry *r, const char *sha256, uint64_t size, struct error *err)
{
	CLEANUP(upload_freep) struct upload *u = NULL;
	char path[BLOB_PATH_SIZE];
	bool complete;
	int e;

	blob_path(sha256, path);
	if (file_exists(r->data, path)) {
		e = blob_check(r->data, sha256, (int64_t)size, err);
		return e < 0 ? e : announce(r, sha256, size, err);
	}
	if (blob_part_size(r->data, sha256) != size)
		return 0; /* the rest is still to come */
	e = registry_blob_begin(r, sha256, size, &u, err);
	return e < 0 ? e : registry_blob_end(steal(u), &complete, err);
}

int uploads_recover(struct registry *r, struct error *err)
{
	json_auto_t *wanted = json_array();
	json_t *blob;
	size_t i;
	int e = wanted ? registry_read(r, list_wanted, wanted, err) : error_nomem(err);

	if (e < 0)
		return e;
	json_array_foreach(wanted, i, blob)
	{
		const char *sha256 = json_string_value(json_array_get(blob, 0));
		json_int_t size = json_integer_value(json_array_get(blob, 1));

		e = recover(r, sha256, (uint64_t)size, err);
		/* Wrong bytes, or a version that the policy refuses by now, are their sender's
		 * affair. */
		if (e < 0 && e != E_UNTRUSTED && e != E_DENIED && e != E_INVALID)
			return e;
	}
	return 0;
}

/* All bytes came, and then the process died: verify and keep them now. */
static int finish_part(struct registry *r, const char *sha256, uint64_t have, bool *complete,
		       struct error *err)
{
	struct upload *u = NULL;
	int e = registry_blob_begin(r, sha256, have, &u, err);

	return e < 0 ? e : registry_blob_end(u, complete, err);
}

int registry_blob_status(struct registry *r, const char *sha256, uint64_t *size, uint64_t *have,
			 struct error *err)
{
	struct error why = {0};
	bool complete = false;
	struct lookup l;
	int e = find_blob(r, sha256, &l, err);

	if (e < 0)
		return e;
	*size = (uint64_t)l.size;
	*have = l.here ? *size : blob_part_size(r->data, sha256);
	if (l.here || *have < *size)
		return 0;
	e = finish_part(r, sha256, *have, &complete, &why);
	if (e == E_UNTRUSTED) { /* wrong bytes, gone now: start again */
		*have = 0;
		return 0;
	}
	return e < 0 ? error_set(err, e, "%s", why.text) : 0;
}
