/* SPDX-License-Identifier: Apache-2.0 */
#include "client/install/ab_image.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/file.h"

struct ab_image {
	const struct conf *conf; /* borrowed */
	enum slot target;        /* prepared, or SLOT_NONE */
	int fd;                  /* of the target, to write */
	int readable[SLOTS];     /* to read; opened when first wanted */
};

static enum slot running(const struct bootenv *e)
{
	if (e->booted != SLOT_NONE)
		return e->booted;
	return e->n ? e->order[0] : SLOT_A;
}

static int load(const struct ab_image *a, struct bootenv *out, struct error *err)
{
	return bootenv_load(a->conf->dir, a->conf->boot_env, out, err);
}

static int save(const struct ab_image *a, const struct bootenv *e, struct error *err)
{
	return bootenv_save(e, a->conf->dir, a->conf->boot_env, err);
}

static int state(void *self, struct backend_state *out, struct error *err)
{
	const struct ab_image *a = self;
	CLEANUP(bootenv_clear) struct bootenv e = {0};
	int r = load(a, &e, err);

	if (r < 0)
		return r;
	out->running = running(&e);
	out->next = out->running;
	for (size_t i = e.n; i > 0; i--)
		if (e.left[e.order[i - 1]] > 0)
			out->next = e.order[i - 1];
	for (enum slot s = SLOT_A; s < SLOTS; s++) {
		out->listed[s] = bootenv_lists(&e, s);
		out->left[s] = e.left[s];
	}
	return 0;
}

static int open_slot(const struct ab_image *a, enum slot s, int flags, int *out, struct error *err)
{
	const char *path = a->conf->slot[s];
	struct stat st;

	if (fstatat(a->conf->dir, path, &st, 0) < 0)
		return error_errno(err, errno, "%s", path);
	/* Of a block device O_EXCL asks for one that nobody has mounted. */
	if (S_ISBLK(st.st_mode) && flags == O_RDWR)
		flags |= O_EXCL;

	int fd = openat(a->conf->dir, path, flags | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	*out = fd;
	return 0;
}

static int readable(struct ab_image *a, enum slot s, struct error *err)
{
	return a->readable[s] >= 0 ? 0 : open_slot(a, s, O_RDONLY, &a->readable[s], err);
}

static int size(void *self, enum slot s, uint64_t *out, struct error *err)
{
	struct ab_image *a = self;
	int64_t bytes;
	int r = readable(a, s, err);

	if (r == 0)
		r = file_size(a->readable[s], a->conf->slot[s], &bytes, err);
	if (r == 0)
		*out = (uint64_t)bytes;
	return r;
}

static int prepare(void *self, enum slot s, uint64_t image, struct error *err)
{
	struct ab_image *a = self;
	CLEANUP(bootenv_clear) struct bootenv e = {0};
	uint64_t room;
	int r = size(a, s, &room, err);

	if (r == 0)
		r = load(a, &e, err);
	if (r != 0)
		return r;
	if (image > room)
		return error_set(err, E_FULL, "%s: holds %" PRIu64 " bytes, the image has %" PRIu64,
				 a->conf->slot[s], room, image);
	assert(s != running(&e));
	closep(&a->fd);
	a->fd = -1;
	a->target = SLOT_NONE;
	r = open_slot(a, s, O_RDWR, &a->fd, err);
	if (r == 0 && (bootenv_lists(&e, s) || e.left[s])) {
		bootenv_drop(&e, s);
		r = save(a, &e, err);
	}
	if (r == 0)
		a->target = s;
	return r;
}

static int write_at(void *self, uint64_t at, const void *data, size_t len, struct error *err)
{
	struct ab_image *a = self;
	const char *p = data;

	assert(a->target != SLOT_NONE);
	while (len) {
		ssize_t n = pwrite(a->fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, n < 0 ? errno : ENOSPC, "%s",
					   a->conf->slot[a->target]);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int flush(void *self, struct error *err)
{
	struct ab_image *a = self;

	assert(a->target != SLOT_NONE);
	if (fsync(a->fd) < 0)
		return error_errno(err, errno, "%s", a->conf->slot[a->target]);
	/* So that reading back reads the medium. Where the kernel declines, it is as without. */
	(void)posix_fadvise(a->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static int read_at(void *self, enum slot s, uint64_t at, void *out, size_t len, struct error *err)
{
	struct ab_image *a = self;
	char *p = out;
	int r = readable(a, s, err);

	while (r == 0 && len) {
		ssize_t n = pread(a->readable[s], p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "%s", a->conf->slot[s]);
		if (n == 0)
			return error_set(err, E_SYS, "%s: ends at byte %" PRIu64, a->conf->slot[s],
					 at);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return r;
}

/* Give slot `s` its attempts and the first place. */
static int put_first(const struct ab_image *a, enum slot s, bool drop, struct error *err)
{
	CLEANUP(bootenv_clear) struct bootenv e = {0};
	int r = load(a, &e, err);

	if (r < 0)
		return r;
	if (drop)
		bootenv_drop(&e, slot_other(s));
	if (e.n && e.order[0] == s && e.left[s] == a->conf->boot_tries && !drop)
		return 0; /* as it is: spare the flash */
	bootenv_put_first(&e, s);
	e.left[s] = a->conf->boot_tries;
	return save(a, &e, err);
}

static int activate(void *self, struct error *err)
{
	struct ab_image *a = self;

	assert(a->target != SLOT_NONE);
	return put_first(a, a->target, false, err);
}

static int start(void *self, enum slot s, bool drop, struct error *err)
{
	return put_first(self, s, drop, err);
}

static int confirm(void *self, struct error *err)
{
	struct ab_image *a = self;
	CLEANUP(bootenv_clear) struct bootenv e = {0};
	int r = load(a, &e, err);

	return r == 0 ? put_first(a, running(&e), false, err) : r;
}

static void ab_image_free(void *self)
{
	struct ab_image *a = self;

	closep(&a->fd);
	closep(&a->readable[SLOT_A]);
	closep(&a->readable[SLOT_B]);
	free(a);
}

/* A slot that is not there yet is found out when it is used. */
static bool same_file(const struct conf *c)
{
	struct stat a, b;

	return fstatat(c->dir, c->slot[SLOT_A], &a, 0) == 0 &&
	       fstatat(c->dir, c->slot[SLOT_B], &b, 0) == 0 &&
	       (S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode)
			? a.st_rdev == b.st_rdev
			: a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

int ab_image_open(const struct conf *c, struct backend **out, struct error *err)
{
	static const struct backend_ops ops = {
		.state = state,
		.size = size,
		.prepare = prepare,
		.write = write_at,
		.flush = flush,
		.read = read_at,
		.activate = activate,
		.confirm = confirm,
		.start = start,
		.free = ab_image_free,
	};
	struct ab_image *a;

	if (same_file(c))
		return error_set(err, E_USAGE, "slot-a and slot-b: are the same");
	a = malloc(sizeof(*a));
	if (!a)
		return error_nomem(err);
	*a = (struct ab_image){.conf = c, .target = SLOT_NONE, .fd = -1, .readable = {-1, -1}};
	return backend_new(&ops, a, out, err);
}
