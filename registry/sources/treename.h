/* SPDX-License-Identifier: Apache-2.0 */
/*
 * treename - may this be a name in a git tree that others will check out?
 */
#ifndef REGISTRY_SOURCES_TREENAME_H
#define REGISTRY_SOURCES_TREENAME_H

#include <stddef.h>

/*
 * What is wrong with it, or NULL. Wrong are: nothing, "." and "..", a slash or
 * backslash, control characters, and ".git" as any file system may spell it: in
 * any case, with code points that HFS+ ignores, with the trailing dots and blanks
 * or the stream name that NTFS drops, or as its short name.
 */
const char *treename_fault(const char *name, size_t len);

#endif
