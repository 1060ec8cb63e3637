/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "registry/http/cork.h"
#include "registry/http/place.h"
#include "registry/http/precond.h"
#include "registry/http/respond.h"

/*
 * Each URL has one slot; another URL of the same slot displaces it. So memory
 * is bounded (SLOTS * SMALL_MAX: 64 MiB) and nothing needs an eviction order.
 */
enum { SLOTS = 4096, SMALL_MAX = 16 * 1024, LOCKS = 64 };

/* Larger files are not read into memory but kept open, at most so many of them. */
enum { HELD_MAX = 256 };

/*
 * File systems count modification time in ticks of some milliseconds. A file
 * that changed this recently may change again under the same time stamp.
 */
#define SETTLED_NS INT64_C(50000000)

/* How a file is opened to be read: a pipe must not block us. */
#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static const char policy[] = "default-src 'none'; style-src 'self'; img-src 'self'; "
			     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* What tells one content of a name from the next. */
struct identity {
	dev_t dev;
	ino_t ino;
	int64_t size, mtime_ns, ctime_ns;
};

/* A file as it was at one moment. */
struct entry {
	char *url, *path;
	struct identity id;
	char etag[ETAG_SIZE];
	struct MHD_Response *full, *unchanged; /* 200 and 304 */
	atomic_int *held; /* counts this one as an open file; NULL: it is none */
};

struct files {
	int dir;
	pthread_mutex_t locks[LOCKS];
	struct entry *slots[SLOTS];
	atomic_int held; /* entries that hold a file open */
};

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	if (e->full)
		MHD_destroy_response(e->full);
	if (e->unchanged)
		MHD_destroy_response(e->unchanged);
	if (e->held)
		(void)atomic_fetch_sub(e->held, 1);
	free(e->url);
	free(e->path);
	free(e);
}
DEFINE_CLEANUP(struct entry *, entry_free)

int files_new(int dir, struct files **out, struct error *err)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return error_nomem(err);
	f->dir = dir;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&f->locks[i], NULL);
	*out = f;
	return 0;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		entry_free(f->slots[i]);
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&f->locks[i]);
	free(f);
}

static size_t slot_of(const char *url)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (const char *p = url; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619U;
	return (h ^ h >> 16) % SLOTS;
}

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct identity identity_of(const struct stat *st)
{
	return (struct identity){st->st_dev, st->st_ino, (int64_t)st->st_size, ns_of(st->st_mtim),
				 ns_of(st->st_ctim)};
}

static bool same(const struct identity *a, const struct identity *b)
{
	return a->ino == b->ino && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
	       a->size == b->size && a->dev == b->dev;
}

/* One component at a time, so that no link is followed anywhere. */
static int open_stepwise(int dir, const char *path)
{
	char part[PLACE_MAX];
	CLEANUP(closep) int at = -1;

	for (;;) {
		const char *slash = strchr(path, '/');
		int fd;

		if (!slash)
			return openat(at < 0 ? dir : at, path, FILE_FLAGS);
		memcpy(part, path, (size_t)(slash - path));
		part[slash - path] = '\0';
		fd = openat(at < 0 ? dir : at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		closep(&at);
		at = fd;
		if (fd < 0)
			return -1;
		path = slash + 1;
	}
}

/* Open a file of the tree by no link. Kernels before 5.6, and some sandboxes, lack openat2(). */
static int open_below(int dir, const char *path)
{
	const struct open_how how = {.flags = FILE_FLAGS,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return open_stepwise(dir, path);
	return (int)fd;
}

static void etag_of_bytes(const char *data, size_t len, char out[ETAG_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	sha256_hex(data, len, hex);
	(void)snprintf(out, ETAG_SIZE, "\"%.32s\"", hex);
}

static void etag_of_identity(const struct identity *id, char out[ETAG_SIZE])
{
	struct {
		uint64_t ino, size, mtime, ctime;
	} raw = {(uint64_t)id->ino, (uint64_t)id->size, (uint64_t)id->mtime_ns,
		 (uint64_t)id->ctime_ns};

	etag_of_bytes((const char *)&raw, sizeof(raw), out);
}

static enum MHD_Result dress(struct MHD_Response *r, const struct place_kind *kind,
			     const char *etag, bool body)
{
	enum MHD_Result ok = MHD_add_response_header(r, MHD_HTTP_HEADER_ETAG, etag);

	if (ok)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, kind->cache_control);
	if (!body)
		return ok;
	if (ok)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, kind->content_type);
	if (ok)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (ok)
		ok = MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (ok && kind->page)
		ok = MHD_add_response_header(r, "Content-Security-Policy", policy);
	return ok;
}

static struct MHD_Response *unchanged_new(const struct place_kind *kind, const char *etag)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	if (r && !dress(r, kind, etag, false)) {
		MHD_destroy_response(r);
		return NULL;
	}
	return r;
}

