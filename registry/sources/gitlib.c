/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/gitlib.h"

#include <stdio.h>

#include "lib/base/error.h"

int gitlib_start(struct gitlib *g, struct error *err)
{
	if (git_libgit2_init() < 0)
		return gitlib_error(err, E_SYS, "libgit2");
	g->started = true;
	/* What is acknowledged must survive a power cut. */
	if (git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) < 0)
		return gitlib_error(err, E_SYS, "libgit2");
	return 0;
}

void gitlib_stop(struct gitlib *g)
{
	if (g->started)
		(void)git_libgit2_shutdown();
	g->started = false;
}

int gitlib_error(struct error *err, int code, const char *name)
{
	int system = errno;
	const git_error *e = git_error_last();

	if (e && e->klass == GIT_ERROR_NOMEMORY)
		return error_nomem(err);
	if (e && e->klass == GIT_ERROR_OS && (system == ENOSPC || system == EDQUOT))
		code = E_FULL;
	return error_set(err, code, "%s: %s", name, e && e->message ? e->message : "refused");
}

int gitlib_path(int dir, const char *path, char **out, struct error *err)
{
	char *at = NULL;
	char *real;

	if (asprintf(&at, "/proc/self/fd/%d/%s", dir, path) < 0)
		return error_nomem(err);
	real = realpath(at, NULL);
	if (!real) {
		int why = errno;

		free(at);
		return error_errno(err, why, "%s", path);
	}
	free(at);
	*out = real;
	return 0;
}

int gitlib_open(int dir, const char *path, git_repository **out, struct error *err)
{
	CLEANUP(freep) char *real = NULL;
	int r = gitlib_path(dir, path, &real, err);

	if (r < 0)
		return r;
	/* With no search upwards, and no other configuration than its own. */
	if (git_repository_open_ext(
		    out, real, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, NULL) < 0)
		return gitlib_error(err, E_SYS, path);
	return 0;
}
