/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/payload.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "escrow/charset.h"
#include "escrow/stream.h"
#include "lib/base/error.h"
#include "lib/sign/gpg.h"

enum { CHUNK = 256 * 1024, BLOCK = 128 * 1024, MODE_FILE = 0644, MODE_PROGRAM = 0755 };

int payload_salted(const unsigned char salt[SALT_LEN], const struct buf *manifest,
		   char out[SHA256_HEX_SIZE], struct error *err)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	int r = digest_new(&d, err);

	if (r < 0)
		return r;
	digest_add(d, salt, SALT_LEN);
	digest_add(d, manifest->data, manifest->len);
	digest_finish_hex(d, out);
	return 0;
}

static void archive_freep(struct archive **a)
{
	if (*a)
		(void)archive_write_free(*a);
}

static void entry_freep(struct archive_entry **e)
{
	archive_entry_free(*e);
}

/* What writing needs at hand. */
struct writer {
	struct archive *archive;
	const struct payload_key *key;
	uint64_t done, total; /* bytes of the items */
	char *chunk;          /* CHUNK bytes */
	bool broken;          /* the archive could not be written: gpg knows why */
};

static int archive_failed(struct writer *w, struct error *err)
{
	w->broken = true;
	return error_set(err, E_SYS, "archive: %s", archive_error_string(w->archive));
}

/* Without a time, which libarchive writes as 0: its time_t is another one on 32-bit machines. */
static int put_header(struct writer *w, const char *path, int64_t size, bool executable,
		      struct error *err)
{
	CLEANUP(entry_freep) struct archive_entry *e = archive_entry_new();

	if (!e)
		return error_nomem(err);
	archive_entry_set_pathname_utf8(e, path);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, executable ? MODE_PROGRAM : MODE_FILE);
	archive_entry_set_size(e, size);
	return archive_write_header(w->archive, e) == ARCHIVE_OK ? 0 : archive_failed(w, err);
}

static int put_data(struct writer *w, const void *data, size_t len, struct error *err)
{
	return archive_write_data(w->archive, data, len) == (la_ssize_t)len
		       ? 0
		       : archive_failed(w, err);
}

static int put_bytes(struct writer *w, const char *path, const void *data, size_t len,
		     struct error *err)
{
	int r = put_header(w, path, (int64_t)len, false, err);

	return r < 0 ? r : put_data(w, data, len, err);
}

/* Is it still the file that was hashed? Its change time says so without reading it. */
static int unchanged(const struct item *one, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", one->from);
	if (st.st_size != one->size || st.st_ctim.tv_sec != one->changed.tv_sec ||
	    st.st_ctim.tv_nsec != one->changed.tv_nsec)
		return error_set(err, E_USAGE, "%s: changed while it was being sealed", one->from);
	return 0;
}

static int put_item(struct writer *w, const struct item *one, struct error *err)
{
	CLEANUP(closep) int fd = open(one->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return error_errno(err, errno, "%s", one->from);
	r = unchanged(one, fd, err);
	if (r == 0)
		r = put_header(w, one->path, one->size, one->executable, err);
	for (int64_t left = one->size; r == 0 && left > 0;) {
		ssize_t n = read(fd, w->chunk, left < CHUNK ? (size_t)left : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "%s", one->from);
		if (n == 0)
			break; /* it shrank: unchanged() will say so */
		r = put_data(w, w->chunk, (size_t)n, err);
		left -= n;
		w->done += (uint64_t)n;
		if (w->key->progress)
			w->key->progress(w->key->ctx, w->done, w->total);
	}
	return r < 0 ? r : unchanged(one, fd, err);
}

static int put_all(struct writer *w, const struct items *items, const unsigned char *salt, int fd,
		   struct error *err)
{
	CLEANUP(buf_clear) struct buf manifest = {0};
	int r = items_text(items, &manifest, err);

	if (r < 0)
		return r;
	/* Padding the last block would only make the archive longer. */
	if (archive_write_set_format_pax_restricted(w->archive) != ARCHIVE_OK ||
	    archive_write_set_options(w->archive, "hdrcharset=UTF-8") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(w->archive, BLOCK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(w->archive, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(w->archive, fd) != ARCHIVE_OK)
		return archive_failed(w, err);
	r = put_bytes(w, PAYLOAD_MANIFEST, manifest.data, manifest.len, err);
	if (r == 0 && salt)
		r = put_bytes(w, PAYLOAD_SALT, salt, SALT_LEN, err);
	for (size_t i = 0; r == 0 && i < items->n; i++)
		r = put_item(w, &items->list[i], err);
	if (r == 0 && archive_write_close(w->archive) != ARCHIVE_OK)
		r = archive_failed(w, err);
	return r;
}

/* Write the archive through gpg into `fd`. */
static int seal_into(const struct items *items, const unsigned char *salt,
		     const struct payload_key *key, int fd, struct error *err)
{
	CLEANUP(charset_leave) struct charset charset = {0};
	CLEANUP(freep) char *chunk = malloc(CHUNK);
	CLEANUP(archive_freep) struct archive *archive = archive_write_new();
	struct writer w = {.archive = archive,
			   .key = key,
			   .total = (uint64_t)items_size(items),
			   .chunk = chunk};
	struct stream s = {
		.run = gpg_encrypt_stream, .gpg = key->gpg, .passphrase = key->passphrase};
	struct error gpg_err = {0};
	int r, gpg_r;

	if (!chunk || !archive)
		return error_nomem(err);
	r = charset_enter(&charset, err);
	if (r == 0)
		r = stream_start(&s, fd, true, err);
	if (r < 0)
		return r;
	r = put_all(&w, items, salt, s.pipe, err);
	gpg_r = stream_finish(&s, &gpg_err);
	if (gpg_r < 0 && (r == 0 || w.broken))
		return error_set(err, gpg_r, "%s", gpg_err.text);
	return r;
}

int payload_seal(const struct items *items, const unsigned char *salt,
		 const struct payload_key *key, int fd, struct payload_sealed *out,
		 struct error *err)
{
	struct payload_sealed sealed = {0};
	struct stat st;
	int r = seal_into(items, salt, key, fd, err);

	/* Hashed once more from the page cache: cheaper than one more pipe and thread. */
	if (r == 0)
		r = digest_fd(fd, -1, sealed.sha256, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "fstat");
	sealed.size = st.st_size;
	*out = sealed;
	return 0;
}
