/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history - what happened on this device, for its owner
 *
 * One JSON object a line in state/history.jsonl: {"at", "event", "text"}. The
 * file is kept below HISTORY_MAX bytes by dropping the older half. A line that
 * a power cut left unfinished is skipped when reading.
 */
#ifndef CLIENT_HISTORY_H
#define CLIENT_HISTORY_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

enum { HISTORY_MAX = 128 * 1024 };

/* Durable when it returns. `event` is one word. */
MUSTCHECK int history_add(int dir, int64_t at, const char *event, struct error *err,
			  const char *fmt, ...) PRINTF(5, 6);

/* All of it, oldest first: an array that the caller owns; empty if there is no file. */
MUSTCHECK int history_read(int dir, json_t **out, struct error *err);

#endif
