/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/git_http.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zlib.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "registry/http/respond.h"

enum {
	RUN_MAX_MS = 300000,
	UNZIPPED_MAX = 32 * 1024 * 1024,
	ADVERTISEMENT_MAX = 8 * 1024 * 1024,
	CHUNK = 64 * 1024,
	GZIP_WINDOW = 15 + 16, /* zlib: the largest window, a gzip header */
};

static bool is_v2(const struct request *q)
{
	return strstr(q->protocol, "version=2") != NULL;
}

void git_http_begin(struct request *q)
{
	const char *p = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, "Git-Protocol");
	const char *coding = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_ENCODING);

	if (p && strlen(p) < sizeof(q->protocol) &&
	    strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789=:") == strlen(p))
		memcpy(q->protocol, p, strlen(p) + 1);
	q->gzip = coding && (strcmp(coding, "gzip") == 0 || strcmp(coding, "x-gzip") == 0);
}

/* Write the body to `fd`, unpacked if it came packed. */
static int write_body(const struct request *q, int fd, struct error *err)
{
	z_stream z = {0};
	CLEANUP(freep) unsigned char *chunk = NULL;
	size_t total = 0;
	int r = 0, state = Z_OK;

	if (!q->gzip)
		return file_write_all(fd, q->body.data, q->body.len, "body", err);
	chunk = malloc(CHUNK);
	if (!chunk || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return error_nomem(err);
	z.next_in = (unsigned char *)q->body.data;
	z.avail_in = (unsigned)q->body.len;
	while (r == 0 && state == Z_OK) {
		z.next_out = chunk;
		z.avail_out = CHUNK;
		state = inflate(&z, Z_NO_FLUSH);
		total += CHUNK - z.avail_out;
		if ((state != Z_OK && state != Z_STREAM_END) || total > UNZIPPED_MAX)
			r = error_set(err, E_INVALID, "body: no gzip, or too much of it");
		else
			r = file_write_all(fd, chunk, CHUNK - z.avail_out, "body", err);
	}
	(void)inflateEnd(&z);
	return r;
}

static int run(const struct request *q, int tree, int in, int out, struct error *err)
{
	char folder[40], repo[ROUTE_ARG_SIZE + 16], protocol[sizeof(q->protocol) + 16];
	const char *args[] = {"git",
			      "-c",
			      "safe.directory=*",
			      "-c",
			      "core.hooksPath=/dev/null",
			      "-c",
			      "pack.threads=1",
			      "upload-pack",
			      "--strict",
			      "--stateless-rpc",
			      repo,
			      NULL,
			      NULL};
	const char *env[] = {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C",
			     protocol, NULL};
	CLEANUP(closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct proc_spec spec = PROC_SPEC(args);
	pid_t pid;
	int r;

	if (null < 0)
		return error_errno(err, errno, "/dev/null");
	/* The child changes folder before it becomes git, while it still has the descriptor. */
	(void)snprintf(folder, sizeof(folder), "/proc/self/fd/%d", tree);
	(void)snprintf(repo, sizeof(repo), "p/%s/source.git", q->route.arg);
	(void)snprintf(protocol, sizeof(protocol), "GIT_PROTOCOL=%s", q->protocol);
	if (q->route.kind == ROUTE_GIT_ADVERTISE) {
		args[10] = "--http-backend-info-refs";
		args[11] = repo;
	}
	spec.env = env;
	spec.folder = folder;
	spec.in = in;
	spec.out = out;
	spec.err = null;
	r = proc_start(&spec, &pid, err);
	return r < 0 ? r : proc_wait_for(pid, "git", RUN_MAX_MS, NULL, err);
}

/* What the client reads before git's own words, unless it speaks version 2. */
static int advertise(struct request *q, int spool, struct error *err)
{
	int64_t size = 0;
	int r = is_v2(q) ? 0 : buf_puts(&q->text, "001e# service=git-upload-pack\n0000", err);

	if (r == 0)
		r = file_size(spool, "git", &size, err);
	if (r == 0 && size > ADVERTISEMENT_MAX)
		r = error_set(err, E_FULL, "too many refs to list");
	if (r == 0)
		r = buf_reserve(&q->text, (size_t)size, err);
	if (r < 0)
		return r;
	if (pread(spool, q->text.data + q->text.len, (size_t)size, 0) != size)
		return error_errno(err, errno, "git");
	q->text.len += (size_t)size;
	return 0;
}

static int work(struct request *q, int tree, int work_dir, struct error *err)
{
	CLEANUP(closep) int in = -1;
	CLEANUP(closep) int spool = -1;
	char head[ROUTE_ARG_SIZE + 32];
	int r = 0;

	(void)snprintf(head, sizeof(head), "p/%s/source.git/HEAD", q->route.arg);
	if (!file_exists(tree, head))
		return error_set(err, E_NOTFOUND, "%s: no released sources", q->route.arg);
	spool = openat(work_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool < 0)
		return error_errno(err, errno, "spool");
	if (q->route.kind == ROUTE_GIT_PACK) {
		in = memfd_create("git-request", MFD_CLOEXEC);
		if (in < 0)
			return error_errno(err, errno, "git request");
		r = write_body(q, in, err);
		if (r == 0 && lseek(in, 0, SEEK_SET) < 0)
			r = error_errno(err, errno, "git request");
	}
	if (r == 0)
		r = run(q, tree, in, spool, err);
	if (r == 0 && q->route.kind == ROUTE_GIT_ADVERTISE)
		return advertise(q, spool, err);
	if (r == 0)
		q->fd = steal_fd(&spool);
	return r;
}

void git_http_work(struct request *q, int tree, int work_dir)
{
	q->r = work(q, tree, work_dir, &q->err);
}

static enum MHD_Result answer_pack(struct request *q)
{
	struct MHD_Response *r;
	enum MHD_Result ok;
	struct stat st;

	if (fstat(q->fd, &st) < 0)
		return MHD_NO;
	r = MHD_create_response_from_fd64((uint64_t)st.st_size, q->fd);
	if (!r)
		return MHD_NO;
	q->fd = -1; /* the response closes it */
	ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
				     "application/x-git-upload-pack-result");
	if (ok)
		ok = MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (ok)
		ok = MHD_queue_response(q->connection, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return ok;
}

enum MHD_Result git_http_answer(struct request *q, unsigned *status)
{
	*status = respond_status(q->r);
	if (q->r < 0)
		return respond_error(q->connection, *status, &q->err);
	if (q->fd >= 0)
		return answer_pack(q);
	return respond_text(q->connection, *status, "application/x-git-upload-pack-advertisement",
			    &q->text);
}
