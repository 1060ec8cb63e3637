/* SPDX-License-Identifier: Apache-2.0 */
/* Another publisher's image, kept in a file: the way back to it. */
#include <fcntl.h>

#include "client/install/image.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

enum { STEP = 128 * 1024, KEEP_MODE = 0644 };

/* Copy `size` bytes of a slot into a new file, and hash them. */
static int copy_slot(const struct device *d, enum slot s, uint64_t size, int fd,
		     char sha256[SHA256_HEX_SIZE], struct error *err)
{
	CLEANUP(freep) char *chunk = malloc(STEP);
	CLEANUP(digest_freep) struct digest *digest = NULL;
	int r = chunk ? digest_new(&digest, err) : error_nomem(err);

	for (uint64_t at = 0; r == 0 && at < size; at += STEP) {
		size_t n = size - at < STEP ? (size_t)(size - at) : STEP;

		r = backend_read(d->backend, s, at, chunk, n, err);
		if (r == 0)
			r = file_write_all(fd, chunk, n, d->conf.keep_image, err);
		if (r == 0)
			digest_add(digest, chunk, n);
	}
	if (r == 0)
		digest_finish_hex(digest, sha256);
	return r;
}

enum found {
	FOUND_IT,     /* this very image: a copy that was cut short of its record */
	FOUND_OURS,   /* what is on record as kept */
	FOUND_OTHERS, /* none of our business */
};

/* What is the file that is there? `sha256` is set if it is the image. */
static int identify(const struct device *d, enum slot s, uint64_t size,
		    char sha256[SHA256_HEX_SIZE], enum found *out, struct error *err)
{
	CLEANUP(closep) int fd = openat(d->conf.dir, d->conf.keep_image, O_RDONLY | O_CLOEXEC);
	const struct slot_record *kept = &d->st.kept;
	char there[SHA256_HEX_SIZE];
	int64_t length = 0;
	int r;

	*out = FOUND_OTHERS;
	if (fd < 0)
		return error_errno(err, errno, "%s", d->conf.keep_image);
	r = file_size(fd, d->conf.keep_image, &length, err);
	if (r < 0 || ((uint64_t)length != size && length != kept->size))
		return r;
	r = digest_fd(fd, -1, there, err);
	if (r == 0 && length == kept->size && strcmp(there, kept->sha256) == 0)
		*out = FOUND_OURS;
	if (r == 0 && (uint64_t)length == size)
		r = image_digest(d->backend, s, size, sha256, err);
	if (r == 0 && (uint64_t)length == size && strcmp(there, sha256) == 0)
		*out = FOUND_IT;
	return r;
}

static int copy(const struct device *d, enum slot s, uint64_t size, char sha256[SHA256_HEX_SIZE],
		struct error *err)
{
	CLEANUP(file_new_drop) struct file_new f = FILE_NEW_NONE;
	int r = file_new_open(d->conf.dir, d->conf.keep_image, KEEP_MODE, &f, err);

	if (r == 0)
		r = copy_slot(d, s, size, f.fd, sha256, err);
	return r == 0 ? file_new_commit(&f, err) : r;
}

int image_keep(struct device *d, enum slot s, struct error *err)
{
	const struct slot_record *old = &d->st.slot[s];
	uint64_t size = (uint64_t)old->size;
	char sha256[SHA256_HEX_SIZE];
	enum found found = FOUND_OURS;
	int r = size ? 0 : backend_size(d->backend, s, &size, err);

	if (r < 0)
		return r;
	if (file_exists(d->conf.dir, d->conf.keep_image))
		r = identify(d, s, size, sha256, &found, err);
	/* The old file gives way in one rename; until the record is there, the slot has the image.
	 */
	if (r == 0 && found == FOUND_OURS)
		r = copy(d, s, size, sha256, err);
	if (r < 0)
		return r;
	if (found == FOUND_OTHERS)
		return device_note(d, "not-kept", err,
				   "the image in slot %c: %s is another file, and stays",
				   slot_letter(s), d->conf.keep_image);
	d->st.kept = *old;
	d->st.kept.status = SLOT_GOOD;
	d->st.kept.size = (int64_t)size;
	memcpy(d->st.kept.sha256, sha256, sizeof(sha256));
	r = device_save(d, err);
	return r == 0 ? device_note(d, "kept", err, "%s of %s, in %s",
				    old->version[0] ? old->version : "the image",
				    old->publisher[0] ? old->publisher : "the old publisher",
				    d->conf.keep_image)
		      : r;
}

static int restore(struct device *d, struct error *err)
{
	const struct slot_record *runs = &d->st.slot[d->boot.running];
	CLEANUP(http_freep) struct http *http = NULL;
	CLEANUP(source_close) struct source from = {0};
	CLEANUP(freep) char *name = NULL;
	const struct image_feed feed = {.from = &from, .n = 1};
	struct image im = {.size = (uint64_t)d->st.kept.size, .record = d->st.kept};
	int r = http_new(NULL, &http, err);

	if (r == 0)
		r = source_open_file(http, d->conf.folder, d->conf.keep_image, &from, &name, err);
	if (r < 0)
		return r;
	im.path = name;
	/* Else it would come back with the next look for updates. */
	state_fail(&d->st, runs);
	memcpy(d->st.left, runs->version, sizeof(d->st.left));
	return image_install(d, &im, &feed, err);
}

int image_restore(struct device *d, struct error *err)
{
	const struct slot_record *runs = &d->st.slot[d->boot.running];

	if (!d->conf.keep_image || !d->st.kept.size)
		return error_set(err, E_NOTYET, "keep-image: nothing was kept on this device");
	if (strcmp(runs->sha256, d->st.kept.sha256) == 0)
		return error_set(err, E_NOTYET, "slot %c: runs what was kept already",
				 slot_letter(d->boot.running));
	return restore(d, err);
}
