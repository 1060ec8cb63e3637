/* SPDX-License-Identifier: Apache-2.0 */
#include "client/health.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/proc.h"

enum { POLL_MS = 20, MS = 1000 };
#define MS_NS (INT64_C(1000) * 1000)

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * MS + t.tv_nsec / MS_NS;
}

/* Has it ended? It stays there to be waited for. */
static bool ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid;
}

int health_check(const char *command, const char *folder, int64_t deadline_s, struct error *err)
{
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	const struct timespec pause = {.tv_nsec = POLL_MS * MS_NS};
	struct proc_spec spec = PROC_SPEC(argv);
	int64_t until = now_ms() + deadline_s * MS;
	pid_t pid;
	int r;

	spec.folder = folder;
	r = proc_start(&spec, &pid, err);
	if (r < 0)
		return r;
	while (!ended(pid)) {
		if (now_ms() >= until) {
			proc_kill(pid);
			return error_set(err, E_SYS, "health: no answer after %" PRId64 " seconds",
					 deadline_s);
		}
		(void)nanosleep(&pause, NULL);
	}
	return proc_wait(pid, "health", err);
}
