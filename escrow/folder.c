/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/folder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "escrow/desk.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

enum { DEPTH_MAX = 8 };

static void upper(const char *fpr, char out[PGP_FPR_HEX_SIZE])
{
	size_t i;

	for (i = 0; fpr[i] && i < PGP_FPR_HEX; i++)
		out[i] = (char)toupper((unsigned char)fpr[i]);
	out[i] = '\0';
}

void folder_payload(enum compartment_kind k, char out[FOLDER_PATH_SIZE])
{
	(void)snprintf(out, FOLDER_PATH_SIZE, "%s/payload.tar.gpg", compartment_name(k));
}

void folder_share(enum compartment_kind k, const char *fpr, char out[FOLDER_PATH_SIZE])
{
	char big[PGP_FPR_HEX_SIZE];

	upper(fpr, big);
	(void)snprintf(out, FOLDER_PATH_SIZE, "%s/shares/%s.gpg", compartment_name(k), big);
}

void folder_vendor(enum compartment_kind k, char out[FOLDER_PATH_SIZE])
{
	(void)snprintf(out, FOLDER_PATH_SIZE, "vendor/%s.gpg", compartment_name(k));
}

void folder_cert(const char *fpr, char out[FOLDER_PATH_SIZE])
{
	char big[PGP_FPR_HEX_SIZE];

	upper(fpr, big);
	(void)snprintf(out, FOLDER_PATH_SIZE, "certs/%s.asc", big);
}

static int load(struct folder *f, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = file_open_dir(AT_FDCWD, f->path, false, &f->fd, err);

	if (r == E_NOTFOUND)
		return desk_usage(r, err);
	if (r == 0)
		r = file_read(f->fd, FOLDER_MANIFEST, DOCUMENT_MAX, &text, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE, "%s: not a deposit: it has no %s", f->path,
				 FOLDER_MANIFEST);
	if (r == 0)
		r = envelope_parse(text.data, text.len, FOLDER_MANIFEST, &f->doc, err);
	return r < 0 ? r : deposit_read(f->doc, FOLDER_MANIFEST, &f->deposit, err);
}

int folder_open(const char *path, struct folder *out, struct error *err)
{
	CLEANUP(folder_close) struct folder f = {.fd = -1, .path = path};
	int r = load(&f, err);

	if (r < 0)
		return r;
	*out = f;
	f = (struct folder){.fd = -1};
	return 0;
}

void folder_close(struct folder *f)
{
	deposit_clear(&f->deposit);
	envelope_free(f->doc);
	closep(&f->fd);
	*f = (struct folder){.fd = -1};
}

static int check(const struct folder *f, const struct deposit_file *want, struct error *err)
{
	CLEANUP(closep)
	int fd = openat(f->fd, want->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char got[SHA256_HEX_SIZE];
	struct stat st;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
		return error_set(err, E_UNTRUSTED, "%s: %s", want->path,
				 errno == ENOENT ? "missing" : "not a regular file");
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "%s", want->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, E_UNTRUSTED, "%s: not a regular file", want->path);
	if (st.st_size != want->size)
		return error_set(err, E_UNTRUSTED, "%s: want %lld bytes, got %lld", want->path,
				 (long long)want->size, (long long)st.st_size);
	r = digest_fd(fd, want->size, got, err);
	if (r < 0)
		return error_prefix(err, r, "%s", want->path);
	if (strcmp(got, want->sha256) != 0)
		return error_set(err, E_UNTRUSTED, "%s: want sha256 %s, got %s", want->path,
				 want->sha256, got);
	return 0;
}

static const struct deposit_file *find(const struct deposit *d, const char *path)
{
	for (size_t i = 0; i < d->nfiles; i++)
		if (strcmp(d->files[i].path, path) == 0)
			return &d->files[i];
	return NULL;
}

int folder_check_file(const struct folder *f, const char *path, struct error *err)
{
	const struct deposit_file *want = find(&f->deposit, path);

	if (!want)
		return error_set(err, E_NOTFOUND, "%s: not listed in %s", path, FOLDER_MANIFEST);
	return check(f, want, err);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Is there anything that nobody signed for? */
static int check_strays(const struct folder *f, const char *below, int depth, struct error *err)
{
	int fd = openat(f->fd, *below ? below : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	CLEANUP(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d) {
		closep(&fd);
		return error_errno(err, errno, "%s", below);
	}
	while (errno = 0, (e = readdir(d))) {
		CLEANUP(buf_clear) struct buf path = {0};
		struct stat st;
		int r;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = buf_printf(&path, err, "%s%s%s", below, *below ? "/" : "", e->d_name);
		if (r < 0)
			return r;
		if (fstatat(f->fd, path.data, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_errno(err, errno, "%s", path.data);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			r = check_strays(f, path.data, depth + 1, err);
		else if (strcmp(path.data, FOLDER_MANIFEST) != 0 && !find(&f->deposit, path.data))
			r = error_set(err, E_UNTRUSTED, "%s: not listed in %s", path.data,
				      FOLDER_MANIFEST);
		if (r < 0)
			return r;
	}
	return errno ? error_errno(err, errno, "%s", below) : 0;
}

int folder_check(const struct folder *f, progress_fn progress, void *ctx, struct error *err)
{
	uint64_t done = 0, total = 0;

	for (size_t i = 0; i < f->deposit.nfiles; i++)
		total += (uint64_t)f->deposit.files[i].size;
	for (size_t i = 0; i < f->deposit.nfiles; i++) {
		int r = check(f, &f->deposit.files[i], err);

		if (r < 0)
			return r;
		done += (uint64_t)f->deposit.files[i].size;
		if (progress)
			progress(ctx, done, total);
	}
	return check_strays(f, "", 0, err);
}

int folder_verify(const struct folder *f, const char *root_file, struct tuf_root **root,
		  struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *known = NULL;
	const struct statement *head = &f->deposit.head;
	int r = desk_read_root(root_file, &known, err);

	if (r < 0)
		return r;
	if (head->root_version != known->version ||
	    strcmp(head->root_id, envelope_id(known->doc)) != 0)
		return error_set(err, E_UNTRUSTED,
				 FOLDER_MANIFEST ": signed.root: version %lld, not the root in %s",
				 (long long)head->root_version, root_file);
	if (!known->product || strcmp(known->product, head->product) != 0)
		return error_set(err, E_UNTRUSTED,
				 FOLDER_MANIFEST ": signed.product: not that of %s", root_file);
	r = envelope_verify(f->doc, &known->role[TUF_ROOT], "the root role", err);
	if (r < 0)
		return error_prefix(err, r, FOLDER_MANIFEST);
	if (root)
		*root = steal(known);
	return 0;
}
