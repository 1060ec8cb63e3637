/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen - a listening socket from what the command line says
 */
#ifndef REGISTRY_HTTP_LISTEN_H
#define REGISTRY_HTTP_LISTEN_H

#include "lib/base/compiler.h"

struct error;

/* "127.0.0.1:8080", "[::1]:0", ":8080". *out_port is the one it got. E_USAGE; E_BUSY: in use. */
MUSTCHECK int listen_on(const char *address, int *out, unsigned *out_port, struct error *err);

#endif
