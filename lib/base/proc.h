/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc - other programs: git, tar, hooks, our own workers
 *
 * No shell in between. The child gets only the descriptors named here, default
 * signal dispositions, and dies with the group that proc_kill() names.
 */
#ifndef LIB_BASE_PROC_H
#define LIB_BASE_PROC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"

struct error;

struct proc_spec {
	const char *const *argv; /* ended by NULL; argv[0] is looked up in PATH */
	const char *const *env;  /* "NAME=value" added to ours; may be NULL */
	const char *folder;      /* to run in; NULL: ours */
	int in, out, err;        /* descriptors for 0, 1, 2; -1: /dev/null (in, out), ours (err) */
	int extra;               /* passed on as descriptor 3; -1: none */
};
#define PROC_SPEC(args) \
	((struct proc_spec){.argv = (args), .in = -1, .out = -1, .err = -1, .extra = -1})

/* Start it in a process group of its own. E_NOTFOUND: no such program. */
MUSTCHECK int proc_start(const struct proc_spec *spec, pid_t *out, struct error *err);

/* Wait for it. A status other than 0 is E_SYS, "git: exit 128" or "git: signal 9". */
MUSTCHECK int proc_wait(pid_t pid, const char *name, struct error *err);

/* The same, giving the exit status (0 to 255; 128 + n for a signal) instead of judging it. */
MUSTCHECK int proc_status(pid_t pid, const char *name, int *out, struct error *err);

/*
 * As proc_wait(), but after `timeout_ms`, or once *stop (may be NULL) is true, it
 * is killed: E_BUSY.
 */
MUSTCHECK int proc_wait_for(pid_t pid, const char *name, int64_t timeout_ms,
			    const atomic_bool *stop, struct error *err);

void proc_kill(pid_t pid); /* SIGKILL to its group; reaps it */

/*
 * Run to the end: feed it `in` (may be NULL), collect at most `max` bytes of its
 * standard output (out may be NULL). On failure the last line it wrote to
 * standard error is in the error text. E_INVALID: it wrote more than `max`.
 */
MUSTCHECK int proc_run(const char *const *argv, const char *const *env, const struct buf *in,
		       struct buf *out, size_t max, struct error *err);

#endif
