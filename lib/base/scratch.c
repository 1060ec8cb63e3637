/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"

#define TEMP_DIR "/tmp"

/*
 * A child of whoever was killed may go on for a moment and put a file into a
 * folder that rm has just emptied: so again, until it is gone.
 */
#define REMOVE \
	"n=0; until rm -rf -- \"$0\" 2>/dev/null; do n=$((n + 1)); [ $n -lt 50 ] || exit 1; " \
	"sleep 0.2; done"

enum { FDS_OLD_KERNEL = 4096 };

/* Nobody must wait for us: not at the end of a pipe, not for a lock that we inherited. */
static void close_all_but(int keep)
{
	if (close_range((unsigned)keep + 1, ~0U, 0) < 0) /* before Linux 5.9 */
		for (int fd = keep + 1; fd < FDS_OLD_KERNEL; fd++)
			(void)close(fd);
	for (int fd = 0; fd < keep; fd++)
		(void)close(fd);
}

/* The child: only what is safe after a fork of a threaded program. */
static void guard(const char *path, int wake)
{
	char byte;
	ssize_t n;

	(void)setsid();
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	close_all_but(wake);
	do
		n = read(wake, &byte, sizeof(byte));
	while (n < 0 && errno == EINTR);
	(void)execlp("sh", "sh", "-c", REMOVE, path, (char *)NULL);
	_exit(1);
}

static int start_guardian(struct scratch *s, struct error *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "pipe");
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		guard(s->path, ends[0]);
	}
	closep(&ends[0]);
	if (pid < 0) {
		closep(&ends[1]);
		return error_errno(err, errno, "fork");
	}
	s->guard = ends[1];
	s->guardian = pid;
	return 0;
}

/* Let it do its work, ten seconds at most, or stop it because that is done. */
static void end_guardian(struct scratch *s, bool done)
{
	if (done && s->guardian > 0)
		(void)kill(s->guardian, SIGKILL);
	closep(&s->guard);
	while (s->guardian > 0 && waitpid(s->guardian, NULL, 0) < 0 && errno == EINTR)
		;
	s->guard = -1;
	s->guardian = 0;
}

int scratch_open(const char *parent, struct scratch *out, struct error *err)
{
	CLEANUP(scratch_close) struct scratch s = SCRATCH_NONE;
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(freep) char *full = NULL;
	const char *base = parent ? parent : getenv("TMPDIR");
	int r;

	if (!base || !*base)
		base = TEMP_DIR;
	full = realpath(base, NULL);
	if (!full)
		return error_errno(err, errno, "%s", base);
	r = buf_printf(&path, err, "%s/" FILE_TEMP_PREFIX "XXXXXX", full);
	if (r < 0)
		return r;
	if (!mkdtemp(path.data))
		return error_errno(err, errno, "%s", path.data);
	s.path = buf_steal(&path);
	r = file_open_dir(AT_FDCWD, s.path, false, &s.fd, err);
	if (r == 0)
		r = start_guardian(&s, err);
	if (r < 0)
		return r;
	*out = s;
	s = SCRATCH_NONE;
	return 0;
}

int scratch_path(const struct scratch *s, const char *name, char **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "%s/%s", s->path, name);

	if (r < 0)
		return r;
	*out = buf_steal(&path);
	return 0;
}

int scratch_keep(struct scratch *s, const char *to, struct error *err)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(s->fd, 0755 & ~mask) < 0 || syncfs(s->fd) < 0)
		return error_errno(err, errno, "%s", s->path);
	if (renameat2(AT_FDCWD, s->path, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return error_errno(err, errno, "%s", to);
	end_guardian(s, true);
	closep(&s->fd);
	s->fd = -1;
	free(s->path);
	s->path = NULL;
	return file_sync_parent(AT_FDCWD, to, err);
}

void scratch_close(struct scratch *s)
{
	struct error ignored;

	if (!s->path)
		return;
	/* An agent that is about to end may put a file in between; the guardian goes on. */
	end_guardian(s, file_remove_tree(AT_FDCWD, s->path, &ignored) == 0);
	closep(&s->fd);
	free(s->path);
	*s = SCRATCH_NONE;
}
