/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packscan - how much is in a pack, before a library unpacks it
 *
 * Reads a pack once, front to back, in little memory, and demands that what it
 * declares is within bounds and is what it holds: a few bytes of zlib may
 * otherwise become a thousand times as many, and a delta more still.
 */
#ifndef REGISTRY_SOURCES_PACKSCAN_H
#define REGISTRY_SOURCES_PACKSCAN_H

#include <stdint.h>

#include "registry/sources/sources.h"

/*
 * The pack starts at byte `start` of `fd` and ends with the file. *objects is
 * how many it holds. E_INVALID: malformed, or beyond `limits`.
 */
MUSTCHECK int packscan(int fd, uint64_t start, const char *name,
		       const struct sources_limits *limits, uint32_t *objects, struct error *err);

#endif
