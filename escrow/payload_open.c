/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/payload.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "escrow/charset.h"
#include "escrow/stream.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/sign/gpg.h"

enum {
	BLOCK = 128 * 1024,
	PADDING_MAX = 1024 * 1024, /* other tools fill the last block of an archive with zeros */
	MODE_FILE = 0644,
	MODE_PROGRAM = 0755,
};

/* What reading needs at hand. */
struct reader {
	struct archive *archive;
	const struct payload_rules *rules;
	const struct payload_key *key;
	int dir;
	struct digest *digest;
	struct buf manifest;
	int64_t left;         /* bytes that may still come */
	uint64_t done, total; /* for the progress */
	bool broken;          /* the stream ended early or is no archive: gpg may know why */
};

static void reader_clear(struct reader *rd)
{
	if (rd->archive)
		(void)archive_read_free(rd->archive);
	digest_free(rd->digest);
	buf_clear(&rd->manifest);
}

static int archive_failed(struct reader *rd, struct error *err)
{
	const char *why = archive_error_string(rd->archive);

	rd->broken = true;
	return error_set(err, E_UNTRUSTED, "not a good archive: %s", why ? why : "cut short");
}

/* The next regular file: 1, its path borrowed until the next call; 0: the end. */
static int next(struct reader *rd, struct archive_entry **entry, const char **path,
		struct error *err)
{
	for (;;) {
		int r = archive_read_next_header(rd->archive, entry);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return archive_failed(rd, err);
		*path = archive_entry_pathname_utf8(*entry);
		if (!*path)
			return error_set(err, E_UNTRUSTED, "a file without a readable name");
		if (archive_entry_filetype(*entry) == AE_IFDIR)
			continue; /* made as needed; another tool's archive may list them */
		if (archive_entry_filetype(*entry) != AE_IFREG || archive_entry_hardlink(*entry))
			return error_set(err, E_UNTRUSTED, "%s: not a regular file", *path);
		rd->left -= archive_entry_size(*entry);
		if (rd->left < 0)
			return error_set(err, E_UNTRUSTED,
					 "%s: more than the manifest allows in all", *path);
		return 1;
	}
}

/* The entry's bytes, to a descriptor or (fd -1) to a buf, and through the digest. */
static int take(struct reader *rd, int64_t size, int fd, struct buf *to, struct error *err)
{
	int64_t at = 0;

	for (;;) {
		const void *data;
		size_t len;
		la_int64_t offset;
		int r = archive_read_data_block(rd->archive, &data, &len, &offset);

		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK)
			return archive_failed(rd, err);
		if (len == 0)
			continue;
		if (offset != at || (int64_t)len > size - at)
			return error_set(err, E_UNTRUSTED, "a sparse file");
		at += (int64_t)len;
		digest_add(rd->digest, data, len);
		r = fd < 0 ? buf_add(to, data, len, err)
			   : file_write_all(fd, data, len, "item", err);
		if (r < 0)
			return r;
		rd->done += len;
		if (rd->key->progress)
			rd->key->progress(rd->key->ctx, rd->done, rd->total);
	}
	return at == size ? 0 : archive_failed(rd, err);
}

/* One of the two small files at the head of the archive. */
static int take_small(struct reader *rd, const char *want, int64_t max, struct buf *to,
		      struct error *err)
{
	struct archive_entry *e;
	const char *path = "nothing";
	char unused[SHA256_HEX_SIZE];
	int r = next(rd, &e, &path, err);

	if (r < 0)
		return r;
	if (r == 0 || strcmp(path, want) != 0 || archive_entry_size(e) > max)
		return error_set(err, E_UNTRUSTED, "want %s of at most %lld bytes here, got %s",
				 want, (long long)max, path);
	r = take(rd, archive_entry_size(e), -1, to, err);
	digest_finish_hex(rd->digest, unused);
	if (r < 0)
		return error_prefix(err, r, "%s", want);
	return file_write(rd->dir, want, to->data, to->len, MODE_FILE, err);
}

/* The list that travels in the archive must be the one that was signed. */
static int check_head(struct reader *rd, struct error *err)
{
	CLEANUP(buf_clear) struct buf salt = {0};
	CLEANUP(buf_clear) struct buf want = {0};
	char digest[SHA256_HEX_SIZE];
	int r = take_small(rd, PAYLOAD_MANIFEST, ITEMS_TEXT_MAX, &rd->manifest, err);

	if (r < 0)
		return r;
	if (!rd->rules->salted) {
		r = items_text(rd->rules->items, &want, err);
		if (r == 0 && (want.len != rd->manifest.len || !want.len ||
			       memcmp(want.data, rd->manifest.data, want.len) != 0))
			r = error_set(err, E_UNTRUSTED,
				      "%s: not the list of items that deposit.json has",
				      PAYLOAD_MANIFEST);
		return r;
	}
	r = take_small(rd, PAYLOAD_SALT, SALT_LEN, &salt, err);
	if (r < 0)
		return r;
	if (salt.len != SALT_LEN)
		return error_set(err, E_UNTRUSTED, "%s: want %d bytes", PAYLOAD_SALT, SALT_LEN);
	r = payload_salted((const unsigned char *)salt.data, &rd->manifest, digest, err);
	if (r == 0 && strcmp(digest, rd->rules->salted) != 0)
		r = error_set(err, E_UNTRUSTED, "%s: not the list that deposit.json vouches for",
			      PAYLOAD_MANIFEST);
	if (r == 0)
		r = items_add_text(rd->rules->items, &rd->manifest, err);
	return r < 0 ? r : items_sort(rd->rules->items, err);
}

