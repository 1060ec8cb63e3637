/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health - ask the owner's command whether the system that runs is well
 */
#ifndef CLIENT_HEALTH_H
#define CLIENT_HEALTH_H

#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

/*
 * Run `command` by the shell in `folder` for at most `deadline_s` seconds, after
 * which it and all it started are killed. E_SYS: it failed or took too long.
 */
MUSTCHECK int health_check(const char *command, const char *folder, int64_t deadline_s,
			   struct error *err);

#endif