/* What one request asks of a file that was found. */
struct ask {
	struct MHD_Connection *c;
	bool head; /* only the header is asked for */
	const char *none_match, *range, *if_range;
	unsigned status; /* of the answer, once there is one */
};

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static enum MHD_Result queue(struct ask *a, unsigned status, struct MHD_Response *r)
{
	a->status = status;
	return MHD_queue_response(a->c, status, r);
}

/* An answer whose body comes from a file that is open. */
static enum MHD_Result queue_open_file(struct ask *a, unsigned status, struct MHD_Response *r)
{
	if (!a->head)
		cork_hold(MHD_get_connection_info(a->c, MHD_CONNECTION_INFO_CONNECTION_FD)
				  ->connect_fd);
	return queue(a, status, r);
}

static enum MHD_Result queue_entry(struct ask *a, const struct entry *e)
{
	if (a->none_match && etag_listed(a->none_match, e->etag))
		return queue(a, MHD_HTTP_NOT_MODIFIED, e->unchanged);
	if (e->id.size > SMALL_MAX)
		return queue_open_file(a, MHD_HTTP_OK, e->full);
	return queue(a, MHD_HTTP_OK, e->full);
}

/* The fast path: a file that has not changed since it was read or opened. */
static bool from_memory(struct files *f, const char *url, struct ask *a, enum MHD_Result *result)
{
	size_t slot = slot_of(url);
	pthread_mutex_t *lock = &f->locks[slot % LOCKS];
	bool hit = false;
	struct stat st;

	(void)pthread_mutex_lock(lock);
	struct entry *e = f->slots[slot];
	if (e && strcmp(e->url, url) == 0 &&
	    fstatat(f->dir, e->path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		struct identity now = identity_of(&st);

		hit = same(&now, &e->id);
		if (hit)
			*result = queue_entry(a, e);
	}
	(void)pthread_mutex_unlock(lock);
	return hit;
}

static void remember(struct files *f, struct entry *e_take)
{
	size_t slot = slot_of(e_take->url);
	pthread_mutex_t *lock = &f->locks[slot % LOCKS];
	struct entry *old;

	(void)pthread_mutex_lock(lock);
	old = f->slots[slot];
	f->slots[slot] = e_take;
	(void)pthread_mutex_unlock(lock);
	entry_free(old);
}

/* Read all of a small file; false: it is not what it was, or memory is short. */
static bool slurp(int fd, char *data, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(fd, data + have, len - have, (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static bool settled(const struct identity *id)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ns_of(now) - id->mtime_ns > SETTLED_NS && ns_of(now) - id->ctime_ns > SETTLED_NS;
}

/* Answer with a small file and keep it ready for the next time. */
static enum MHD_Result answer_small(struct files *f, const char *url, const char *path, int fd,
				    const struct identity *id, struct ask *a)
{
	CLEANUP(entry_freep) struct entry *e = calloc(1, sizeof(*e));
	struct place_kind kind = place_kind(path);
	bool keep = settled(id); /* asked before the bytes are read */
	char data[SMALL_MAX];
	size_t len = (size_t)id->size;
	enum MHD_Result ok;

	if (!e || !slurp(fd, data, len))
		return MHD_NO;
	e->id = *id;
	e->url = strdup(url);
	e->path = strdup(path);
	etag_of_bytes(data, len, e->etag);
	e->full = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_COPY);
	e->unchanged = unchanged_new(&kind, e->etag);
	if (!e->url || !e->path || !e->full || !e->unchanged ||
	    !dress(e->full, &kind, e->etag, true))
		return MHD_NO;
	ok = queue_entry(a, e);
	if (keep)
		remember(f, steal(e));
	return ok;
}

static bool may_hold(struct files *f)
{
	if (atomic_fetch_add(&f->held, 1) < HELD_MAX)
		return true;
	(void)atomic_fetch_sub(&f->held, 1);
	return false;
}

/* Answer with all of a larger file, and keep it open for the next time; `fd_take` is closed with
 * it. */
static enum MHD_Result answer_large(struct files *f, const char *url, const char *path, int fd_take,
				    const struct identity *id, struct ask *a)
{
	CLEANUP(closep) int fd = fd_take;
	CLEANUP(entry_freep) struct entry *e = calloc(1, sizeof(*e));
	struct place_kind kind = place_kind(path);
	enum MHD_Result ok;

	if (!e)
		return MHD_NO;
	e->id = *id;
	e->url = strdup(url);
	e->path = strdup(path);
	etag_of_identity(id, e->etag);
	e->full = MHD_create_response_from_fd_at_offset64((uint64_t)id->size, fd, 0);
	if (e->full) /* which closes it */
		(void)steal_fd(&fd);
	e->unchanged = unchanged_new(&kind, e->etag);
	if (!e->url || !e->path || !e->full || !e->unchanged ||
	    !dress(e->full, &kind, e->etag, true))
		return MHD_NO;
	ok = queue_entry(a, e);
	if (settled(id) && may_hold(f)) {
		e->held = &f->held;
		remember(f, steal(e));
	}
	return ok;
}

/* A part of a file; `fd_take` is closed with the answer. */
static enum MHD_Result answer_fd(int fd_take, const char *path, const char *etag, uint64_t size,
				 struct ask *a)
{
	CLEANUP(closep) int fd = fd_take;
	struct place_kind kind = place_kind(path);
	uint64_t first = 0, len = size;
	enum range_kind part = range_parse(a->range, a->if_range, etag, size, &first, &len);
	struct MHD_Response *r;
	enum MHD_Result ok = MHD_YES;
	char content_range[80];

	if (part == RANGE_BEYOND) {
		r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		(void)snprintf(content_range, sizeof(content_range), "bytes */%llu",
			       (unsigned long long)size);
	} else {
		r = MHD_create_response_from_fd_at_offset64(len, fd, first);
		if (r) /* which closes it */
			(void)steal_fd(&fd);
		(void)snprintf(content_range, sizeof(content_range), "bytes %llu-%llu/%llu",
			       (unsigned long long)first, (unsigned long long)(first + len - 1),
			       (unsigned long long)size);
	}
	if (!r)
		return MHD_NO;
	if (part != RANGE_NONE)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, content_range);
	if (ok)
		ok = dress(r, &kind, etag, true);
	if (ok && part == RANGE_BEYOND)
		ok = queue(a, MHD_HTTP_RANGE_NOT_SATISFIABLE, r);
	else if (ok)
		ok = queue_open_file(a, part == RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK,
				     r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result answer_unchanged(const char *path, const char *etag, struct ask *a)
{
	struct place_kind kind = place_kind(path);
	struct MHD_Response *r = unchanged_new(&kind, etag);
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	ok = queue(a, MHD_HTTP_NOT_MODIFIED, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result answer_missing(const char *url, struct ask *a)
{
	struct error err = {0};

	(void)error_set(&err, E_NOTFOUND, "%.200s: not here", url);
	a->status = MHD_HTTP_NOT_FOUND;
	return respond_error(a->c, a->status, &err);
}

/* "folder" becomes "folder/", relative, so that it works under any prefix. */
static enum MHD_Result answer_folder(const char *url, struct ask *a)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char location[PLACE_MAX * 3];
	enum MHD_Result ok = MHD_NO;

	if (!r)
		return MHD_NO;
	/* Without "./", a name with a colon would read as a URL of another scheme. */
	(void)snprintf(location, sizeof(location), "./%s/", strrchr(url, '/') + 1);
	if (MHD_add_response_header(r, MHD_HTTP_HEADER_LOCATION, location))
		ok = queue(a, MHD_HTTP_MOVED_PERMANENTLY, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result from_disk(struct files *f, const char *url, struct ask *a)
{
	CLEANUP(closep) int fd = -1;
	char path[PLACE_MAX], etag[ETAG_SIZE];
	struct identity id;
	struct stat st;

	if (!place_of(url, path))
		return answer_missing(url, a);
	fd = open_below(f->dir, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return answer_missing(url, a);
	if (S_ISDIR(st.st_mode))
		return answer_folder(url, a);
	if (!S_ISREG(st.st_mode))
		return answer_missing(url, a);
	id = identity_of(&st);
	if (id.size <= SMALL_MAX && !a->range)
		return answer_small(f, url, path, fd, &id, a);
	if (!a->range)
		return answer_large(f, url, path, steal_fd(&fd), &id, a);
	if (id.size <= SMALL_MAX) {
		char data[SMALL_MAX];

		if (!slurp(fd, data, (size_t)id.size))
			return MHD_NO;
		etag_of_bytes(data, (size_t)id.size, etag);
	} else {
		etag_of_identity(&id, etag);
	}
	if (etag_listed(a->none_match, etag))
		return answer_unchanged(path, etag, a);
	return answer_fd(steal_fd(&fd), path, etag, (uint64_t)id.size, a);
}

enum MHD_Result files_answer(struct files *f, struct MHD_Connection *c, const char *url, bool head,
			     unsigned *status)
{
	struct ask a = {.c = c,
			.head = head,
			.none_match = header(c, MHD_HTTP_HEADER_IF_NONE_MATCH),
			.range = header(c, MHD_HTTP_HEADER_RANGE)};
	enum MHD_Result result;

	if (a.range)
		a.if_range = header(c, MHD_HTTP_HEADER_IF_RANGE);
	if (a.range || !from_memory(f, url, &a, &result))
		result = from_disk(f, url, &a);
	*status = a.status;
	return result;
}