static int make_file(struct reader *rd, const char *path, bool executable, int *out,
		     struct error *err)
{
	CLEANUP(freep) char *folder = strdup(path);
	char *slash;
	int fd, r;

	if (!folder)
		return error_nomem(err);
	slash = strrchr(folder, '/');
	if (slash) {
		*slash = '\0';
		r = file_mkdir(rd->dir, folder, 0777, err);
		if (r < 0)
			return r;
	}
	fd = openat(rd->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    executable ? MODE_PROGRAM : MODE_FILE);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	*out = fd;
	return 0;
}

static int take_item(struct reader *rd, struct archive_entry *e, const char *path,
		     struct error *err)
{
	CLEANUP(closep) int fd = -1;
	struct item *one = items_find(rd->rules->items, path);
	int64_t size = archive_entry_size(e);
	char got[SHA256_HEX_SIZE];
	int r;

	if (!one || one->seen)
		return error_set(err, E_UNTRUSTED, "%s: %s", path,
				 one ? "in the archive twice" : "not an item that was signed");
	if (one->size >= 0 && one->size != size)
		return error_set(err, E_UNTRUSTED, "%s: want %lld bytes, got %lld", path,
				 (long long)one->size, (long long)size);
	one->seen = true;
	one->size = size;
	r = make_file(rd, one->path, archive_entry_perm(e) & 0100, &fd, err);
	if (r == 0)
		r = take(rd, size, fd, NULL, err);
	if (r < 0)
		return error_prefix(err, r, "%s", one->path);
	digest_finish_hex(rd->digest, got);
	if (strcmp(got, one->sha256) != 0)
		return error_set(err, E_UNTRUSTED, "%s: want sha256 %s, got %s", one->path,
				 one->sha256, got);
	return 0;
}

static int take_all(struct reader *rd, int fd, struct error *err)
{
	struct archive_entry *e;
	const char *path;
	int r;

	if (archive_read_support_format_tar(rd->archive) != ARCHIVE_OK ||
	    archive_read_set_options(rd->archive, "hdrcharset=UTF-8") != ARCHIVE_OK ||
	    archive_read_open_fd(rd->archive, fd, BLOCK) != ARCHIVE_OK)
		return archive_failed(rd, err);
	r = check_head(rd, err);
	if (r < 0)
		return r;
	while ((r = next(rd, &e, &path, err)) > 0) {
		r = take_item(rd, e, path, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; r == 0 && i < rd->rules->items->n; i++)
		if (!rd->rules->items->list[i].seen)
			r = error_set(err, E_UNTRUSTED, "%s: not in the archive",
				      rd->rules->items->list[i].path);
	return r;
}

/* gpg judges a message's integrity at its end, so all of it must be read. */
static int drain(int fd, struct error *err)
{
	char chunk[4096];
	size_t sum = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "archive");
		if (n == 0)
			return 0;
		sum += (size_t)n;
		if (sum > PADDING_MAX)
			return error_set(err, E_UNTRUSTED, "more bytes after the archive's end");
	}
}

int payload_open(int fd, const struct payload_rules *rules, const struct payload_key *key, int dir,
		 struct error *err)
{
	CLEANUP(charset_leave) struct charset charset = {0};
	CLEANUP(reader_clear)
	struct reader rd = {.archive = archive_read_new(),
			    .rules = rules,
			    .key = key,
			    .dir = dir,
			    .left = rules->size_max + ITEMS_TEXT_MAX,
			    .total = (uint64_t)items_size(rules->items)};
	struct stream s = {
		.run = gpg_decrypt_stream, .gpg = key->gpg, .passphrase = key->passphrase};
	struct error gpg_err = {0};
	int r, gpg_r;

	if (!rd.archive)
		return error_nomem(err);
	r = charset_enter(&charset, err);
	if (r == 0)
		r = digest_new(&rd.digest, err);
	if (r == 0)
		r = stream_start(&s, fd, false, err);
	if (r < 0)
		return r;
	r = take_all(&rd, s.pipe, err);
	if (r == 0)
		r = drain(s.pipe, err);
	gpg_r = stream_finish(&s, &gpg_err);
	if (gpg_r < 0 && (r == 0 || rd.broken))
		return error_set(err, gpg_r, "%s", gpg_err.text);
	return r;
}
