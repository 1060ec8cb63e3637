/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch - a private temporary folder that does not outlive its process
 *
 * 0700, and removed by scratch_close(). Should the process end in any other way
 * (a signal, SIGKILL and a crash included), a small guardian process, which
 * waits for just that, removes it.
 */
#ifndef LIB_BASE_SCRATCH_H
#define LIB_BASE_SCRATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/compiler.h"

struct error;

struct scratch {
	char *path; /* absolute; NULL: not open */
	int fd;     /* of the folder */
	int guard;  /* write end of the pipe whose closing wakes the guardian */
	pid_t guardian;
};
#define SCRATCH_NONE ((struct scratch){.fd = -1, .guard = -1})

/*
 * Make a folder ".tmp-XXXXXX" inside the folder `parent` (so that what is made
 * can be renamed to a place beside it), or, if NULL, below $TMPDIR or /tmp.
 */
MUSTCHECK int scratch_open(const char *parent, struct scratch *out, struct error *err);

/* "<path>/<name>"; the caller frees *out. */
MUSTCHECK int scratch_path(const struct scratch *s, const char *name, char **out,
			   struct error *err);

/*
 * Rename the folder itself to `to`, which must not exist: it is kept, with the
 * mode 0755 less umask, and the scratch is closed. All files in it are durable
 * before the new name is.
 */
MUSTCHECK int scratch_keep(struct scratch *s, const char *to, struct error *err);

/*
 * Remove everything; a no-op if not open. While somebody still writes there it waits, ten seconds
 * at most.
 */
void scratch_close(struct scratch *s);

#endif
